"""Real stores for tests: PostgreSQL and Redis are started once for each run, and are emptied for each test."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

import bot.lazy_aiogram  # noqa: F401 -- must precede the import of aiogram
from storage.connections import Pool, postgres_pool, redis_client
from storage.embedded import embedded_postgres, embedded_redis
from storage.migrate import upgrade
from tests.servers import servers


@pytest.fixture(scope="session")
def store_directory() -> Iterator[Path]:
    """Return the directory of the run's stores: short, as the path of a Unix socket must be."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server(store_directory: Path) -> AsyncIterator[str]:
    """Run one PostgreSQL for all tests, without fsync, which only a power loss would need."""
    async with embedded_postgres(store_directory, durable=False) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_database(postgres_server: str) -> str:
    """Return the DSN of a database with the current schema; `postgres_dsn` empties it."""
    dsn = await _create_database(postgres_server, "migrated")
    await upgrade(dsn)
    return dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_server(store_directory: Path) -> AsyncIterator[str]:
    """Run one Redis for all tests, with production's append-only file."""
    if binary := os.environ.get("STORES_REDIS"):
        async with servers.redis(binary, store_directory / "redis", 0):
            yield f"unix://{store_directory}/redis/s"
        return
    async with embedded_redis(store_directory) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pooled_server(postgres_server: str, store_directory: Path) -> AsyncIterator[str]:
    """Return the DSN through which tests reach PostgreSQL: through a pooler if STORES_POOLER names its mode."""
    if mode := os.environ.get("STORES_POOLER"):
        async with servers.pgbouncer(postgres_server, store_directory / "pooler", mode) as dsn:
            yield dsn
        return
    yield postgres_server


@pytest_asyncio.fixture
async def empty_database(postgres_server: str, pooled_server: str) -> AsyncIterator[str]:
    """Return the DSN of a new database without any table."""
    name = f"test_{uuid4().hex}"
    await _create_database(postgres_server, name)
    yield pooled_server.replace("@/postgres?", f"@/{name}?")
    connection = await asyncpg.connect(postgres_server)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest_asyncio.fixture
async def postgres_dsn(migrated_database: str, pooled_server: str) -> str:
    """Return the DSN of a database with all tables, all empty."""
    connection = await asyncpg.connect(migrated_database)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = [row["tablename"] for row in tables if row["tablename"] != "alembic_version"]
    # Faster than TRUNCATE on tables of a few rows; foreign keys need no order in this session.
    await connection.execute(
        "SET session_replication_role = replica;" + "".join(f'DELETE FROM "{name}";' for name in names)
    )
    await connection.close()
    return pooled_server.replace("@/postgres?", "@/migrated?")


@pytest_asyncio.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    """Open a pool on the empty database."""
    async with postgres_pool(postgres_dsn) as opened:
        yield opened


@pytest_asyncio.fixture
async def redis_dsn(redis_server: str) -> str:
    """Return the DSN of an empty Redis."""
    async with redis_client(redis_server) as client:
        await client.flushall()
        await client.script_flush()
    return redis_server


@pytest_asyncio.fixture
async def redis(redis_dsn: str) -> AsyncIterator[Redis]:
    """Open a client on the empty Redis."""
    async with redis_client(redis_dsn) as client:
        yield client


async def _create_database(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return server.replace("@/postgres?", f"@/{name}?")
