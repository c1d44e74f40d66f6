"""The time that replicas share: it continues although clocks are wrong, are set, or stop."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from bot.clock import OFF_MS, SystemClock
from storage import keys
from storage.connections import Pool
from storage.leases import Lease
from storage.shared_time import MELT_MS, SharedTime

NEAR_MS = 30_000
"""Difference that a busy machine can cause between two readings of a clock; the clocks of this test differ by more."""
MINUTE = 60_000
NOW = 1_800_000_000_000


@dataclass
class World:
    """The real time, and the error of the Redis machine's clock, in ms."""

    redis: Redis
    at: int = NOW
    redis_ahead: int = 0
    replicas: "list[Replica]" = field(default_factory=list)

    def replica(self, ahead: int = 0) -> "Replica":
        self.replicas.append(Replica(self, len(self.replicas), ahead))
        return self.replicas[-1]

    async def pass_(self, ms: int = 2000) -> None:
        """Let time pass, and let every running replica compare its clock."""
        self.at += ms
        for replica in self.replicas:
            if not replica.suspended:
                await replica.measure()


@dataclass
class Replica:
    """A process on a machine with an independent clock."""

    world: World
    number: int
    ahead: int
    slept: int = 0
    suspended: bool = False

    def __post_init__(self) -> None:
        self.clock = SystemClock(
            wall=lambda: (self.world.at + self.ahead) * 1_000_000,
            uptime=lambda: (self.world.at - self.slept - NOW + 5 * MINUTE) * 1_000_000,
        )
        self.shared = SharedTime(self.world.redis, f"replica {self.number}")

    async def measure(self) -> None:
        await self.clock.measure(self.shared, redis_ms=self.world.at + self.world.redis_ahead)

    @property
    def wrong_by(self) -> int:
        return self.clock.now() - self.world.at


@pytest.fixture
def world(redis: Redis) -> World:
    return World(redis)


async def test_replicas_with_wrong_clocks_count_by_the_same_time(world: World) -> None:
    replicas = [world.replica(ahead) for ahead in (0, 5 * MINUTE, -5 * MINUTE)]
    for replica in replicas:
        await replica.measure()
    assert [replica.wrong_by for replica in replicas] == [0, 0, 0]
    assert [replica.clock.off_ms for replica in replicas] == [0, 5 * MINUTE, -5 * MINUTE]


async def test_a_replica_whose_clock_is_wrong_leads_no_deadlines_where_another_can_and_says_so(world: World) -> None:
    wrong = world.replica(5 * MINUTE)
    await wrong.measure()
    assert wrong.clock.fit, "it is alone"
    assert not (await wrong.clock.check())["ok"]
    sound = world.replica()
    await sound.measure()
    await world.pass_()
    await world.pass_()
    assert [sound.clock.fit, wrong.clock.fit] == [True, False]
    assert (await sound.clock.check())["ok"]
    sound.suspended = True
    await world.pass_(10_000)
    assert wrong.clock.fit, "nobody else does it"


async def test_a_process_that_does_not_fire_deadlines_keeps_nobody_from_leading_them(world: World) -> None:
    wrong, serving = world.replica(5 * MINUTE), world.replica()
    for _ in range(3):
        await wrong.measure()
        await serving.clock.measure(serving.shared, may_lead=False, redis_ms=world.at)
    assert wrong.clock.fit


@pytest.mark.parametrize("step", [-10 * MINUTE, 10 * MINUTE, -90 * MINUTE, 3 * OFF_MS, -3 * OFF_MS])
async def test_a_machine_whose_clock_is_set_tells_it_and_goes_on(world: World, step: int) -> None:
    replica = world.replica()
    await world.pass_()
    replica.ahead = step
    assert replica.wrong_by == 0
    await world.pass_()
    assert replica.wrong_by == 0
    found = await replica.clock.check()
    assert not found["ok"]
    assert found["stepped_ms"] == found["off_ms"] == step


