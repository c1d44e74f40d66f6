"""Servers under test: their start, the filling of their stores, and the count of their commits."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import asyncpg
import msgspec
from loguru import logger
from redis.asyncio import Redis

from benchmarks.baselines.pick import FEED, keys_of
from benchmarks.load import Report, Run
from benchmarks.machine import LOAD_CORE, ROOT, SERVER_CORE, free_port, pin, running
from benchmarks.world import HEAD, PATH, SECRET, SHARDS, TOKEN, World, open_games
from bot.clock import SystemClock, SystemEntropy
from fsm.engine import Engine
from fsm.registry import KINDS
from storage import keys
from storage.codec import Codec
from storage.games import RedisGames
from storage.migrate import upgrade

BASELINES = Path(__file__).parent / "baselines"
START_SECONDS = 90.0
AT_ONCE = 20_000
"""Number of feed entries that one read fetches when counting."""


@dataclass(frozen=True)
class Stores:
    """Resources that all stacks share.

    Attributes:
        directory: for files of this benchmark.
        postgres: DSN.
        redis: DSN, without a database.
        api: address of the Bot API.
        rates: taps a second by stack, as soon as they are measured.
    """

    directory: Path
    postgres: str
    redis: str
    api: str
    rates: dict[str, float] = field(default_factory=dict)

    def database(self, number: int) -> str:
        """Return the DSN of a Redis database. Each stack has its own."""
        return f"{self.redis}?db={number}"

    def postgres_database(self, number: int) -> str:
        """Return the DSN of a PostgreSQL database, which ``made`` creates."""
        return self.postgres.replace("/postgres?", f"/bench{number}?")

    async def made(self, number: int, root: Path = ROOT) -> None:
        """Create a PostgreSQL database, unless it exists, with the schema of the source in ``root``."""
        connection = await asyncpg.connect(self.postgres)
        try:
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(f"CREATE DATABASE bench{int(number)}")
        finally:
            await connection.close()
        if root == ROOT:
            await upgrade(self.postgres_database(number))
            return
        env = {**os.environ, "TOMBOLA_DATABASE__DSN": self.postgres_database(number)}
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "migrate", cwd=root, env=env)
        if await process.wait():
            raise SystemExit(f"the migration of {root} failed")


@dataclass
class Stack:
    """A running server, its world, and the generator that loads it."""

    name: str
    port: int
    pid: int
    redis: Redis
    database: int
    world: World
    feeds: tuple[str, ...]
    start_seconds: float
    load: asyncio.subprocess.Process | None = None
    done: set[int] = field(default_factory=set)
    """Update ids of all taps that were answered "done"."""

    async def run(self, run: Run, directory: Path) -> Report:
        """Load the server once."""
        assert self.load is not None
        assert self.load.stdin is not None
        assert self.load.stdout is not None
        done_file = directory / f"{self.name}.done"
        self.load.stdin.write(msgspec.json.encode(msgspec.structs.replace(run, done_file=str(done_file))) + b"\n")
        report = msgspec.json.decode(await self.load.stdout.readline(), type=Report)
        raw = done_file.read_bytes()
        self.done.update(int.from_bytes(raw[at : at + 8], sys.byteorder) for at in range(0, len(raw), 8))
        return report

    async def lost(self) -> int:
        """Return the number of taps that were answered "done" but have no command in the store's feed."""
        return len(self.done - await committed(self.redis, self.feeds))


async def committed(redis: Redis, feeds: Sequence[str]) -> set[int]:
    """Return the update ids of all taps in a feed."""
    found: set[int] = set()
    for feed in feeds:
        last = "-"
        while True:
            rows: Any = await redis.xrange(feed, min=last, max="+", count=AT_ONCE)
            if not rows:
                break
            for _, fields in rows:
                found.update(_updates(fields))
            last = f"({rows[-1][0].decode()}"
    return found


def _updates(fields: Mapping[bytes, bytes]) -> list[int]:
    return update_ids(record["c"] for record in _records(fields))


def _records(fields: Mapping[bytes, bytes]) -> list[dict[str, Any]]:
    """Return the records of an entry. A baseline's entry is one pick; Tombola's holds the records of a commit."""
    if b"c" in fields:
        return [{"c": fields[b"c"].decode()}]
    records: list[dict[str, Any]] = msgspec.json.decode(fields[b"r"])
    return records


