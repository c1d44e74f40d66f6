"""Migrations in both directions, on an empty and on a filled database."""

import asyncio

import asyncpg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from storage import migrate
from storage.connections import Pool

REVISIONS = sorted(path.name.partition("_")[0] for path in (migrate.MIGRATIONS / "versions").glob("[0-9]*.py"))

FILL = """
INSERT INTO players (id, name) VALUES (7, 'Ann');
INSERT INTO chats (id, type, title, settings) VALUES (-100, 'supergroup', 'Friends', '{"winners": 2}');
INSERT INTO games (id, kind, chat_id, title, host_id, status, rules, version, opened_at, ended_at)
    VALUES ('00abcdefghij', 'pick_number', -100, 'Evening', 7, 'completed', '{}', 3, now(), now());
INSERT INTO game_participants (game_id, player_id, name, joined_at) VALUES ('00abcdefghij', 7, 'Ann', now());
INSERT INTO game_events (game_id, version, name, at, command_id, data)
    VALUES ('00abcdefghij', 1, 'GameOpened', now(), 'tg:1', '{}');
INSERT INTO prizes (game_id, player_id, place, amount, settled_at) VALUES ('00abcdefghij', 7, 1, 12.50, now());
INSERT INTO player_stats (kind, chat_id, player_id, name) VALUES ('pick_number', 0, 7, 'Ann');
INSERT INTO bans (chat_id, player_id, by) VALUES (-100, 8, 7);
INSERT INTO feed_checkpoints (shard, position) VALUES ('00', '0-0');
INSERT INTO wallets (player_id, address, verified_at) VALUES (7, '0x27b1fdb04752bbc536007a920d24acb045561c26', now());
"""

