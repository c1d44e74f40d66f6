"""The registry of processes: each announces itself, with its load and the leases that it holds."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from bot.runtime import ALL_ROLES
from storage.keys import processes_key, profile_request_key
from storage.processes import Process, Processes
from storage.profiles import Profiles
from tests.e2e.conftest import Table, seated

pytestmark = pytest.mark.slow


async def registered(processes: Processes) -> Process:
    """Return the one process that announces itself with leases."""
    async with asyncio.timeout(60):
        while not ((found := await processes.listed()) and found[0].leases):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # it announces itself each five seconds
    return found[0]


async def test_a_process_announces_roles_load_and_leases(postgres_dsn: str, redis_dsn: str) -> None:
    async with seated(postgres_dsn, redis_dsn, "polling") as table:
        process = await registered(table.bot.stores.processes)
        assert set(process.roles) == ALL_ROLES
        assert process.port == table.bot.port
        assert "{send}" in process.leases
        assert process.load.tasks > 0
        async with httpx.AsyncClient(timeout=60, base_url=f"http://127.0.0.1:{table.bot.port}") as http:
            listed = (await http.get("/health")).json()["checks"]["processes"]
            assert (listed["count"], listed["versions"]) == (1, [process.version])
            await sampled(http, table)


async def sampled(http: httpx.AsyncClient, table: Table) -> None:
    """Wait until the metrics have a process for each role, and none for no version."""
    async with asyncio.timeout(60):
        while "tombola_processes{" not in (text := (await http.get("/metrics")).text):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    version = (await table.bot.stores.processes.listed())[0].version
    for role in ALL_ROLES:
        assert f'tombola_processes{{role="{role}",version="{version}"}} 1.0' in text


async def test_entries_of_other_versions_and_absurd_ones_hide_no_process(redis: Redis) -> None:
    seconds, _ = await redis.time()
    good = Process(name="host:1:a", roles=("web",), version="1", port=1, started_at=0, seen_at=seconds * 1000)
    absurd = msgspec.structs.replace(good, name="host:2:b", seen_at=1 << 60)
    entries: dict[Any, Any] = {
        "host:1:a": msgspec.json.encode(good),
        "host:2:b": msgspec.json.encode(absurd),
        "host:3:c": b'{"name": 5}',
        "host:4:d": b"\xff",
        "host:5:e": b"[" * 100_000,
    }
    await redis.hset(processes_key(), mapping=entries)
    try:
        assert await Processes(redis).listed() == [good]
        assert b"host:2:b" not in await redis.hkeys(processes_key())
    finally:
        await redis.delete(processes_key())
    await redis.set(profile_request_key("host:1:a"), b'{"id": "x", "seconds": 1000000000}', px=60_000)
    assert await Profiles(redis).asked("host:1:a") is None
    await redis.delete(profile_request_key("host:1:a"))
