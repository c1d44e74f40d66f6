"""Leases, which give a job to one process at a time, and a bell that wakes the processes that wait for one.

A lease is a Redis key that expires. Its holder renews it three times within its lifetime. By its own monotonic clock,
counted from before the request was sent, the holder knows when it must have stopped: a process that was paused finds
its lease expired before Redis gives it to another. Each acquisition gets a higher fencing token; a store that compares
the token refuses late writes of an earlier holder.
"""

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar
from weakref import WeakKeyDictionary, WeakSet

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError

from storage import keys
from storage.connections import PinnedConnections, packed
from storage.scripts import script
from storage.ticks import next_tick

_ACQUIRE = script("storage", "lease_acquire")
_RENEW = script("storage", "lease_renew")
_RENEW_SHA = hashlib.sha1(_RENEW.encode(), usedforsecurity=False).hexdigest()
_RELEASE = script("storage", "lease_release")

RELEASE_SECONDS = 1.0
"""Limit for a release, in seconds: if Redis does not answer, the lease expires by itself."""
RELEASED = keys.LEASES_RELEASED
FENCE_TTL_MS = 30 * 24 * 3600 * 1000
"""Lifetime of a fencing token: it must outlive every pause of a holder, and a month is longer than any."""
STORE_GONE = (RedisError, OSError)
"""Errors of redis-py if Redis can't be asked or does not answer in time."""


def jitter(seconds: float) -> float:
    """Return the delay, or up to half of it less, so that replicas do not retry in step."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def heed_cancellation() -> None:
    """Raise a cancellation of this task that a library has swallowed. For loops around Redis commands.

    redis-py sends under `asyncio.wait_for`, which up to Python 3.11 may return a finished result and forget a
    cancellation that arrived with it. The task itself still counts the cancellation.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class LeaseLostError(Exception):
    """The loss of a job: a store has seen a higher token, or this process can't do the job and gives it up."""


class Bell:
    """One pub/sub connection that wakes the tasks of this process that wait on a channel.

    A ring is only a hint: it may be lost while the connection is. Waiting tasks also check from time to time.
    """

    def __init__(self, redis: Redis, channel: str) -> None:
        self.rings = 0
        self._redis = redis
        self._channel = channel
        self._next = asyncio.Event()

    async def listen(self) -> None:
        """Listen on the channel until cancelled; reconnect after errors."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(self._channel)
                    heed_cancellation()
                    # The confirmation of the subscription rings too: messages before it were not received.
                    while True:
                        if await pubsub.get_message(timeout=30) is not None:
                            self.ring()
            except STORE_GONE as problem:
                logger.debug("bell on {} lost: {}", self._channel, type(problem).__name__)
                await asyncio.sleep(jitter(0.5))

    def ring(self) -> None:
        """Wake all waiting tasks."""
        self.rings += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, seen: int, within: float | None = None) -> None:
        """Return when the bell has rung more than `seen` times, or after `within` seconds."""
        if self.rings == seen:
            # Not `wait_for`: up to Python 3.11 it swallows a cancellation that arrives together with the result.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._next.wait()


async def ring(redis: Redis, channel: str) -> None:
    """Wake the tasks of all processes that wait on a channel. If it fails, they look a little later by themselves."""
    try:
        await redis.publish(channel, b"")
    except STORE_GONE as problem:
        logger.debug("cannot ring the bell on {}: {}", channel, type(problem).__name__)


class Renewals:
    """Sends the renewals of one instant together, because an idle process does little else than renew its leases.

    Args:
        redis: client of the Redis that stores the leases.
    """

    _of: ClassVar["WeakKeyDictionary[Redis, Renewals]"] = WeakKeyDictionary()

    def __init__(self, redis: Redis) -> None:
        self._connections = PinnedConnections(redis, 1)
        self._waiting: list[tuple[bytes, asyncio.Future[Any]]] = []
        self._sending: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, redis: Redis) -> "Renewals":
        """Return the renewals of all leases that use this client."""
        found = cls._of.get(redis)
        if found is None:
            found = cls._of[redis] = cls(redis)
        return found

    async def renew(self, names: Sequence[str], arguments: Sequence[str | int]) -> bool:
        """Run the script of renewal for a lease. Returns False if it is no longer ours. Raises redis-py's errors."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((packed("EVALSHA", _RENEW_SHA, len(names), *names, *arguments), answer))
        if len(self._waiting) == 1:
            # A task of its own, because a lease whose renewal is cancelled must not take the others' with it.
            self._sending = asyncio.create_task(self._send())
        renewed = await answer
        if isinstance(renewed, NoScriptError):  # Redis was restarted
            command = packed("EVAL", _RENEW, len(names), *names, *arguments)
            [renewed] = await self._connections.exchange([command])
        if isinstance(renewed, Exception):
            raise renewed
        return bool(renewed)

    async def _send(self) -> None:
        """Send all waiting renewals. If that fails, each lease tries again."""
        await asyncio.sleep(0)  # leases that are renewed at the same instant join
        sent, self._waiting = self._waiting, []
        answers: list[Any] = [RedisConnectionError("the renewal was not sent")] * len(sent)
        try:
            answers = await self._connections.exchange([command for command, _ in sent])
        except STORE_GONE as problem:
            answers = [problem] * len(sent)
        finally:
            for (_, answer), result in zip(sent, answers, strict=True):
                if not answer.done():
                    answer.set_result(result)


