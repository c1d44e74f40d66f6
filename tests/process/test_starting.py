"""A signal during a start: the process ends in order, whichever service it is waiting for."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import free_port
from tests.support.silent import silent


async def stopped_while_it_waits(waits: "asyncio.Event", process: asyncio.subprocess.Process) -> None:
    """Signal the process while it waits for a service, and wait until it has ended with status 0."""
    async with asyncio.timeout(120):
        assert process.stderr is not None
        log = asyncio.create_task(process.stderr.read())
        waiting = asyncio.create_task(waits.wait())
        await asyncio.wait({waiting, log}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert process.returncode is None, (await log).decode()
        process.send_signal(signal.SIGTERM)
        status = await process.wait()
        assert status == 0, (await log).decode()


@pytest.mark.parametrize(("service", "workers"), [("telegram", 1), ("redis", 1), ("postgres", 1), ("telegram", 2)])
async def test_a_signal_ends_a_start_that_waits_for_a_service(
    service: str, workers: int, postgres_dsn: str, redis_dsn: str, tmp_path: Path
) -> None:
    async with silent() as server:
        addresses = {
            "telegram": {"TOMBOLA_TELEGRAM__API_BASE": f"http://127.0.0.1:{server.port}"},
            "redis": {"TOMBOLA_REDIS__DSN": f"redis://127.0.0.1:{server.port}"},
            "postgres": {"TOMBOLA_DATABASE__DSN": f"postgresql://tombola@127.0.0.1:{server.port}/tombola"},
        }
        environment = {
            **os.environ,
            "TOMBOLA_DATA_DIR": str(tmp_path),
            "TOMBOLA_TELEGRAM__TOKEN": f"123456:{'x' * 35}",
            "TOMBOLA_TELEGRAM__API_BASE": f"http://127.0.0.1:{free_port()}",
            "TOMBOLA_DATABASE__DSN": postgres_dsn,
            "TOMBOLA_REDIS__DSN": redis_dsn,
            "TOMBOLA_WEB__PORT": str(free_port()),
            **addresses[service],
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run", "--workers", str(workers)),
            env=environment, stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            await stopped_while_it_waits(server.called, process)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
