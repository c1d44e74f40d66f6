"""The poller: only a working process keeps its lease, a slow update delays its chat alone, no early confirmation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import msgspec
import pytest
from redis.asyncio import Redis

from bot.ingest import polling
from bot.ingest.updates import RetryLater
from sandbox import updates
from storage.leases import LeaseLostError
from storage.unhandled_updates import UnhandledUpdates
from telegram.client import BotApi
from tests.support.clock import TurnedClock
from tests.support.telegram import TOKEN, Refusal, Telegram, serving

if TYPE_CHECKING:
    from bot.ingest.dispatcher import UpdateDispatcher

PERSON = 11


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """Run a Telegram whose updates are numbered from 1."""
    async with serving(Telegram(TurnedClock())) as telegram:
        telegram.world.updates.next_id = 1
        yield telegram


@pytest.fixture
async def api(telegram: Telegram) -> AsyncIterator[BotApi]:
    api = BotApi(TOKEN, telegram.base)
    yield api
    await api.close()


async def test_a_process_that_alone_can_not_reach_telegram_lets_another_process_poll(
    telegram: Telegram, api: BotApi, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "PATIENCE_SECONDS", 0.0)
    telegram.script.append(Refusal("Too Many Requests: retry after 1", 429, retry_after=1))
    poller = polling.Poller(
        api=api, dispatcher=cast("UpdateDispatcher", None), unhandled=UnhandledUpdates(redis), allowed_updates=[]
    )
    leading = asyncio.create_task(poller.lead())
    await telegram.control.until(lambda: telegram.calls, timeout=30)
    telegram.control.fail("drop")
    with pytest.raises(LeaseLostError):
        await leading
    assert telegram.world.faults.met == 1


class Handling:
    """Record of handled updates; some block until they are released, some are repeated once."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.slow: dict[int, asyncio.Event] = {}
        self.again: set[int] = set()
        self.never: set[int] = set()
        self.changed = asyncio.Condition()
        self.at_once: int | None = None

    def narrow(self, at_once: int | None) -> None:
        self.at_once = at_once

    async def deliver_polled(self, raw: bytes) -> None:
        id_ = msgspec.json.decode(raw)["update_id"]
        self.begun.append(id_)
        if id_ in self.never or id_ in self.again:
            self.again.discard(id_)
            raise RetryLater("not now")
        if id_ in self.slow:
            await self.slow[id_].wait()
        self.done.append(id_)
        async with self.changed:
            self.changed.notify_all()

    async def until(self, *ids: int) -> None:
        async with asyncio.timeout(30), self.changed:
            await self.changed.wait_for(lambda: set(ids) <= set(self.done))


class Line:
    """A poller, between the Telegram that it polls and the dispatcher that it feeds."""

    def __init__(self, redis: Redis, telegram: Telegram, api: BotApi) -> None:
        self.telegram, self.dispatcher = telegram, Handling()
        self.unhandled = UnhandledUpdates(redis)
        self.poller = polling.Poller(
            api=api,
            dispatcher=cast("UpdateDispatcher", self.dispatcher),
            unhandled=self.unhandled,
            allowed_updates=["message"],
        )

    @contextlib.asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.poller.lead())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    def say(self, *chats: int) -> None:
        """Let people write to the bot, or to groups if the ids are negative. Each update has the next number."""
        for chat_id in chats:
            if chat_id < 0:
                self.telegram.appoint(chat_id, PERSON)
            person = self.telegram.person(PERSON if chat_id < 0 else chat_id)
            self.telegram.control.say(person, self.telegram.chat(chat_id), "/status")

    @property
    def offset(self) -> int:
        """The offset of the last request."""
        return int(self.telegram.named("getUpdates")[-1]["offset"])

    async def asked(self, offset: int) -> None:
        """Wait for a request to Telegram with that offset."""
        await self.telegram.control.until(lambda: self.telegram.calls and self.offset == offset, timeout=30)


@pytest.fixture
def line(redis: Redis, telegram: Telegram, api: BotApi, monkeypatch: pytest.MonkeyPatch) -> Line:
    monkeypatch.setattr(polling, "SLOW_SECONDS", 0.02)
    monkeypatch.setattr(polling, "AGAIN_PAUSE", 0.02)
    # The pauses above are shorter than those that Telegram expects between requests with the same offset.
    monkeypatch.setattr(updates, "REPEAT_SECONDS", 0.0)
    monkeypatch.setattr(updates, "REPEATED_POLL_SECONDS", 0.0)
    return Line(redis, telegram, api)


