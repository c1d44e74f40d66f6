"""Reports of errors as a real server of Sentry's protocol stores them: bugsink, installed from PyPI for the test."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from loguru import logger

from bot.observe.errors import reporting
from tests.servers.servers import free_port, process

BUGSINK = "bugsink==2.6.2"
"""Its licence, PolyForm Shield, allows this use, and no copy in the repository."""
NAMES = tuple(name[::-1] for name in ("aninerak anna", "nivel nitnatsnok"))
"""Names of people, which the source of this file, a part of the reports, does not hold."""
PROJECT = """
import json
from projects.models import Project
project = Project.objects.create(name="tombola")
print(json.dumps([project.id, project.sentry_key.hex]))
"""
STORED = """
import json
from events.models import Event
print(json.dumps([json.loads(event.get_raw_data()) for event in Event.objects.all()]))
"""


class Bugsink:
    """An installation with its database in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.python = folder / "venv" / "bin" / "python"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TOMBOLA_", "PYTHON"))
        }
        self.environment |= {"DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(folder)}

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs. Return its output."""
        command = [str(self.python.parent / program), *arguments]
        done = subprocess.run(
            command, check=True, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )
        return done.stdout

    def asked(self, script: str) -> Any:
        """Run a script inside of it. Return the JSON on the last line of its output."""
        return json.loads(self.run("bugsink-manage", "shell", "-c", script).splitlines()[-1])


@pytest.fixture(scope="module")
def bugsink() -> Iterator[Bugsink]:
    """Install the server into a temporary environment, and make its database."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        found = Bugsink(Path(directory))
        venv.create(found.folder / "venv", with_pip=False)
        uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", str(found.python)]
        installed = subprocess.run([*uv, BUGSINK], check=False, capture_output=True, text=True, timeout=300)
        if installed.returncode:
            pytest.skip(f"{BUGSINK} can't be installed: {installed.stderr.strip()[-300:]}")
        found.run("bugsink-create-conf", "--template=local", f"--port={found.port}")
        for database in ("default", "snappea"):
            found.run("bugsink-manage", "migrate", f"--database={database}")
        yield found


async def test_a_real_server_takes_and_groups_reports_that_hold_no_text_of_people(bugsink: Bugsink) -> None:
    project, key = bugsink.asked(PROJECT)
    serve = (str(bugsink.python.parent / "bugsink-manage"), "runserver", "--noreload", f"127.0.0.1:{bugsink.port}")
    async with process(*serve, log=bugsink.folder / "log", cwd=bugsink.folder, env=bugsink.environment):
        async with (
            httpx.AsyncClient(timeout=60, base_url=f"http://127.0.0.1:{bugsink.port}") as http,
            asyncio.timeout(120),
        ):
            while True:
                try:
                    await http.get("/")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        with reporting(f"http://{key}@127.0.0.1:{bugsink.port}/{project}", version="7.1", environment="test"):
            for name in NAMES:
                try:
                    raise LookupError(f"{name} is nowhere")  # noqa: TRY301
                except LookupError:
                    logger.bind(trace="0123abcd").exception("no place for {}", name)
            async with asyncio.timeout(120):
                while len(events := await asyncio.to_thread(bugsink.asked, STORED)) < 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
    groups = bugsink.asked("from issues.models import Issue; print(Issue.objects.count())")
    assert groups == 1
    for event in events:
        assert event["exception"]["values"][0]["type"] == "LookupError"
        assert (event["release"], event["environment"]) == ("tombola@7.1", "test")
        assert event["tags"]["trace"] == "0123abcd"
        assert not any(name in json.dumps(event) for name in NAMES)
