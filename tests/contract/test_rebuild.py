"""Loss of Redis, complete or partial: live games are restored from PostgreSQL and continue, and no event is skipped."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path

import pytest
from redis.asyncio import Redis

from fsm.kind import ChatTopic, UnknownGame
from fsm.lobby import Join
from fsm.pick_number import PickNumber
from storage import keys
from storage.archive import Archive
from storage.connections import Pool, redis_client, redis_ready
from storage.embedded import embedded_redis
from storage.rebuild import Rebuilt, forgotten, rebuild
from tests.contract.played import CHAT, House, until


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis)


async def again(house: House) -> Rebuilt:
    return await rebuild(house.pool, house.redis, house.codec, house.games)


async def lose_redis(house: House) -> None:
    """Delete all of Redis and every process's memory."""
    await house.redis.flushall()
    house.engine = house.new_engine()


async def test_where_nothing_is_lost_nothing_is_done(house: House) -> None:
    game_id = await house.begin()
    await house.project()
    before = await house.engine.look(game_id)
    assert await again(house) == Rebuilt((), ())
    assert await house.engine.look(game_id) == before


async def test_live_games_come_back_as_they_were_and_are_played_to_their_end(house: House, pool: Pool) -> None:
    games = [await house.begin(chat_id=-n - 1) for n in range(6)]
    lobby = await house.open(chat_id=-50)
    over = await house.play(chat_id=-60)
    await house.project()
    states = {game_id: (await house.engine.look(game_id)).state for game_id in (*games, lobby)}
    await lose_redis(house)
    rebuilt = await again(house)
    assert {game.id: game for game in rebuilt.games} == states
    assert not rebuilt.left
    with pytest.raises(UnknownGame):
        await house.engine.look(over)
    for number, game_id in enumerate(games):
        assert await house.games.live_in(ChatTopic(-number - 1)) == [game_id]
        await house.finish(game_id)
    await house.project()
    assert await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") == 7
    assert await pool.fetchval("SELECT sum(version) FROM games") == await pool.fetchval(
        "SELECT count(*) FROM game_events"
    )
    for game_id in games:
        assert await Archive(pool, house.codec).finished(game_id) == (await house.engine.look(game_id)).state


async def test_of_the_games_that_ended_just_before_the_loss_each_chats_last_one_is_found(house: House) -> None:
    for chat_id in (-1, -2):
        await house.play(chat_id=chat_id)
    last = await house.play(chat_id=-2)
    await house.begin(chat_id=-3)
    await house.project()
    since = house.clock.at - 600_000
    assert await forgotten(house.pool, house.redis, house.codec, since=since) == []
    await lose_redis(house)
    found = await forgotten(house.pool, house.redis, house.codec, since=since)
    assert {stored.state.place.chat_id: stored.state.phase for stored in found} == {-1: "completed", -2: "completed"}
    assert last in {stored.state.id for stored in found}
    assert await forgotten(house.pool, house.redis, house.codec, since=house.clock.at + 600_000) == []


async def test_deadlines_come_back_with_the_games(house: House) -> None:
    game_id = await house.begin()
    await house.project()
    before = await house.games.deadlines(house.clock.at + 10**9)
    assert [found[0] for found in before] == [game_id]
    await lose_redis(house)
    await again(house)
    assert await house.games.deadlines(house.clock.at + 10**9) == before


async def test_a_command_that_was_done_before_the_loss_is_known_after_it(house: House) -> None:
    game_id = await house.open()
    await house.do(game_id, Join(1, "A"), "tg:1")
    await house.project()
    await lose_redis(house)
    await again(house)
    assert (await house.do(game_id, Join(1, "A"), "tg:1")).duplicate


async def test_replicas_that_rebuild_together_put_each_game_back_once(house: House) -> None:
    games = [await house.begin(chat_id=-n - 1) for n in range(8)]
    await house.project()
    await lose_redis(house)
    found = await asyncio.gather(*(again(house) for _ in range(4)))
    assert sorted(game.id for rebuilt in found for game in rebuilt.games) == sorted(games)
    assert not any(rebuilt.left for rebuilt in found)


