"""The log's way to Elasticsearch by a real rsyslogd, with the configuration in deploy/logs."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.servers.servers import free_port, process
from tests.support.bulk import Bulk, taking, unknown_fields

ROOT = Path(__file__).parents[2]
RSYSLOGD = shutil.which("rsyslogd", path=f"{os.environ['PATH']}:/usr/sbin")
OUTPUT = shutil.which("omelasticsearch.so", mode=os.F_OK, path=":".join(map(str, Path("/usr/lib").glob("*/rsyslog"))))
LOGGER = shutil.which("logger")
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MISSING = [
    package
    for package, found in (
        ("rsyslog", RSYSLOGD),
        ("rsyslog-elasticsearch", OUTPUT),
        ("bsdutils", LOGGER),
        ("nginx", NGINX),
    )
    if not found
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"missing (Debian): {', '.join(MISSING)}")
BOT = """
import sys
from loguru import logger
from bot.observe import logs
from bot.settings import Settings
first, last = map(int, sys.argv[1:])
print('a "plain" line from ' + str(first), file=sys.stderr)
logs.set_up_for(Settings(log={"ecs": True}), ["worker"])
for number in range(first, last):
    logger.bind(game="0123456789abcd", chat=-5).info("tap <{}> Привет", number)
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("\\x01" * 20000)
"""
"""A process that logs as the bot does: first a line that is no JSON, at last one of the greatest size."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


@asynccontextmanager
async def gate(folder: Path, bulk: Bulk) -> AsyncIterator[str]:
    """Run nginx with the shipped gate in front of the receiver. Yields its address."""
    shipped, port = (ROOT / "deploy/logs/nginx-gate.conf").read_text(), free_port()
    for name, ours in (("127.0.0.1:9201", f"127.0.0.1:{port}"), ("https://elasticsearch.example.org:9200", bulk.url)):
        assert name in shipped
        shipped = shipped.replace(name, ours)
    temporary = "".join(
        f"{each}_temp_path {folder}/temp;" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}\n"
        f"events {{}}\nhttp {{ {temporary}\n{shipped}\n}}\n"
    )
    assert NGINX is not None
    async with process(NGINX, "-c", str(folder / "nginx.conf"), log=folder / "nginx.output"):
        await until((folder / "nginx.pid").exists)
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def shipping(folder: Path, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run rsyslogd with the shipped configuration, which writes its one file into the folder instead of /var/log."""
    (folder / "spool").mkdir(exist_ok=True)
    shipped = (ROOT / "deploy/logs/rsyslog.conf").read_text()
    assert "/var/log/" in shipped
    (folder / "tombola.conf").write_text(shipped.replace("/var/log/", f"{folder}/"))
    (folder / "rsyslog.conf").write_text(
        f'global(workDirectory="{folder}/spool")\n'
        f'module(load="imuxsock" SysSock.Name="{folder}/log" SysSock.RateLimit.Interval="0")\n'
        f'include(file="{folder}/tombola.conf")\n'
    )
    account = {"ELASTICSEARCH_URL": url, "ELASTICSEARCH_USER": "shipper", "ELASTICSEARCH_PASSWORD": "password"}
    assert RSYSLOGD is not None
    arguments = ("-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid"))
    async with process(RSYSLOGD, *arguments, log=folder / "output", env=os.environ | account) as daemon:
        await until((folder / "log").exists)
        yield daemon
        if daemon.returncode is None:
            daemon.send_signal(signal.SIGTERM)
        await asyncio.wait_for(daemon.wait(), 60)
    (folder / "log").unlink(missing_ok=True)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 -- another process changes it
            await asyncio.sleep(0.02)


async def log(folder: Path, first: int, last: int) -> None:
    """Run the process that logs. Its standard error goes to the socket, as by systemd or a container engine."""
    reading, writing = os.pipe()
    sender = await asyncio.create_subprocess_exec(
        str(LOGGER), "--socket", str(folder / "log"), "--tag", "tombola", "--size", "64KiB", stdin=reading
    )
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOT, str(first), str(last), cwd=ROOT, stderr=writing,
        env={name: value for name, value in os.environ.items() if not name.startswith("TOMBOLA_")},
    )  # fmt: skip
    os.close(reading)
    os.close(writing)
    assert await bot.wait() == 0
    assert await sender.wait() == 0


def taps(bulk: Bulk) -> list[str]:
    """Return the numbered lines that arrived, sorted."""
    found = [each["message"] for each in bulk.documents.values() if each["message"].startswith("tap <")]
    return sorted(found, key=lambda text: int(text.split("<")[1].split(">")[0]))


def expected(last: int) -> list[str]:
    return [f"tap <{number}> Привет" for number in range(last)]


async def test_lines_arrive_with_fields_that_the_template_knows(folder: Path) -> None:
    async with taking() as bulk, gate(folder, bulk) as url:
        async with shipping(folder, url):
            await log(folder, 0, 20)
            await until(lambda: len(bulk.documents) == 22)
        assert taps(bulk) == expected(20)
        assert {name: each for each in bulk.documents.values() for name in unknown_fields(each)} == {}
        [error] = [each for each in bulk.documents.values() if "error.type" in each]
        assert (error["error.type"], error["log.level"]) == ("ZeroDivisionError", "error")
        [plain] = [each for each in bulk.documents.values() if "log.level" not in each]
        assert plain["message"] == 'a "plain" line from 0'
        assert bulk.accounts == {"shipper:password"}
        assert not (folder / "tombola-rejected.log").exists()


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_lines_wait_while_elasticsearch_refuses_every_request(status: int, folder: Path) -> None:
    async with taking() as bulk, gate(folder, bulk) as url, shipping(folder, url):
        bulk.status = status
        await log(folder, 0, 300)
        await until(lambda: bulk.refused[status] > 0)
        assert not bulk.documents
        bulk.status = 200
        await until(lambda: len(taps(bulk)) == 300)
        assert taps(bulk) == expected(300)


async def test_lines_that_wait_on_the_disk_outlive_the_death_of_rsyslog(folder: Path) -> None:
    async with taking() as bulk, gate(folder, bulk) as url:
        bulk.status = 503
        async with shipping(folder, url) as daemon:
            await log(folder, 0, 300)
            await until(
                lambda: any(b"tap <299>" in each.read_bytes() for each in (folder / "spool").glob("tombola.0*"))
            )
            daemon.kill()
            await daemon.wait()
        assert not bulk.documents
        async with shipping(folder, url):
            await log(folder, 300, 400)
            bulk.status = 200
            await until(lambda: len(taps(bulk)) == 400)
        assert taps(bulk) == expected(400)


async def test_a_line_that_is_refused_for_now_is_sent_again_and_one_that_is_refused_for_good_is_kept(
    folder: Path,
) -> None:
    async with taking() as bulk, gate(folder, bulk) as url:
        bulk.items = {"tap <3>": [429, 503, 429], "tap <7>": [400]}
        async with shipping(folder, url):
            await log(folder, 0, 10)
            await until(lambda: len(taps(bulk)) == 9 and bulk.items["tap <3>"] == [])
            rejected = folder / "tombola-rejected.log"
            await until(lambda: rejected.exists() and "status 400" in rejected.read_text())
        assert taps(bulk) == [text for text in expected(10) if "<7>" not in text]
        assert rejected.read_text().count("\n") == 1
