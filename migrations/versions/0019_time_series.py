"""Events and prizes by month and figures of periods by year; hypertables if TimescaleDB is there.

The tables keep their names and columns, so replicas of the version before go on. The rows that exist become the first
partition as they are; it also takes the rows of the next weeks, so that only one partition has rows during a rollout.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator

revision = "0019"
down_revision = "0018"


class Series(NamedTuple):
    """A table, the column by which it is divided, the primary key before and after, and its other index."""

    table: str
    column: str
    former: str
    key: str
    indexes: tuple[str, ...]
    months: bool = True


SERIES = (
    Series("game_events", "at", "game_id, version", "game_id, version, at", ("idx_game_events_at (at)",)),
    Series("prizes", "settled_at", "game_id, player_id", "game_id, player_id, settled_at", ()),
    Series(
        "player_periods",
        "period",
        "chat_id, period, player_id, kind",
        "chat_id, period, player_id, kind",
        ("idx_player_periods_player (player_id, period)", "idx_player_periods_period (period, chat_id)"),
        months=False,
    ),
)
REFERENCE = (
    "ALTER TABLE prizes ADD CONSTRAINT prizes_game_id_fkey FOREIGN KEY (game_id) REFERENCES games ON DELETE CASCADE"
)
AHEAD = 3
MONTH = """
SELECT to_char(m, 'YYYY_MM'), to_char(m, 'YYYY-MM-DD"T"00:00:00"Z"') FROM (
    SELECT date_trunc('month', greatest(now(), (SELECT max({column}) FROM {table})) AT TIME ZONE 'UTC')
        + n * interval '1 month' AS m
    FROM generate_series(2, 2 + {ahead}) AS n
) AS months ORDER BY m
"""
"""Names and beginnings of the months after the first partition. That one ends a month from now at the earliest."""
YEAR = """
SELECT y::text, y::text FROM (
    SELECT greatest(extract(year FROM now())::int, (SELECT max(left({column}, 4))::int FROM {table})) + n AS y
    FROM generate_series(2, 2 + {ahead}) AS n
) AS years ORDER BY y
"""
GRANTS = """
DO $$ DECLARE given record; BEGIN
    FOR given IN
        SELECT a.privilege_type AS what, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS whom
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = '{source}'::regclass AND a.grantee <> c.relowner
    LOOP EXECUTE 'GRANT ' || given.what || ' ON {target} TO ' || given.whom; END LOOP;
END $$
"""
"""Rights that others had on a table, for the table that takes its place."""
GUARD = """
CREATE FUNCTION refuse_deletion_by_ctid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% has partitions: a ctid is not unique in it', TG_TABLE_NAME
        USING ERRCODE = 'feature_not_supported';
END $$
"""
GUARDED = """
CREATE TRIGGER refuse_deletion_by_ctid BEFORE DELETE ON {table} FOR EACH STATEMENT
    WHEN (pg_trigger_depth() = 0 AND current_query() LIKE '%ctid%' AND current_query() NOT LIKE '%tableoid%')
    EXECUTE FUNCTION refuse_deletion_by_ctid()
"""
"""The version before prunes by ctid, which would delete rows of other partitions. It logs the refusal and goes on."""
TIMESCALE = """
SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') AS there,
    EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'timescaledb')
        AND current_setting('timescaledb.disable_load', true) IS NOT NULL AS can_be
"""
"""Existence of the extension, and the possibility of it: its loader defines the setting and must be loaded first."""


def upgrade() -> None:
    """Divide the tables, or turn them into hypertables."""
    timescale = _timescale()
    run(GUARD)
    for series in SERIES:
        if timescale and series.months:
            _to_hypertable(series)
        else:
            _to_partitions(series)
            run(GUARDED.format(table=series.table))
    run("CREATE INDEX idx_games_long ON games (ended_at) WHERE ended_at - opened_at > interval '1 day'")


def downgrade() -> None:
    """Put all rows back into plain tables."""
    run("DROP INDEX idx_games_long")
    for series in SERIES:
        if run(f"SELECT relkind::text FROM pg_class WHERE oid = '{series.table}'::regclass").scalar() == "p":  # noqa: S608
            run(f"DROP TRIGGER refuse_deletion_by_ctid ON {series.table}")
            _from_partitions(series)
        else:
            _from_hypertable(series)
    run("DROP FUNCTION refuse_deletion_by_ctid()")


def run(statement: str) -> Any:
    """Run a statement as it is: Alembic's own function would read colons as parameters."""
    return op.get_bind().exec_driver_sql(statement)


