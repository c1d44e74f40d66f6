"""PostgreSQL behind pgbouncer: no session state is left behind, and the pooler's refusals are handled."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from loguru import logger

from storage import migrate
from storage.connections import Connection, Pool, in_transaction, postgres_pool
from tests.servers.servers import pgbouncer

DEFAULTS: dict[str, str] = {}
LENIENT = {"ignore_startup_parameters": "statement_timeout,extra_float_digits,options"}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory) / "pooler"


@pytest_asyncio.fixture(params=["transaction", "session"])
async def pooled(
    request: pytest.FixtureRequest, empty_database: str, postgres_server: str, folder: Path
) -> AsyncIterator[str]:
    """Return the DSN of an empty database behind a pooler with its default settings."""
    name = empty_database.partition("@/")[2].partition("?")[0]
    async with pgbouncer(postgres_server, folder, request.param) as dsn:
        yield dsn.replace("@/postgres?", f"@/{name}?")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    found: list[str] = []
    handler = logger.add(found.append, format="{level} {message}")
    yield found
    logger.remove(handler)


async def test_the_schema_goes_up_and_down_through_a_pooler(pooled: str) -> None:
    assert await migrate.upgrade(pooled) == migrate.head()
    await migrate.downgrade(pooled, "base")
    assert await migrate.current(pooled) is None
    both = await asyncio.gather(migrate.upgrade(pooled), migrate.upgrade(pooled))
    assert set(both) == {migrate.head()}


async def test_two_programs_share_sessions_without_meeting_each_others_statements(pooled: str) -> None:
    await migrate.upgrade(pooled)

    async def work(pool: Pool, shard: int) -> None:
        for _ in range(20):
            assert await pool.fetchval("SELECT $1::int", shard) == shard
            assert [row[0] for row in await pool.fetch("SELECT unnest($1::text[])", [str(shard)])] == [str(shard)]
            await pool.execute(
                "INSERT INTO feed_checkpoints (shard, position) VALUES ($1, 'x') ON CONFLICT (shard)"
                " DO UPDATE SET position = feed_checkpoints.position || 'x'",
                f"{shard:02}",
            )

            async def copied(connection: Connection) -> None:
                await connection.executemany("SELECT $1::jsonb", [(b"1",), (b"2",)])
                await connection.copy_records_to_table(
                    "webhook_messages",
                    columns=("id", "type", "chat_id", "payload"),
                    records=[(f"{shard}-{uuid4()}", "game.opened", 0, b"{}")],
                )

            await in_transaction(pool, copied)

    async with postgres_pool(pooled, pool_max=8) as first, postgres_pool(pooled, pool_max=8) as second:
        await asyncio.gather(*(work(pool, shard) for shard in range(8) for pool in (first, second)))
        assert {len(row[0]) for row in await first.fetch("SELECT position FROM feed_checkpoints")} == {40}
        assert not await first.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''")


async def test_what_the_pooler_refuses_is_told_once_and_left_out(pooled: str, lines: list[str]) -> None:
    async with postgres_pool(pooled, pool_min=3) as pool:
        assert await pool.fetchval("SELECT 1") == 1
        assert await pool.fetchval("SHOW timezone") == "UTC"
    assert len([line for line in lines if "a pooler refuses statement_timeout" in line]) == 1


async def test_what_the_address_asks_for_and_the_pooler_refuses_is_no_silent_loss(pooled: str) -> None:
    with pytest.raises(asyncpg.ProtocolViolationError, match="unsupported startup parameter: search_path"):
        async with postgres_pool(f"{pooled}&options=-csearch_path%3Dgames"):
            pass


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_pooler_that_ignores_what_it_does_not_know_is_noticed(
    mode: str, postgres_server: str, folder: Path, lines: list[str]
) -> None:
    async with pgbouncer(postgres_server, folder, mode, **LENIENT) as dsn, postgres_pool(dsn) as pool:
        assert await pool.fetchval("SELECT $1::int", 7) == 7
    assert any("is behind a pooler" in line for line in lines)
    assert not any("refuses" in line for line in lines)


async def test_without_a_pooler_statements_are_prepared_and_kept(postgres_server: str) -> None:
    async with postgres_pool(postgres_server, pool_max=1) as pool:
        await pool.fetchval("SELECT $1::int + 1", 7)
        assert await pool.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%::int + 1'") == 1
    async with postgres_pool(f"{postgres_server}&pgbouncer=true", pool_max=1) as pool:
        await pool.fetchval("SELECT $1::int + 1", 7)
        assert not await pool.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''")