async def test_a_rebuild_never_overwrites_a_later_version(house: House) -> None:
    game_id = await house.begin()
    await house.project()
    await lose_redis(house)
    await again(house)
    await house.do(game_id, PickNumber(1, 3))
    later = await house.engine.look(game_id)
    assert await again(house) == Rebuilt((), ())
    assert await house.new_engine().look(game_id) == later


async def test_what_a_process_remembers_from_before_the_loss_never_counts_as_the_present(house: House) -> None:
    game_id = await house.open(max_players=20)
    await house.project()
    asleep = house.new_engine()
    for player in (1, 2):  # acknowledged by Redis, and lost with it before the projection
        await house.do(game_id, Join(player, f"Lost {player}"))
    before = await asleep.look(game_id)
    await lose_redis(house)
    await again(house)
    awake = house.new_engine()
    for player in (3, 4):
        await awake.execute(game_id, Join(player, f"New {player}"), command_id=f"new:{player}")
    assert (await awake.look(game_id)).version == before.version
    await asleep.execute(game_id, Join(5, "Late"), command_id="late")
    assert set((await house.new_engine().look(game_id)).state.players) == {3, 4, 5}


async def test_a_redis_that_came_back_older_is_brought_forward(house: House, redis: Redis) -> None:
    game_id = await house.open()
    await house.do(game_id, Join(1, "A"))
    names = [keys.game_key(game_id), keys.tail_key(game_id)]
    old = [await redis.dump(name) for name in names]
    await house.do(game_id, Join(2, "B"))
    await house.project()
    newest = await house.engine.look(game_id)
    for name, dump in zip(names, old, strict=True):
        await redis.delete(name)
        if dump:
            await redis.restore(name, 0, dump)
    assert [game.id for game in (await again(house)).games] == [game_id]
    assert await house.new_engine().look(game_id) == newest


async def test_a_game_whose_end_waits_in_the_feed_is_not_restored(house: House, redis: Redis) -> None:
    game_id = await house.begin()
    await house.project()
    await house.finish(game_id)
    await redis.delete(keys.game_key(game_id), keys.tail_key(game_id))  # Redis keeps finished games only for a while
    assert await again(house) == Rebuilt((), (game_id,))
    await house.project()
    assert await again(house) == Rebuilt((), ())
    assert not await redis.exists(keys.game_key(game_id))


async def test_a_group_that_moved_finds_its_game_again(house: House) -> None:
    game_id = await house.begin()
    await house.move(game_id, -1007)
    await house.project()
    await lose_redis(house)
    await again(house)
    assert await house.games.live_in(ChatTopic(-1007)) == [game_id]
    assert await house.games.live_in(ChatTopic(CHAT)) == []


async def test_a_redis_killed_and_wiped_under_a_running_projector(pool: Pool, store_directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=store_directory) as directory:
        async with embedded_redis(Path(directory)) as dsn, redis_client(dsn) as redis:
            house = House(pool, redis)
            rebuilt: list[Rebuilt] = []

            async def renewed() -> None:
                rebuilt.append(await again(house))

            projecting = asyncio.create_task(house.project_for_ever(renewed=renewed))
            games = [await house.begin(chat_id=-n - 1) for n in range(4)]
            versions = [(await house.engine.look(game_id)).version for game_id in games]
            await until(lambda: house.projector.events == sum(versions))
            for path in [*Path(directory).rglob("*.aof"), *Path(directory).rglob("*.rdb")]:
                path.unlink()
            os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)
            await redis_ready(redis)
            house.engine = house.new_engine()
            await until(lambda: len(rebuilt) == 2, 20)
            assert {game.id for game in rebuilt[1].games} == set(games)
            for game_id in games:
                await house.finish(game_id)
            total = sum([(await house.engine.look(game_id)).version for game_id in games])
            await until(lambda: house.projector.events == total)
            projecting.cancel()
            await asyncio.wait({projecting})
    assert await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") == 4
    assert await pool.fetchval("SELECT count(*) FROM game_events") == total
    assert await pool.fetchval("SELECT sum(amount) FROM prizes") == 40
