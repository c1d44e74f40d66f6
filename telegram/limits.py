"""Telegram's rates, counted in Redis once for all processes.

A rate is a sliding window: at most so many calls in any stretch of so many milliseconds. Redis keeps the times of the
last calls of a chat and of all chats, so a window is checked by looking at one entry and nothing has to be refilled.
A call counts from its answer for all chats together, as nobody knows when before that it arrived. A chat's windows are
longer than Telegram's by a margin instead, because the server counts arrivals and the network bunches them.

Time is Redis's own, so that processes whose clocks differ can't add up to more than the rate; a test or a simulation
passes its clock instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from enum import IntEnum, StrEnum
from typing import Any

import msgspec
from redis.asyncio import Redis

from storage.connections import REDIS_GONE
from storage.keys import SEND
from storage.scripts import script

BASE = SEND
"""All keys of sending share this hash tag: one script may touch any of them, on a Redis Cluster too."""


class Priority(IntEnum):
    """How much a call matters; also which share of a rate it may use."""

    URGENT = 0
    """Results."""
    NORMAL = 1
    """Phase changes and new boards."""
    ANSWER = 2
    """Answers to one person, and forms that one person fills in."""
    COSMETIC = 3
    """Progress that a later edit will show as well."""


class Budget(StrEnum):
    """Kinds of calls to a chat that Telegram refuses independently of each other with a 429.

    Slow mode, for one, refuses new messages for minutes, while edits and ephemeral messages go on.
    """

    SEND = "send"
    EDIT = "edit"
    EPHEMERAL = "ephemeral"


def budget_of(method: str, params: Mapping[str, Any]) -> Budget:
    """The budget that a call belongs to."""
    if "Ephemeral" in method or params.get("ephemeral_message_parameters") is not None:
        return Budget.EPHEMERAL
    return Budget.EDIT if method.startswith(("edit", "stop", "delete")) else Budget.SEND


class Window(msgspec.Struct, frozen=True, array_like=True):
    """At most `counts[priority]` calls in any `ms` milliseconds, those of all priorities counted.

    Lower priorities get less, so that something is left at once for what is urgent.
    """

    ms: int
    counts: tuple[int, int, int, int]


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """The windows of all chats together, of any chat, and of a group on top. `()` means no limit."""

    overall: tuple[Window, ...] = (Window(1_010, (30, 29, 28, 28)), Window(100, (6, 4, 4, 3)))
    """Telegram: 30 a second. The short window spreads the second's calls."""
    chat: tuple[Window, ...] = (Window(3_250, (3, 3, 3, 2)), Window(5_500, (5, 5, 5, 4)))
    """Telegram: one a second, short bursts pass. Three at once at most."""
    group: tuple[Window, ...] = (Window(60_500, (20, 19, 15, 12)), Window(15_000, (20, 12, 12, 4)))
    """Telegram: 20 a minute. Answers and progress leave several of them to the phases of a game, which have to be seen.
    The short window stretches progress over the minute instead of 12 at once and then none."""


class Limits:
    """Spends Telegram's rates, one atomic script a call.

    Args:
        redis: where the calls of all processes are counted.
        rates: the windows.
        now: unix milliseconds, for tests and simulations; None is Redis's own time.
    """

    def __init__(self, redis: Redis, rates: Rates | None = None, now: Callable[[], int] | None = None) -> None:
        self.rates = rates or Rates()
        self.encoded_rates = msgspec.json.encode(self.rates).decode()
        self._now = now
        self._reserve = redis.register_script(script("telegram", "reserve"))
        self._answered = redis.register_script(script("telegram", "answered"))
        self._penalise = redis.register_script(script("telegram", "penalise"))

    def time(self) -> str:
        """What the scripts take for their time argument: the test's, or empty for Redis's own."""
        return "" if self._now is None else str(self._now())

    async def reserve(
        self, chat_id: int, n: int = 1, priority: Priority = Priority.URGENT, budget: Budget = Budget.SEND
    ) -> int:
        """Take the right to `n` calls to a chat now.

        Returns:
            0: taken, call now. More: nothing was taken; ask again after that many milliseconds.

        Raises:
            ValueError: some window could never hold that many.
        """
        wait, _ = await self._take(chat_id, n, priority, budget)
        return wait

    async def _take(self, chat_id: int, n: int, priority: Priority, budget: Budget) -> tuple[int, int]:
        """As ``reserve``, and since when it counts."""
        fewest = (w.counts[priority] for w in (*self.rates.overall, *self.rates.chat, *self.rates.group))
        if not 0 < n <= min(fewest, default=n):
            raise ValueError(f"{n} calls at once can never be within the rates")
        arguments: list[str | int] = [self.time(), chat_id, n, int(priority), budget, self.encoded_rates]
        wait, taken_at = await self._reserve(keys=[BASE], args=arguments)
        return int(wait), int(taken_at)

    @asynccontextmanager
    async def room(
        self,
        chat_id: int,
        within: float,
        *,
        priority: Priority = Priority.URGENT,
        budget: Budget = Budget.SEND,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[bool]:
        """Wait for the right to one call that doesn't go through the outbox, and is made within the block.

        Args:
            chat_id: whom the call is for.
            within: seconds; when the wait would be longer, nothing is taken and the block gets False at once.
            priority: which share of the rates it may use.
            budget: which 429s hold it back.
            sleep: how to wait, in seconds.
        """
        left = round(within * 1000)
        wait, taken_at = await self._take(chat_id, 1, priority, budget)
        while 0 < wait <= left:
            left -= wait
            await sleep(wait / 1000)
            wait, taken_at = await self._take(chat_id, 1, priority, budget)
        try:
            yield not wait
        finally:
            if not wait:
                with suppress(*REDIS_GONE):  # it counts from its beginning then
                    await self.answered(taken_at)

    async def answered(self, taken_at: int) -> None:
        """A call that took its right then has been answered: in the windows of all chats it counts from now on.

        It has arrived at some moment between. Counted from its beginning, one that was held up on the way would arrive
        together with those for which it seemed to make room.
        """
        await self._answered(keys=[BASE], args=[self.time(), taken_at, self.encoded_rates])

    async def penalise(self, chat_id: int | None, retry_after: float, budget: Budget | None = None) -> None:
        """Stop calls to a chat, or to all (None), for so many seconds, as a 429 asks. Never shortens a longer stop.

        Args:
            chat_id: the chat; None: all chats.
            retry_after: seconds.
            budget: the kind of calls to that chat; None: all of them.
        """
        whom = "all" if chat_id is None else str(chat_id)
        await self._penalise(keys=[BASE], args=[self.time(), whom, round(retry_after * 1000), budget or "all"])
