"""Operators' commands: each reports a problem in one line, without a traceback or a secret."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import asyncpg
import pytest
import pytest_asyncio
from loguru import logger
from pydantic import SecretStr
from redis.asyncio import Redis

from bot import doctor, operator_commands, process
from bot.__main__ import main
from bot.settings import Database, Settings, SettingsError, Telegram, Web
from bot.settings import Redis as RedisSettings
from sandbox.app import Box, serve
from storage.keys import bots_key
from storage.migrate import upgrade
from storage.occupancy import TTL_MS, Occupancy

Capture = pytest.CaptureFixture[str]


def settings(postgres: str, redis: str = "", **telegram: str) -> Settings:
    """Return settings with these stores."""
    return Settings(
        web=Web(port=0),
        database=Database(dsn=SecretStr(postgres)),
        redis=RedisSettings(dsn=SecretStr(redis)),
        telegram=Telegram(**{name: SecretStr(value) for name, value in telegram.items()}),
    )


async def test_a_database_that_is_none_is_refused_in_one_line(postgres_server: str, redis_dsn: str) -> None:
    wrong = settings(postgres_server.replace("/postgres?", "/nosuch?"), redis_dsn, token="1:a")
    told = r'^database\.dsn: refused there: database "nosuch" does not exist$'
    with pytest.raises(SettingsError, match=told):
        async with process.running(wrong):
            pass


async def test_a_redis_that_refuses_stops_the_start_with_one_line(postgres_dsn: str, redis_dsn: str) -> None:
    with pytest.raises(SettingsError, match=r"^redis\.dsn: refused there: invalid username-password") as refused:
        async with process.running(settings(postgres_dsn, redis_dsn.replace("//", "//joe:a-password@"), token="1:a")):
            pass
    assert "a-password" not in str(refused.value)


async def test_the_doctor_says_of_each_store_how_it_is(
    postgres_dsn: str, redis_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await doctor.doctor(settings(postgres_dsn, redis_dsn)) == 0
    well = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in well] == ["configuration", "postgresql", "redis", "web", "telegram"]
    assert "appendonly yes" in well[2]
    away = settings(postgres_dsn.replace("/migrated?", "/nosuch?"), "redis://:a-password@127.0.0.1:1/0")
    assert await doctor.doctor(away) == 1
    ill = capsys.readouterr().out
    assert 'postgresql: refused: database "nosuch" does not exist' in ill
    assert "redis: no connection (ConnectionError: " in ill
    assert "a-password" not in ill


@pytest.mark.parametrize("count", ["0", "65", "-1", "many", "1.5"])
def test_a_count_of_workers_that_can_not_be_is_refused_with_what_can(
    count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", f"--workers={count}"])
    assert ended.value.code == 2
    assert "must be a whole number from 1 to 64" in capsys.readouterr().err


# -- a role of PostgreSQL without a right

AS_OWNER = "GRANT ALL ON SCHEMA public TO joe; GRANT ALL ON ALL TABLES IN SCHEMA public TO joe;"
AS_USER = """
GRANT USAGE ON SCHEMA public TO joe; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO joe;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO joe;
"""


@pytest_asyncio.fixture
async def as_joe(empty_database: str) -> AsyncIterator[str]:
    """Return the DSN of a database without tables, for the role joe without any rights."""
    await execute(empty_database, "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE joe LOGIN")
    yield empty_database.replace("//tombola@", "//joe@")
    await execute(empty_database, "DROP OWNED BY joe; DROP ROLE joe")


async def execute(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statements)
    await connection.close()


async def told_by_all(dsn: str, redis_dsn: str, capsys: Capture) -> str:
    """Return the line on PostgreSQL that run, migrate and doctor print alike."""
    found = settings(dsn, redis_dsn, token="1:a")
    with pytest.raises(SettingsError) as refused:
        async with process.running(found):
            pass
    line = str(refused.value).removeprefix("database.dsn: ")
    capsys.readouterr()
    assert await doctor.doctor(found) == 1
    lines = [said for said in capsys.readouterr().out.splitlines() if said.startswith("postgresql:")]
    assert lines == [f"postgresql: {line}"]
    assert await operator_commands.migrate(found, "head") == 1
    assert capsys.readouterr().out.splitlines()[-1] == f"postgresql: {line}"
    return line


async def test_a_role_that_may_not_see_its_schema_is_told_so(as_joe: str, redis_dsn: str, capsys: Capture) -> None:
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told == 'the role joe has no right USAGE on any schema of its search path ("$user", public)'


async def test_a_role_that_may_not_make_tables_is_told_so(
    as_joe: str, empty_database: str, redis_dsn: str, capsys: Capture
) -> None:
    await execute(empty_database, "GRANT USAGE ON SCHEMA public TO joe")
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told == "the role joe has no right CREATE on the schema public: tables are to be made"


async def test_a_role_without_rights_on_tables_is_told_which(
    as_joe: str, empty_database: str, redis_dsn: str, capsys: Capture
) -> None:
    await upgrade(empty_database)
    await execute(empty_database, "GRANT USAGE ON SCHEMA public TO joe")
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told.startswith("the role joe has no right ")
    assert "SELECT on alembic_version, api_key, api_tokens and " in told
    await execute(empty_database, f"{AS_USER} REVOKE INSERT, UPDATE ON games, players FROM joe")
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told == "the role joe has no right INSERT, UPDATE on games, players (schema public)"
    await execute(empty_database, f"{AS_USER} REVOKE ALL ON SEQUENCE question_packs_id_seq FROM joe")
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told == "the role joe has no right USAGE on question_packs_id_seq (schema public)"


async def test_a_role_that_may_only_read_is_told_so(
    as_joe: str, empty_database: str, redis_dsn: str, capsys: Capture
) -> None:
    await upgrade(empty_database)
    await execute(empty_database, f"{AS_USER} ALTER ROLE joe SET default_transaction_read_only = on")
    told = await told_by_all(as_joe, redis_dsn, capsys)
    assert told == "the role joe may only read: default_transaction_read_only is on"


async def test_a_role_that_does_not_own_the_tables_is_told_so_when_they_change(
    as_joe: str, empty_database: str, redis_dsn: str, capsys: Capture
) -> None:
    await upgrade(empty_database, "0001")
    await execute(empty_database, AS_OWNER + AS_USER)
    told = await told_when_migrating(as_joe, redis_dsn, capsys)
    assert "must be owner of table" in told


async def told_when_migrating(dsn: str, redis_dsn: str, capsys: Capture) -> str:
    """Return the line that run and migrate print alike."""
    found = settings(dsn, redis_dsn, token="1:a")
    with pytest.raises(SettingsError) as refused:
        async with process.running(found):
            pass
    capsys.readouterr()
    assert await operator_commands.migrate(found, "head") == 1
    said = capsys.readouterr().out
    assert len(said.splitlines()) == 1
    assert said.removeprefix("postgresql: refused: ").strip() == str(refused.value).removeprefix(
        "database.dsn: refused there: "
    )
    return said


async def test_a_role_with_the_rights_that_are_needed_is_well(as_joe: str, empty_database: str, redis_dsn: str) -> None:
    await upgrade(empty_database)
    await execute(empty_database, AS_USER)
    assert await doctor.doctor(settings(as_joe, redis_dsn)) == 0


# -- the port


async def test_the_doctor_notices_a_port_that_somebody_else_has(
    postgres_dsn: str, redis_dsn: str, capsys: Capture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        found = settings(postgres_dsn, redis_dsn).model_copy(update={"web": Web(port=port)})
        assert await doctor.doctor(found) == 1
    line = f"web: web.port: 127.0.0.1:{port} can't be listened on: Address already in use"
    assert line in capsys.readouterr().out.splitlines()
    assert await doctor.doctor(found) == 0
    assert f"web: ok, 127.0.0.1:{port} is free" in capsys.readouterr().out.splitlines()


# -- several processes on the same stores


@pytest.fixture
def logged() -> Iterator[Callable[[str], asyncio.Event]]:
    """Yield a function that returns an event, which is set when a line with that beginning is logged."""
    waiting: dict[str, asyncio.Event] = {}

    def hear(line: str) -> None:
        for prefix, event in waiting.items():
            if line.startswith(prefix):
                event.set()

    handler = logger.add(hear, level="INFO", format="{message}")
    yield lambda prefix: waiting.setdefault(prefix, asyncio.Event())
    logger.remove(handler)


async def test_another_bot_on_the_same_stores_is_refused(postgres_dsn: str, redis_dsn: str) -> None:
    async with serve() as one, serve(token="111:another") as other:
        first = settings(postgres_dsn, redis_dsn).model_copy(update={"telegram": sandboxed(one)})
        second = settings(postgres_dsn, redis_dsn).model_copy(update={"telegram": sandboxed(other)})
        async with process.running(first):
            with pytest.raises(
                SettingsError, match=r"^telegram\.token: another bot \(id \d+\) runs on the same stores"
            ):
                async with process.running(second):
                    pass
            async with process.running(first):
                pass  # a replica
        async with asyncio.timeout(60):
            # The other process has ended. Its mark expires by itself if Redis was too slow for its removal.
            while not await starts(second):
                continue


async def starts(found: Settings) -> bool:
    """Return whether a process starts, and is not refused."""
    try:
        async with process.running(found):
            return True
    except SettingsError:
        return False


async def test_a_replica_says_who_polls(
    postgres_dsn: str, redis_dsn: str, logged: Callable[[str], asyncio.Event]
) -> None:
    polls, waits = logged("lease {poller} acquired"), logged("lease {poller} is held by ")
    async with serve() as box:
        found = settings(postgres_dsn, redis_dsn).model_copy(update={"telegram": sandboxed(box)})
        async with process.running(found, frozenset({"ingress"})):
            await polls.wait()
            async with process.running(found, frozenset({"ingress"})):
                await waits.wait()


async def test_the_mark_of_a_process_that_died_goes_by_itself(redis: Redis) -> None:
    first, second = Occupancy(redis, 1, "a"), Occupancy(redis, 2, "b")
    assert await first.take() == ""
    assert await second.take() == "1"
    assert 0 < await redis.pttl(bots_key()) <= TTL_MS
    await redis.zadd(bots_key(), {"1 a": 1})  # its time is over
    assert await second.take() == ""
    assert await first.take() == "2"


def sandboxed(box: Box) -> Telegram:
    """Return settings of a bot in that sandbox."""
    return Telegram(token=SecretStr(box.token), api_base=box.url, mode="polling")