def _timescale() -> bool:
    found = run(TIMESCALE).one()
    if found.can_be and not found.there:
        run("CREATE EXTENSION timescaledb")
    return bool(found.there or found.can_be)


# -- partitions -------------------------------------------------------------------------------------------------


def _to_partitions(series: Series) -> None:
    table, first = series.table, f"{series.table}_first"
    bounds = run((MONTH if series.months else YEAR).format(table=table, column=series.column, ahead=AHEAD)).all()
    run(f"ALTER TABLE {table} RENAME TO {first}")
    run(f"ALTER TABLE {first} DROP CONSTRAINT {table}_pkey, ADD CONSTRAINT {first}_pkey PRIMARY KEY ({series.key})")
    for name, _ in _indexes(series):
        run(f"ALTER INDEX {name} RENAME TO {name}_first")
    run(
        f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS, "
        f"CONSTRAINT {table}_pkey PRIMARY KEY ({series.key})) PARTITION BY RANGE ({series.column})"
    )
    _dress(series, first)
    run(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{bounds[0][1]}')")
    run(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")
    for (name, begin), (_, end) in pairwise(bounds):
        run(f"CREATE TABLE {table}_{name} PARTITION OF {table} FOR VALUES FROM ('{begin}') TO ('{end}')")


def _from_partitions(series: Series) -> None:
    table, plain = series.table, f"{series.table}_plain"
    if first := run(f"SELECT to_regclass('{table}_first')::text").scalar():  # pruning may have dropped it
        run(f"ALTER TABLE {table} DETACH PARTITION {first}")
        run(f"ALTER TABLE {first} RENAME TO {plain}")
        run(f"ALTER TABLE {plain} DROP CONSTRAINT {table}_first_pkey")
        for name, _ in _indexes(series):
            run(f"DROP INDEX {name}_first")
        if table == "prizes":
            run(f"ALTER TABLE {plain} DROP CONSTRAINT prizes_game_id_fkey")
    else:
        run(f"CREATE TABLE {plain} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)")
    _replace(series, plain)


# -- hypertables ------------------------------------------------------------------------------------------------


def _to_hypertable(series: Series) -> None:
    table, column = series.table, series.column
    run(f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY ({series.key})")
    run(
        f"SELECT create_hypertable('{table}', by_range('{column}', INTERVAL '1 month'), "
        "create_default_indexes => false, migrate_data => true)"
    )
    if run("SELECT current_setting('timescaledb.license', true)").scalar() == "timescale":
        run(
            f"ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'game_id', "
            f"timescaledb.compress_orderby = '{column}')"
        )


def _from_hypertable(series: Series) -> None:
    plain = f"{series.table}_plain"
    run(f"CREATE TABLE {plain} (LIKE {series.table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING COMMENTS)")
    _replace(series, plain)


# -- both -------------------------------------------------------------------------------------------------------


def _replace(series: Series, plain: str) -> None:
    """Move the remaining rows of a table to a plain one, and let that take its place."""
    table = series.table
    run(f"INSERT INTO {plain} SELECT * FROM {table}")  # noqa: S608 -- made of constants
    run(GRANTS.format(source=table, target=plain))
    run(f"DROP TABLE {table}")
    run(f"ALTER TABLE {plain} RENAME TO {table}")
    run(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({series.former})")
    _dress(series, None)


def _dress(series: Series, source: str | None) -> None:
    """Give a new table indexes, the reference to the game, its comment and the rights on its predecessor."""
    for name, columns in _indexes(series):
        run(f"CREATE INDEX {name} ON {series.table} {columns}")
    if series.table == "prizes":
        run(REFERENCE)
    if source is not None:
        run(
            f"DO $$ BEGIN EXECUTE format('COMMENT ON TABLE {series.table} IS %L', "
            f"obj_description('{source}'::regclass, 'pg_class')); END $$"
        )
        run(GRANTS.format(source=source, target=series.table))


def _indexes(series: Series) -> Iterator[tuple[str, str]]:
    for each in series.indexes:
        name, _, columns = each.partition(" ")
        yield name, columns
