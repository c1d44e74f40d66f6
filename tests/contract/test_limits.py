"""The rates on a real Redis, against a server that counts strictly and a network with jitter."""

import asyncio
import heapq
from collections import defaultdict
from itertools import pairwise
from random import Random

import pytest
from redis.asyncio import Redis

from storage.keys import send_base
from telegram.limits import Limits, Priority, Rates, Window
from tests.support.clock import TurnedClock
from tests.support.limits import reserve

START = 1_800_000_000_000
PERSON, GROUP = 77, -1_001_234_561_001


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(skips=True)


@pytest.fixture
def limits(redis: Redis, clock: TurnedClock) -> Limits:
    return Limits(redis, now=clock.now)


async def spend(
    limits: Limits, clock: TurnedClock, chat: int, times: int, priority: Priority = Priority.URGENT
) -> list[int]:
    """Spend as fast as permitted. Returns the time of each grant, from the start."""
    granted: list[int] = []
    while len(granted) < times:
        if wait := await reserve(limits, chat, priority=priority):
            clock.at += wait
        else:
            granted.append(clock.at - START)
    return granted


def most(times: list[int], window: int) -> int:
    """Return the greatest number of times within any window of this length."""
    times = sorted(times)
    return max(sum(1 for t in times[i:] if t < times[i] + window) for i in range(len(times)))


async def test_a_chat_gets_a_small_burst_and_then_less_than_one_a_second(limits: Limits, clock: TurnedClock) -> None:
    granted = await spend(limits, clock, PERSON, 30)

    assert granted[:3] == [0, 0, 0]
    assert most(granted, 5_000) <= 5
    assert granted[-1] >= 27_000


async def test_a_group_gets_at_most_twenty_a_minute(limits: Limits, clock: TurnedClock) -> None:
    assert most(await spend(limits, clock, GROUP, 60), 60_000) == 20


async def test_progress_leaves_room_in_the_minute_for_a_result(limits: Limits, clock: TurnedClock) -> None:
    granted = await spend(limits, clock, GROUP, 12, Priority.COSMETIC)
    assert await reserve(limits, GROUP, priority=Priority.COSMETIC) > 1_000
    clock.at += 3_300

    assert await reserve(limits, GROUP, priority=Priority.URGENT) == 0
    assert max(later - earlier for earlier, later in pairwise(granted)) <= 15_000


async def test_a_wait_is_exact_and_takes_nothing(limits: Limits, clock: TurnedClock) -> None:
    await spend(limits, clock, PERSON, 3)
    wait = await reserve(limits, PERSON)

    clock.at += wait - 1
    assert await reserve(limits, PERSON) == 1
    clock.at += 1
    assert await reserve(limits, PERSON) == 0


async def test_one_chat_that_waits_holds_up_no_other(limits: Limits, clock: TurnedClock) -> None:
    await spend(limits, clock, PERSON, 3)
    assert await reserve(limits, PERSON) > 0
    clock.at += 100

    assert await reserve(limits, PERSON + 1) == 0


@pytest.mark.parametrize("seed", range(3))
async def test_a_strict_server_behind_a_jittering_network_never_sees_a_breach(
    limits: Limits, clock: TurnedClock, seed: int
) -> None:
    random = Random(seed)
    chats = [random.choice([-1, 1]) * n for n in range(1, 60)]
    arrivals: dict[int, list[int]] = defaultdict(list)
    due = [(START, chat) for chat in chats]
    answers: list[tuple[int, int]] = []
    heapq.heapify(due)
    while sum(map(len, arrivals.values())) < 500:
        at, chat = heapq.heappop(due)
        while answers and answers[0][0] <= max(clock.at, at):
            answered, taken = heapq.heappop(answers)
            clock.at = max(clock.at, answered)
            await limits.answered(taken)
        clock.at = max(clock.at, at)
        wait = await reserve(limits, chat, priority=random.choice(list(Priority)))
        if not wait:
            arrivals[chat].append(clock.at + random.randint(20, 120))
            heapq.heappush(answers, (arrivals[chat][-1] + random.randint(0, 120), clock.at))
        heapq.heappush(due, (clock.at + max(wait, random.randint(0, 300)), chat))

    everything = [t for times in arrivals.values() for t in times]
    assert most(everything, 1_000) <= 30
    assert all(most(times, 5_000) <= 5 for times in arrivals.values())
    assert all(most(times, 60_000) <= 20 for chat, times in arrivals.items() if chat < 0)


