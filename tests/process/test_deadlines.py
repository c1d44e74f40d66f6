"""The schedule of deadlines: it can change its holder, and it is on time whatever the machine's clock says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.clock import SystemClock, SystemEntropy
from bot.deadlines import Deadlines
from bot.tasks import Tasks
from fsm.engine import Engine
from fsm.kind import ChatTopic, Command, Event, Host, Instant, Kind
from fsm.lobby import DeadlinePassed, Join, OpenGame
from fsm.pick_number import BeaconMissed, PickNumberRules
from fsm.registry import KINDS
from storage.codec import Codec
from storage.games import RedisGames
from storage.leases import Lease

RULES = PickNumberRules(lobby_ms=60_000, join_ms=400, selection_ms=400, reveal_ms=10)


class Schedule:
    """A process that fires deadlines, with a simulated clock."""

    def __init__(
        self,
        redis: Redis,
        clock: SystemClock,
        fit: Callable[[], bool] = lambda: True,
        kinds: Mapping[str, Kind[Any]] = KINDS,
    ) -> None:
        self.clock = clock
        self.games = RedisGames(redis, Codec(kinds), shards=1)
        self.engine, self.tasks = Engine(kinds, self.games, clock, SystemEntropy()), Tasks(lambda *_: None)
        self.deadlines = Deadlines(
            engine=self.engine, games=self.games, redis=redis, clock=clock, tasks=self.tasks, fit=fit
        )

    async def opens(self, *, players: int = 2, chat_id: int = -1) -> tuple[str, int]:
        """Open a game and let people join it. Returns its id and its deadline."""
        chat_topic = ChatTopic(chat_id)
        game_id = await self.games.reserve_id(chat_topic, "open")
        opening = OpenGame("pick_number", game_id, chat_topic, Host(1, "Ann"), "", RULES)
        outcome = await self.engine.execute(game_id, opening, command_id="open")
        for player in range(1, players + 1):
            outcome = await self.engine.execute(game_id, Join(player, f"P{player}"), command_id=f"join:{player}")
        assert outcome.state.deadline is not None
        return game_id, outcome.state.deadline

    async def over(self) -> None:
        """Wait until no game has a deadline."""
        async with asyncio.timeout(60):
            while await self.games.deadlines(self.clock.now() + 86_400_000):  # noqa: ASYNC110 -- no event in real time
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        """Lead until the end of the block."""
        leading = asyncio.ensure_future(self.deadlines.lead())
        yield
        leading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leading

    async def close(self) -> None:
        await self.tasks.close()
        await self.engine.close()


async def test_a_game_whose_deadline_was_told_just_as_the_lead_was_lost_is_told_the_next_one(redis: Redis) -> None:
    schedule = Schedule(redis, SystemClock())
    game_id, joined_until = await schedule.opens()
    while schedule.clock.now() < joined_until:  # noqa: ASYNC110 -- no event in real time
        await asyncio.sleep(0.01)
    await schedule.deadlines.fire(game_id, joined_until)  # nobody leads: the lease was lost a moment ago
    async with schedule.leading():
        await schedule.over()
    await schedule.close()


@pytest.mark.parametrize("wrong_seconds", [-300, 300])
async def test_deadlines_are_on_time_where_the_machines_clock_is_five_minutes_off(
    redis: Redis, wrong_seconds: int
) -> None:
    schedule = Schedule(redis, SystemClock(wall=lambda: time.time_ns() - wrong_seconds * 10**9))
    async with schedule.leading():
        await asyncio.sleep(0)
        await schedule.opens()
        await schedule.over()
    lateness = schedule.deadlines.stats.lateness
    assert sum(lateness.counts) >= 2
    assert lateness.total / sum(lateness.counts) < 100, "far less than the clock is off"
    await schedule.close()


async def test_jobs_follow_a_clock_that_is_set_while_they_wait(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule, set_by = Schedule(redis, SystemClock()), 0
    monkeypatch.setattr("bot.deadlines._wall_ms", lambda: time.time_ns() // 1_000_000 + set_by)
    async with schedule.leading():
        game_id, deadline = await schedule.opens(players=1, chat_id=-2)  # a lobby of a minute
        job = schedule.deadlines._scheduler.get_job
        async with asyncio.timeout(60):
            while job(f"{game_id}:{deadline}") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            set_by = 600_000
            while abs(job(f"{game_id}:{deadline}").next_run_time.timestamp() * 1000 - deadline - set_by) > 60_000:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await schedule.close()


async def test_a_process_whose_clock_becomes_wrong_leaves_the_deadlines_to_another(redis: Redis) -> None:
    sound = True
    one, other = Schedule(redis, SystemClock(), lambda: sound), Schedule(redis, SystemClock())
    leases = [Lease(redis, "{deadlines}", owner, ttl_ms=300) for owner in ("one", "other")]
    running = [asyncio.ensure_future(one.deadlines.run(leases[0]))]
    async with asyncio.timeout(60):
        while not leases[0].held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.append(asyncio.ensure_future(other.deadlines.run(leases[1])))
        sound = False
        while not leases[1].held:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert [lease.held for lease in leases] == [False, True]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await one.close()
    await other.close()


async def test_a_game_that_two_deadlines_leave_where_it_stood_counts_as_stalled(redis: Redis) -> None:
    def postponing(state: Any, command: Command, now: Instant, seed: str) -> tuple[Event, ...]:
        if isinstance(command, DeadlinePassed):
            return (BeaconMissed(now + 60_000),)
        return KINDS["pick_number"].decide(state, command, now, seed)

    kinds = {**KINDS, "pick_number": replace(KINDS["pick_number"], decide=postponing)}
    right, wrong = Schedule(redis, SystemClock()), Schedule(redis, SystemClock(), kinds=kinds)
    for schedule, chat_id, effects in ((right, -3, {"moved": 1}), (wrong, -4, {"postponed": 1, "stalled": 2})):
        game_id, deadline = await schedule.opens(chat_id=chat_id)
        async with asyncio.timeout(90):
            while schedule.clock.now() < deadline:  # noqa: ASYNC110 -- no event in real time
                await asyncio.sleep(0.01)
        for _ in range(sum(effects.values())):
            await schedule.deadlines.fire(game_id, deadline)
        assert schedule.deadlines.stats.fired == effects
        await schedule.close()