_LEASES: "WeakSet[Lease]" = WeakSet()


def held_by(owner: str) -> list[str]:
    """Return the names of the leases that a process holds now, for the people who operate it."""
    return sorted(lease.name for lease in list(_LEASES) if lease.owner == owner and lease.held)


class Lease:
    """The right to do one job, held by at most one owner at a time.

    Args:
        redis: client of the Redis that stores the lease.
        name: name of the job, e.g. `{send}` or `{07}:projector`; a hash tag in it puts its two keys into one slot.
        owner: unique name of this process (host, process id and a random part).
        ttl_ms: time that others have to wait after a sudden death.
        released: bell on `RELEASED`; without it a waiting process notices a release within a third of the ttl.
    """

    def __init__(
        self, redis: Redis, name: str, owner: str, *, ttl_ms: int = 3000, released: Bell | None = None
    ) -> None:
        _LEASES.add(self)
        if "{" not in name:
            raise ValueError("a lease's name carries a hash tag, so that its keys share a slot")
        self.name = name
        self.owner = owner
        self._ttl = ttl_ms / 1000
        self._keys = keys.lease_keys(name)
        self._released = released
        self._safe_until = 0.0
        self._fence = 0
        self._holder = b""
        """Name of another process that was found to hold the lease; empty if none was."""
        self._acquire = redis.register_script(_ACQUIRE)
        self._renewals = Renewals.of(redis)
        self._release = redis.register_script(_RELEASE)

    @property
    def held(self) -> bool:
        """Return True if this process certainly holds the lease now, by its own clock."""
        return time.monotonic() < self._safe_until

    @property
    def fence(self) -> int:
        """Return the token of the latest acquisition, which is higher than every earlier holder's."""
        return self._fence

    async def run(self, job: Callable[[int], Awaitable[None]]) -> None:
        """Hold the lease and run `job(fence)`; if the lease is lost, cancel the job and stand by again.

        Returns when a job returns. An error of the job propagates, except errors of a Redis that is away and
        `LeaseLostError`, which count as a lost lease.
        A cancellation cancels the job, waits for it while still renewing, and releases the lease.
        """
        while True:
            fence = await self.acquire()
            logger.info("lease {} acquired, token {}", self.name, fence)
            try:
                if await self._hold(job, fence):
                    return
            finally:
                await self.release()
                heed_cancellation()
            logger.warning("lease {} lost", self.name)
            await asyncio.sleep(jitter(self._ttl / 10))

    async def acquire(self) -> int:
        """Wait until this process holds the lease. Returns the fencing token. The caller must renew, or use `run`."""
        while True:
            rings = self._released.rings if self._released else 0
            wait = await self.try_acquire()
            heed_cancellation()
            if wait == 0:
                return self._fence
            # Just after the expiry, but no later than a third of the ttl: a holder may release, or Redis may lose the
            # key.
            delay = min(wait / 1000, self._ttl / 3) + random.uniform(0.001, self._ttl / 30)  # noqa: S311
            if self._released:
                await self._released.after(rings, delay)
            else:
                await asyncio.sleep(delay)

    async def try_acquire(self) -> int:
        """Try once to take the lease.

        Returns 0 on success, else the milliseconds until the holder's lease may expire.
        """
        began = time.monotonic()
        arguments: list[str | int] = [self.owner, round(self._ttl * 1000), FENCE_TTL_MS]
        try:
            fence, wait, holder = await self._acquire(keys=self._keys, args=arguments)
        except STORE_GONE as problem:
            logger.debug("cannot ask for lease {}: {}", self.name, type(problem).__name__)
            return round(jitter(self._ttl * 1000 / 3))
        if fence:
            self._fence = int(fence)
            # Counted from before the request: Redis cannot have started the lifetime earlier.
            self._extend(began)
            self._holder = b""
            return 0
        if holder != self._holder:
            self._holder = holder
            logger.info("lease {} is held by {}; standing by", self.name, bytes(holder).decode(errors="replace"))
        return max(1, int(wait))

    async def renew(self) -> bool:
        """Extend the lease. Returns False if it is no longer ours. Raises redis-py's errors."""
        began = time.monotonic()
        arguments: list[str | int] = [self.owner, round(self._ttl * 1000), FENCE_TTL_MS, self._fence]
        if not await self._renewals.renew(self._keys, arguments):
            self._safe_until = 0.0
            return False
        self._extend(began)
        return True

    async def release(self) -> None:
        """Release the lease, if it is ours, and wake the processes that wait for it."""
        self._safe_until = 0.0
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._release(keys=self._keys, args=[self.owner, self._fence, RELEASED])
        except STORE_GONE as problem:
            logger.debug("cannot release lease {}; it will expire: {}", self.name, type(problem).__name__)

    def _extend(self, began: float) -> None:
        # Five percent less than Redis counts: the two clocks may run at slightly different rates.
        self._safe_until = began + self._ttl * 0.95

    async def _hold(self, job: Callable[[int], Awaitable[None]], fence: int) -> bool:
        """Run the job while renewing. Returns True if it ended by itself, False if the lease was lost."""
        renewing = asyncio.ensure_future(self._keep())
        working = asyncio.ensure_future(job(fence))
        try:
            await asyncio.wait({renewing, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # End the job before its renewals, so that it never runs without the lease.
            ended = working.done()
            await _end(working)
            await _end(renewing)
        if not ended:
            return False
        try:
            working.result()
        except (*STORE_GONE, LeaseLostError) as problem:
            logger.warning("job of lease {} stopped: {}", self.name, type(problem).__name__)
            return False
        return True

    async def _keep(self) -> None:
        """Renew until the lease is lost."""
        delay = 0.0
        while self.held:
            # All leases of a process are renewed at the same instants, so that they wake the process once.
            await (asyncio.sleep(delay) if delay else next_tick(self._ttl / 3))
            try:
                async with asyncio.timeout(self._safe_until - time.monotonic()):
                    if not await self.renew():
                        return
                heed_cancellation()
                delay = 0.0
            except (*STORE_GONE, TimeoutError) as problem:
                delay = jitter(self._ttl / 10)
                logger.warning("cannot renew lease {}: {}", self.name, type(problem).__name__)


async def _end(task: asyncio.Future[None]) -> None:
    """Cancel a task and wait for its end; its result or error stays readable."""
    task.cancel()
    while not task.done():
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
