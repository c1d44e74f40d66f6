"""Items that a loop could not handle: each pauses for a while, is counted and reported, and the loop continues.

A loop over games, chats or people sooner or later meets one that raises an unexpected error. That one must not stop the
others.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from loguru import logger

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 300.0
"""First and longest pause of an item, in seconds; it doubles with each failure."""
TOLD_SECONDS = 600.0
"""Time for which the health check reports a failure, in seconds."""
REMEMBERED = 1000
SHOWN = 5
"""Items that the health check names."""


@dataclass(frozen=True, slots=True)
class _Failure:
    count: int
    at: float
    error: str


class SetAside:
    """Items that could not be handled, by loop.

    Args:
        count: called with the loop's name at each failure, for metrics.
    """

    def __init__(self, count: Callable[[str], object] = str) -> None:
        self._count = count
        self._failures: OrderedDict[tuple[str, str], _Failure] = OrderedDict()

    def add(self, loop: str, item: str, error: BaseException) -> int:
        """Record a failure. Returns how many the item has had."""
        before = self._failures.pop((loop, item), None)
        failure = _Failure(
            before.count + 1 if before else 1, time.monotonic(), f"{type(error).__name__}: {error}"[:200]
        )
        self._failures[loop, item] = failure
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)
        self._count(loop)
        logger.bind(game=item).opt(exception=error).error("{}: {} is set aside, others go on", loop, item)
        return failure.count

    def waits(self, loop: str, item: str) -> bool:
        """Return True while the item must pause."""
        failure = self._failures.get((loop, item)) if self._failures else None
        return failure is not None and time.monotonic() < failure.at + _pause(failure.count)

    def done(self, loop: str, item: str) -> bool:
        """Forget the failures of an item that has been handled. Returns True if it had any."""
        return bool(self._failures) and self._failures.pop((loop, item), None) is not None

    async def check(self) -> Mapping[str, Any]:
        """Report the failures of the last ten minutes to the health check."""
        now = time.monotonic()
        for key in [key for key, failure in self._failures.items() if now - failure.at > TOLD_SECONDS]:
            del self._failures[key]
        latest = list(self._failures.items())[-SHOWN:]
        named = {f"{loop}: {item}": failure.error for (loop, item), failure in latest}
        return {"ok": not named, "count": len(self._failures), "latest": named}


def _pause(failures: int) -> float:
    return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(failures - 1, 16)))