def update_ids(command_ids: Iterable[str]) -> list[int]:
    """Return the update ids of the commands that came from Telegram."""
    return [int(name[3:]) for name in command_ids if name.startswith("tg:") and name[3:].isdigit()]


# -- Tombola ----------------------------------------------------------------------------------------------------


def tombola_environment(stores: Stores, port: int, database: int, root: Path = ROOT) -> dict[str, str]:
    """Return the environment of a bot under load. ``root`` is the directory of its source."""
    return {
        "TOMBOLA_CONFIG": str(root / "config.toml"),  # another revision knows other settings
        "TOMBOLA_DATA_DIR": str(stores.directory / "data"),
        "TOMBOLA_TELEGRAM__TOKEN": TOKEN,
        "TOMBOLA_TELEGRAM__API_BASE": stores.api,
        "TOMBOLA_TELEGRAM__MODE": "webhook",
        "TOMBOLA_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}{PATH}",
        "TOMBOLA_TELEGRAM__WEBHOOK_SECRET": SECRET,
        "TOMBOLA_DATABASE__DSN": stores.postgres_database(database),
        "TOMBOLA_REDIS__DSN": stores.database(database),
        "TOMBOLA_REDIS__SHARDS": str(SHARDS),
        "TOMBOLA_WEB__PORT": str(port),
        "TOMBOLA_LOG__LEVEL": "WARNING",
    }


def tombola_command(*arguments: str) -> list[str]:
    """Return a bot's command line."""
    return [sys.executable, "-m", "bot", "run", *arguments]


@asynccontextmanager
async def tombola(
    stores: Stores,
    world: World,
    database: int,
    *,
    name: str = "tombola",
    workers: int = 1,
    tap: bytes = b"",
    more: Mapping[str, str] = MappingProxyType({}),
    root: Path = ROOT,
) -> AsyncIterator[Stack]:
    """Run Tombola's ingress without the roles that forward the feed to chats and to PostgreSQL.

    With ``tap``, the server counts as started when that tap is answered, else when it listens. ``more`` adds to its
    environment; ``root`` is the directory of its source.
    """
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(stores.database(database))
        stack.push_async_callback(redis.aclose)
        games = RedisGames(redis, Codec(KINDS), shards=SHARDS)
        engine = Engine(KINDS, games, SystemClock(), SystemEntropy())
        await stores.made(database, root)
        await open_games(engine, world)
        await engine.close()
        port = free_port()
        arguments = ["--role", "ingress", *(["--workers", str(workers)] if workers > 1 else [])]
        began = time.perf_counter()
        process = await stack.enter_async_context(
            running(
                tombola_command(*arguments),
                core=SERVER_CORE if workers == 1 else None,
                env={**tombola_environment(stores, port, database, root), **more},
                log=stores.directory / f"{name}.log",
                root=root,
            )
        )
        await answering(port, process, stores.directory / f"{name}.log")
        if tap:
            await exchanged(port, tap)
        started = time.perf_counter() - began
        await warm(port)
        feeds = tuple(keys.feed_key(shard) for shard in games.shards)
        yield Stack(name, port, process.pid, redis, database, world, feeds, started)


# -- baselines --------------------------------------------------------------------------------------------------


async def fill(redis: Redis, world: World) -> None:
    """Write a world in the baselines' format."""
    async with redis.pipeline(transaction=False) as pipe:
        for game in world.games:
            own, players, *_ = keys_of(game.id)
            pipe.hset(own, mapping={"phase": "number_selection", "highest": 2 * (game.pickers + 1)})
            pipe.sadd(players, *range(game.first_player, game.first_player + game.pickers + 1))
        await pipe.execute()


@asynccontextmanager
async def baseline(stores: Stores, world: World, database: int, *, name: str) -> AsyncIterator[Stack]:
    """Run a baseline."""
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(stores.database(database))
        stack.push_async_callback(redis.aclose)
        await fill(redis, world)
        port = free_port()
        began = time.perf_counter()
        command = baseline_command(name, stores, port, database)
        log = stores.directory / f"{name}.log"
        process = await stack.enter_async_context(running(command, core=SERVER_CORE, log=log, env=NODE_ENVIRONMENT))
        await answering(port, process, log)
        yield Stack(name, port, process.pid, redis, database, world, (FEED,), time.perf_counter() - began)


