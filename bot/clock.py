"""The clock and the random numbers of a process, which implement the engine's ports."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
from loguru import logger
from redis.exceptions import RedisError

from fsm.kind import Instant
from storage.connections import POSTGRES_GONE, Pool
from storage.shared_time import SharedTime
from storage.ticks import next_tick

SEED_BYTES = 32
EVERY_SECONDS = 2.0
"""Interval at which a process compares its clock with the clocks of the stores."""
POSTGRES_EVERY = 15
"""Number of comparisons after which PostgreSQL's clock is compared too. Only bans and retention use that clock."""
OFF_MS = 1_000
"""Difference beyond which a clock counts as wrong and is reported."""
SLOW_MS = 500
"""Round trip beyond which a measurement is too imprecise to use."""
TOLD_SECONDS = 600.0
"""Seconds for which health reports a step of a clock."""
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError, RedisError)
"""Errors of a comparison while a store is unavailable."""


def _uptime_ns() -> int:
    """Return nanoseconds of a clock that is never set. On Linux it also runs while the machine is suspended."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic_ns()


class SystemClock:
    """The time that all processes share; see `storage/shared_time.py`.

    Between two measurements it follows the monotonic clock, so a wrong or changed wall clock has no effect. Reading it
    costs as much as reading the wall clock. Before the first measurement it shows the wall clock's time.

    Args:
        wall: returns this machine's time in nanoseconds since the epoch; tests change it.
        uptime: returns nanoseconds of a clock that is never set.
    """

    def __init__(self, wall: Callable[[], int] = time.time_ns, uptime: Callable[[], int] = _uptime_ns) -> None:
        self._wall = wall
        self._uptime = uptime
        self._base = wall() - uptime()
        """Nanoseconds to add to the uptime to get the shared time."""
        self._wall_base = self._base
        """Nanoseconds to add to the uptime to get this machine's own time, as of the last measurement."""
        self._stepped_at = -float("inf")
        self.measured = False
        """True once the shared time has been measured."""
        self.shift_ms = 0
        """Milliseconds by which the shared time is ahead of Redis's clock."""
        self.off_ms = 0
        """Milliseconds by which this machine's clock is ahead of Redis's."""
        self.postgres_off_ms = 0
        """Milliseconds by which PostgreSQL's clock is ahead of Redis's."""
        self.round_trip_ms = 0.0
        self.step_ms = 0
        """Size of the last step of this machine's clock or Redis's."""
        self.others_fit = False

    def now(self) -> Instant:
        """Return the shared time."""
        return (self._uptime() + self._base) // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return after a number of seconds of real time."""
        await asyncio.sleep(seconds)

    @property
    def off(self) -> bool:
        """True if this machine's clock is wrong."""
        return abs(self.off_ms) > OFF_MS

    @property
    def fit(self) -> bool:
        """True if this process may lead deadlines: its clock is right, or no other process has a right one.

        The shared time decides when a deadline has passed, so a wrong clock does no damage here. It is still a sign
        that the machine is unreliable.
        """
        return not self.off or not self.others_fit

    async def measure(self, shared: SharedTime, *, may_lead: bool = True, redis_ms: int | None = None) -> None:
        """Compare with the shared time once and follow it. Raises redis-py's errors.

        Args:
            shared: the shared clock.
            may_lead: True if this process leads deadlines or stands by to lead them.
            redis_ms: the time of Redis, for tests.
        """
        self._look_at_wall()
        sent = self._uptime()
        fit = may_lead and self.measured and not self.off
        reading = await shared.read(self.now() if self.measured else None, fit=fit, redis_ms=redis_ms)
        received = self._uptime()
        round_trip = received - sent
        if round_trip > SLOW_MS * 1_000_000 and self.measured:
            return
        # Redis read its clock at some time between `sent` and `received`. The middle is off by half the round trip at
        # most.
        middle = sent + round_trip // 2
        was_off, self.round_trip_ms = self.off, round_trip / 1_000_000
        self.off_ms = (middle + self._wall_base) // 1_000_000 - reading.redis_ms
        self.others_fit = reading.others_fit
        ahead = (middle + self._base) // 1_000_000 - reading.shared_ms
        if self.measured and abs(ahead) > OFF_MS:
            token, shift = reading.token, reading.shift_ms
            reading = await shared.carry_over(ahead, token, redis_ms=redis_ms)
            left = ahead - (reading.shift_ms - shift)
            self._step(-ahead, "this process had stood still: its" if abs(left) > OFF_MS else "Redis's")
            ahead = left
        if not self.measured or abs(ahead) * 1_000_000 > round_trip // 2:  # the measurement cannot resolve less
            self._base -= ahead * 1_000_000
        self.measured, self.shift_ms = True, reading.shift_ms
        if self.off and not was_off:
            logger.warning(
                "this machine's clock is {} ms ahead of Redis's; another machine will take over the deadlines",
                self.off_ms,
            )
        elif was_off and not self.off:
            logger.info("this machine's clock agrees with Redis's again; it is {} ms ahead", self.off_ms)

    def _look_at_wall(self) -> None:
        base = self._wall() - self._uptime()
        step, self._wall_base = (base - self._wall_base) // 1_000_000, base
        if abs(step) > OFF_MS:
            self._step(step, "this machine's")

    def _step(self, step_ms: int, whose: str) -> None:
        self.step_ms, self._stepped_at = step_ms, self._uptime() / 1e9
        logger.warning(
            "{} clock was changed by {:+.1f} s; the time of games continues without a step", whose, step_ms / 1000
        )

    async def measure_postgres(self, pool: Pool) -> None:
        """Compare PostgreSQL's clock with Redis's. Raises asyncpg's errors."""
        sent = self._uptime()
        async with asyncio.timeout(SLOW_MS / 1000):  # a dead PostgreSQL must not delay the comparison with Redis
            theirs: int = await pool.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        received = self._uptime()
        before = self.postgres_off_ms
        ours = ((sent + received) // 2 + self._base) // 1_000_000 - self.shift_ms
        self.postgres_off_ms = theirs - ours
        if abs(self.postgres_off_ms) > OFF_MS >= abs(before):
            logger.warning("PostgreSQL's clock differs from Redis's by {} ms", self.postgres_off_ms)

    async def keep(self, shared: SharedTime, pool: Pool, *, may_lead: bool) -> None:
        """Compare the clocks regularly, until cancelled."""
        round_ = 0
        while True:
            try:
                await self.measure(shared, may_lead=may_lead)
                if round_ % POSTGRES_EVERY == 0:
                    await self.measure_postgres(pool)
                round_ += 1
            except AWAY as problem:  # the clock keeps running on the monotonic clock
                logger.debug("cannot compare the clock with Redis's: {}", type(problem).__name__)
            await next_tick(EVERY_SECONDS)

    async def check(self) -> Mapping[str, Any]:
        """Report clocks that differ, and steps during the last ten minutes, to health."""
        found: dict[str, Any] = {
            "ok": not self.off and abs(self.postgres_off_ms) <= OFF_MS,
            "off_ms": self.off_ms,
            "postgres_off_ms": self.postgres_off_ms,
            "shift_ms": self.shift_ms,
            "round_trip_ms": round(self.round_trip_ms, 2),
        }
        ago = self._uptime() / 1e9 - self._stepped_at
        if ago < TOLD_SECONDS:
            found |= {"ok": False, "stepped_ms": self.step_ms, "stepped_seconds_ago": round(ago)}
        return found


class SystemEntropy:
    """Random bytes from the operating system, read for 100 seeds at a time: every decision gets one, but few use it."""

    def __init__(self) -> None:
        self._left = b""

    def seed(self) -> str:
        """Return 32 fresh random bytes as hex digits."""
        if not self._left:
            self._left = os.urandom(SEED_BYTES * 100)
        seed, self._left = self._left[:SEED_BYTES], self._left[SEED_BYTES:]
        return seed.hex()
