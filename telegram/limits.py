"""Telegram's rate limits, counted in Redis for all processes together.

A rate is a sliding window: at most n calls in any interval of the given length. Redis keeps the times of the last calls
of each chat and of all chats. Checking a window therefore reads one entry, and nothing has to be refilled.

In the windows over all chats a call counts from its answer, because its time of arrival before that is unknown. The
windows of a chat are longer than Telegram's by a margin instead, because the server counts arrivals and the network
bunches them.

The processes of a deployment pass their shared time (`storage/shared_time.py`). Different clocks therefore cannot lead
them to exceed a rate together, and a step of Redis's clock neither blocks nor releases a rate. Tests and simulations
pass their own clock. Without a clock, the scripts take the time of Redis.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from enum import IntEnum, StrEnum
from typing import Any

import msgspec
from redis.asyncio import Redis

from storage.connections import REDIS_GONE
from storage.keys import send_base
from storage.scripts import script


class Priority(IntEnum):
    """Importance of a call, which also decides its share of a rate."""

    URGENT = 0
    """Results."""
    NORMAL = 1
    """Phase changes and new boards."""
    ANSWER = 2
    """Answers to one person, and forms that one person fills in."""
    COSMETIC = 3
    """Progress that a later edit repeats."""


class Budget(StrEnum):
    """Kinds of calls to a chat to which Telegram applies 429s independently.

    For example, slow mode refuses new messages for minutes while edits and ephemeral messages still pass.
    """

    SEND = "send"
    EDIT = "edit"
    EPHEMERAL = "ephemeral"


def budget_of(method: str, params: Mapping[str, Any]) -> Budget:
    """Return the budget that a call belongs to."""
    if "Ephemeral" in method or params.get("ephemeral_message_parameters") is not None:
        return Budget.EPHEMERAL
    return Budget.EDIT if method.startswith(("edit", "stop", "delete")) else Budget.SEND


class Window(msgspec.Struct, frozen=True, array_like=True):
    """A limit of `counts[priority]` calls in any `ms` milliseconds, counting calls of all priorities.

    Lower priorities have lower limits, so that an urgent call can always be made at once.
    """

    ms: int
    counts: tuple[int, int, int, int]


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """The windows for all chats together, for each chat, and additionally for groups. `()` means no limit."""

    overall: tuple[Window, ...] = (Window(1_010, (30, 29, 28, 28)), Window(100, (6, 4, 4, 3)))
    """Telegram allows 30 calls a second. The short window spreads them over the second."""
    chat: tuple[Window, ...] = (Window(3_250, (3, 3, 3, 2)), Window(5_500, (5, 5, 5, 4)))
    """Telegram allows one call a second and tolerates short bursts. Here at most three calls are made at once."""
    group: tuple[Window, ...] = (Window(60_500, (20, 19, 15, 12)), Window(15_000, (20, 12, 12, 4)))
    """Telegram allows 20 calls a minute. Answers and progress must leave room for the phase changes of a game.

    The short window spreads progress over the minute. Without it 12 edits would be followed by a long gap.
    """


class Limits:
    """The rate limiter. Each reservation is one atomic script in Redis.

    Args:
        redis: store of the counters that all processes share.
        rates: the windows.
        now: unix milliseconds, for tests and simulations; None means the time of Redis.
    """

    def __init__(self, redis: Redis, rates: Rates | None = None, now: Callable[[], int] | None = None) -> None:
        self.rates = rates or Rates()
        self.encoded_rates = msgspec.json.encode(self.rates).decode()
        self._now = now
        self._reserve = redis.register_script(script("telegram", "reserve"))
        self._answered = redis.register_script(script("telegram", "answered"))
        self._penalise = redis.register_script(script("telegram", "penalise"))

    def time(self) -> str:
        """Return the time argument of the scripts in milliseconds; an empty string stands for the time of Redis."""
        return "" if self._now is None else str(self._now())

    async def reserve(self, chat_id: int, priority: Priority, budget: Budget) -> tuple[int, int]:
        """Reserve a call to a chat.

        Returns:
            The wait and the time of the reservation, in milliseconds. If the wait is 0, the call may be made now; if
            not, nothing is reserved.
        """
        arguments: list[str | int] = [self.time(), chat_id, int(priority), budget, self.encoded_rates]
        wait, taken_at = await self._reserve(keys=[send_base()], args=arguments)
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
        """Wait until one call that bypasses the outbox is allowed; the caller makes it inside the block.

        Args:
            chat_id: the chat that the call is for.
            within: the longest wait in seconds. If it is too short, the block gets False at once and reserves nothing.
            priority: decides the share of the rates that the call may use.
            budget: the 429s that hold the call back.
            sleep: waits for a number of seconds.
        """
        left = round(within * 1000)
        wait, taken_at = await self.reserve(chat_id, priority, budget)
        while 0 < wait <= left:
            left -= wait
            await sleep(wait / 1000)
            wait, taken_at = await self.reserve(chat_id, priority, budget)
        try:
            yield not wait
        finally:
            if not wait:
                with suppress(*REDIS_GONE):  # without this, the call counts from its start, which is only less exact
                    await self.answered(taken_at)

    async def answered(self, taken_at: int) -> None:
        """Record the answer to a call reserved at `taken_at`: the windows over all chats now count it from this moment.

        The call reached Telegram at some time before its answer. If it counted from its start, a delayed call would
        arrive together with the calls for which it seemed to have left room.
        """
        await self._answered(keys=[send_base()], args=[self.time(), taken_at, self.encoded_rates])

    async def penalise(self, chat_id: int | None, retry_after: float, budget: Budget | None = None) -> None:
        """Stop calls to a chat for the seconds that a 429 demands. A longer stop that is in force remains.

        Args:
            chat_id: the chat; None means all chats.
            retry_after: seconds.
            budget: the kind of calls to that chat; None means all kinds.
        """
        whom = "all" if chat_id is None else str(chat_id)
        await self._penalise(keys=[send_base()], args=[self.time(), whom, round(retry_after * 1000), budget or "all"])
