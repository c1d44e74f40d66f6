"""The schedule changes hands: what one process was still telling leaves nothing behind."""

import asyncio

import pytest
from redis.asyncio import Redis

from bot.clock import SystemClock, SystemEntropy
from bot.deadlines import Deadlines
from bot.tasks import Tasks
from fsm.engine import Engine
from fsm.kind import ChatTopic, Host
from fsm.lobby import Join, OpenGame
from fsm.pick_number import PickNumberRules
from fsm.registry import KINDS
from storage.codec import Codec
from storage.games import RedisGames

RULES = PickNumberRules(lobby_ms=60_000, join_ms=400, selection_ms=400, reveal_ms=10)


async def test_a_game_whose_deadline_was_told_just_as_the_lead_was_lost_is_told_the_next_one(redis: Redis) -> None:
    games = RedisGames(redis, Codec(KINDS), shards=1)
    engine, tasks = Engine(KINDS, games, SystemClock(), SystemEntropy()), Tasks(lambda *_: None)
    deadlines = Deadlines(engine=engine, games=games, redis=redis, clock=SystemClock(), tasks=tasks)
    game_id = games.new_id(ChatTopic(-1), "open")
    await engine.execute(
        game_id, OpenGame("pick_number", game_id, ChatTopic(-1), Host(1, "Ann"), "", RULES), command_id="open"
    )
    await engine.execute(game_id, Join(1, "Ann"), command_id="join:1")
    outcome = await engine.execute(game_id, Join(2, "Bo"), command_id="join:2")
    joined_until = outcome.state.deadline
    assert joined_until is not None
    async with asyncio.timeout(10):
        while SystemClock().now() < joined_until:  # noqa: ASYNC110 -- real time
            await asyncio.sleep(0.01)
        await deadlines.fire(game_id, joined_until)  # nobody leads: the lease was lost a moment ago
        leading = asyncio.ensure_future(deadlines.lead())
        while await games.deadlines(SystemClock().now() + 86_400_000):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    leading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leading
    await tasks.close()
    await engine.close()
