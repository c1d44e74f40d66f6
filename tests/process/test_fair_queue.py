"""Fair order of updates: a crowd delays only itself."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.ingest.fair_queue import MOST_OUTSIDE, FairQueue, outside
from bot.ingest.updates import RetryLater

OTHER = (7, 7)


class Desk:
    """Server of updates in queue order, with a record of served and refused ones."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.served: list[tuple[int, int]] = []
        self.refused: list[tuple[int, int]] = []
        self._tasks: list[asyncio.Task[None]] = []

    def come(self, chat_id: int, person_id: int) -> asyncio.Task[None]:
        """Let an update arrive."""
        self._tasks.append(asyncio.create_task(self._serve(chat_id, person_id)))
        return self._tasks[-1]

    async def _serve(self, chat_id: int, person_id: int) -> None:
        try:
            async with self.queue.turn(chat_id, person_id):
                await asyncio.sleep(0)
                self.served.append((chat_id, person_id))
        except RetryLater:
            self.refused.append((chat_id, person_id))

    async def all_served(self) -> None:
        """Wait until no update waits."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self.queue.waiting == 0


@pytest.mark.parametrize(
    "crowd",
    [[(1, 1)] * 10_000, [(-1, person) for person in range(10_000)], [(-1, 1), (-2, 1)] * 5_000],
    ids=["one person", "one group", "one person in two groups"],
)
async def test_another_person_is_served_soon_while_a_crowd_waits(crowd: Sequence[tuple[int, int]]) -> None:
    desk = Desk(FairQueue(waiting=20_000))
    for one in crowd:
        desk.come(*one)
    await asyncio.sleep(0)
    desk.come(*OTHER)
    await desk.all_served()
    assert desk.served.index(OTHER) < 200
    assert len(desk.served) == 10_001


async def test_a_person_of_a_group_does_not_wait_for_another_one_s_crowd() -> None:
    desk = Desk(FairQueue())
    for _ in range(900):
        desk.come(-1, 1)
    await asyncio.sleep(0)
    desk.come(-1, 2)
    await desk.all_served()
    assert desk.served.index((-1, 2)) < 100


async def test_too_many_are_refused_at_the_cost_of_the_crowd() -> None:
    desk = Desk(FairQueue(at_once=2, of_a_chat=1, waiting=50))
    for _ in range(1000):
        desk.come(1, 1)
    await asyncio.sleep(0)
    for person in range(2, 30):
        desk.come(person, person)
    await desk.all_served()
    assert {(person, person) for person in range(2, 30)} <= set(desk.served)
    assert set(desk.refused) == {(1, 1)}


async def test_those_who_each_have_one_update_waiting_are_served_and_later_ones_refused() -> None:
    desk = Desk(FairQueue(at_once=2, waiting=50))
    for person in range(1000):
        desk.come(person, person)
    await desk.all_served()
    assert desk.served == [(person, person) for person in range(52)]


async def test_a_cancelled_update_gives_its_turn_back() -> None:
    queue = FairQueue(at_once=1)
    desk = Desk(queue)
    async with queue.turn(1, 1):
        cancelled = [desk.come(2, person) for person in range(5)]
        last = desk.come(3, 3)
        await asyncio.sleep(0)
        assert queue.waiting == 6
        for task in cancelled[1:]:
            task.cancel()
        await asyncio.sleep(0)
    cancelled[0].cancel()  # its turn has just been granted
    await last
    await desk.all_served()
    assert desk.served == [(3, 3)]


async def test_a_group_does_not_wait_for_thousands_of_private_chats() -> None:
    desk = Desk(FairQueue(waiting=20_000))
    for person in range(10_000):
        desk.come(person + 10, person + 10)
    await asyncio.sleep(0)
    desk.come(-1, 2)
    desk.come(-1, 3)
    await desk.all_served()
    assert max(desk.served.index((-1, 2)), desk.served.index((-1, 3))) < 200


async def test_a_queue_that_was_narrowed_serves_all_when_it_is_widened() -> None:
    queue = FairQueue(at_once=50)
    desk = Desk(queue)
    queue.narrow(1)
    async with queue.turn(1, 1):
        for person in range(2, 40):
            desk.come(person, person)
        await asyncio.sleep(0)
        assert (queue.waiting, desk.served) == (38, [])
        queue.narrow(None)
        assert queue.waiting == 0
    await desk.all_served()
    assert len(desk.served) == 38


async def test_those_who_wait_for_telegram_keep_nobody_from_being_served() -> None:
    queue, answered = FairQueue(at_once=2, of_a_chat=1), asyncio.Event()
    desk, asking = Desk(queue), asyncio.Queue[int]()

    async def join(chat_id: int) -> None:
        async with queue.turn(chat_id, 1):
            async with outside():
                asking.put_nowait(chat_id)
                await answered.wait()
            desk.served.append((chat_id, 1))

    joins = [asyncio.create_task(join(chat_id)) for chat_id in (-1, -1, -2, *[-3] * (MOST_OUTSIDE - 3))]
    for _ in range(MOST_OUTSIDE):
        await asking.get()
    await desk.come(*OTHER)
    assert desk.served == [OTHER]
    joins[0].cancel()
    answered.set()
    await asyncio.gather(*joins, return_exceptions=True)
    assert len(desk.served) == MOST_OUTSIDE
    desk.come(-1, 2)
    desk.come(-1, 3)
    await desk.all_served()
    assert desk.served[-2:] == [(-1, 2), (-1, 3)], "all turns were given back"


async def test_of_too_many_who_wait_for_telegram_the_last_keep_their_turns() -> None:
    queue, answered, asking = FairQueue(at_once=2), asyncio.Event(), asyncio.Queue[int]()

    async def join(number: int) -> None:
        async with queue.turn(-number, 1), outside():
            asking.put_nowait(number)
            await answered.wait()

    joins = [asyncio.create_task(join(number)) for number in range(MOST_OUTSIDE + 5)]
    for _ in range(MOST_OUTSIDE + 2):
        await asking.get()
    assert queue.waiting == 3, "two keep their turns, and the others wait"
    answered.set()
    await asyncio.gather(*joins)
    assert queue.waiting == 0
    async with outside():
        pass  # without a turn nothing changes
