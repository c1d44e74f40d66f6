"""The time that all processes of a deployment share: Redis's clock, corrected so that it has no steps.

All replicas compare deadlines with one clock, that of Redis. When the clock of Redis's machine is set (a correction by
NTP, a failover to another machine), the shared time continues without a step: Redis keeps a *shift* for all processes,
which shrinks to nothing within a day. So no phase becomes minutes longer or shorter, and the shared time is the real
one again in the end.
"""

from dataclasses import dataclass

from redis.asyncio import Redis

from fsm.kind import Instant
from storage import keys
from storage.scripts import script

MELT_MS = 86_400_000
"""Time in which a shift shrinks to nothing. Ten minutes shrink at 0.7 %: a lobby of a minute lasts 0.4 s longer."""
AGREES_MS = 1_000
"""Difference below which a process agrees with the shared time; it allows for a delayed message."""
HEARD_MS = 6_000
"""Time for which a replica's agreement counts as evidence: three times the interval of measuring."""
MOST_MS = 12 * 3_600_000
"""Longest step that is smoothed.

A longer one is followed: the clock was wrong before, as on a machine without a battery.
"""

_MEASURE = script("storage", "shared_time", MELT_MS=MELT_MS, HEARD_MS=HEARD_MS, MOST_MS=MOST_MS, AGREES_MS=AGREES_MS)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the shared clock. Times in milliseconds."""

    redis_ms: int
    """Time of Redis's own clock."""
    shift_ms: int
    """Correction to add to it."""
    token: int
    """Number of the shift; each carried-over step increases it."""
    others_fit: bool
    """True if another replica with a sound clock leads deadlines or stands by for it."""

    @property
    def shared_ms(self) -> int:
        """Return the time that all processes share."""
        return self.redis_ms + self.shift_ms


class SharedTime:
    """Reader of the shared clock, which also carries it over a step.

    Args:
        redis: client of the Redis that keeps the clock.
        owner: unique name of this process.
    """

    def __init__(self, redis: Redis, owner: str) -> None:
        self._owner = owner
        self._measure = redis.register_script(_MEASURE)

    async def read(self, believed: Instant | None, *, fit: bool, redis_ms: int | None = None) -> Reading:
        """Read the clock. Raises redis-py's errors.

        Args:
            believed: the shared time by this process's own clock, or None; if it agrees, other replicas may rely on it.
            fit: True if this process may lead deadlines.
            redis_ms: time of Redis, given only by tests.
        """
        return await self._run(redis_ms, "" if believed is None else believed, int(fit))

    async def carry_over(self, step_ms: int, token: int, *, redis_ms: int | None = None) -> Reading:
        """Add a step to the shift, unless another process has done so or contradicts it. Raises redis-py's errors.

        A replica that was suspended observes the same as one whose Redis had its clock set. If another replica has
        agreed with the shared time a moment ago, this one is wrong, and nothing is changed.
        """
        return await self._run(redis_ms, "", 0, step_ms, token)

    async def _run(
        self, redis_ms: int | None, believed: int | str, fit: int, step_ms: int | str = "", token: int | str = ""
    ) -> Reading:
        arguments = ["" if redis_ms is None else redis_ms, self._owner, believed, fit, step_ms, token]
        now, shift, number, others = await self._measure(keys=[keys.clock_key()], args=arguments)
        return Reading(int(now), int(shift), int(number), bool(others))
