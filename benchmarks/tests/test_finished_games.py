"""The benchmark's copied games equal played games in the stores."""

from typing import Any

from redis.asyncio import Redis

from benchmarks.finished import CODEC, PLAYED, PLAYERS, Ended, keep, multiply, past, project
from benchmarks.world import SHARDS
from fsm.pick_number import PickNumberGame
from storage import keys
from storage.archive import Archive
from storage.connections import Pool
from storage.games import RedisGames

NOW = 1_800_000_000_000
TABLES = {"game_participants": "player_id", "prizes": "player_id", "game_events": "version"}
OWN = {"game_id", "player_id", "joined_at", "settled_at", "at", "data"}
"""Columns in which a copy differs."""


async def rows(pool: Pool, table: str, order: str, game: Ended) -> list[dict[str, Any]]:
    """Return the rows of a game in a table."""
    found = await pool.fetch(f"SELECT * FROM {table} WHERE game_id = $1 ORDER BY {order}", game.id)
    return [dict(row) for row in found]


async def shape(pool: Pool) -> list[tuple[Any, ...]]:
    """Return all indexes and constraints, those of partitions too."""
    found = await pool.fetch(
        "SELECT indexdef AS made FROM pg_indexes WHERE schemaname = current_schema() UNION ALL"
        " SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = current_schema()::regnamespace ORDER BY made"
    )
    return [tuple(row) for row in found]


async def figures(pool: Pool) -> list[tuple[Any, ...]]:
    """Return all players' figures as they are added up."""
    found = await pool.fetch("SELECT * FROM player_stats ORDER BY player_id, chat_id, kind")
    return [tuple(value for name, value in row.items() if name != "updated_at") for row in found]


async def test_a_copy_is_in_every_table_as_its_model_is(pool: Pool) -> None:
    games = past(3 * PLAYED, NOW)
    await project(pool, games[:PLAYED])
    await multiply(pool, games)
    model, copy = games[7], games[PLAYED + 7]
    for table, order in TABLES.items():
        of_model, of_copy = await rows(pool, table, order, model), await rows(pool, table, order, copy)
        assert of_model
        assert [{name: row[name] for name in row if name not in OWN} for row in of_copy] == [
            {name: row[name] for name in row if name not in OWN} for row in of_model
        ]
    archive = Archive(pool, CODEC)
    end = await archive.finished(copy.id)
    assert isinstance(end, PickNumberGame)
    assert (end.id, end.phase) == (copy.id, "completed")
    assert set(end.players) == {each.player_id for each in end.standings} == {copy.player(n) for n in range(PLAYERS)}
    assert await pool.fetchval("SELECT count(*) FROM games") == 3 * PLAYED
    for name in ("host_id", "chat_id", "opened_at", "ended_at"):
        of_model, of_copy = [
            await pool.fetchval(f"SELECT {name} FROM games WHERE id = $1", g.id) for g in (model, copy)
        ]
        assert of_copy is not None
        assert of_copy != of_model or name == "chat_id"
    newest = (await archive.history(None, None, 1))[0]
    assert (newest.id, len(newest.winners)) == (games[-1].id, 3)
    assert NOW - 3 * 86_400_000 < newest.ended_at < NOW


async def test_figures_are_those_that_the_projector_adds_up(pool: Pool) -> None:
    games = past(PLAYED, NOW)
    await project(pool, games)
    projected = await figures(pool)
    await multiply(pool, games)
    assert await figures(pool) == projected
    # figures exist for each chat and for all chats, for each kind and for all kinds
    assert sum(row[4] for row in projected) == 4 * PLAYED * PLAYERS


async def test_redis_keeps_the_ends_for_a_day_and_nothing_else(redis: Redis) -> None:
    games = past(2 * PLAYED, NOW)
    await keep(redis, games)
    assert await redis.dbsize() == len(games)
    stored = await RedisGames(redis, CODEC, shards=SHARDS).load(games[-1].id)
    assert stored is not None
    assert (stored.state.id, stored.state.phase) == (games[-1].id, "completed")
    assert 0 < await redis.pttl(keys.game_key(games[-1].id)) <= 86_400_000
