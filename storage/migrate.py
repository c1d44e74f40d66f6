"""Migrations of PostgreSQL's schema, and its current revision.

Alembic and SQLAlchemy are slow to import, and nearly every start finds the schema up to date, so they are imported only
when there is something to migrate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import stamina
from loguru import logger

from storage.connections import diagnosed_postgres, postgres_comes, postgres_connection
from storage.rights import check_rights

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config

MIGRATIONS = Path(__file__).parent.parent / "migrations"
LOCK = 0x746F6D626F6C61
"""Key of the advisory lock under which the schema changes: "tombola" in ASCII."""
OLDEST = "0012"
"""Oldest revision whose code runs on the newest schema. A migration that removes or renames something raises it.

The schema carries it as a comment, so that after a rollback the earlier version can tell whether it may start.
"""
SUPPORTS = "supports versions from "
CONNECT_SECONDS = 10
START_SECONDS = 30
"""Longest wait for a server that is still starting, in seconds."""


def revisions() -> list[str]:
    """Return all revisions, in order. Files are named after them, `0001_first_tables.py`, and numbered without gaps."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """Return the newest revision."""
    return revisions()[-1]


async def current(dsn: str, *, within: float = START_SECONDS) -> str | None:
    """Return the revision of the database; None if it has none. Waits for the server for ``within`` seconds.

    Raises:
        POSTGRES_GONE: one of these, if the server can't be reached (see `storage.connections`).
        MissingRightError: the role may not read the revision.
    """
    connection = await _connect(dsn, within)
    try:
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version", timeout=within)
    except asyncpg.UndefinedTableError:
        return None
    except asyncpg.InsufficientPrivilegeError:
        await check_rights(dsn, within=within)
        raise
    else:
        return version
    finally:
        await connection.close()


async def upgrade(dsn: str, revision: str | None = None, *, within: float = START_SECONDS) -> str:
    """Bring the schema to the newest revision, or up to ``revision``, in one transaction. Returns the revision.

    A newer schema that supports this version is left as it is.

    Several processes may call it at once. ``within`` limits the wait for the server, in seconds, not the migration
    itself.

    Raises:
        POSTGRES_GONE: one of these, if the server can't be reached.
        SchemaTooNewError: the database was migrated by a newer Tombola, and does not support this one.
        MissingRightError: the role lacks a right that the migration needs.
    """
    wanted, found = revision or head(), await current(dsn, within=within)
    if found == wanted:
        return wanted
    if found is not None and found > wanted == head() and await supports(dsn, wanted, within=within):
        logger.warning("the schema {} is newer than this version's, {}, and supports it", found, wanted)
        return found
    check_known(found)
    await check_rights(dsn, migrating=True, within=within)
    from alembic import command  # noqa: PLC0415 - slow to import, see the module

    await _run(dsn, lambda config: command.upgrade(config, wanted))
    logger.info("schema migrated from {} to {}", found or "nothing", wanted)
    return wanted


async def supports(dsn: str, revision: str, *, within: float = START_SECONDS) -> bool:
    """Return whether the code of a revision runs on the schema of the database, by its comment."""
    connection = await _connect(dsn, within)
    try:
        said = await connection.fetchval("SELECT obj_description('alembic_version'::regclass)", timeout=within)
    finally:
        await connection.close()
    return str(said or "").startswith(SUPPORTS) and said.removeprefix(SUPPORTS) <= revision


def check_known(found: str | None) -> None:
    """Raise ``SchemaTooNewError`` if a revision is newer than the newest that this Tombola knows."""
    if found is not None and found > head():
        raise SchemaTooNewError(found, head())


async def downgrade(dsn: str, revision: str) -> None:
    """Take the schema back to a revision, or to nothing with `base`. The contents of newer tables are lost.

    Raises:
        POSTGRES_GONE: one of these, if the server can't be reached.
        SchemaTooNewError: the database was migrated by a newer Tombola.
        alembic.util.CommandError: there is no such revision below.
    """
    check_known(await current(dsn))
    await check_rights(dsn, migrating=True)
    from alembic import command  # noqa: PLC0415 - slow to import, see the module

    await _run(dsn, lambda config: command.downgrade(config, revision))
    logger.info("schema taken back to {}", revision)


class SchemaTooNewError(Exception):
    """A database that a newer Tombola has migrated; this one can't use it."""

    def __init__(self, found: str, newest: str) -> None:
        super().__init__(f"the database is at schema {found}, this Tombola knows {newest}: use a newer one")


async def _connect(dsn: str, within: float = START_SECONDS) -> asyncpg.Connection[asyncpg.Record]:
    """Open one connection, waiting for a server that is starting; report at once if another program answers there."""
    asked = False
    async for attempt in stamina.retry_context(
        on=postgres_comes, attempts=None, timeout=within, wait_initial=0.05, wait_max=2
    ):
        with attempt:
            try:
                return await postgres_connection(dsn, within=min(CONNECT_SECONDS, within))
            except OSError as error:
                fault, asked = None if asked else await diagnosed_postgres(dsn), True
                raise fault or error from None
    raise AssertionError("stamina raises after the last attempt")  # pragma: no cover


async def _run(dsn: str, work: Callable[[Config], None]) -> None:
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import Connection, text  # noqa: PLC0415
    from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    def migrate(connection: Connection) -> None:
        # A process that is frozen in a migration must not keep the others from starting forever. Alembic needs less
        # than a second between two statements.
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '20s'"))
        # The lock ends with the transaction; a process that waited for it then sees the schema that the other has left.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        work(config)
        # A comment instead of a table: it comes with every dump, and a version that does not know it is not disturbed.
        revision = (
            connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
            and connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        )
        if revision is not None:
            connection.execute(text(f"COMMENT ON TABLE alembic_version IS '{SUPPORTS}{min(OLDEST, revision)}'"))

    # Prepared statements get no name and are not kept: behind a pooler the session belongs to another client
    # afterwards.
    adapter: Any = PGDialect_asyncpg

    def connected() -> Any:
        return adapter.import_dbapi().connect(
            async_creator_fn=lambda: _connect(dsn), prepared_statement_cache_size=0, prepared_statement_name_func=str
        )

    engine = create_async_engine("postgresql+asyncpg://", creator=connected, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    except DBAPIError as error:
        # SQLAlchemy wraps the error of its adapter, which wraps the server's own; callers know only the latter.
        raise (error.orig and error.orig.__cause__) or error from None
    finally:
        await engine.dispose()
