"""Telegram's rates, counted in Redis once for all processes.

A rate is a sliding window: at most so many calls in any stretch of so many milliseconds. Redis keeps the times of the
last calls of a chat and of all chats, so a window is checked by looking at one entry and nothing has to be refilled.
A call counts from its answer for all chats together, as nobody knows when before that it arrived. A chat's windows are
longer than Telegram's by a margin instead, because the server counts arrivals and the network bunches them.

Time is Redis's own, so that processes whose clocks differ can't add up to more than the rate; a test or a simulation
passes its clock instead.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from enum import IntEnum

import msgspec
from redis.asyncio import Redis

from storage.connections import REDIS_GONE

BASE = "tombola:{send}"
"""All keys of sending share this hash tag: one script may touch any of them, on a Redis Cluster too."""


class Priority(IntEnum):
    """How much a call matters; also which share of a rate it may use."""

    URGENT = 0
    """Results, and answers to people."""
    NORMAL = 1
    """Phase changes and new boards."""
    COSMETIC = 2
    """Progress that a later edit will show as well."""


class Window(msgspec.Struct, frozen=True, array_like=True):
    """At most `counts[priority]` calls in any `ms` milliseconds, those of all priorities counted.

    Lower priorities get less, so that something is left at once for what is urgent.
    """

    ms: int
    counts: tuple[int, int, int]


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """The windows of all chats together, of any chat, and of a group on top. `()` means no limit."""

    overall: tuple[Window, ...] = (Window(1_010, (30, 29, 28)), Window(100, (6, 4, 3)))
    """Telegram: 30 a second. The short window spreads the second's calls."""
    chat: tuple[Window, ...] = (Window(3_250, (3, 3, 2)), Window(5_500, (5, 5, 4)))
    """Telegram: one a second, short bursts pass. Three at once at most."""
    group: tuple[Window, ...] = (Window(60_500, (20, 18, 15)), Window(15_000, (20, 12, 5)))
    """Telegram: 20 a minute. The short window stretches edits over the minute instead of 15 at once and then none."""


RATES_LUA = """
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function windows_wait(log, windows, lane, n, now)
  local wait = 0
  for _, window in ipairs(windows) do
    local at = redis.call('LINDEX', log, window[2][lane + 1] - n)
    if at then wait = math.max(wait, at + window[1] - now) end
  end
  return wait
end

local function blocked(base, whom, now)
  return math.max(0, (tonumber(redis.call('GET', base .. ':block:' .. whom)) or 0) - now)
end

local function overall_wait(base, rates, lane, n, now)
  return math.max(blocked(base, 'all', now), windows_wait(base .. ':sent:all', rates.overall, lane, n, now))
end

local function chat_wait(base, rates, chat, lane, n, now)
  local log = base .. ':sent:' .. chat
  local wait = math.max(blocked(base, chat, now), windows_wait(log, rates.chat, lane, n, now))
  if string.sub(chat, 1, 1) == '-' then
    wait = math.max(wait, windows_wait(log, rates.group, lane, n, now))
  end
  return wait
end

local function note(log, windows, more, n, now)
  local keep, ttl = 0, 0
  for _, list in ipairs({windows, more}) do
    for _, window in ipairs(list) do
      keep = math.max(keep, window[2][1])
      ttl = math.max(ttl, window[1])
    end
  end
  if keep == 0 then return end
  -- A clock that steps back must not make the newest entry look older than the rest.
  now = math.max(now, tonumber(redis.call('LINDEX', log, 0) or 0))
  for _ = 1, n do redis.call('LPUSH', log, now) end
  redis.call('LTRIM', log, 0, keep - 1)
  redis.call('PEXPIRE', log, ttl + 1000)
  return now
end

-- Gives the time that the overall windows count it from.
local function take(base, rates, chat, n, now)
  local group = string.sub(chat, 1, 1) == '-' and rates.group or {}
  note(base .. ':sent:' .. chat, rates.chat, group, n, now)
  return note(base .. ':sent:all', rates.overall, {}, n, now)
end
"""
"""Functions of the rates, for every script that spends them: waits in milliseconds, 0 for none."""

_RESERVE = (
    RATES_LUA
    + """
local base, chat, n, lane = KEYS[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now, rates = clock(ARGV[1]), cjson.decode(ARGV[5])
local wait = math.max(overall_wait(base, rates, lane, n, now), chat_wait(base, rates, chat, lane, n, now))
if wait == 0 then return {0, take(base, rates, chat, n, now) or 0} end
return {wait, 0}
"""
)

_ANSWERED = (
    RATES_LUA
    + """
local log = KEYS[1] .. ':sent:all'
if redis.call('LREM', log, 1, ARGV[2]) == 1 then
  note(log, cjson.decode(ARGV[3]).overall, {}, 1, clock(ARGV[1]))
end
"""
)

_PENALISE = (
    RATES_LUA
    + """
local key, till = KEYS[1] .. ':block:' .. ARGV[2], clock(ARGV[1]) + ARGV[3]
if till > (tonumber(redis.call('GET', key)) or 0) then redis.call('SET', key, till, 'PX', ARGV[3]) end
"""
)


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
        self._reserve = redis.register_script(_RESERVE)
        self._answered = redis.register_script(_ANSWERED)
        self._penalise = redis.register_script(_PENALISE)

    def time(self) -> str:
        """What the scripts take for their time argument: the test's, or empty for Redis's own."""
        return "" if self._now is None else str(self._now())

    async def reserve(self, chat_id: int, n: int = 1, priority: Priority = Priority.URGENT) -> int:
        """Take the right to `n` calls to a chat now.

        Returns:
            0: taken, call now. More: nothing was taken; ask again after that many milliseconds.

        Raises:
            ValueError: some window could never hold that many.
        """
        wait, _ = await self._take(chat_id, n, priority)
        return wait

    async def _take(self, chat_id: int, n: int, priority: Priority) -> tuple[int, int]:
        """As ``reserve``, and since when it counts."""
        fewest = (w.counts[priority] for w in (*self.rates.overall, *self.rates.chat, *self.rates.group))
        if not 0 < n <= min(fewest, default=n):
            raise ValueError(f"{n} calls at once can never be within the rates")
        arguments: list[str | int] = [self.time(), chat_id, n, int(priority), self.encoded_rates]
        wait, taken_at = await self._reserve(keys=[BASE], args=arguments)
        return int(wait), int(taken_at)

    @asynccontextmanager
    async def room(
        self,
        chat_id: int,
        within: float,
        *,
        priority: Priority = Priority.URGENT,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[bool]:
        """Wait for the right to one call that doesn't go through the outbox, and is made within the block.

        Args:
            chat_id: whom the call is for.
            within: seconds; when the wait would be longer, nothing is taken and the block gets False at once.
            priority: which share of the rates it may use.
            sleep: how to wait, in seconds.
        """
        left = round(within * 1000)
        wait, taken_at = await self._take(chat_id, 1, priority)
        while 0 < wait <= left:
            left -= wait
            await sleep(wait / 1000)
            wait, taken_at = await self._take(chat_id, 1, priority)
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

    async def penalise(self, chat_id: int | None, retry_after: float) -> None:
        """Stop calls to a chat, or to all (None), for so many seconds, as a 429 asks. Never shortens a longer stop."""
        whom = "all" if chat_id is None else str(chat_id)
        await self._penalise(keys=[BASE], args=[self.time(), whom, round(retry_after * 1000)])
