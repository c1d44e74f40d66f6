"""Flood control: updates of a person who taps or writes faster than people can are dropped until the flood is over.

Each dropped tap still gets a toast, because answering a tap costs no rate. A person who writes is warned once a flood.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from fsm.kind import Instant

REMEMBERED = 20_000
"""Number of people whose buckets are kept. The bucket of the person quiet for longest goes first, which is lenient."""


class Verdict(Enum):
    """The verdict on an update."""

    PASS = "pass"  # noqa: S105 - not a password
    WARN = "warn"
    """Drop the update and warn the person, for the first time in this flood."""
    DROP = "drop"


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: Instant
    warned: bool = False


class Floods:
    """A token bucket for each person, in the memory of one process. Processes do not share buckets.

    Args:
        burst: capacity of a bucket, in updates.
        per_second: updates a second that are passed in the long run.
    """

    def __init__(self, *, burst: int = 30, per_second: float = 5.0) -> None:
        self._burst = burst
        self._per_ms = per_second / 1000
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

    def judge(self, person_id: int, now: Instant) -> Verdict:
        """Count an update that a person has sent now, and return the verdict on it."""
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

    def drops(self, person_id: int, now: Instant) -> bool:
        """Return whether ``judge`` would drop an update, without counting it: before the costly part of its handling.

        False if the person still has to be warned.
        """
        bucket = self._buckets.get(person_id)
        if bucket is None or not bucket.warned:
            return False
        return bucket.tokens + max(0, now - bucket.at) * self._per_ms < 1
