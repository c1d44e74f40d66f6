"""Tokens of the HTTP API: issuing, checking and revoking them.

A token is ``tombola_<prefix>_<secret>``. The whole is shown once; PostgreSQL has its keyed hash. A check is cached for
five seconds at most, so that a revocation holds within that time even if its announcement is lost.
"""

import asyncio
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from loguru import logger

from fsm.engine import Clock, Unavailable
from fsm.kind import Instant, PlayerId, Rejected
from play.access import Actor, Role, Token
from play.texts import tidy
from storage.api_tokens import ALL, ApiToken, ApiTokens
from storage.leases import jitter
from storage.people import AWAY

REMEMBER_SECONDS: Final = 5.0
REMEMBERED: Final = 10_000
"""Maximum number of checked tokens, valid and invalid, in a process."""
READ_SECONDS: Final = 2.0
USED_SECONDS: Final = 60.0
"""Interval at which the times of last use are written."""
LONGEST_NAME: Final = 64
DAY_MS: Final = 86_400_000
MARK: Final = "tombola"
ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
PREFIX_LETTERS: Final = 10
SECRET_BYTES: Final = 24


@dataclass(unsafe_hash=True)
class NotAuthenticated(Rejected):
    """The request has no token, or one that is wrong, expired or revoked."""


@dataclass(unsafe_hash=True)
class UnknownToken(Rejected):
    """There is no token with that prefix."""


class Tokens:
    """Issues, checks and revokes tokens.

    Args:
        store: the repository.
        clock: the clock by which tokens expire.
    """

    def __init__(self, store: ApiTokens, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._checked: OrderedDict[str, tuple[float, bytes, ApiToken | None]] = OrderedDict()
        """Prefix -> time until which the row is fresh, the hash, and the row."""
        self._changes = 0
        self._used: dict[str, Instant] = {}
        self.on_revoked: list[Callable[[str], None]] = []
        """Callbacks with the prefix of a revoked token, for connections that outlive a request. `*`: unknown which."""

    async def issue(
        self,
        role: Role,
        chats: frozenset[int] | None = None,
        *,
        days: float | None = None,
        name: str = "",
        owner_id: PlayerId = 0,
    ) -> tuple[str, ApiToken]:
        """Make a token. Returns it whole, which nobody can do again, and its description."""
        prefix = "".join(secrets.choice(ALPHABET) for _ in range(PREFIX_LETTERS))
        token = f"{MARK}_{prefix}_{secrets.token_hex(SECRET_BYTES)}"
        now = self._clock.now()
        made = await self._store.add(
            prefix,
            token,
            role=role.value,
            chats=chats,
            name=tidy(name)[:LONGEST_NAME],
            owner_id=owner_id,
            created_at=now,
            expires_at=None if days is None else now + round(days * DAY_MS),
        )
        return token, made

    async def check(self, token: str) -> ApiToken:
        """Return the description of a valid token.

        Raises:
            NotAuthenticated: there is no such token, or it is no longer valid.
            Unavailable: PostgreSQL is away. A token that cannot be checked is never accepted.
        """
        mark, _, rest = token.partition("_")
        prefix, _, secret = rest.partition("_")
        if mark != MARK or len(prefix) != PREFIX_LETTERS or len(secret) != 2 * SECRET_BYTES or not token.isascii():
            raise NotAuthenticated
        digest, found = await self._row(prefix)
        if found is None or not hmac.compare_digest(digest, await self._store.digest(token)):
            raise NotAuthenticated
        now = self._clock.now()
        if not _is_valid(found, now):
            raise NotAuthenticated
        self._used[prefix] = now
        return found

    async def actors(self, prefixes: Collection[str]) -> dict[str, Actor]:
        """Return the actors of those tokens that are valid now, by prefix, from PostgreSQL.

        Raises ``Unavailable``.
        """
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._store.all_found(prefixes)
        except AWAY as problem:
            raise Unavailable(f"tokens can't be checked: {type(problem).__name__}") from problem
        now = self._clock.now()
        return {token.prefix: actor_of(token) for token in found if _is_valid(token, now)}

    async def listed(self, limit: int, after: tuple[Instant, str] | None = None) -> list[ApiToken]:
        """Return tokens, latest first."""
        return await self._store.page(limit, after)

    async def found(self, prefix: str) -> ApiToken:
        """Return the description of a token, valid or not. Raises ``UnknownToken``."""
        found = await self._store.found(prefix)
        if found is None:
            raise UnknownToken
        return found[0]

    async def revoke(self, prefix: str) -> ApiToken:
        """Revoke a token. Harmless to repeat. Raises ``UnknownToken``."""
        await self._store.revoke(prefix, self._clock.now())
        self._forget(prefix)
        return await self.found(prefix)

    async def key(self) -> bytes:
        """Return the secret that all processes share, for signatures of cursors."""
        return await self._store.key()

    async def run(self) -> None:
        """Hear of revocations, and write the times of last use, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._store.listen(self._forget))
            tasks.create_task(self._keep_writing())

    async def _row(self, prefix: str) -> tuple[bytes, ApiToken | None]:
        known, now = self._checked.get(prefix), time.monotonic()
        if known is not None and now < known[0]:
            return known[1:]
        changes = self._changes
        try:
            async with asyncio.timeout(READ_SECONDS):
                found = await self._store.found(prefix)
        except AWAY as problem:
            raise Unavailable(f"tokens can't be checked: {type(problem).__name__}") from problem
        row, digest = (None, b"") if found is None else found
        if changes == self._changes:  # else the row may have been read just before it was revoked
            # The time counts from before the read, so that no revocation is overlooked for longer than promised.
            self._checked[prefix] = (now + REMEMBER_SECONDS, digest, row)
            self._checked.move_to_end(prefix)
            if len(self._checked) > REMEMBERED:
                self._checked.popitem(last=False)
        return digest, row

    def _forget(self, prefix: str) -> None:
        self._changes += 1
        if prefix == ALL:
            self._checked.clear()
        else:
            self._checked.pop(prefix, None)
        for tell in self.on_revoked:
            tell(prefix)

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(jitter(USED_SECONDS))
            times, self._used = self._used, {}
            if times:
                try:
                    await self._store.used(times)
                except AWAY as problem:
                    logger.info("the last use of {} tokens is not written: {}", len(times), type(problem).__name__)


def _is_valid(token: ApiToken, now: Instant) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def actor_of(token: ApiToken) -> Actor:
    """Return the actor that a token stands for."""
    return Actor(token.owner_id, token.name, token=Token(Role(token.role), token.chats))
