"""The requests of the HTTP API that Redis remembers: the rates of clients, and writes with an idempotency key.

All processes share both. The methods raise ``Unavailable`` if Redis is away.
"""

import asyncio
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fsm.engine import Unavailable
from fsm.kind import Instant, PlayerId
from storage import keys
from storage.games import LIVE_TTL_MS
from storage.scripts import script

KEPT_MS: Final = 86_400_000
"""Lifetime of an idempotency key: a repeat within a day gets the first response."""
AHEAD: Final = 16
"""Most requests that a process pays ahead for a busy client far below its limit, so as to ask Redis less often."""
AHEAD_BURST: Final = 50
"""Smallest burst of clients for which it does. Requests that are paid and not made within a second are lost to them."""
AHEAD_SECONDS: Final = 1.0
BUSY_SECONDS: Final = 0.125
"""A client is busy if it makes another request within this time, or has used the requests that were paid ahead."""
MOST_PAID: Final = 10_000
ATTEMPT_MS: Final = 60_000
"""Time after which an attempt counts as dead, so that a repeat may make another one. Longer than any request takes."""

_RATE = script("storage", "api_rate")
_BEGIN = script("storage", "api_begin")
_END = script("storage", "api_end")


class KeyReused(Exception):
    """The idempotency key belongs to another request."""


class RequestInProgress(Exception):
    """An attempt at the same request is under way."""


class StoredResponse(msgspec.Struct, frozen=True):
    """The response to a write, as a repeat gets it."""

    status: int
    body: bytes
    headers: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a write. `response`: that of an earlier attempt; None if this one has to make it."""

    key: str
    id: str
    response: StoredResponse | None = None


class ApiRequests:
    """Rates of clients, idempotency keys, and the players for whom the API has joined."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._rate = redis.register_script(_RATE)
        self._begin = redis.register_script(_BEGIN)
        self._end = redis.register_script(_END)
        self._paid: dict[str, tuple[float, int]] = {}
        """Client -> the time until which it counts as busy and its requests are paid ahead, and their number."""
        self._asked: dict[str, asyncio.Future[tuple[int, int]]] = {}
        """Client -> the request of it that is asking Redis: its units, and the wait that it was told."""

    async def wait_ms(self, client: str, *, a_second: float, burst: int, units: int = 1) -> int:
        """Count a request of a client. Returns 0 if it may be answered, else the time until it may be repeated, in ms.

        Args:
            client: the token's prefix, or an address.
            a_second: the number of requests a second that the client may make in the long run.
            burst: the number of requests that it may make at once.
            units: the number of requests that this one counts as, at most ``burst``.
        """
        while True:
            if self._use_paid(client, units):
                return 0
            asked = self._asked.get(client)
            if asked is None:
                break
            # A request that asks may pay for those that wait here. If it is refused, they would be too.
            least, wait = await asyncio.shield(asked)
            if wait and units >= least:
                return wait
        answer = self._asked[client] = asyncio.get_running_loop().create_future()
        wait = 0
        try:
            wait = await self._ask(client, a_second, burst, units)
        finally:
            del self._asked[client]
            answer.set_result((units, wait))
        return wait

    def _use_paid(self, client: str, units: int) -> bool:
        """Use requests that were paid ahead. Returns False if there are too few."""
        until, left = self._paid.get(client, (0.0, 0))
        if time.monotonic() >= until or units > left:
            return False
        self._paid[client] = (until, left - units)
        return True

    async def _ask(self, client: str, a_second: float, burst: int, units: int) -> int:
        """Count a request in Redis, and pay ahead if the client is busy. Returns the wait in ms."""
        now = time.monotonic()
        until, _ = self._paid.get(client, (0.0, 0))
        cost = 1_000_000 / a_second
        more = AHEAD if units == 1 and burst >= AHEAD_BURST and now < until else 0
        wait, ahead = await _reached(
            self._rate(keys=[keys.rate_key(client)], args=[cost * min(units, burst), cost * burst, more])
        )
        left = self._paid.get(client, (0.0, 0))[1] if now < until else 0
        self._paid[client] = (now + (AHEAD_SECONDS if ahead or left else BUSY_SECONDS), left + int(ahead))
        if len(self._paid) > MOST_PAID:
            self._forget_idle(now)
        return int(wait)

    def _forget_idle(self, now: float) -> None:
        """Forget the clients that are not busy; all of them if too many are, for whom Redis is then asked again."""
        self._paid = {each: paid for each, paid in self._paid.items() if now < paid[0]}
        if len(self._paid) > MOST_PAID:
            self._paid.clear()

    async def begin(self, key: str, fingerprint: str) -> Attempt:
        """Begin an attempt at a write. Raises ``KeyReused`` and ``RequestInProgress``."""
        name = keys.request_key(hashlib.sha256(key.encode()).hexdigest())
        attempt = Attempt(name, secrets.token_hex(8))
        answer = await _reached(self._begin(keys=[name], args=[fingerprint, attempt.id, ATTEMPT_MS, KEPT_MS]))
        match answer[0]:
            case b"reused":
                raise KeyReused
            case b"busy":
                raise RequestInProgress
            case b"done":
                return Attempt(name, attempt.id, msgspec.msgpack.decode(answer[1], type=StoredResponse))
            case _:
                return attempt

    async def end(self, attempt: Attempt, response: StoredResponse | None) -> None:
        """Store the response of an attempt, or, if it is None, let the next attempt begin at once."""
        stored = b"" if response is None else msgspec.msgpack.encode(response)
        await _reached(self._end(keys=[attempt.key], args=[attempt.id, stored]))

    # -- players for whom the API acts --------------------------------------------------------------------------

    async def joined(self, game_id: str, player_id: PlayerId, joined_at: Instant) -> None:
        """Record that the API has joined a game for a player, at the time that the game's state shows."""
        key = keys.joined_by_api_key(game_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, str(player_id), str(joined_at))
            pipe.pexpire(key, LIVE_TTL_MS)
            await _reached(pipe.execute())

    async def joined_at(self, game_id: str, player_id: PlayerId) -> Instant | None:
        """Return the time at which the API joined a game for a player; None if it did not."""
        found = await _reached(self._redis.hget(keys.joined_by_api_key(game_id), str(player_id)))
        return None if found is None else int(found)


async def _reached(call: Any) -> Any:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(f"Redis: {type(error).__name__}") from error


def fingerprint(*parts: bytes) -> str:
    """Return a digest of the parts of a request. No two different lists of parts have the same digest."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
