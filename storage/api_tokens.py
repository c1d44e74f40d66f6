"""Tokens of the HTTP API in PostgreSQL: each is stored as a keyed hash, and found by its prefix.

The methods raise asyncpg's errors.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from loguru import logger
from redis.asyncio import Redis

from fsm.kind import Instant, PlayerId
from storage import keys
from storage.audit import wrote
from storage.connections import Pool
from storage.leases import STORE_GONE, jitter

_ADD = """
INSERT INTO api_tokens (prefix, hash, role, chats, name, owner_id, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *
"""
_FOUND = "SELECT * FROM api_tokens WHERE prefix = $1"
_ALL_FOUND = "SELECT * FROM api_tokens WHERE prefix = ANY($1::text[])"
_PAGE = """
SELECT * FROM api_tokens WHERE (created_at, prefix) < ($2, $3) ORDER BY created_at DESC, prefix DESC LIMIT $1
"""
_REVOKE = "UPDATE api_tokens SET revoked_at = $2 WHERE prefix = $1 AND revoked_at IS NULL"
_USED = """
UPDATE api_tokens t SET last_used_at = u.at FROM unnest($1::text[], $2::timestamptz[]) AS u (prefix, at)
WHERE t.prefix = u.prefix AND (t.last_used_at IS NULL OR t.last_used_at < u.at)
"""
_KEY = """
INSERT INTO api_key (key) VALUES ($1) ON CONFLICT (one) DO UPDATE SET key = api_key.key RETURNING key
"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
KEY_BYTES = 32
ALL = "*"
"""Stands for the prefixes of all tokens, when it is unknown which were revoked."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret.

    Attributes:
        prefix: the public part of the token, which names it in lists and in the audit log.
        role: name of a role of ``play.access``.
        chats: the chats that it is limited to; None for all chats.
        name: a note for people.
        owner_id: the person who made the token; 0 if it was made on the command line.
        created_at: time at which it was made.
        expires_at: time from which it is refused; None if it does not expire.
        revoked_at: time from which it is refused; None if it was not revoked.
        last_used_at: time of a recent use, to the minute; None if it was not used.
    """

    prefix: str
    role: str
    chats: frozenset[int] | None
    name: str
    owner_id: PlayerId
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None


class ApiTokens:
    """Repository of tokens.

    Args:
        pool: PostgreSQL.
        redis: announces revocations to other processes; the client for commands that wait.
        secret: the configured key of the hashes; empty for one that is made once and kept in PostgreSQL.
    """

    def __init__(self, pool: Pool, redis: Redis, secret: bytes = b"") -> None:
        self._pool = pool
        self._redis = redis
        self._key = secret

    async def key(self) -> bytes:
        """Return the key of the hashes, which all processes share."""
        if not self._key:
            self._key = await self._pool.fetchval(_KEY, secrets.token_bytes(KEY_BYTES))
        return self._key

    async def digest(self, token: str) -> bytes:
        """Return the keyed hash of a whole token."""
        return hmac.digest(await self.key(), token.encode(), hashlib.sha256)

    async def add(
        self,
        prefix: str,
        token: str,
        *,
        role: str,
        chats: frozenset[int] | None,
        name: str,
        owner_id: PlayerId,
        created_at: Instant,
        expires_at: Instant | None,
    ) -> ApiToken:
        """Store a new token."""
        listed = None if chats is None else sorted(chats)
        until = None if expires_at is None else _moment(expires_at)
        digest = await self.digest(token)
        row = await self._pool.fetchrow(_ADD, prefix, digest, role, listed, name, owner_id, _moment(created_at), until)
        wrote("create-token", target=prefix)
        return _token(row)

    async def found(self, prefix: str) -> tuple[ApiToken, bytes] | None:
        """Return the token with a prefix and its hash, or None."""
        row = await self._pool.fetchrow(_FOUND, prefix)
        return None if row is None else (_token(row), bytes(row["hash"]))

    async def all_found(self, prefixes: Collection[str]) -> list[ApiToken]:
        """Return the tokens with these prefixes, as far as they exist."""
        return [_token(row) for row in await self._pool.fetch(_ALL_FOUND, list(prefixes))]

    async def page(self, limit: int, after: tuple[Instant, str] | None = None) -> list[ApiToken]:
        """Return tokens, latest first, after the one with this time of creation and prefix."""
        at, prefix = (LAST, "") if after is None else (_moment(after[0]), after[1])
        return [_token(row) for row in await self._pool.fetch(_PAGE, limit, at, prefix)]

    async def revoke(self, prefix: str, at: Instant) -> bool:
        """Revoke a token and announce it. Returns False if there is no such token, or it was revoked before."""
        done = await self._pool.execute(_REVOKE, prefix, _moment(at))
        await self._redis.publish(keys.TOKENS_CHANGED, prefix)
        revoked = bool(done.endswith(" 1"))
        if revoked:
            wrote("revoke-token", target=prefix)
        return revoked

    async def listen(self, heard: Callable[[str], None]) -> None:
        """Hear of revocations by any process, until cancelled. `heard` gets the prefix; ``ALL`` if some may be lost."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(keys.TOKENS_CHANGED)
                    while True:
                        message = await pubsub.get_message(timeout=30)
                        if message is None:
                            continue
                        if message["type"] == "subscribe":  # earlier announcements were not received
                            heard(ALL)
                        elif message["type"] == "message":
                            heard(message["data"].decode(errors="replace"))
            except STORE_GONE as problem:
                logger.debug("revocations are not heard: {}", type(problem).__name__)
                await asyncio.sleep(jitter(0.5))

    async def used(self, times: Mapping[str, Instant]) -> None:
        """Write the times of last use, by prefix."""
        rows = sorted(times.items())
        await self._pool.execute(_USED, [prefix for prefix, _ in rows], [_moment(at) for _, at in rows])


def _moment(at: Instant) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def _instant(moment: datetime | None) -> Instant | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _token(row: Any) -> ApiToken:
    chats, created_at = row["chats"], row["created_at"]
    return ApiToken(
        prefix=row["prefix"],
        role=row["role"],
        chats=None if chats is None else frozenset(chats),
        name=row["name"],
        owner_id=row["owner_id"],
        created_at=round(created_at.timestamp() * 1000),
        expires_at=_instant(row["expires_at"]),
        revoked_at=_instant(row["revoked_at"]),
        last_used_at=_instant(row["last_used_at"]),
    )
