"""The poller: only a working process keeps its lease, a slow update delays its chat alone, no early confirmation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from redis.asyncio import Redis

from bot.ingest import polling
from bot.ingest.updates import RetryLater
from storage.leases import LeaseLostError
from storage.unhandled_updates import UnhandledUpdates
from telegram.client import BotApi, RetryAfter, ServerDown

if TYPE_CHECKING:
    from bot.ingest.dispatcher import UpdateDispatcher


class CutOff(BotApi):
    """A Bot API that becomes unreachable after it has reported that it is busy."""

    def __init__(self) -> None:
        self.asked = 0

    async def call_raw(
        self, method: str, params: Any = None, files: Any = None, *, seconds: float | None = None
    ) -> msgspec.Raw:
        del params, files, seconds
        self.asked += 1
        if self.asked == 1:
            busy = RetryAfter(method, "Too Many Requests", 429)
            busy.seconds = 0.001
            raise busy
        raise ServerDown(method, "ClientConnectorError")


async def test_who_alone_can_not_reach_telegram_lets_another_process_poll(
    monkeypatch: pytest.MonkeyPatch, redis: Redis
) -> None:
    monkeypatch.setattr(polling, "PATIENCE_SECONDS", 0.0)
    api = CutOff()
    with pytest.raises(LeaseLostError):
        await polling.Poller(
            api=api, dispatcher=cast("UpdateDispatcher", None), unhandled=UnhandledUpdates(redis), allowed_updates=[]
        ).lead()
    assert api.asked == 2


def update(id_: int, chat_id: int) -> dict[str, Any]:
    return {"update_id": id_, "message": {"message_id": id_, "date": 0, "chat": {"id": chat_id, "type": "group"}}}


class Telegram(BotApi):
    """A Bot API that keeps updates until they are confirmed, like the real one."""

    def __init__(self) -> None:
        self.pending: list[dict[str, Any]] = []
        self.offset = 0
        self.more = asyncio.Event()

    def add(self, *updates: dict[str, Any]) -> None:
        self.pending += updates
        self.more.set()

    async def call_raw(
        self, method: str, params: Any = None, files: Any = None, *, seconds: float | None = None
    ) -> msgspec.Raw:
        del method, files, seconds
        self.offset = params["offset"]
        self.pending = [each for each in self.pending if each["update_id"] >= self.offset]
        if not self.pending and params["timeout"]:
            self.more.clear()
            await self.more.wait()
        return msgspec.Raw(msgspec.json.encode(self.pending[: params["limit"]]))


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
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: set(ids) <= set(self.done))


class Line:
    """A poller, between the Telegram that it polls and the dispatcher that it feeds."""

    def __init__(self, redis: Redis, telegram: Telegram) -> None:
        self.telegram, self.dispatcher = telegram, Handling()
        self.unhandled = UnhandledUpdates(redis)
        self.poller = polling.Poller(
            api=self.telegram,
            dispatcher=cast("UpdateDispatcher", self.dispatcher),
            unhandled=self.unhandled,
            allowed_updates=[],
        )

    @contextlib.asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.poller.lead())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def asked(self, offset: int) -> None:
        """Wait for a request to Telegram with that offset."""
        async with asyncio.timeout(10):
            while self.telegram.offset != offset:  # noqa: ASYNC110 -- the poller sends no event
                await asyncio.sleep(0.005)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, redis: Redis) -> Line:
    monkeypatch.setattr(polling, "SLOW_SECONDS", 0.02)
    monkeypatch.setattr(polling, "AGAIN_PAUSE", 0.02)
    return Line(redis, Telegram())


async def test_an_update_that_takes_its_time_holds_back_its_own_chat_alone(line: Line) -> None:
    free = line.dispatcher.slow[1] = asyncio.Event()
    async with line.leading():
        line.telegram.add(update(1, -1), update(2, -2), update(3, -1))
        await line.dispatcher.until(2)
        line.telegram.add(update(4, -2), update(5, -1), update(6, -3))
        await line.dispatcher.until(4, 6)
        assert line.dispatcher.done == [2, 4, 6]
        assert line.telegram.offset <= 1, "what is not handled is not confirmed"
        free.set()
        await line.dispatcher.until(1, 3, 5)
        await line.asked(7)
    assert [id_ for id_ in line.dispatcher.done if id_ in {1, 3, 5}] == [1, 3, 5]
    assert sorted(line.dispatcher.begun) == [1, 2, 3, 4, 5, 6], "each was handled once"


async def test_what_can_not_be_handled_comes_again_and_so_does_what_follows_it(line: Line) -> None:
    line.dispatcher.again = {1}
    async with line.leading():
        line.telegram.add(update(1, -1), update(2, -1), update(3, -2))
        await line.dispatcher.until(1, 2, 3)
        await line.asked(4)
    assert line.dispatcher.begun == [1, 3, 1, 2]


async def test_an_update_that_expired_before_it_came_again_is_not_waited_for(line: Line) -> None:
    line.dispatcher.never = {1, 2}
    async with line.leading():
        line.telegram.add(update(1, -1), update(2, -2))
        await line.asked(1)
        line.telegram.pending.clear()
        line.telegram.add(update(3, -3))
        await line.dispatcher.until(3)
        await line.asked(4)


async def test_what_is_in_hand_at_the_end_is_confirmed_as_far_as_it_came(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "FINISH_SECONDS", 0.02)
    line.dispatcher.slow[2] = asyncio.Event()
    async with line.leading():
        line.telegram.add(update(1, -1), update(2, -2), update(3, -3))
        await line.dispatcher.until(1, 3)
    assert line.telegram.offset == 2
    assert not line.poller._workers


CROWD = 1000


@pytest.mark.parametrize("people", [10, CROWD])
async def test_a_newcomer_waits_for_none_of_a_crowd_that_came_earlier(line: Line, people: int) -> None:
    crowd = range(1, CROWD + 1)
    free = asyncio.Event()
    line.dispatcher.slow = dict.fromkeys(crowd, free)
    async with line.leading():
        line.telegram.add(*(update(id_, 1000 + id_ % people) for id_ in crowd), update(CROWD + 1, 5))
        await line.dispatcher.until(CROWD + 1)
        assert line.dispatcher.done == [CROWD + 1], "none of the crowd was handled"
        free.set()
        await line.dispatcher.until(*crowd)
        line.telegram.add(update(CROWD + 2, 6))
        await line.asked(CROWD + 3)
    assert sorted(line.dispatcher.begun) == [*crowd, CROWD + 1, CROWD + 2], "each was handled once"
    assert await line.unhandled.read() == {}


async def test_a_crowd_that_a_dead_poller_has_confirmed_is_handled_by_the_next_one(
    line: Line, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "FINISH_SECONDS", 0.02)
    crowd = range(1, 301)
    line.dispatcher.slow = dict.fromkeys(crowd, asyncio.Event())
    async with line.leading():
        line.telegram.add(*(update(id_, id_) for id_ in crowd), update(301, 500))
        await line.dispatcher.until(301)
    assert line.telegram.pending == [], "all are gone at Telegram"
    successor = Line(redis, line.telegram)
    async with successor.leading():
        await successor.dispatcher.until(*crowd)
    assert successor.dispatcher.done == [*crowd]
    assert await successor.unhandled.read() == {}


async def test_a_stored_update_that_cannot_be_handled_now_is_tried_again(line: Line) -> None:
    crowd = range(1, 201)
    free = asyncio.Event()
    line.dispatcher.slow = dict.fromkeys(crowd, free)
    async with line.leading():
        line.telegram.add(*(update(id_, 7) for id_ in crowd), update(201, 500))
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
        line.telegram.add(*(update(id_, id_) for id_ in range(1, 501)))
        await line.asked(151)
        assert len(await line.unhandled.read()) == 150
        free.set()
        await line.dispatcher.until(*range(1, 501))
    assert await line.unhandled.read() == {}
