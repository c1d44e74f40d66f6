"""Failover of PostgreSQL to a copy that lost transactions: they are written again, or their games are reported."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from fsm.lobby import Join
from storage import keys
from storage.connections import Pool, postgres_pool
from storage.event_recovery import replay
from storage.migrate import upgrade
from tests.contract.played import House, feed_of, until

if TYPE_CHECKING:
    from storage.feed import Feed

# A connection that asyncpg was opening while its database was dropped is garbage-collected without a close.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ALL = ("games", "game_events", "game_participants", "prizes", "player_stats")


class Restored:
    """A separate database that can be restored to an earlier state."""

    def __init__(self, server: str, dsn: str, name: str) -> None:
        self.server, self.dsn, self.name = server, dsn, name

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.server)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    async def copied(self, pool: Pool) -> None:
        """Copy the current database, like a replica that receives no more writes."""
        async with asyncio.timeout(60):
            while True:
                await pool.expire_connections()
                try:
                    await self._execute(
                        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'",
                        f"CREATE DATABASE {self.name}_copy TEMPLATE {self.name}",
                    )
                except asyncpg.ObjectInUseError:  # a session ends a moment later, or another has begun
                    await asyncio.sleep(0.05)
                else:
                    return

    async def failed_over(self) -> None:
        """Replace the database by the copy, and cut all its connections."""
        await self._execute(
            f"DROP DATABASE {self.name} WITH (FORCE)", f"ALTER DATABASE {self.name}_copy RENAME TO {self.name}"
        )


@pytest_asyncio.fixture
async def restored(postgres_server: str) -> AsyncIterator[Restored]:
    name = f"lost_{uuid4().hex[:12]}"
    restored = Restored(postgres_server, postgres_server.replace("@/postgres?", f"@/{name}?"), name)
    await restored._execute(f"CREATE DATABASE {name}")
    await upgrade(restored.dsn)
    yield restored
    await restored._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"DROP DATABASE IF EXISTS {name}_copy")


@pytest_asyncio.fixture
async def house(restored: Restored, redis: Redis) -> AsyncIterator[House]:
    async with postgres_pool(restored.dsn, pool_min=0) as pool:
        yield House(pool, redis)


async def everything(pool: Pool) -> dict[str, list[str]]:
    """Return all rows of the tables that the projector writes, without their write times."""
    found = {}
    for table in ALL:
        columns = "to_jsonb(t) - 'updated_at' - 'created_at'"
        found[table] = sorted(row[0].decode() for row in await pool.fetch(f"SELECT {columns} FROM {table} t"))
    return found


def projecting(house: House, owner: str = "me") -> "asyncio.Task[None]":
    """Start a projector, like a process does."""

    async def caught_up() -> None:
        await replay(house.pool, house.redis, house.codec, house.games, house.projector)

    feed = feed_of(house.redis, house.games.shards, owner=owner, check=house.projector.check, caught_up=caught_up)
    return asyncio.create_task(feed.run(house.projector.handle))


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait({task})


async def projected(house: House, count: int) -> None:
    """Wait until PostgreSQL has a number of finished games."""
    async with asyncio.timeout(60):
        while True:
            try:
                found = await house.pool.fetchval("SELECT count(*) FROM games WHERE ended_at IS NOT NULL")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                found = -1
            if found == count:
                return
            await asyncio.sleep(0.05)


async def caught_up_with(house: House, game_id: str) -> None:
    """Wait until PostgreSQL has the same version of a game as Redis."""
    wanted = (await house.engine.look(game_id)).version
    async with asyncio.timeout(60):
        while await house.pool.fetchval("SELECT version FROM games WHERE id = $1", game_id) != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_settled_prize_that_postgresql_lost_is_settled_again_from_the_feed(
    house: House,
    restored: Restored,
    goes_on: bool,  # noqa: FBT001
) -> None:
    task = projecting(house)
    await house.play(chat_id=-1)
    await projected(house, 1)
    await restored.copied(house.pool)
    for chat in (-1, -2, -3):
        await house.play(chat_id=chat)
    await projected(house, 4)
    before = await everything(house.pool)
    await restored.failed_over()
    if goes_on:  # a known game and one that PostgreSQL has never seen continue before the loss is noticed
        await house.play(chat_id=-4)
        await projected(house, 5)
        after = await everything(house.pool)
        assert all(row in after["prizes"] for row in before["prizes"])
    else:
        await projected(house, 4)
        assert await everything(house.pool) == before
    assert house.projector.rewound == 1
    assert house.projector.gaps == 0
    assert house.projector.lost == {}
    await stop(task)


async def test_a_process_that_begins_to_read_after_the_failover_notices_it_too(
    house: House, restored: Restored
) -> None:
    task = projecting(house)
    await house.play(chat_id=-1)
    await projected(house, 1)
    await restored.copied(house.pool)
    await house.play(chat_id=-2)
    await projected(house, 2)
    before = await everything(house.pool)
    await stop(task)
    await restored.failed_over()
    again = House(house.pool, house.redis)
    task = projecting(again, "another")
    await projected(again, 2)
    assert await everything(house.pool) == before
    assert again.projector.rewound == 1
    await stop(task)


async def test_a_live_game_whose_events_the_feed_no_longer_has_is_written_again_from_redis(
    house: House, restored: Restored
) -> None:
    task = projecting(house)
    game_id = await house.open(chat_id=-1)
    await caught_up_with(house, game_id)
    await restored.copied(house.pool)
    for player in (1, 2, 3):
        await house.do(game_id, Join(player, f"Player {player}"))
    await caught_up_with(house, game_id)
    before = await everything(house.pool)
    await stop(task)
    for shard in house.games.shards:
        await house.redis.xtrim(keys.feed_key(shard), maxlen=0)
    await restored.failed_over()
    again = House(house.pool, house.redis)
    task = projecting(again, "another")
    await caught_up_with(again, game_id)
    assert await everything(house.pool) == before
    assert again.projector.lost == {}
    await stop(task)


async def test_a_game_whose_events_nothing_has_any_more_is_named(house: House, restored: Restored) -> None:
    task = projecting(house)
    await caught_up_with(house, await house.open(chat_id=-1))
    await restored.copied(house.pool)
    lost = await house.play(chat_id=-2)
    await projected(house, 1)
    await stop(task)
    for shard in house.games.shards:
        await house.redis.xtrim(keys.feed_key(shard), maxlen=0)
    await restored.failed_over()
    again = House(house.pool, house.redis)
    task = projecting(again, "another")
    await until(lambda: lost in again.projector.lost, 20)
    assert again.projector.lost == {lost: 1}
    await stop(task)


async def test_where_nothing_was_lost_nothing_is_read_again(house: House) -> None:
    for owner in ("one", "other"):
        task = projecting(house, owner)
        await house.play(chat_id=-1)
        await projected(house, 1 if owner == "one" else 2)
        await stop(task)
    assert house.projector.rewound == 0
    assert house.projector.lost == {}


async def test_entries_that_everybody_has_read_are_kept_for_a_minute(house: House) -> None:
    await house.play()
    await house.project()
    feed: Feed = feed_of(house.redis, house.games.shards)
    total = sum([await house.redis.xlen(keys.feed_key(shard)) for shard in house.games.shards])
    assert await feed.trim() == 0
    assert total > 0