SCHEMA = """
SELECT 'column', table_name || '.' || column_name,
       concat_ws(' ', data_type, is_nullable, column_default) FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version' AND table_name !~ '_(first|rest|[0-9_]+)$'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version' AND tablename !~ '_(first|rest|[0-9_]+)$'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
        AND conrelid::regclass::text !~ '_(first|rest|[0-9_]+)$'
UNION ALL SELECT 'sequence', sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""


async def schema(dsn: str) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(SCHEMA)]
    finally:
        await connection.close()


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def test_the_newest_revision_is_read_off_the_file_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrate.head()]
    assert sorted(script.revision for script in scripts.walk_revisions()) == REVISIONS
    assert [f"{number:04}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS


async def test_an_empty_database_has_no_revision(empty_database: str) -> None:
    assert await migrate.current(empty_database) is None


async def test_upgrading_twice_changes_nothing_the_second_time(empty_database: str) -> None:
    assert await migrate.upgrade(empty_database) == migrate.head()
    once = await schema(empty_database)
    assert await migrate.upgrade(empty_database) == migrate.head()
    assert await schema(empty_database) == once
    assert await migrate.current(empty_database) == migrate.head()


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
async def test_down_and_up_again_gives_the_same_schema(empty_database: str, *, filled: bool) -> None:
    await migrate.upgrade(empty_database)
    before = await schema(empty_database)
    if filled:
        await execute(empty_database, FILL)
    await migrate.downgrade(empty_database, "base")
    assert await schema(empty_database) == []
    assert await migrate.current(empty_database) is None
    await migrate.upgrade(empty_database)
    assert await schema(empty_database) == before


@pytest.mark.parametrize("revision", REVISIONS)
async def test_each_step_can_be_taken_back_alone(empty_database: str, revision: str) -> None:
    await migrate.upgrade(empty_database)
    await execute(empty_database, FILL)
    after = await schema(empty_database)
    earlier = REVISIONS[REVISIONS.index(revision) - 1] if revision != REVISIONS[0] else "base"
    await migrate.downgrade(empty_database, earlier)
    assert await migrate.current(empty_database) == (None if earlier == "base" else earlier)
    await migrate.upgrade(empty_database)
    assert await schema(empty_database) == after


async def test_rows_of_all_partitions_survive_the_way_back_and_up_again(empty_database: str) -> None:
    await migrate.upgrade(empty_database)
    await execute(
        empty_database,
        FILL
        + "INSERT INTO game_events SELECT game_id, 2, name, at + interval '70 days', command_id, data FROM game_events;"
        "INSERT INTO game_events SELECT game_id, 3, name, at + interval '9 years', command_id, data FROM game_events"
        " WHERE version = 1; UPDATE prizes SET settled_at = settled_at + interval '70 days';"
        "INSERT INTO player_periods (chat_id, period, player_id, kind) VALUES (-1, '2020-W01', 7, ''),"
        " (-1, '2199-W01', 7, '')",
    )
    counted = "SELECT (SELECT count(*) FROM game_events), (SELECT count(*) FROM prizes), count(*) FROM player_periods"
    for turn in (migrate.downgrade, migrate.upgrade):
        await turn(empty_database, "0018" if turn is migrate.downgrade else migrate.head())
        connection = await asyncpg.connect(empty_database)
        found = await connection.fetchrow(counted)
        await connection.close()
        assert found is not None
        assert tuple(found) == (3, 1, 2)


async def test_replicas_that_start_together_migrate_once(empty_database: str) -> None:
    assert set(await asyncio.gather(*(migrate.upgrade(empty_database) for _ in range(5)))) == {migrate.head()}
    assert await migrate.current(empty_database) == migrate.head()


async def test_a_database_of_a_newer_tombola_is_refused(empty_database: str) -> None:
    await migrate.upgrade(empty_database)
    await execute(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    await execute(empty_database, "COMMENT ON TABLE alembic_version IS NULL")
    with pytest.raises(migrate.SchemaTooNewError, match="9999"):
        await migrate.upgrade(empty_database)


async def test_a_newer_schema_says_which_earlier_versions_may_start_on_it(empty_database: str) -> None:
    await migrate.upgrade(empty_database)
    assert await migrate.supports(empty_database, migrate.OLDEST)
    assert not await migrate.supports(empty_database, "0001")
    await execute(empty_database, "UPDATE alembic_version SET version_num = '9999'")
    assert await migrate.upgrade(empty_database) == "9999"
    assert await migrate.upgrade(empty_database) == "9999"
    await execute(empty_database, f"COMMENT ON TABLE alembic_version IS '{migrate.SUPPORTS}9998'")
    with pytest.raises(migrate.SchemaTooNewError):
        await migrate.upgrade(empty_database)


async def test_a_schema_that_was_taken_back_supports_its_own_version(empty_database: str) -> None:
    await migrate.upgrade(empty_database)
    await migrate.downgrade(empty_database, "0003")
    assert await migrate.supports(empty_database, "0003")
    await migrate.downgrade(empty_database, "base")
    await migrate.upgrade(empty_database)
    assert not await migrate.supports(empty_database, "0003")


async def test_a_failing_migration_leaves_nothing_behind(empty_database: str) -> None:
    await execute(empty_database, "CREATE TABLE bans (id int)")
    with pytest.raises(Exception, match="bans"):
        await migrate.upgrade(empty_database)
    assert await migrate.current(empty_database) is None
    assert {row[1].partition(".")[0] for row in await schema(empty_database)} == {"bans"}


async def test_a_prize_is_settled_at_most_once(pool: Pool) -> None:
    await pool.execute(FILL)
    with pytest.raises(asyncpg.UniqueViolationError):  # a settlement that is repeated has the time of the game's end
        await pool.execute("INSERT INTO prizes SELECT * FROM prizes")


async def test_the_indexes_of_the_action_plan_exist(migrated_database: str) -> None:
    found = {name: text for kind, name, text in await schema(migrated_database) if kind == "index"}
    assert "(status, ended_at)" in found["idx_games_status_ended_at"]
    assert "UNIQUE" in found["idx_game_participants_game_player"]
    assert "(game_id, player_id)" in found["idx_game_participants_game_player"]
    assert "(status, created_at)" in found["idx_webhook_events_status_created"]
    assert "(endpoint_id, due_at, id)" in found["idx_webhook_deliveries_due"]  # has taken its place
    assert "WHERE (status <> ALL" in found["idx_active_games"]
