"""Sessions of people on the pages and one-time links to them, in Redis: each expires, under its secret's hash."""

import hashlib
import secrets
from collections.abc import Awaitable, Collection, Mapping
from typing import Any, Final, TypeVar

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fsm.engine import Unavailable
from fsm.kind import Instant, PlayerId
from storage import keys

T = TypeVar("T")
SECRET_BYTES: Final = 24
IDLE_SECONDS: Final = 1800
"""Time after its last use at which a session ends."""


class StoredSession(msgspec.Struct, frozen=True):
    """A session.

    Attributes:
        player_id: the person's id in Telegram.
        name: the person's name as Telegram signed it.
        premium: whether the person has Telegram Premium.
        until: the time at which the session ends even if it is in use.
        dashboard: whether it is a session of the dashboard, with the rights of a host or an operator.
    """

    player_id: PlayerId
    name: str
    premium: bool
    until: Instant
    dashboard: bool = False


_decode = msgspec.json.Decoder(StoredSession).decode


class AppSessions:
    """The sessions that all processes have begun. The methods raise ``Unavailable``."""

    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis  # the stubs of redis-py name no result of a command

    async def add(self, session: StoredSession) -> str:
        """Store a session. Returns its secret, of which Redis has only the hash."""
        secret = secrets.token_hex(SECRET_BYTES)
        value = msgspec.json.encode(session)
        await _reached(self._redis.set(keys.app_session_key(session_name(secret)), value, ex=IDLE_SECONDS))
        return secret

    async def used(self, name: str) -> StoredSession | None:
        """Return a session, and begin its idle time anew; None if it has ended."""
        return (await self.all_found([name])).get(name)

    async def all_found(self, names: Collection[str]) -> Mapping[str, StoredSession]:
        """Return those sessions that have not ended, by name. They count as used: a page that watches is open."""
        found: list[bytes | None] = await _reached(self._read(names))
        return {name: _decode(each) for name, each in zip(names, found, strict=True) if each is not None}

    async def _read(self, names: Collection[str]) -> list[bytes | None]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.get(keys.app_session_key(name))
                pipe.expire(keys.app_session_key(name), IDLE_SECONDS)
            answers: list[bytes | None] = await pipe.execute()
        return answers[::2]

    async def add_login(self, value: bytes, seconds: int) -> str:
        """Store the value of a login that has begun. Returns its secret, of which Redis has only the hash."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        await _reached(self._redis.set(keys.login_key(session_name(secret)), value, ex=seconds))
        return secret

    async def take_login(self, secret: str) -> bytes | None:
        """Return the value of a login, and spend the login. None if it is unknown, too old or spent."""
        found: bytes | None = await _reached(self._redis.getdel(keys.login_key(session_name(secret))))
        return found

    async def end(self, name: str) -> None:
        """End a session. Harmless to repeat."""
        await _reached(self._redis.delete(keys.app_session_key(name)))


def session_name(secret: str) -> str:
    """Return the name of a session, which proves nothing: the hash of its secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def _reached(call: Awaitable[T]) -> T:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis: {type(error).__name__}") from error
