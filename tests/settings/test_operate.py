"""What operators run beside the bot: each says in a line what is wrong, and never with a traceback or a secret."""

import pytest
from pydantic import SecretStr

from bot import operate, process
from bot.__main__ import main
from bot.settings import Database, Redis, Settings, SettingsError, Telegram


def settings(postgres: str, redis: str = "", **telegram: str) -> Settings:
    """Settings with these stores."""
    return Settings(
        database=Database(dsn=SecretStr(postgres)),
        redis=Redis(dsn=SecretStr(redis)),
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
    assert await operate.doctor(settings(postgres_dsn, redis_dsn)) == 0
    well = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in well] == ["configuration", "postgresql", "redis", "telegram"]
    assert "appendonly yes" in well[2]
    away = settings(postgres_dsn.replace("/migrated?", "/nosuch?"), "redis://:a-password@127.0.0.1:1/0")
    assert await operate.doctor(away) == 1
    ill = capsys.readouterr().out
    assert 'postgresql: refused: database "nosuch" does not exist' in ill
    assert "redis: no connection (ConnectionError)" in ill
    assert "a-password" not in ill


@pytest.mark.parametrize("count", ["0", "65", "-1", "many", "1.5"])
def test_a_count_of_workers_that_can_not_be_is_refused_with_what_can(
    count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", f"--workers={count}"])
    assert ended.value.code == 2
    assert "must be a whole number from 1 to 64" in capsys.readouterr().err
