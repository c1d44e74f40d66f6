"""An update that kills processes: it is tried twice, then skipped, counted and reported. Others are not delayed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from bot.ingest.dispatcher import DEADLY, UpdateDispatcher
from bot.ingest.updates import RetryLater
from bot.observe.metrics import Metrics
from bot.tasks import Tasks
from fsm.engine import Unavailable
from handlers.routing import AiogramPath
from handlers.tap_calls import TapCalls
from storage import keys
from storage.own_boards import OwnBoardIndex
from storage.set_aside import SetAside
from tests.handlers.room import ANN, Room, plain, text

Handler = Callable[[bytes], Awaitable[None]]


class Path(AiogramPath):
    """aiogram's path with another handler of updates on the room's environment."""

    def __init__(self, room: Room, handler: Handler) -> None:
        self._deps = room.deps
        self._handler = handler

    async def __call__(self, raw: bytes) -> None:
        await self._handler(raw)


class Process:
    """A process with its own dispatcher."""

    def __init__(self, room: Room, redis: Redis, handler: Handler) -> None:
        self.tasks = Tasks(lambda _, __: None)
        self.metrics, self.aside = Metrics(), SetAside()
        path = Path(room, handler)

        async def slow() -> AiogramPath:
            return path

        self.dispatcher = UpdateDispatcher(
            taps=room.deps.taps, floods=room.deps.floods, slow=slow,
            tap_calls=TapCalls(
                room.deps.telegram.api,
                room.deps.telegram.limits,
                room.deps.telegram.outbox,
                OwnBoardIndex(room.deps.stores.redis),
            ),
            redis=redis, clock=room.clock,
            tasks=self.tasks, metrics=self.metrics, aside=self.aside,
        )  # fmt: skip


@pytest.fixture
async def processes(room: Room, redis: Redis) -> AsyncIterator[Callable[[Handler], Process]]:
    made: list[Process] = []

    def make(handler: Handler) -> Process:
        made.append(Process(room, redis, handler))
        return made[-1]

    yield make
    for process in made:
        await process.tasks.close()


UPDATE = (
    b'{"update_id": 7, "message": {"message_id": 1, "date": 0, "chat": {"id": %d, "type": "private"},'
    b' "from": {"id": %d, "is_bot": false, "first_name": "Ann", "language_code": "ru"}, "text": "x"}}' % (ANN, ANN)
)


async def die(make: Callable[[Handler], Process], redis: Redis, raw: bytes = UPDATE) -> None:
    """Handle the update in a process that hangs for ever, and let its claim expire."""
    reached = asyncio.Event()

    async def stand_still(_: bytes) -> None:
        reached.set()
        await asyncio.Event().wait()

    process = make(stand_still)
    given = asyncio.ensure_future(process.dispatcher.deliver(raw))
    await reached.wait()
    await redis.delete(keys.update_key(7))
    given.cancel()


async def test_an_update_that_killed_two_handlers_is_left_alone_counted_and_told(
    room: Room, redis: Redis, processes: Callable[[Handler], Process]
) -> None:
    for _ in range(DEADLY):
        await die(processes, redis)
    handled: list[bytes] = []

    async def handle(raw: bytes) -> None:
        handled.append(raw)

    last = processes(handle)
    assert await last.dispatcher.deliver(UPDATE) is None
    assert handled == []
    assert last.metrics.updates["slow", "set-aside"] == 1
    assert "updates" in str(await last.aside.check())
    (told,) = await room.sent()
    assert told.chat_id == ANN
    assert plain(told.params["text"]) == text("cmd-left-alone", "ru")
    assert await last.dispatcher.deliver(UPDATE) is None
    assert last.metrics.updates["slow", "duplicate"] == 1
    assert await room.sent() == []
    other = UPDATE.replace(b'"update_id": 7', b'"update_id": 8')
    await last.dispatcher.deliver(other)
    assert handled == [other], "another update of the same person is handled"


async def test_an_update_that_killed_one_handler_is_handled(
    room: Room, redis: Redis, processes: Callable[[Handler], Process]
) -> None:
    await die(processes, redis)
    handled: list[bytes] = []

    async def handle(raw: bytes) -> None:
        handled.append(raw)

    await processes(handle).dispatcher.deliver(UPDATE)
    assert handled == [UPDATE]
    assert await room.sent() == []


async def test_an_update_that_has_to_come_again_in_good_order_is_not_taken_for_deadly(
    redis: Redis, processes: Callable[[Handler], Process]
) -> None:
    tries = 0

    async def away(_: bytes) -> None:
        nonlocal tries
        tries += 1
        if tries < 5:
            raise Unavailable("the store is away")

    process = processes(away)
    for _ in range(4):
        with pytest.raises(RetryLater):
            await process.dispatcher.deliver(UPDATE)
    assert await process.dispatcher.deliver(UPDATE) is None
    assert tries == 5
    assert process.metrics.updates["slow", "done"] == 1
    assert 0 < await redis.ttl(keys.update_deaths_key(7)) <= 86_400
