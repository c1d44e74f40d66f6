"""Failover of Redis to a replica that lost its last writes: confirmed commands are kept, and not decided again."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

import storage.failover
from bot.tasks import Tasks
from chaos import stores
from fsm.engine import Unavailable
from fsm.kind import ChatTopic, Command, Game, Rejected, UnknownGame
from fsm.lobby import Join
from fsm.pick_number import NumberTaken, PickNumber
from storage import keys
from storage.codec import UnreadableGame
from storage.connections import Pool, redis_client
from storage.failover import FailoverGuard
from storage.games import RedisGames
from storage.projector import Projector
from storage.rebuild import Rebuilt, bring_forward, put_back, restore_missing
from storage.strict_durability import StrictGames
from tests.contract.played import CHAT, HOST, SHARDS, Heard, House, drain, feed_of, until


class Failing:
    """A house with strict durability on a separate Redis, whose data can be replaced by an older copy."""

    def __init__(self, pool: Pool, directory: Path, redis: Redis, direct: Redis, store: stores.Store) -> None:
        self.house = House(pool, redis)
        self.directory, self.redis, self.direct, self.store = directory, redis, direct, store
        self.tasks = Tasks(lambda *_: None)
        self.guard = FailoverGuard(redis, direct)
        self.told: list[str] = []
        self.house.engine = self.engine()

    async def begin(self) -> None:
        """Connect and start to compare."""
        await self.redis.ping()
        self.guard.begin(self.compare, self.tell, lambda name, work: self.tasks.spawn(name, work, brief=True))

    async def compare(self) -> Rebuilt:
        house = self.house
        return await bring_forward(house.pool, self.direct, house.codec, house.games.through(self.direct))

    async def tell(self, games: Sequence[Game]) -> None:
        self.told += [game.id for game in games]

    def engine(self, redis: Redis | None = None, pool: "Pool | None" = None) -> Any:
        """Return an engine with strict durability, like that of another process.

        Args:
            redis: client for its games.
            pool: pool in which it looks up the games that Redis lacks.
        """
        house = self.house
        games = house.games if redis is None else RedisGames(redis, house.codec, shards=SHARDS)

        stores = (self.direct, house.codec, house.games.through(self.direct))
        engine = house.new_engine()
        engine._store = StrictGames(
            games,
            Projector(house.pool),
            house.codec,
            self.tasks.spawn,
            put_back=partial(put_back, house.pool, *stores),
            restore_missing=partial(restore_missing, pool or house.pool, *stores),
        )
        return engine

    async def copied(self) -> None:
        """Copy the current data, like a replica that receives no more writes."""
        shutil.copytree(self.directory / "redis", self.directory / "copy")

    async def failed_over(self) -> None:
        """Replace the server by the copy."""
        await self.store.kill()
        shutil.rmtree(self.directory / "redis")
        shutil.copytree(self.directory / "copy", self.directory / "redis")
        await self.store.start()

    @asynccontextmanager
    async def promoted(self) -> AsyncIterator[Redis]:
        """Run the copy as a second server, to which all new connections lead. Those made before keep to the first.

        Yields a client of the second server.
        """
        home = self.directory / "second"
        home.mkdir()
        shutil.copytree(self.directory / "copy", home / "redis")
        second = stores.redis(home)
        await second.start()
        try:
            async with redis_client(second.dsn) as client:
                self.lead(client.connection_pool.connection_kwargs["path"])
                yield client
        finally:
            await second.stop()

    def lead(self, path: str, *clients: Redis) -> None:
        """Let clients, by default both, connect to the server at `path` from now on; open connections stay open."""
        for each in clients or (self.redis, self.direct):
            pool: Any = each.connection_pool
            pool.connection_kwargs["path"] = path
            # The pool keeps its connection objects, which connect again to the path that they were made with.
            for connection in (*pool._available_connections, *pool._in_use_connections):
                connection.path = path

    async def insists(self, game_id: str, command: Command, command_id: str, engine: Any = None) -> Any:
        """Send a command, repeatedly if asked to try again."""
        async with asyncio.timeout(60):
            while True:
                try:
                    return await (engine or self.house.engine).execute(game_id, command, command_id=command_id)
                except Unavailable:
                    await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def failing(pool: Pool, store_directory: Path) -> AsyncIterator[Failing]:
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=store_directory)))
        store = stores.redis(directory)
        await store.start()
        stack.push_async_callback(store.stop)
        redis = await stack.enter_async_context(redis_client(store.dsn))
        direct = await stack.enter_async_context(redis_client(store.dsn))
        failing = Failing(pool, directory, redis, direct, store)
        await failing.begin()
        yield failing
        await failing.tasks.close()


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_pick_that_was_confirmed_is_not_lost_with_the_last_writes(failing: Failing, remembers: bool) -> None:  # noqa: FBT001
    house = failing.house
    game_id = await house.begin()
    await house.project()
    await failing.copied()
    await house.do(game_id, PickNumber(1, 7), "tg:confirmed")
    await failing.failed_over()
    if not remembers:
        house.engine = failing.engine()
    with pytest.raises(NumberTaken):
        await failing.insists(game_id, PickNumber(2, 7), "tg:other")
    assert (await failing.insists(game_id, PickNumber(1, 7), "tg:confirmed")).duplicate
    assert failing.guard.failovers == 1
    await until(lambda: failing.told == [game_id])
    await failing.insists(game_id, PickNumber(2, 8), "tg:another")
    assert await house.pool.fetchval("SELECT version FROM games") == (await house.engine.look(game_id)).version


async def test_a_game_that_had_ended_is_not_played_again(failing: Failing) -> None:
    house = failing.house
    game_id = await house.begin()
    await failing.copied()
    ended = await house.finish(game_id)
    await failing.failed_over()
    house.engine = failing.engine()
    with pytest.raises(Rejected):
        await failing.insists(game_id, PickNumber(1, 7), "tg:late")
    assert (await house.engine.look(game_id)).state == ended.state
    assert await house.games.deadlines(house.clock.at + 10**9) == []
    assert await house.games.live_in(ChatTopic(CHAT)) == []
    assert await house.redis.pttl(keys.game_key(game_id)) <= house.games.keep_finished_ms


async def test_a_game_that_was_opened_after_the_copy_is_put_back(failing: Failing) -> None:
    house = failing.house
    await house.open(chat_id=-1)
    await house.project()
    await failing.copied()
    game_id = await house.open(chat_id=-2)
    await failing.failed_over()
    projecting = asyncio.create_task(House(house.pool, failing.direct).project_for_ever(owner="projector"))
    house.engine = failing.engine()
    assert (await failing.insists(game_id, Join(5, "E"), "tg:5")).events
    projecting.cancel()
    await asyncio.wait({projecting})


async def test_a_lost_connection_to_the_same_server_holds_nobody_up(failing: Failing) -> None:
    game_id = await failing.house.open()
    await failing.direct.client_kill_filter(_type="normal", skipme=True)
    await failing.insists(game_id, Join(1, "A"), "tg:joins")
    assert failing.guard.failovers == 0


async def test_a_process_that_went_on_from_an_older_version_is_refused_and_the_game_put_right(
    failing: Failing, pool: Pool
) -> None:
    house = failing.house
    game_id = await house.begin()
    old = [await failing.direct.dump(key(game_id)) for key in (keys.game_key, keys.tail_key)]
    await house.do(game_id, PickNumber(1, 7), "tg:confirmed")
    for key, dump in zip((keys.game_key, keys.tail_key), old, strict=True):  # as a split brain may cause it
        await failing.direct.delete(key(game_id))
        if dump is not None:
            await failing.direct.restore(key(game_id), 0, dump)
    other = failing.engine(failing.direct)
    with pytest.raises(Unavailable):
        await other.execute(game_id, PickNumber(2, 7), command_id="tg:other")
    with pytest.raises(NumberTaken):
        await failing.insists(game_id, PickNumber(2, 7), "tg:other", other)
    assert await pool.fetchval("SELECT command_id FROM game_events ORDER BY version DESC LIMIT 1") == "tg:confirmed"


async def test_a_decision_on_an_event_that_postgresql_never_had_is_refused(failing: Failing) -> None:
    house = failing.house
    game_id = await house.begin()
    projector = Projector(house.pool)
    loose = house.new_engine()  # commits only to Redis, as if its confirmation were still on its way
    await loose.execute(game_id, PickNumber(1, 7), command_id="tg:lost")
    version = (await loose.look(game_id)).version
    entry = await _entry_of_last(failing)
    await projector.write([entry_with(entry, version, b"tg:kept")], gaps=False)
    with pytest.raises(Unavailable):
        await failing.engine().execute(game_id, PickNumber(2, 8), command_id="tg:after-lost")


async def test_while_postgresql_is_away_commands_are_held_back_for_a_while_only(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.failover, "HOLD_SECONDS", 0.5)
    house = failing.house
    game_id = await house.open()
    await failing.copied()

    async def away() -> Rebuilt:
        raise ConnectionRefusedError

    failing.guard.begin(away, failing.tell, lambda name, work: failing.tasks.spawn(name, work, brief=True))
    await failing.failed_over()
    house.engine = house.new_engine()
    assert (await failing.insists(game_id, Join(1, "A"), "tg:joins")).events
    assert not failing.guard.comparing


async def _entry_of_last(failing: Failing) -> Any:
    heard = Heard()
    await drain(feed_of(failing.direct, failing.house.games.shards, "listener"), heard)
    return heard.entries[-1]


def entry_with(entry: Any, version: int, command_id: bytes) -> Any:
    """Return a copy of the entry with another command id and version."""
    assert entry.first_version == version
    return replace(entry, id="", records=entry.records.replace(b"tg:lost", command_id))


async def cut_out(failing: Failing, game_id: str) -> None:
    """Remove all that Redis has of a game, as if it had never received it; its server stays the one that is known."""
    shard = keys.shard_of_game(game_id)
    await failing.direct.delete(keys.game_key(game_id), keys.tail_key(game_id))
    await failing.direct.zrem(keys.deadlines_key(shard), game_id)
    await failing.direct.srem(keys.topic_key(shard, ChatTopic(CHAT)), game_id)


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_confirmed_game_that_redis_lacks_goes_on_where_it_was(failing: Failing, remembers: bool) -> None:  # noqa: FBT001
    house = failing.house
    game_id = await house.begin()
    await house.do(game_id, PickNumber(1, 7), "tg:confirmed")
    before = await house.engine.look(game_id)
    await cut_out(failing, game_id)  # the feed still has unread entries of the game
    engine = house.engine if remembers else failing.engine()
    after = await engine.look(game_id)
    assert (after.state, after.version) == (before.state, before.version)
    with pytest.raises(NumberTaken):
        await engine.execute(game_id, PickNumber(2, 7), command_id="tg:other")
    assert (await engine.execute(game_id, PickNumber(1, 7), command_id="tg:confirmed")).duplicate
    assert (await engine.execute(game_id, PickNumber(2, 8), command_id="tg:another")).events
    assert await house.games.live_in(ChatTopic(CHAT)) == [game_id]
    assert [each for each, _ in await house.games.deadlines(house.clock.at + 10**9)] == [game_id]


async def test_an_opening_that_is_repeated_after_redis_lost_the_game_opens_nothing(failing: Failing) -> None:
    house = failing.house
    game_id = await house.open()
    opening = await house.pool.fetchval("SELECT command_id FROM game_events ORDER BY version LIMIT 1")
    await house.do(game_id, Join(1, "A"), "tg:joins")
    await cut_out(failing, game_id)
    again = house.script.opening(game_id, ChatTopic(CHAT), HOST, "", max_live=1000)
    assert (await failing.engine().execute(game_id, again, command_id=opening)).duplicate
    assert 1 in (await house.engine.look(game_id)).state.players


async def test_a_game_that_ended_long_ago_stays_unknown_to_the_engine(failing: Failing) -> None:
    game_id = await failing.house.begin()
    await failing.house.finish(game_id)
    await cut_out(failing, game_id)
    with pytest.raises(UnknownGame):
        await failing.engine().execute(game_id, PickNumber(1, 7), command_id="tg:late")


async def test_while_postgresql_is_away_no_missing_game_is_called_over(failing: Failing) -> None:
    game_id = await failing.house.begin()
    await cut_out(failing, game_id)
    async with asyncpg.create_pool(host=str(failing.directory), user="nobody", min_size=0) as away:
        engine = failing.engine(pool=away)
        with pytest.raises(Unavailable):
            await engine.execute(game_id, PickNumber(1, 7), command_id="tg:tap")
        with pytest.raises(Unavailable):
            await engine.look(game_id)


async def test_a_missing_game_whose_events_cant_be_read_is_no_game_that_is_over(failing: Failing, pool: Pool) -> None:
    game_id = await failing.house.begin()
    await cut_out(failing, game_id)
    await pool.execute("UPDATE game_events SET name = 'unreadable' WHERE version = 1")
    with pytest.raises(UnreadableGame):
        await failing.engine().look(game_id)


async def connect_anew(redis: Redis) -> None:
    """Make one more connection, as a pool does that grows."""
    pool: Any = redis.connection_pool
    await pool.make_connection().connect()


async def meet(redis: Redis) -> None:
    """Connect anew, and be told that the games are compared first."""
    with pytest.raises(RedisConnectionError):
        await connect_anew(redis)


async def test_a_process_leaves_the_former_server_before_it_compares_the_games_of_the_new_one(failing: Failing) -> None:
    house = failing.house
    await house.open(chat_id=-1)
    await house.project()
    await failing.copied()
    async with failing.promoted() as second:
        game_id = await house.open(chat_id=-2)  # the former server still accepts commits, for 8 s with Sentinels
        assert await second.hget(keys.game_key(game_id), "v") is None
        await meet(failing.redis)
        await until(lambda: not failing.guard.comparing)
        joined = await failing.insists(game_id, Join(5, "E"), "tg:5")
        assert await versioned(second, game_id) == joined.version
        assert [each for each, _ in await house.games.deadlines(house.clock.at + 10**9)].count(game_id) == 1
        assert failing.guard.failovers == 1
        await until(lambda: failing.told == [game_id])
        await failing.redis.aclose()
        await failing.direct.aclose()


async def test_the_former_server_is_an_unknown_one_when_it_comes_back(failing: Failing) -> None:
    house = failing.house
    game_id = await house.open()
    await house.project()
    await failing.copied()
    former = failing.redis.connection_pool.connection_kwargs["path"]
    async with failing.promoted():
        await meet(failing.redis)
        await until(lambda: not failing.guard.comparing)
        joined = await failing.insists(game_id, Join(5, "E"), "tg:5")
        failing.lead(former)
        await meet(failing.redis)
        await until(lambda: not failing.guard.comparing)
        async with redis_client(failing.store.dsn) as first:
            assert await versioned(first, game_id) == joined.version
        await failing.redis.aclose()
        await failing.direct.aclose()


async def test_games_are_not_compared_in_another_server_than_the_one_that_was_met(failing: Failing) -> None:
    house = failing.house
    await house.open(chat_id=-1)
    await house.project()
    await failing.copied()
    former = failing.redis.connection_pool.connection_kwargs["path"]
    async with failing.promoted() as second:
        game_id = await house.open(chat_id=-2)
        promoted = failing.redis.connection_pool.connection_kwargs["path"]
        failing.lead(former, failing.direct)  # for a moment two Sentinels name different primaries
        await meet(failing.redis)
        await until(lambda: failing.guard.failovers >= 2 and not failing.guard.comparing)
        failing.lead(promoted)
        with contextlib.suppress(RedisConnectionError):
            await connect_anew(failing.redis)
        await until(lambda: not failing.guard.comparing)
        joined = await failing.insists(game_id, Join(5, "E"), "tg:5")
        assert await versioned(second, game_id) == joined.version
        await failing.redis.aclose()
        await failing.direct.aclose()


async def test_a_confirmation_that_came_during_the_comparison_is_found_by_a_second_one(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.failover, "LATE_SECONDS", 0.0)
    game_id = await failing.house.begin()
    await failing.house.project()
    compared = 0

    async def late() -> Rebuilt:
        nonlocal compared
        compared += 1
        rebuilt = await failing.compare()
        if compared == 1:
            await cut_out(failing, game_id)  # as if PostgreSQL had confirmed it only now
        return rebuilt

    failing.guard.begin(late, failing.tell, lambda name, work: failing.tasks.spawn(name, work, brief=True))
    await failing.store.kill()
    await failing.store.start()
    await meet(failing.redis)
    await until(lambda: failing.told == [game_id])
    assert [each for each, _ in await failing.house.games.deadlines(failing.house.clock.at + 10**9)] == [game_id]


async def versioned(redis: Redis, game_id: str) -> int:
    """Return the version of a game in a server; 0 if it lacks the game."""
    version: Any = await redis.hget(keys.game_key(game_id), "v")
    return int((version or b"0").partition(b"/")[0])
