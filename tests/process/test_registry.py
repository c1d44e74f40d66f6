"""The registry of processes: each announces itself, with its load and the leases that it holds."""

import asyncio

import httpx
import pytest

from bot.runtime import ALL_ROLES
from storage.processes import Process, Processes
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