async def test_a_call_that_is_held_up_counts_from_its_answer(limits: Limits, clock: TurnedClock, redis: Redis) -> None:
    rates = limits.rates.overall[0]
    for chat in range(1, rates.counts[0] + 1):
        while wait := await reserve(limits, chat):
            clock.at += wait
    first, *rest = sorted(int(at) for at in await redis.lrange(f"{send_base()}:sent:all", 0, -1))
    clock.at = first + 5 + rates.ms
    await limits.answered(rest[-1])  # the last call has taken more than a second
    await limits.answered(first - 1)  # the answer to a call that nobody made
    counted = [int(at) for at in await redis.lrange(f"{send_base()}:sent:all", 0, -1)]
    assert counted == [clock.at, *sorted([first, *rest[:-1]], reverse=True)]
    granted = 0
    clock.at = rest[-1] + rates.ms
    while not await reserve(limits, 1000 + granted):
        granted += 1
        clock.at += 20
    assert granted == rates.counts[0] - 1
    assert await redis.pttl(f"{send_base()}:sent:all") > 0


async def test_processes_that_ask_at_once_never_get_more_than_the_rate(redis: Redis) -> None:
    """On Redis's own clock: for any duration, no more than the windows allow."""
    rates = Rates(overall=(Window(60_000, (30, 30, 30, 30)),), chat=(), group=())
    limits = [Limits(redis, rates) for _ in range(5)]

    waits = await asyncio.gather(*(reserve(limits[n % 5], n) for n in range(200)))

    assert waits.count(0) == 30


async def test_a_429_stops_that_chat_alone(limits: Limits, clock: TurnedClock) -> None:
    await limits.penalise(GROUP, 7)

    assert await reserve(limits, GROUP) == 7_000
    assert await reserve(limits, PERSON) == 0
    clock.at += 7_000
    assert await reserve(limits, GROUP) == 0


async def test_a_429_for_all_stops_all_and_a_shorter_one_does_not_shorten_it(limits: Limits) -> None:
    await limits.penalise(None, 9)
    await limits.penalise(None, 2)

    assert await reserve(limits, PERSON) == 9_000


async def test_a_direct_call_waits_its_turn_but_not_beyond_its_patience(limits: Limits, clock: TurnedClock) -> None:
    await spend(limits, clock, PERSON, 3)

    async with limits.room(PERSON, 1, sleep=clock.sleep) as room:
        assert not room
    async with limits.room(PERSON, 5, sleep=clock.sleep) as room:
        assert room


async def test_the_clock_of_redis_is_used_where_none_is_given(redis: Redis) -> None:
    limits = Limits(redis)

    waits = [await reserve(limits, PERSON) for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 0 < waits[3] <= 3_250


async def test_a_clock_that_steps_back_lets_nothing_more_through(limits: Limits, clock: TurnedClock) -> None:
    await spend(limits, clock, PERSON, 3)
    clock.at -= 60_000

    assert await reserve(limits, PERSON) > 0


async def test_every_key_of_the_rates_expires(limits: Limits, redis: Redis) -> None:
    await reserve(limits, GROUP)
    await reserve(limits, PERSON)
    await limits.penalise(GROUP, 5)
    await limits.penalise(None, 5)

    keys = await redis.keys("*")
    assert len(keys) == 5
    for key in keys:
        assert str(key).startswith(f"b'{send_base()}")
        assert await redis.pttl(key) > 0
