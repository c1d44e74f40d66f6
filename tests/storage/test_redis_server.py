"""Messages about each kind of Redis server, at a start and by the doctor."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot import doctor, process
from bot.settings import Database, Settings, SettingsError, Telegram, Web
from bot.settings import Redis as RedisSettings
from storage.connections import redis_client
from storage.embedded import _redis_binary
from storage.redis_server import RedisReport, inspect_redis
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
    assert "the server is a part of a cluster: give redis+cluster://" in told


async def test_the_product_is_recognised(redis: Redis) -> None:
    report = await inspect_redis(redis)
    assert report.product.split()[0] in {"Redis", "Valkey"}
    assert report.refusals == []
    assert report.risks == []


DRAGONFLY = {
    "redis_version": "7.4.0", "dragonfly_version": "df-v1.34.0", "redis_mode": "standalone", "role": "master",
    "connected_slaves": 0, "maxmemory": 100, "used_memory": 95, "cache_mode": "cache", "maxmemory_policy": "eviction",
}  # fmt: skip
"""Fields of INFO as Dragonfly writes them (`src/server/server_family.cc`), with `--cache_mode`."""
KEYDB = {
    "redis_version": "6.3.4", "redis_mode": "standalone", "executable": "/usr/bin/keydb-server", "mvcc_depth": 0,
    "server_threads": 2, "role": "active-replica", "master_global_link_status": "up", "connected_masters": 1,
    "master_host": "10.0.0.2", "master_port": 6379, "connected_slaves": 1, "aof_enabled": 0,
    "maxmemory_policy": "noeviction",
}  # fmt: skip
"""Fields of INFO as KeyDB 6.3.4 writes them (`genRedisInfoString` in `src/server.cpp`).

They are those of a server with `active-replica yes` and a primary (`replicaof`). One that has no primary writes
`role:master` whatever `active-replica` says, and one that has a primary without `active-replica` writes `role:slave`.
"""
VALKEY = {"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.1.8", "server_mode": "standalone"}


class Telling(Redis):
    """A client whose INFO is that of another server. Everything else is asked of the real one."""

    told: dict[str, Any]

    async def info(self, *_: Any, **__: Any) -> Any:
        return self.told

    async def config_get(self, *_: Any, **__: Any) -> Any:
        raise ResponseError("unknown command")


async def inspected(dsn: str, told: dict[str, Any]) -> RedisReport:
    """Inspect a server as if its INFO were this one."""
    client: Any = Telling.from_url(dsn)
    client.told = told
    try:
        return await inspect_redis(client)
    finally:
        await client.aclose()


async def test_dragonfly_and_keydb_are_recognised_by_what_their_sources_tell(redis_dsn: str) -> None:
    found = await inspected(redis_dsn, DRAGONFLY)
    assert (found.product, found.refusals) == ("Dragonfly 1.34.0", [])
    told = "\n".join(found.risks)
    assert "Dragonfly loses what came after its last snapshot: use Redis or Valkey" in told
    assert "with maxmemory-policy eviction a full server forgets live games: set noeviction" in told
    assert "95% of maxmemory are used" in told
    assert "not tested" in "".join(found.notes)
    found = await inspected(redis_dsn, KEYDB)
    assert (found.product, found.refusals) == ("KeyDB 6.3.4", [])
    assert any(line.startswith("with active-replica two servers decide one game") for line in found.risks)
    assert any(line.startswith("without append-only file") for line in found.risks)
    found = await inspected(redis_dsn, KEYDB | {"role": "slave"})
    assert found.refusals == ["the server is a replica, which takes no writes: its primary is 10.0.0.2:6379"]
    assert (await inspected(redis_dsn, VALKEY)).product == "Valkey 8.1.8"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("aof_last_write_status", "the last write to the append-only file failed"),
        ("aof_last_bgrewrite_status", "the append-only file cannot be rewritten"),
        ("rdb_last_bgsave_status", "the last snapshot failed"),
    ],
)
async def test_a_disk_that_fails_is_told(field: str, words: str, redis_dsn: str) -> None:
    found = await inspected(redis_dsn, {"redis_version": "7.0.15", field: "err"})
    assert [line for line in found.risks if line.startswith(words)]
    assert not (await inspected(redis_dsn, {"redis_version": "7.0.15", field: "ok"})).risks


async def test_replicas_are_a_reason_for_strict_durability(redis_dsn: str) -> None:
    found = await inspected(redis_dsn, {"redis_version": "7.0.15", "role": "master", "connected_slaves": 2})
    assert any("a failover loses the last answers unless durability.strict is on" in line for line in found.notes)


async def command(client: Any, *words: str) -> None:
    await client.execute_command(*words)
