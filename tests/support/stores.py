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

_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> 'alembic_version'
"""


class EmptiedTables:
    """All tables of a database. A new connection for each test would take most of the time that emptying takes."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._with_rows = ""

    async def empty(self) -> None:
        """Delete the rows of all tables."""
        try:
            await self._empty()
        except (asyncpg.PostgresConnectionError, OSError):  # a test has ended all sessions
            self._connection = None
            await self._empty()

    async def _empty(self) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._dsn)
            await self._connection.execute("SET session_replication_role = replica")  # no order by foreign keys
            names = [row["relname"] for row in await self._connection.fetch(_TABLES)]
            found = ",".join(f"CASE WHEN EXISTS (SELECT FROM \"{name}\") THEN '{name}' END" for name in names)
            self._with_rows = f"SELECT array_remove(ARRAY[{found}], NULL)"
        if names := await self._connection.fetchval(self._with_rows):
            # Faster than TRUNCATE on tables of a few rows.
            await self._connection.execute("".join(f'DELETE FROM "{name}";' for name in names))

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()


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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emptied_tables(migrated_database: str) -> AsyncIterator[EmptiedTables]:
    """Return the tables that `postgres_dsn` empties, with one connection for all tests of the run."""
    tables = EmptiedTables(migrated_database)
    yield tables
    await tables.close()


@pytest_asyncio.fixture(loop_scope="session")
async def postgres_dsn(emptied_tables: EmptiedTables, pooled_server: str) -> str:
    """Return the DSN of a database with all tables, all empty."""
    await emptied_tables.empty()
    return pooled_server.replace("@/postgres?", "@/migrated?")


@pytest_asyncio.fixture
async def pool(postgres_dsn: str) -> AsyncIterator[Pool]:
    """Open a pool on the empty database."""
    async with postgres_pool(postgres_dsn) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emptied_redis(redis_server: str) -> AsyncIterator[Redis]:
    """Open the client that empties Redis for all tests of the run."""
    async with redis_client(redis_server) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def redis_dsn(emptied_redis: Redis, redis_server: str) -> str:
    """Return the DSN of an empty Redis."""
    await emptied_redis.flushall()
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
