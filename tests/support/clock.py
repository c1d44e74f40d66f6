"""The clock of the tests. It advances only when a test turns it, or runs and can be turned ahead."""

import asyncio
import heapq
import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_800_000_000_000
LOOK_SECONDS = 0.02


class TurnedClock:
    """Simulated clock in unix milliseconds.

    Args:
        start: the first time, ms; not used if the clock runs.
        runs: whether the clock also advances by itself, like the real one.
        skips: whether a sleeper turns the clock itself and continues at once.
    """

    def __init__(self, start: int = START, *, runs: bool = False, skips: bool = False) -> None:
        self._skips = skips
        self._at = 0 if runs else start
        self._runs = runs
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self.stirred: Callable[[], None] = lambda: None
        """Callback for the start of each wait."""

    @property
    def at(self) -> int:
        """The time, ms. A test may set it."""
        return self._at + (time.time_ns() // 1_000_000 if self._runs else 0)

    @at.setter
    def at(self, instant: int) -> None:
        self._at += instant - self.at
        while self._sleepers and self._sleepers[0][0] <= self.at:
            _wake(heapq.heappop(self._sleepers)[2])

    def now(self) -> int:
        """Return the time in ms, for the bot."""
        return self.at

    def seconds(self) -> float:
        """Return the time in seconds, for the sandbox."""
        return self.at / 1000

    def stop(self) -> None:
        """Let a clock that runs stand still until it is turned."""
        self._at, self._runs = self.at, False

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self.at += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock shows this many seconds more."""
        if self._skips:
            self.turn(seconds)
            return
        due = self.at + round(seconds * 1000)
        if due <= self.at:
            return
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (due, next(self._order), waking))
        self.stirred()
        while self._runs and not waking.done():  # time that passes by itself wakes nobody
            left = (due - self.at) / 1000
            if left <= 0:
                return
            await asyncio.wait({waking}, timeout=min(left, LOOK_SECONDS))
        await waking

    @property
    def asleep(self) -> bool:
        """Return whether somebody waits for a time."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return bool(self._sleepers)

    def jump(self) -> None:
        """Turn to the next time that somebody waits for, and wake that one sleeper."""
        if self.asleep:
            due, _, waking = heapq.heappop(self._sleepers)
            self._at += max(0, due - self.at)
            _wake(waking)


def _wake(waking: asyncio.Future[None]) -> None:
    if not waking.done():
        waking.set_result(None)