@pytest.mark.parametrize("step", [-10 * MINUTE, 10 * MINUTE, -3 * OFF_MS, 7 * OFF_MS])
async def test_games_go_on_without_a_break_where_the_clock_of_redis_is_set(world: World, step: int) -> None:
    replicas = [world.replica(), world.replica()]
    for _ in range(3):
        await world.pass_()
    world.redis_ahead = step
    for replica in replicas:
        replica.ahead = step  # all on one machine
    for _ in range(3):
        await world.pass_()
        assert [abs(replica.wrong_by) < 100 for replica in replicas] == [True, True]
    late = world.replica(step)  # a replica that starts later uses the same time
    await late.measure()
    assert abs(late.wrong_by) < 100
    assert not (await replicas[0].clock.check())["ok"]


async def test_the_time_of_the_games_meets_redis_again_within_a_day(world: World) -> None:
    replica = world.replica()
    await world.pass_()
    world.redis_ahead = -10 * MINUTE
    await world.pass_()
    last = replica.clock.now()
    for _ in range(720):
        await world.pass_(MELT_MS // 720)
        assert replica.clock.now() > last
        last = replica.clock.now()
    await world.pass_()
    assert replica.wrong_by == world.redis_ahead
    assert replica.clock.shift_ms == 0


async def test_a_replica_that_stood_still_does_not_stop_the_time_of_the_others(world: World) -> None:
    sleeper, awake = world.replica(), world.replica()
    await world.pass_()
    sleeper.suspended = True
    await world.pass_(MINUTE)
    await world.pass_()
    sleeper.suspended, sleeper.slept = False, MINUTE
    await world.pass_()
    assert awake.wrong_by == 0
    assert sleeper.wrong_by == 0


async def test_a_clock_that_was_days_off_is_followed(world: World) -> None:
    replica = world.replica()
    await world.pass_()
    world.redis_ahead = 3 * MELT_MS
    await world.pass_()
    assert replica.wrong_by == 3 * MELT_MS


async def test_a_redis_that_has_forgotten_the_shift_is_told_it_again(world: World) -> None:
    replica = world.replica()
    await world.pass_()
    world.redis_ahead = -10 * MINUTE
    await world.pass_()
    await world.redis.delete(keys.clock_key())
    await world.pass_()
    assert abs(replica.wrong_by) < 100
    assert await world.redis.pttl(keys.clock_key()) > 0


async def test_the_clocks_of_the_stores_are_compared_in_earnest(redis: Redis, pool: Pool) -> None:
    wall = time.time_ns
    clock, shared = SystemClock(wall=lambda: wall() + 300 * 10**9), SharedTime(redis, "me")
    assert abs(clock.now() - time.time() * 1000 - 300_000) < NEAR_MS
    await clock.measure(shared)
    await clock.measure_postgres(pool)
    assert abs(clock.now() - time.time() * 1000) < NEAR_MS
    assert abs(clock.off_ms - 300_000) < NEAR_MS
    assert abs(clock.postgres_off_ms) < NEAR_MS


async def test_a_lease_that_a_clock_set_back_has_prolonged_is_cut_to_its_length(redis: Redis) -> None:
    dead, next_ = (Lease(redis, "{job}", owner, ttl_ms=200) for owner in ("dead", "next"))
    assert await dead.try_acquire() == 0
    await redis.pexpire("tombola:{job}:lease", 10 * MINUTE)  # the lease as a clock that was set back sees it
    assert await next_.try_acquire() <= 200
    assert 0 < await redis.pttl("tombola:{job}:lease") <= 200


async def test_replicas_that_see_a_step_at_the_same_instant_carry_it_over_once(world: World) -> None:
    replicas = [world.replica() for _ in range(4)]
    for _ in range(3):
        await world.pass_()
    world.redis_ahead = 10 * MINUTE
    await asyncio.gather(*(replica.measure() for replica in replicas))
    assert [abs(replica.wrong_by) < 100 for replica in replicas] == [True] * 4
    assert abs(replicas[0].clock.shift_ms + 10 * MINUTE) < 100
