"""An idle bot sleeps: its wake-ups are counted."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from sandbox.app import serve
from tests.e2e.conftest import free_port

SECONDS = 10
"""Duration of the count, in seconds."""
MOST = 10
"""Limit of wake-ups a second, over all threads."""


@asynccontextmanager
async def bot(mode: str, postgres: str, redis: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a bot with all roles, and wait for full readiness."""
    async with serve() as box, aiohttp.ClientSession() as session:
        port = free_port()
        environment = {
            **os.environ,
            "TOMBOLA_TELEGRAM__TOKEN": box.token,
            "TOMBOLA_TELEGRAM__API_BASE": box.url,
            "TOMBOLA_TELEGRAM__MODE": mode,
            "TOMBOLA_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook" if mode == "webhook" else "",
            "TOMBOLA_TELEGRAM__WEBHOOK_SECRET": "a-secret-of-two",
            "TOMBOLA_DATABASE__DSN": postgres,
            "TOMBOLA_REDIS__DSN": redis,
            "TOMBOLA_WEB__PORT": str(port),
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", env=environment)
        try:
            async with asyncio.timeout(90):
                while not await answers(session, f"http://127.0.0.1:{port}/health/ready"):  # noqa: ASYNC110 -- another process sends no event
                    await asyncio.sleep(0.2)
            yield process
        finally:
            process.terminate()
            await process.wait()


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, headers={"Connection": "close"}) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def wakeups(pid: int) -> int:
    """Return the number of voluntary context switches of a process's threads."""
    found = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                found += int(line.split()[1])
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_an_idle_bot_wakes_up_rarely(mode: str, postgres_dsn: str, redis_dsn: str) -> None:
    async with bot(mode, postgres_dsn, redis_dsn) as process:
        await asyncio.sleep(SECONDS / 2)  # lets the work that follows a start finish
        before = wakeups(process.pid)
        await asyncio.sleep(SECONDS)
        assert (wakeups(process.pid) - before) / SECONDS < MOST
