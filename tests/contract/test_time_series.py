"""Tables divided by time: their partitions are made ahead, moved into, and dropped when they are old."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from storage import migrate, projector, time_series
from storage.connections import Pool, postgres_pool
from storage.retention import Pruned, prune

GAME = """
INSERT INTO games (id, kind, chat_id, title, host_id, status, rules, version, opened_at, ended_at)
VALUES ($1, 'quiz', -1, 'Game', 9, CASE WHEN $3::timestamptz IS NULL THEN 'lobby' ELSE 'completed' END, '{}', 3, $2, $3)
"""
EVENTS = """
INSERT INTO game_events (game_id, version, name, at, command_id, data)
SELECT $1, n, 'noted', $2, 'tg:' || n, '{}' FROM generate_series(1, 3) n
"""
PRIZE = "INSERT INTO prizes (game_id, player_id, place, amount, settled_at) VALUES ($1, 7, 1, 5, $2)"


@pytest.fixture
async def fresh(empty_database: str) -> AsyncIterator[Pool]:
    """Open a pool on a database of its own, whose partitions a test may drop."""
    await migrate.upgrade(empty_database)
    async with postgres_pool(empty_database, pool_max=2) as pool:
        yield pool


async def month(pool: Pool, table: str = "game_events") -> tuple[time_series.Partition, datetime]:
    """Return the first partition of a single month, and its end."""
    first = next(each for each in await time_series.partitions(pool, table) if each.single)
    assert isinstance(first.end, datetime)
    return first, first.end


async def played(pool: Pool, game_id: str, opened_at: datetime, ended_at: datetime | None) -> None:
    """Store a game with three events; if it has ended, with a prize too."""
    await pool.execute(GAME, game_id, opened_at, ended_at)
    await pool.execute(EVENTS, game_id, opened_at)
    if ended_at is not None:
        await pool.execute(PRIZE, game_id, ended_at)


async def pruned(pool: Pool, at: datetime) -> Pruned:
    return await prune(pool, round(at.timestamp() * 1000), keep_events_days=365, keep_results_days=1095)


async def names(pool: Pool, table: str) -> set[str]:
    return {each.name for each in await time_series.partitions(pool, table)}


async def events(pool: Pool) -> dict[str, int]:
    return dict(await pool.fetch("SELECT game_id, count(*) FROM game_events GROUP BY game_id"))  # type: ignore[arg-type]


async def test_an_old_month_is_dropped_with_its_rows_and_months_ahead_are_made(fresh: Pool) -> None:
    old, end = await month(fresh)
    await played(fresh, "00old", end - timedelta(days=9), end - timedelta(days=8))
    at = end + timedelta(days=365 + 2)
    await played(fresh, "00new", at - timedelta(days=1), at)
    found = await pruned(fresh, at)
    assert old.name not in await names(fresh, "game_events")
    assert await events(fresh) == {"00new": 3}
    assert found.partitions >= 1
    assert found.events == 0
    assert await fresh.fetchval("SELECT count(*) FROM prizes") == 2  # results are kept longer
    assert f'"game_events_{at:%Y_%m}"' in await names(fresh, "game_events")
    await pruned(fresh, end + timedelta(days=1095 + 2))
    assert [row[0] for row in await fresh.fetch("SELECT game_id FROM prizes")] == ["00new"]
    assert [row[0] for row in await fresh.fetch("SELECT id FROM games")] == ["00new"]


async def test_a_month_that_a_live_game_needs_stays_and_loses_the_rows_of_other_games(fresh: Pool) -> None:
    old, end = await month(fresh)
    await played(fresh, "00live", end - timedelta(days=9), None)
    await played(fresh, "00long", end - timedelta(days=9), end + timedelta(days=300))
    await played(fresh, "00over", end - timedelta(days=9), end - timedelta(days=8))
    assert (await pruned(fresh, end + timedelta(days=400))).events == 3
    assert await events(fresh) == {"00live": 3, "00long": 3}
    assert old.name in await names(fresh, "game_events")
    await fresh.execute("DELETE FROM games WHERE id = '00live'")
    await pruned(fresh, end + timedelta(days=700))
    assert await events(fresh) == {}
    assert old.name not in await names(fresh, "game_events")


async def test_an_event_beyond_all_months_is_kept_and_moves_into_its_month_when_that_is_made(fresh: Pool) -> None:
    late = datetime.now(UTC) + timedelta(days=1000)
    await played(fresh, "00late", late, late)
    where = "SELECT DISTINCT tableoid::regclass::text FROM game_events WHERE game_id = '00late'"
    assert await fresh.fetchval(where) == "game_events_rest"
    assert await time_series.make_ahead(fresh, late) > 0
    assert await fresh.fetchval(where) == f"game_events_{late:%Y_%m}"
    assert await events(fresh) == {"00late": 3}
    assert await time_series.make_ahead(fresh, late) == 0


async def test_figures_of_old_years_go_with_their_year(fresh: Pool) -> None:
    year = next(each for each in await time_series.partitions(fresh, time_series.YEARLY) if each.single)
    first = int(str(year.end)) - 1
    for number in (first - 3, first, first + 2):
        await fresh.execute(
            "INSERT INTO player_periods (chat_id, period, player_id, kind) VALUES (-1, $1, 7, 'quiz')", f"{number}-W07"
        )
    found = await pruned(fresh, datetime(first + 2, 6, 1, tzinfo=UTC))
    assert [row[0] for row in await fresh.fetch("SELECT period FROM player_periods")] == [f"{first + 2}-W07"]
    assert found.period_rows == 1
    assert year.name not in await names(fresh, time_series.YEARLY)


async def test_a_long_read_of_events_keeps_neither_old_prizes_nor_old_figures(
    fresh: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_series, "TRIES", 1)
    _, end = await month(fresh, "prizes")
    old, year = await names(fresh, "prizes"), await names(fresh, time_series.YEARLY)
    async with fresh.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE game_events IN ACCESS SHARE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await pruned(fresh, end + timedelta(days=1095 + 2))
    assert old - await names(fresh, "prizes")
    assert year - await names(fresh, time_series.YEARLY)


@pytest.mark.parametrize("table", ["game_events", "prizes", "player_periods"])
async def test_a_deletion_by_ctid_from_all_partitions_is_refused(pool: Pool, table: str) -> None:
    with pytest.raises(asyncpg.FeatureNotSupportedError, match="a ctid is not unique"):
        await pool.execute(f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} LIMIT 1))")


async def test_a_writer_without_the_lock_of_a_shard_writes_no_event_twice(pool: Pool) -> None:
    now: Any = datetime.now(UTC)
    await pool.execute(GAME, "00twice", now, None)
    writes = projector._Writes({"00twice": projector._Row("quiz", 4, -1, 1, stored=3, status="lobby")})
    writes.changed.add("00twice")
    async with pool.acquire() as connection, connection.transaction():
        await projector._put_games(connection, writes)
    with pytest.raises(projector.OvertakenError):
        async with pool.acquire() as connection, connection.transaction():
            await projector._put_games(connection, writes)
    assert await pool.fetchval("SELECT version FROM games WHERE id = '00twice'") == 4