NODE_ENVIRONMENT = {"NODE_ENV": "production", "NTBA_FIX_319": "1", "NTBA_FIX_350": "1"}
PYTHON = frozenset({"aiogram_typical", "aiogram_lean"})
NODE = frozenset({"grammy", "ntba"})


def baseline_command(name: str, stores: Stores, port: int, database: int) -> list[str]:
    """Return a baseline's command line."""
    if name in PYTHON:
        module = f"benchmarks.baselines.{name}"
        return [sys.executable, "-m", module, str(port), stores.database(database), stores.api]
    path = stores.redis.removeprefix("unix://")
    script = str(node_directory() / f"{name}.mjs")
    node = shutil.which("node") or "node"  # `tied_to_this_process` needs an absolute path
    return [node, script, str(port), f"{path}?db={database}", stores.api, TOKEN, SECRET, PATH]


def node_directory() -> Path:
    """Return the directory with the Node.js baselines' packages."""
    return ROOT / "benchmarks" / "out" / "node"


async def install_node() -> str:
    """Install the packages of the Node.js baselines. Returns the reason of a failure, or an empty text."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js is not here"
    target = node_directory()
    target.mkdir(parents=True, exist_ok=True)
    for source in (*(BASELINES / "node").iterdir(), BASELINES / "pick.lua"):
        shutil.copy(source, target)
    if (target / "node_modules" / ".package-lock.json").exists():
        return ""
    process = await asyncio.create_subprocess_exec(
        "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=target,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, errors = await process.communicate()
    return "" if process.returncode == 0 else f"npm: {errors.decode().strip()[-300:]}"


# -- starting ---------------------------------------------------------------------------------------------------


async def answering(port: int, process: asyncio.subprocess.Process, log: Path | None = None) -> None:
    """Wait until a port listens. Raises SystemExit, with the end of the log, if the process ends or takes too long."""
    until = time.perf_counter() + START_SECONDS
    while time.perf_counter() < until:
        if process.returncode is not None:
            break
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    said = await asyncio.to_thread(log.read_text, errors="replace") if log is not None else ""
    raise SystemExit(f"process {process.pid} does not answer\n{said[-2000:]}".rstrip())


async def ready(port: int) -> None:
    """Wait until a bot reports full readiness. Raises TimeoutError."""
    async with asyncio.timeout(START_SECONDS):
        while b" 200 " not in await exchanged(port, b"GET /health/ready HTTP/1.1\r\nHost: bench\r\n\r\n"):  # noqa: ASYNC110 -- another process sends no event
            await asyncio.sleep(0.1)


async def warm(port: int) -> None:
    """Send an update that aiogram answers, so that aiogram is imported before a measurement."""
    update = {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "date": 1_767_225_600,
            "chat": {"id": 99, "type": "private", "first_name": "W"},
            "from": {"id": 99, "is_bot": False, "first_name": "W"},
            "text": "warm",
        },
    }
    body = msgspec.json.encode(update)
    await exchanged(port, HEAD % len(body) + body)


async def exchanged(port: int, request: bytes) -> bytes:
    """Send one request. Returns the beginning of the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await asyncio.wait_for(reader.read(1 << 16), 60)
    finally:
        writer.close()


@asynccontextmanager
async def loaded(stack: Stack, stores: Stores, seed: int, *, first_update: int = 10_000_000) -> AsyncIterator[Stack]:
    """Attach a load generator to a stack."""
    described = stores.directory / f"{stack.name}.world"
    described.write_bytes(msgspec.json.encode(stack.world))
    command = [sys.executable, "-m", "benchmarks.load", str(described), str(seed), str(first_update)]
    async with running(command, core=LOAD_CORE, log=stores.directory / "load.log") as process:
        stack.load = process
        yield stack


def quiet() -> None:
    """Keep this process off the server's core, and its logs off the screen."""
    pin(LOAD_CORE)
    logger.remove()
    os.environ.setdefault("PYTHONHASHSEED", "0")
