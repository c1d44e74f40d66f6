"""Backup of both stores into one file, and its restoration.

PostgreSQL is read in one snapshot. Redis holds, beside what can be made again, the events that PostgreSQL does not have
yet: those are read from the feed before the snapshot, so that each event from before the backup is in it.
Live games need no copy, because a worker makes them again from their events.

Tables are copied row by row, not dumped by `pg_dump`: no program of the server's version is needed, the file fits every
version of PostgreSQL, a schema with partitions or without, and every role that may use the tables.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from loguru import logger

from storage import keys, migrate
from storage.audit import wrote
from storage.backup_file import FORMAT, BackupError, Foot, Head, Part, Table, Writer, new_file, opened
from storage.connections import postgres_connection
from storage.feed import Entry, entry_of
from storage.personal_data import PersonalData
from storage.projector import Projector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from pathlib import Path

    from redis.asyncio import Redis

    from storage.connections import Connection, Pool

CONNECT_SECONDS: Final = 10
PAGE: Final = 500
"""Entries of the feed, keys of Redis, and entries written to PostgreSQL at a time."""

_UNHURRIED = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
_SAME_TEXT = "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC'"
"""Settings under which a value has one text."""
_TABLES = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname <> 'alembic_version'
GROUP BY c.relname ORDER BY c.relname
"""
_REFERENCES = """
SELECT DISTINCT f.relname AS child, t.relname AS parent
FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace AND f.oid <> t.oid
"""
_SEQUENCES = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S'
ORDER BY c.relname
"""
_GUARDED = """
SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
"""
_POSITIONS = "SELECT shard, position FROM feed_checkpoints"
_ERASED_SINCE = "SELECT player_id, alias, erased_at FROM erasures WHERE erased_at >= $1 ORDER BY erased_at"
_REVOKED_SINCE = "SELECT prefix, revoked_at FROM api_tokens WHERE revoked_at >= $1"
_REVOKE = "UPDATE api_tokens SET revoked_at = $2 WHERE prefix = $1 AND revoked_at IS NULL"


# -- backup ------------------------------------------------------------------------------------------------------


async def back_up(
    dsn: str, redis: Redis, shards: Sequence[str], path: Path, *, version: str, recipients: list[str]
) -> Foot:
    """Write a backup of both stores while the bot runs, read it again, and return its contents.

    Args:
        dsn: address of PostgreSQL.
        redis: client of Redis.
        shards: the names of the shards.
        path: the file, which must not exist.
        version: version of this program.
        recipients: public keys of age that the file is encrypted for.

    Raises:
        BackupError: the file can't be written, or the schema is not this version's.
    """
    connection = await postgres_connection(dsn, within=CONNECT_SECONDS)
    try:
        waiting = await _waiting(connection, redis, shards)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(f"{_UNHURRIED}; {_SAME_TEXT}")
            positions = {row[0]: _order(row[1]) for row in await connection.fetch(_POSITIONS)}
            tail = {
                shard: [entry for entry in entries if _order(entry.id) > positions.get(shard, (0, 0))]
                for shard, entries in waiting.items()
            }
            return await _written(connection, tail, path, version, recipients)
    finally:
        await connection.close()


async def _waiting(connection: Connection, redis: Redis, shards: Sequence[str]) -> dict[str, list[Entry]]:
    """Return the entries of each shard that PostgreSQL does not have yet."""
    positions = {row[0]: row[1] for row in await connection.fetch(_POSITIONS)}
    found: dict[str, list[Entry]] = {}
    for shard in shards:
        last, entries = positions.get(shard) or "0-0", list[Entry]()
        while rows := await _page(redis, shard, last):
            entries += [entry_of(id_.decode(), shard, fields) for id_, fields in rows if b"r" in fields]
            last = rows[-1][0].decode()
        found[shard] = entries
    return found


async def _page(redis: Redis, shard: str, after: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    rows: Any = await redis.xrange(keys.feed_key(shard), f"({after}", "+", count=PAGE)
    return list(rows)


async def _written(
    connection: Connection, tail: dict[str, list[Entry]], path: Path, version: str, recipients: list[str]
) -> Foot:
    schema = await connection.fetchval("SELECT version_num FROM alembic_version")
    if schema != migrate.head():
        raise BackupError(f"the database is at schema {schema}, this Tombola at {migrate.head()}: migrate first")
    tables = await _tables(connection)
    taken_at: datetime = await connection.fetchval("SELECT now()")
    head = Head(FORMAT, version, schema, taken_at.astimezone(UTC).isoformat(timespec="seconds"), tables)
    with new_file(path, recipients) as stream:
        writer = Writer(stream, head)
        for name, table in tables.items():

            async def take(data: bytes, name: str = name) -> None:
                await asyncio.to_thread(writer.rows, name, data)

            columns = _quoted(table.columns)
            await connection.copy_from_query(f"SELECT {columns} FROM {_quoted([name])}", output=take)  # noqa: S608
            await asyncio.to_thread(writer.end_of, name)
        for shard, entries in tail.items():
            for first in range(0, len(entries), PAGE):
                await asyncio.to_thread(writer.entries, shard, entries[first : first + PAGE])
        sequences = {
            row[0]: await connection.fetchval(f"SELECT last_value + is_called::int FROM {_quoted([row[0]])}")  # noqa: S608
            for row in await connection.fetch(_SEQUENCES)
        }
        foot: Foot = await asyncio.to_thread(writer.finish, sequences)
    return foot


async def _tables(connection: Connection) -> dict[str, Table]:
    """Return all tables, each after those that it refers to."""
    found = {row["name"]: Table(row["columns"]) for row in await connection.fetch(_TABLES)}
    parents: dict[str, set[str]] = {name: set() for name in found}
    for child, parent in await connection.fetch(_REFERENCES):
        if child in parents:
            parents[child].add(parent)
    ordered: dict[str, Table] = {}
    while len(ordered) < len(found):
        ready = [name for name in found if name not in ordered and parents[name] <= ordered.keys()]
        if not ready:
            raise BackupError(f"tables that refer to each other: {', '.join(sorted(found.keys() - ordered.keys()))}")
        ordered |= {name: found[name] for name in ready}
    return ordered


# -- checking ----------------------------------------------------------------------------------------------------


def check(path: Path, identity: Path | None) -> tuple[Head, Foot]:
    """Read a whole backup and compare it with its digests. Blocks.

    Raises:
        BackupError: it is damaged, incomplete, or encrypted for another key.
    """
    with opened(path, identity) as reader:
        for _ in reader.parts():
            pass
        assert reader.foot is not None
        return reader.head, reader.foot


# -- restoration -------------------------------------------------------------------------------------------------


class Since(msgspec.Struct, frozen=True):
    """The decisions since a backup that its restoration must not undo.

    Attributes:
        erased: people whose data was erased, each with alias and time.
        revoked: API tokens that were revoked, each with its time.
    """

    erased: list[tuple[int, int, datetime]] = []
    revoked: list[tuple[str, datetime]] = []


async def restore(dsn: str, pool: Pool, redis: Redis, path: Path, identity: Path | None) -> Foot:
    """Replace the contents of both stores by those of a checked backup. No process of the bot may run.

    PostgreSQL has its former contents or the backup's, at any moment; a restoration that was cut off is begun again.
    Redis is emptied, of Tombola's keys alone. People whose data was erased since the backup are erased again, and
    tokens that were revoked since stay revoked, as far as the present database knows.

    Raises:
        BackupError: the backup is damaged, or from a newer version.
    """
    head, foot = await asyncio.to_thread(check, path, identity)
    if head.schema > migrate.head():
        raise BackupError(f"the backup has schema {head.schema}, this Tombola knows {migrate.head()}: use a newer one")
    since = await _since(dsn, datetime.fromisoformat(head.taken_at))
    await _to_schema(dsn, head.schema)
    entries = await _filled(dsn, path, identity, foot)
    await migrate.upgrade(dsn)
    await empty(redis)
    projector = Projector(pool)
    for first in range(0, len(entries), PAGE):
        # Without ids: the positions of the former streams mean nothing in those that Redis begins anew.
        page = [replace(entry, id="") for entry in entries[first : first + PAGE]]
        await projector.write(page, gaps=False)
    await _repeat(pool, redis, since)
    wrote("restore-backup", target=head.taken_at)
    return foot


async def _since(dsn: str, taken_at: datetime) -> Since:
    """Return the decisions since a time that are known to the present database. It may be empty, or older."""
    connection = await postgres_connection(dsn, within=CONNECT_SECONDS)
    try:
        tables = {row["name"] for row in await connection.fetch(_TABLES)}
        erased = await connection.fetch(_ERASED_SINCE, taken_at) if "erasures" in tables else []
        revoked = await connection.fetch(_REVOKED_SINCE, taken_at) if "api_tokens" in tables else []
        return Since([tuple(row) for row in erased], [tuple(row) for row in revoked])
    finally:
        await connection.close()


async def _to_schema(dsn: str, wanted: str) -> None:
    found = await migrate.current(dsn)
    if found is not None and found > wanted:
        await migrate.downgrade(dsn, wanted)
    else:
        await migrate.upgrade(dsn, wanted)


async def _filled(dsn: str, path: Path, identity: Path | None, foot: Foot) -> list[Entry]:
    """Replace the rows of all tables in one transaction. Returns the entries of the feed in the backup."""
    entries: list[Entry] = []
    connection = await postgres_connection(dsn, within=CONNECT_SECONDS)
    try:
        async with connection.transaction():
            await connection.execute(f"{_UNHURRIED}; {_SAME_TEXT}")
            present = await _tables(connection)
            guarded = [row[0] for row in await connection.fetch(_GUARDED)]
            for name in guarded:  # the audit log refuses to be emptied
                await connection.execute(f"ALTER TABLE {_quoted([name])} DISABLE TRIGGER USER")
            await connection.execute(f"TRUNCATE {_quoted(present)}")
            with opened(path, identity) as reader:
                if unknown := reader.head.tables.keys() - present.keys():
                    raise BackupError(f"tables that the schema does not have: {', '.join(sorted(unknown))}")
                parts = reader.parts()
                part = await _next(parts)
                for name, table in reader.head.tables.items():
                    rows = 0

                    async def given(name: str = name) -> AsyncIterator[bytes]:
                        nonlocal part, rows
                        while part is not None and part.table == name:
                            rows += part.rows.count(b"\n")
                            yield part.rows
                            part = await _next(parts)

                    if part is not None and part.table == name:
                        await connection.copy_to_table(name, source=given(), columns=table.columns)
                    if foot.tables[name].rows != rows:
                        raise BackupError(f"the backup changed while it was read, at {name}")
                while part is not None:
                    entries += part.entries
                    part = await _next(parts)
            for name, value in foot.sequences.items():
                await connection.execute("SELECT setval($1::regclass, $2, false)", _quoted([name]), value)
            for name in guarded:
                await connection.execute(f"ALTER TABLE {_quoted([name])} ENABLE TRIGGER USER")
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return entries


async def _next(parts: Iterator[Part]) -> Part | None:
    return await asyncio.to_thread(next, parts, None)


async def empty(redis: Redis) -> int:
    """Delete all of Tombola's keys. Returns their number; raises redis-py's errors."""
    count, page = 0, list[bytes]()
    async for key in redis.scan_iter(match=keys.every_pattern(), count=PAGE):
        page.append(key)
        if len(page) == PAGE:
            count += await redis.unlink(*page)
            page = []
    return count + (await redis.unlink(*page) if page else 0)


async def _repeat(pool: Pool, redis: Redis, since: Since) -> None:
    """Repeat the decisions that the backup does not have."""
    personal = PersonalData(pool, redis)
    for player_id, alias, erased_at in since.erased:
        at = round(erased_at.timestamp() * 1000)
        await personal.begin(player_id, alias, at, 0, None)
        while await personal.erase_games(player_id, alias, at):
            pass
    if since.revoked:
        await pool.executemany(_REVOKE, since.revoked)
    if since.erased or since.revoked:
        logger.info(
            "repeated since the backup: {} erasures, {} revocations of tokens", len(since.erased), len(since.revoked)
        )


def _order(id_: str) -> tuple[int, int]:
    ms, _, number = (id_ or "0-0").partition("-")
    return int(ms), int(number or 0)


def _quoted(names: Iterable[str]) -> str:
    """Return names of tables or columns as SQL."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)
