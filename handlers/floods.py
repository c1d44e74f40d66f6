"""Floods: who taps or writes faster than a person can is not served until it is over.

A tap is told so each time, as its answer costs nothing; who writes is told once.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from fsm.kind import Instant

REMEMBERED = 20_000
"""People remembered at once; who was quiet for longest is forgotten, which only forgives."""


class Verdict(Enum):
    """What to do with an update."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    """Too fast, and not told yet in this flood."""
    DROP = "drop"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: Instant
    warned: bool = False


class Floods:
    """A token bucket a person, in memory: a flood reaches each process in full, so each can judge by itself.

    Args:
        burst: updates at once.
        per_second: updates a second in the long run.
    """

    def __init__(self, *, burst: int = 30, per_second: float = 5.0) -> None:
        self._burst = burst
        self._per_ms = per_second / 1000
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def judge(self, person_id: int, now: Instant) -> Verdict:
        """Count one update of a person, which came in now."""
        bucket = self._buckets.get(person_id)
        if bucket is None:
            bucket = self._buckets[person_id] = _Bucket(self._burst, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(person_id)
        elapsed = now - bucket.at
        if elapsed > 0:
            bucket.tokens = min(self._burst, bucket.tokens + elapsed * self._per_ms)
            bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            # A flood is over when the person has been quiet for a while, not at the next token.
            bucket.warned = bucket.warned and bucket.tokens < self._burst / 2
            return Verdict.PASS
        if bucket.warned:
            return Verdict.DROP
        bucket.warned = True
        return Verdict.WARN
