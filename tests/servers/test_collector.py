"""A trace of one tap through two processes, read from the output of a real collector: rotel, installed from PyPI."""

import asyncio
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from bot import process as bot_process
from bot.clock import SystemEntropy
from bot.runtime import ALL_ROLES
from bot.settings import TracingSection, Web
from tests.e2e.conftest import seated
from tests.e2e.test_traces import FRONT, TAP, by_trace
from tests.servers.servers import free_port, process
from tests.support.collector import collecting

ROTEL = "rotel==0.0.1a15"


@pytest.fixture(scope="module")
def rotel() -> Iterator[Path]:
    """Install the collector into a temporary environment. Yields its program."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        folder = Path(directory)
        venv.create(folder / "venv", with_pip=False)
        python = folder / "venv" / "bin" / "python"
        uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", str(python)]
        installed = subprocess.run([*uv, ROTEL], check=False, capture_output=True, text=True, timeout=300)
        if installed.returncode:
            pytest.skip(f"{ROTEL} can't be installed: {installed.stderr.strip()[-300:]}")
        yield next((folder / "venv" / "lib").glob("*/site-packages/rotel/rotel-agent"))


async def test_a_trace_of_a_tap_through_two_processes_comes_out_of_a_real_collector(
    rotel: Path, postgres_dsn: str, redis_dsn: str, tmp_path: Path
) -> None:
    ports = {name: free_port() for name in ("grpc", "http")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ROTEL_", "TOMBOLA_"))}
    async with collecting() as behind:
        command = (
            *(str(rotel), "start", "--pid-file", str(tmp_path / "pid"), "--log-file", str(tmp_path / "log")),
            *(
                "--otlp-grpc-endpoint",
                f"127.0.0.1:{ports['grpc']}",
                "--otlp-http-endpoint",
                f"127.0.0.1:{ports['http']}",
            ),
            *("--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", behind.url),
        )
        url = f"http://127.0.0.1:{ports['http']}"
        async with process(*command, log=tmp_path / "output", env=environment):
            async with httpx.AsyncClient(timeout=60) as http, asyncio.timeout(120):
                while True:
                    try:
                        await http.get(url)
                        break
                    except httpx.TransportError:
                        await asyncio.sleep(0.1)
            tracing = TracingSection(endpoint=url, ratio=1)
            async with seated(postgres_dsn, redis_dsn, "polling", roles=FRONT, tracing=tracing) as table:
                settings = table.settings.model_copy(update={"web": Web(port=0)})
                running = bot_process.running(settings, ALL_ROLES - FRONT, clock=table.clock, entropy=SystemEntropy())
                async with running as worker:
                    table.bot = replace(table.bot, deadlines=worker.deadlines)
                    await table.play()
            async with asyncio.timeout(120):
                while not any({span.name for span in spans} >= TAP for spans in by_trace(behind.spans).values()):
                    behind.came.clear()
                    await behind.came.wait()
    for spans in by_trace(behind.spans).values():
        if {span.name for span in spans} >= TAP:
            (root,) = [span for span in spans if span.name == "update"]
            assert {span.parent_span_id for span in spans if span is not root} == {root.span_id}
