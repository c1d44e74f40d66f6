"""Messages about each kind of Redis server, at a start and by the doctor."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis

from bot import doctor, process
from bot.settings import Database, Settings, SettingsError, Telegram, Web
from bot.settings import Redis as RedisSettings
from storage.connections import redis_client
from storage.embedded import _redis_binary
from storage.redis_server import inspect_redis
from tests.servers import servers

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


@pytest_asyncio.fixture
async def alone(folder: Path) -> AsyncIterator[Any]:
    """Run a separate server."""
    async with servers.redis(str(_redis_binary()), folder, 0) as client:
        yield client


async def told_by_doctor(dsn: str, postgres_dsn: str, capsys: Capture) -> tuple[int, list[str]]:
    """Return the doctor's status and its lines on Redis."""
    capsys.readouterr()
    status = await doctor.doctor(settings(dsn, postgres_dsn))
    lines = [line.removeprefix("redis: ") for line in capsys.readouterr().out.splitlines() if line[:6] == "redis:"]
    return status, lines


def settings(dsn: str, postgres_dsn: str) -> Settings:
    return Settings(
        web=Web(port=0),
        redis=RedisSettings(dsn=SecretStr(dsn)),
        database=Database(dsn=SecretStr(postgres_dsn)),
        telegram=Telegram(api_base="http://127.0.0.1:1"),
    )


async def refused_at_start(dsn: str, postgres_dsn: str) -> str:
    """Return the line with which a start ends."""
    with pytest.raises(SettingsError) as refused:
        async with process.running(settings(dsn, postgres_dsn)):
            pass
    return str(refused.value)


@pytest.mark.parametrize(
    ("setting", "value", "risky", "words"),
    [
        ("maxmemory-policy", "allkeys-lru", True, "with maxmemory-policy allkeys-lru a full server forgets live games"),
        ("maxmemory-policy", "volatile-ttl", True, "with maxmemory-policy volatile-ttl a full server forgets"),
        ("appendonly", "no", True, "without append-only file, what was acknowledged can be lost with it"),
        ("appendfsync", "no", True, "with appendfsync no the last half minute is lost"),
        ("appendfsync", "everysec", False, "note: with appendfsync everysec the last second is lost"),
    ],
)
async def test_a_setting_that_can_lose_something_is_told(
    setting: str, value: str, risky: bool, words: str,  # noqa: FBT001 - a column of the table
    alone: Any, folder: Path, postgres_dsn: str, capsys: Capture,
) -> None:  # fmt: skip
    await alone.config_set(setting, value)
    status, lines = await told_by_doctor(f"unix://{folder}/s", postgres_dsn, capsys)
    assert status == int(risky)
    assert f"{setting} {value}" in lines[0]
    assert lines[0].startswith("at risk, " if risky else "ok, ")
    assert any(line.startswith(words) for line in lines[1:])


@pytest.mark.parametrize(
    ("rules", "known", "words"),
    [
        ("+@all -config", "maxmemory-policy noeviction", "note: CONFIG is refused"),
        ("+@all -info", "appendfsync always", "note: INFO is refused"),
        ("+@all -info -config", "appendonly unknown", "note: unknown: appendonly, appendfsync, maxmemory-policy; ask"),
    ],
)
async def test_a_user_that_may_not_look_is_told_what_is_unknown(
    rules: str, known: str, words: str, alone: Any, folder: Path, postgres_dsn: str, capsys: Capture
) -> None:
    await alone.execute_command("ACL", "SETUSER", "joe", "on", ">secret-one", "~*", "&*", *rules.split())
    status, lines = await told_by_doctor(f"unix://joe:secret-one@{folder}/s", postgres_dsn, capsys)
    assert status == 0
    assert known in lines[0]
    assert any(line.startswith(words) for line in lines)
    assert "secret-one" not in "".join(lines)


async def test_a_user_that_may_not_write_and_a_wrong_password_are_refused(
    alone: Any, folder: Path, postgres_dsn: str, capsys: Capture
) -> None:
    await alone.execute_command("ACL", "SETUSER", "joe", "on", ">secret-one", "~*", "&*", "+@all", "-@scripting")
    dsn = f"unix://joe:secret-one@{folder}/s"
    assert "the user has not all rights that are needed: " in await refused_at_start(dsn, postgres_dsn)
    assert (await told_by_doctor(dsn, postgres_dsn, capsys))[0] == 1
    wrong = f"unix://joe:another@{folder}/s"
    assert "refused there: invalid username-password pair" in await refused_at_start(wrong, postgres_dsn)
    status, lines = await told_by_doctor(wrong, postgres_dsn, capsys)
    assert (status, lines[0].startswith("refused: invalid username-password pair")) == (1, True)


async def test_a_full_server_is_told_and_is_no_reason_not_to_start(alone: Any, folder: Path) -> None:
    await alone.config_set("maxmemory", "1")
    async with redis_client(f"unix://{folder}/s") as client:
        report = await inspect_redis(client)
    assert report.refusals == []
    assert any("a trial write is refused: " in line for line in report.risks)


async def test_a_replica_is_refused_with_the_name_of_its_primary(
    alone: Any, folder: Path, postgres_dsn: str, capsys: Capture
) -> None:
    await alone.execute_command("REPLICAOF", "127.0.0.1", "1")
    dsn = f"unix://{folder}/s"
    told = "the server is a replica, which takes no writes: its primary is 127.0.0.1:1"
    assert await refused_at_start(dsn, postgres_dsn) == f"redis.dsn: {told}"
    status, lines = await told_by_doctor(dsn, postgres_dsn, capsys)
    assert (status, lines[1]) == (1, told)
    await alone.execute_command("ACL", "SETUSER", "joe", "on", "nopass", "~*", "&*", "+@all", "-info")
    told = "the server is a replica, which takes no writes: give its primary's address"
    assert await refused_at_start(f"unix://joe:x@{folder}/s", postgres_dsn) == f"redis.dsn: {told}"


@pytest.mark.parametrize("rules", ["+@all", "+@all -info"])
async def test_a_part_of_a_cluster_is_refused(rules: str, folder: Path, postgres_dsn: str) -> None:
    async with servers.redis(str(_redis_binary()), folder, servers.free_port(), cluster_enabled="yes") as client:
        await command(client, "ACL", "SETUSER", "joe", "on", "nopass", "~*", "&*", *rules.split())
        told = await refused_at_start(f"unix://joe:x@{folder}/s", postgres_dsn)
    assert "the server is a part of a cluster, which is not supported" in told


async def test_the_product_is_recognised(redis: Redis) -> None:
    report = await inspect_redis(redis)
    assert report.product.split()[0] in {"Redis", "Valkey"}
    assert report.refusals == []
    assert report.risks == []


async def command(client: Any, *words: str) -> None:
    await client.execute_command(*words)
