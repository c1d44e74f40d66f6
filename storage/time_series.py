"""Partitions of the tables that are divided by time: `game_events`, `prizes` and `player_periods`.

They are made ahead and dropped by the process that prunes. Rows without a partition of their own are in one that takes
the rest, so a missing partition loses nothing. If migration 0019 found TimescaleDB, events and prizes are hypertables:
the extension makes their chunks, and this module drops and compresses them.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import asyncpg
from loguru import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.connections import Connection, Pool

MONTHLY: Final = {"game_events": "at", "prizes": "settled_at"}
"""Tables divided by months, with the column of the time."""
YEARLY: Final = "player_periods"
"""The table divided by years: names of weeks, months and quarters begin with their year."""
AHEAD: Final = 3
"""Months, and years, for which partitions exist beforehand."""
COMPRESS_DAYS: Final = 62
"""Age from which a chunk of a hypertable is compressed. Late events and erasures still reach its rows."""
LOCK_KEY: Final = 0x746F6D70617274
"""Key of the advisory lock under which partitions are made and dropped."""
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.5
"""Pause before another try for a table's lock, in seconds."""

_HURRIED = "SET LOCAL lock_timeout = '200ms'"
"""Limit of a wait for a table's lock: all that use the table queue up behind the wait."""
_PARTITIONS = """
SELECT c.relname AS name, c.oid::bigint AS oid, pg_get_expr(c.relpartbound, c.oid) AS bound
FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
WHERE p.relname = $1 AND p.relnamespace = current_schema()::regnamespace AND c.relispartition ORDER BY c.relname
"""
_CHUNKS = """
SELECT format('%I.%I', chunk_schema, chunk_name) AS name, 0::bigint AS oid, range_end
FROM timescaledb_information.chunks
WHERE hypertable_name = $1 AND hypertable_schema = current_schema() ORDER BY range_end
"""
_DIVIDED = """
SELECT c.relkind = 'p' FROM pg_class c WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace
"""
_DROP_CHUNKS = "SELECT drop_chunks($1::regclass, older_than => $2::timestamptz)"
_COMPRESSIBLE = """
SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks
WHERE hypertable_name = $1 AND hypertable_schema = current_schema() AND NOT is_compressed AND range_end < $2
    AND current_setting('timescaledb.license', true) = 'timescale' ORDER BY range_end
"""
_BOUND = re.compile(r"FROM \((?:MINVALUE|'([^']+)')\) TO \('([^']+)'\)")


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of a table, or a chunk of a hypertable.

    Attributes:
        name: its name, as SQL.
        oid: PostgreSQL's number of it; 0 for a chunk.
        end: its upper bound, exclusive; None for the partition that takes the rest.
        single: it holds one month or year, so that it can be dropped as soon as that is old.
    """

    name: str
    oid: int
    end: datetime | str | None
    single: bool


async def partitions(pool: Pool, table: str) -> list[Partition]:
    """Return the partitions of a table, or the chunks of a hypertable."""
    if not await pool.fetchval(_DIVIDED, table):
        return [Partition(row["name"], 0, row["range_end"], single=True) for row in await pool.fetch(_CHUNKS, table)]
    found = []
    for name, oid, bound in await pool.fetch(_PARTITIONS, table):
        match = _BOUND.search(bound)
        end = None if match is None else _end(table, match[2])
        found.append(Partition(f'"{name}"', oid, end, single=match is not None and match[1] is not None))
    return found


async def make_ahead(pool: Pool, now: datetime) -> int:
    """Make the partitions of the present and of the time to come that do not exist. Returns their number.

    Without the right to create tables there are none: new rows are then in the partition that takes the rest.
    """
    made = 0
    for table in (*MONTHLY, YEARLY):
        if not await pool.fetchval(_DIVIDED, table):
            continue
        taken = [each.end for each in await partitions(pool, table) if each.end is not None]
        latest = max(taken, default=None)
        for suffix, begin, end in _times(table, now):
            if latest is None or _end(table, begin) >= latest:  # type: ignore[operator]
                try:
                    made += await _make(pool, table, f"{table}_{suffix}", begin, end)
                except asyncpg.InsufficientPrivilegeError:
                    logger.warning("this role may not make the partition {}_{}", table, suffix)
    return made


async def drop(pool: Pool, table: str, partition: Partition) -> bool:
    """Drop a partition with all its rows. Returns False if the role may not.

    Raises:
        asyncpg.LockNotAvailableError: the table was in use, all the time, by a statement that takes long.
    """
    for tried in range(1, TRIES + 1):
        try:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(_HURRIED)
                if partition.oid:
                    await connection.execute(f"DROP TABLE IF EXISTS {partition.name}")
                else:
                    await connection.execute(_DROP_CHUNKS, table, partition.end)
        except asyncpg.InsufficientPrivilegeError:
            return False
        except asyncpg.LockNotAvailableError:
            if tried == TRIES:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return True
    raise AssertionError("the last try returns or raises")  # pragma: no cover


async def compress(pool: Pool, before: datetime) -> int:
    """Compress the chunks of hypertables that ended before a time. Returns their number."""
    done = 0
    for table in MONTHLY:
        if not await pool.fetchval(_DIVIDED, table):
            for (chunk,) in await pool.fetch(_COMPRESSIBLE, table, before):
                await pool.execute("SELECT compress_chunk($1::regclass, if_not_compressed => true)", chunk)
                done += 1
    return done


async def _make(pool: Pool, table: str, name: str, begin: str, end: str) -> int:
    """Make a partition, and move those rows to it that came before it existed."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_HURRIED)
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
        if await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name):
            return 0
        # Attached, not created as a partition: that would lock out those who read the table.
        await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        await _copy_rights(connection, table, name)
        column = MONTHLY.get(table, "period")
        kind = "timestamptz" if table in MONTHLY else "text"
        await connection.execute(f"LOCK TABLE {table}_rest IN ACCESS EXCLUSIVE MODE")
        await connection.execute(
            f"WITH moved AS (DELETE FROM {table}_rest WHERE {column} >= '{begin}'::{kind}"  # noqa: S608
            f" AND {column} < '{end}'::{kind} RETURNING *) INSERT INTO {name} SELECT * FROM moved"
        )
        await connection.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{begin}') TO ('{end}')"
        )
    return 1


async def _copy_rights(connection: Connection, table: str, name: str) -> None:
    rows = await connection.fetch(
        "SELECT a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END"
        " FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
        " WHERE c.oid = to_regclass($1) AND a.grantee <> c.relowner",
        table,
    )
    for right, role in rows:
        await connection.execute(f"GRANT {right} ON {name} TO {role}")


def _times(table: str, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Yield the suffix of the name, the begin and the end of each partition that is to exist."""
    if table == YEARLY:
        for year in range(now.year, now.year + AHEAD + 1):
            yield f"{year:04}", f"{year:04}", f"{year + 1:04}"
        return
    months = now.year * 12 + now.month - 1
    for number in range(months, months + AHEAD + 1):
        begin, end = (datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in (number, number + 1))
        yield f"{begin:%Y_%m}", begin.isoformat(), end.isoformat()


def _end(table: str, text: str) -> datetime | str:
    return text if table == YEARLY else datetime.fromisoformat(text)
