"""Check of the PostgreSQL role's rights: the server's own refusals seldom name the missing one."""

import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.connections import Connection, postgres_connection

MIGRATIONS = Path(__file__).parent.parent / "migrations" / "versions"
SHOWN = 3
"""Maximum number of tables named on one line. The others are only counted."""

_ROLE = """
SELECT current_user AS role, current_schema() AS schema, current_setting('search_path') AS path,
    pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only,
    current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE') AS creates
"""
_MISSING = """
SELECT c.relname AS name, w.name AS needed
FROM pg_class c
JOIN unnest($1::text[]) WITH ORDINALITY AS w (name, place) ON true
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY($2::text[]) AND c.relkind IN ('r', 'p')
    AND NOT has_table_privilege(c.oid, w.name)
UNION ALL
SELECT s.relname, 'USAGE'
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid JOIN pg_class c ON c.oid = d.refobjid
WHERE s.relkind = 'S' AND d.deptype = 'a' AND c.relname = ANY($2::text[])
    AND c.relnamespace = current_schema()::regnamespace
    AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END  -- an error for anything else
ORDER BY 1, 2
"""


class MissingRightError(Exception):
    """A right that the role lacks and Tombola needs. The text is one line for the operator, without any secret."""


async def check_rights(dsn: str, *, migrating: bool = False, within: float = 10) -> None:
    """Check that the role has all rights; those to change the schema too if ``migrating``.

    Raises:
        MissingRightError: a right is missing.
        POSTGRES_GONE: one of these, if the server can't be reached.
    """
    connection = await postgres_connection(dsn, within=within)
    try:
        async with connection.transaction():
            await _check(connection, migrating=migrating)
    finally:
        await connection.close()


async def _check(connection: Connection, *, migrating: bool) -> None:
    found: Any = await connection.fetchrow(_ROLE)
    role, schema = found["role"], found["schema"]
    if found["standby"]:
        raise MissingRightError("the server is a standby, which takes no writes: give the primary's address")
    if found["read_only"]:
        raise MissingRightError(f"the role {role} may only read: default_transaction_read_only is on")
    if schema is None:
        raise MissingRightError(
            f"the role {role} has no right USAGE on any schema of its search path ({found['path']})"
        )
    if migrating and not found["creates"]:
        raise MissingRightError(f"the role {role} has no right CREATE on the schema {schema}: tables are to be made")
    tables = _tables()
    rows = await connection.fetch(_MISSING, ["SELECT", "INSERT", "UPDATE", "DELETE"], [*tables, "alembic_version"])
    lacking: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        # Only a migration writes the revision.
        if (row["name"] != "alembic_version" or row["needed"] == "SELECT" or migrating) and (
            row["name"],
            row["needed"],
        ) != ("audit_log", "UPDATE"):  # its rows never change, and a role without this right can't try to
            lacking[row["needed"]].add(row["name"])
    if lacking:
        raise MissingRightError(f"the role {role} has no right {_listed(lacking)} (schema {schema})")


def _listed(lacking: Mapping[str, set[str]]) -> str:
    """Format missing rights, grouped by tables: `INSERT, UPDATE on games, players and 9 more; USAGE on ...`."""
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for right, names in lacking.items():
        together[tuple(sorted(names))].append(right)
    return "; ".join(
        f"{', '.join(rights)} on {', '.join(names[:SHOWN])}"
        + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        for names, rights in together.items()
    )


def _tables() -> list[str]:
    """Return the names of all tables that the migrations create."""
    texts = [path.read_text("utf-8") for path in sorted(MIGRATIONS.glob("[0-9]*_*.py"))]
    return sorted({name for text in texts for name in re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", text)})
