"""Servers of system packages, each run for a test and stopped after it: pgbouncer, Redis, Sentinel."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import asyncpg
import stamina
from redis.asyncio import Redis

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
REDIS = shutil.which("redis-server")
REDIS_CLI = shutil.which("redis-cli")
STOP_SECONDS = 10

HIGHEST_PORT, BUS_OFFSET = 65_535, 10_000


@asynccontextmanager
async def pgbouncer(postgres: str, folder: Path, mode: str, **settings: str) -> AsyncIterator[str]:
    """Run pgbouncer in front of the PostgreSQL on a socket. Yields the DSN of its database `postgres`.

    Args:
        postgres: DSN of the server, on a Unix socket.
        folder: for its socket and files.
        mode: `session` or `transaction`.
        settings: further settings; all others have their defaults.
    """
    assert PGBOUNCER is not None
    target = Path(parse_qs(urlsplit(postgres).query)["host"][0])
    folder.mkdir(mode=0o755)
    lines = {
        "listen_port": "6432",
        "unix_socket_dir": str(folder),
        "auth_type": "any",
        "pool_mode": mode,
        "max_client_conn": "300",
        "default_pool_size": "3" if mode == "transaction" else "90",
        "server_lifetime": "60",
        **settings,
    }
    file = folder / "pgbouncer.ini"
    file.write_text(
        f"[databases]\n* = host={target} port=5432 user=tombola\n[pgbouncer]\n"
        + "".join(f"{name} = {value}\n" for name, value in lines.items())
    )
    account = target.stat()  # pgbouncer refuses to run as root, and only its owner may enter the socket's folder
    os.chown(folder, account.st_uid, account.st_gid)
    options = {"user": account.st_uid, "group": account.st_gid, "extra_groups": []} if os.getuid() == 0 else {}
    async with process(PGBOUNCER, str(file), log=folder / "log", **options):
        dsn = f"postgresql://tombola@/postgres?host={quote(str(folder))}&port=6432"
        async for attempt in stamina.retry_context(on=(OSError, asyncpg.PostgresError), timeout=20, attempts=None):
            with attempt:
                await (await asyncpg.connect(dsn, statement_cache_size=0)).close()
        yield dsn


@asynccontextmanager
async def redis(binary: str, folder: Path, port: int, **settings: str) -> AsyncIterator[Redis]:
    """Run a Redis on a loopback port. Yields a client. The settings are those of its configuration file."""
    async with redis_process(binary, folder, port, **settings) as (client, _):
        yield client


@asynccontextmanager
async def redis_process(
    binary: str, folder: Path, port: int, **settings: str
) -> AsyncIterator[tuple[Redis, asyncio.subprocess.Process]]:
    """Run a Redis on a loopback port. Yields a client and the process."""
    folder.mkdir(mode=0o700, exist_ok=True)
    given: Mapping[str, str] = {
        "port": str(port), "bind": "127.0.0.1", "dir": str(folder), "appendonly": "yes", "appendfsync": "always",
        "save": "", "unixsocket": f"{folder}/s", "loglevel": "warning",
    } | {name.replace("_", "-"): value for name, value in settings.items()}  # fmt: skip
    # Redis 6.2 takes `--replicaof "host port"` for one word, and every version takes two arguments.
    arguments = [word for name, value in given.items() for word in (f"--{name}", *value.split(" "))]
    async with process(binary, *arguments, log=folder / "log") as started:
        client = on_socket(folder, settings.get("requirepass"))
        try:
            await answers(folder)
            yield client, started
        finally:
            await client.aclose()


def on_socket(folder: Path, password: str | None = None) -> Redis:
    """Return a client of the server on that folder's socket."""
    return Redis(unix_socket_path=f"{folder}/s", password=password)


async def answers(folder: Path) -> None:
    """Wait until the server on that folder's socket gives any answer, even a refusal."""
    async for attempt in stamina.retry_context(on=OSError, timeout=20, attempts=None, wait_initial=0.02, wait_max=0.2):
        with attempt:
            reader, writer = await asyncio.open_unix_connection(f"{folder}/s")
            writer.write(b"PING\r\n")
            assert await reader.readline()
            writer.close()


@asynccontextmanager
async def process(*command: str, log: Path, **options: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the end of the block, with its output in a file."""
    with log.open("wb") as output:
        started = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **options,  # type: ignore[arg-type]
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(started.wait(), STOP_SECONDS)
            except TimeoutError:
                started.kill()
                await started.wait()


def free_port() -> int:
    """Return a free loopback port that leaves room for the bus of a Redis Cluster, which listens 10,000 above it."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port <= HIGHEST_PORT - BUS_OFFSET:
                return port