async def test_an_update_that_takes_its_time_holds_back_its_own_chat_alone(line: Line) -> None:
    free = line.dispatcher.slow[1] = asyncio.Event()
    async with line.leading():
        line.say(-1, -2, -1)
        await line.dispatcher.until(2)
        line.say(-2, -1, -3)
        await line.dispatcher.until(4, 6)
        assert line.dispatcher.done == [2, 4, 6]
        assert line.offset <= 1, "what is not handled is not confirmed"
        free.set()
        await line.dispatcher.until(1, 3, 5)
        await line.asked(7)
    assert [id_ for id_ in line.dispatcher.done if id_ in {1, 3, 5}] == [1, 3, 5]
    assert sorted(line.dispatcher.begun) == [1, 2, 3, 4, 5, 6], "each was handled once"


async def test_an_update_that_can_not_be_handled_comes_again_and_so_do_those_that_follow_it(line: Line) -> None:
    line.dispatcher.again = {1}
    async with line.leading():
        line.say(-1, -1, -2)
        await line.dispatcher.until(1, 2, 3)
        await line.asked(4)
    assert line.dispatcher.begun == [1, 3, 1, 2]


async def test_an_update_that_expired_before_it_came_again_is_not_waited_for(line: Line) -> None:
    line.dispatcher.never = {1, 2}
    async with line.leading():
        line.say(-1, -2)
        await line.asked(1)
        line.telegram.world.updates.drop_all()
        line.say(-3)
        await line.dispatcher.until(3)
        await line.asked(4)


async def test_updates_in_hand_at_the_end_are_confirmed_as_far_as_they_were_handled(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "FINISH_SECONDS", 0.02)
    line.dispatcher.slow[2] = asyncio.Event()
    async with line.leading():
        line.say(-1, -2, -3)
        await line.dispatcher.until(1, 3)
    assert line.offset == 2
    assert not line.poller._workers


CROWD = 1000


@pytest.mark.parametrize("people", [10, CROWD])
async def test_a_newcomer_waits_for_none_of_a_crowd_that_came_earlier(line: Line, people: int) -> None:
    crowd = range(1, CROWD + 1)
    free = asyncio.Event()
    line.dispatcher.slow = dict.fromkeys(crowd, free)
    async with line.leading():
        line.say(*(1000 + id_ % people for id_ in crowd), 5)
        await line.dispatcher.until(CROWD + 1)
        assert line.dispatcher.done == [CROWD + 1], "none of the crowd was handled"
        free.set()
        await line.dispatcher.until(*crowd)
        line.say(6)
        await line.asked(CROWD + 3)
    assert sorted(line.dispatcher.begun) == [*crowd, CROWD + 1, CROWD + 2], "each was handled once"
    assert await line.unhandled.read() == {}


async def test_a_crowd_that_a_dead_poller_has_confirmed_is_handled_by_the_next_one(
    line: Line, redis: Redis, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "FINISH_SECONDS", 0.02)
    crowd = range(1, 301)
    line.dispatcher.slow = dict.fromkeys(crowd, asyncio.Event())
    async with line.leading():
        line.say(*crowd, 500)
        await line.dispatcher.until(301)
    assert not line.telegram.world.updates.pending, "all are gone at Telegram"
    successor = Line(redis, line.telegram, api)
    async with successor.leading():
        await successor.dispatcher.until(*crowd)
    assert successor.dispatcher.done == [*crowd]
    assert await successor.unhandled.read() == {}


async def test_a_stored_update_that_cannot_be_handled_now_is_tried_again(line: Line) -> None:
    crowd = range(1, 201)
    free = asyncio.Event()
    line.dispatcher.slow = dict.fromkeys(crowd, free)
    async with line.leading():
        line.say(*(7 for _ in crowd), 500)
        await line.dispatcher.until(201)
        line.dispatcher.again = {50, 200}
        free.set()
        await line.dispatcher.until(*crowd)
    assert line.dispatcher.done == [201, *crowd]
    assert line.dispatcher.begun.count(50) == 2


async def test_beyond_the_limit_updates_wait_at_telegram(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "MOST_STORED", 150)
    free = asyncio.Event()
    line.dispatcher.slow = dict.fromkeys(range(1, 501), free)
    async with line.leading():
        line.say(*range(1, 501))
        await line.asked(151)
        assert len(await line.unhandled.read()) == 150
        free.set()
        await line.dispatcher.until(*range(1, 501))
    assert await line.unhandled.read() == {}
