"""Reads of the HTTP API at a fixed rate beside a game whose players tap, with both servers on one core.

The process with the role `web` and the ingress share the server's core; the stores and both load generators have the
other one. Reads are due at fixed times, and a latency counts from the time when a read was due. The mix: a game in
Redis, a game in PostgreSQL, the games of a chat, the players of a game, a leaderboard, a person's statistics, a proof.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import count
from random import Random
from statistics import median

from redis.asyncio import Redis

from benchmarks import stacks
from benchmarks.finished import FEW, PLAYED, Ended, keep, multiply, past, project
from benchmarks.load import Run
from benchmarks.machine import SERVER_CORE, cpu_seconds, free_port, running
from benchmarks.plan import CONNECTIONS, Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stack, Stores
from benchmarks.taps import checked
from benchmarks.world import planned
from bot.clock import SystemClock
from play.access import Role
from play.tokens import Tokens
from storage.api_tokens import ApiTokens
from storage.connections import Pool, postgres_pool, redis_client

DATABASE = 11
GAMES, IN_REDIS = 5000, 500
TAPS, READS = 1000.0, 500.0
"""Taps and reads a second."""
READERS = 64
"""Connections of the reads."""
FILL_SECONDS = 600.0
PATIENCE = 10.0

Choice = Callable[[], str]


def mixed(games: Sequence[Ended], live: str, seed: int) -> Choice:
    """Return a chooser of paths. One read in twenty is of the large game.

    A chat is chosen as often as it has played.
    """
    random = Random(seed)
    late = games[-IN_REDIS:]

    def game(among: Sequence[Ended] = games) -> Ended:
        return random.choice(among)

    kinds: Sequence[tuple[float, Choice]] = (
        (0.05, lambda: f"/games/{live}"),
        (0.2, lambda: f"/games/{game(late).id}"),
        (0.05, lambda: f"/games/{game().id}"),
        (0.2, lambda: f"/games?chat={game().chat_id}&limit=20"),
        (0.1, lambda: f"/games/{game(late).id}/players"),
        (0.2, lambda: f"/chats/{game().chat_id}/leaderboard"),
        (0.15, lambda: _stats(game(), random)),
        (0.05, lambda: f"/games/{game(late).id}/proof"),
    )
    weights = [weight for weight, _ in kinds]

    def choose() -> str:
        ((_, path),) = random.choices(kinds, weights)
        return path()

    return choose


def _stats(game: Ended, random: Random) -> str:
    return f"/chats/{game.chat_id}/players/{game.player(random.randrange(10))}"


class Readers:
    """Clients with kept-alive connections. Times in milliseconds.

    Args:
        port: the port of the server.
        token: the token.
        choose: the chooser of paths.
    """

    def __init__(self, port: int, token: str, choose: Choice) -> None:
        self._port = port
        self._head = f" HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._choose = choose
        self.latencies: list[float] = []
        self.by_kind: dict[str, list[float]] = {}
        self.statuses: Counter[str] = Counter()

    async def run(self, seconds: float, rate: float) -> None:
        """Read at a rate. A latency counts from the time when the read was due, also if no connection was free then."""
        began, numbers = time.perf_counter() + 0.1, count()
        last = int(seconds * rate)

        async def reader() -> None:
            streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
            while (number := next(numbers)) < last:
                due = began + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await self._read(*streams, due)
            streams[1].close()

        with suppress(TimeoutError):  # a server that cannot keep up leaves the rest unread
            async with asyncio.timeout(seconds + PATIENCE), asyncio.TaskGroup() as tasks:
                for _ in range(READERS):
                    tasks.create_task(reader())
        self.statuses["unread"] += last - len(self.latencies)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: float) -> None:
        path = self._choose()
        writer.write(f"GET /api/v1{path}{self._head}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        took = (time.perf_counter() - due) * 1000
        self.latencies.append(took)
        self.statuses[head[9:12].decode()] += 1
        kind = "/".join(part for part in path.partition("?")[0].split("/") if part.isalpha())
        self.by_kind.setdefault(kind, []).append(took)


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure taps alone, and taps and reads together, in turns."""
    games = past(FEW if plan.games else GAMES, round(time.time() * 1000))
    taps, reads = (TAPS / 10, READS / 10) if plan.games else (TAPS, READS)
    async with AsyncExitStack() as lifetime:
        await stores.made(DATABASE)
        dsn = stores.postgres_database(DATABASE)
        pool = await lifetime.enter_async_context(
            postgres_pool(dsn, command_timeout_seconds=FILL_SECONDS, statement_timeout_seconds=FILL_SECONDS)
        )
        await project(pool, games[:PLAYED])
        await multiply(pool, games)
        async with redis_client(stores.database(DATABASE)) as redis:
            await keep(redis, games[-IN_REDIS:])
            token = await _token(pool, redis)
        world = planned("one-game", players=plan.players)
        stack = await lifetime.enter_async_context(stacks.tombola(stores, world, DATABASE, name="api-taps"))
        await lifetime.enter_async_context(stacks.loaded(stack, stores, plan.seed))
        everybody = Run(port=stack.port, seconds=0, connections=CONNECTIONS, everybody=True)
        await checked(stack, everybody, stores)
        port = free_port()
        environment = {
            **stacks.tombola_environment(stores, port, DATABASE),
            "TOMBOLA_API__REQUESTS_PER_SECOND": "100000",
            "TOMBOLA_API__BURST": "100000",
        }
        log = stores.directory / "api.log"
        command = stacks.tombola_command("--role", "web")
        web = await lifetime.enter_async_context(running(command, core=SERVER_CORE, env=environment, log=log))
        await stacks.answering(port, web, log)
        choose = mixed(games, world.games[0].id, plan.seed)
        await Readers(port, token, choose).run(min(2.0, plan.seconds), reads)  # imports, pools, caches
        return await _compared(stores, plan, stack, web.pid, lambda: Readers(port, token, choose), taps, reads)


async def _compared(
    stores: Stores, plan: Plan, stack: Stack, web: int, readers: Callable[[], Readers], taps: float, reads: float
) -> list[Row]:
    alone, beside, found, costs, p50s = [], [], [], [], []
    failed, reading = 0, readers()
    run = plan.run(stack.port, rate=taps)
    for _ in range(plan.runs):
        alone.append((await checked(stack, run, stores)).latencies.get("p95", 0.0))
        reading, before = readers(), cpu_seconds(web)
        report, _ = await asyncio.gather(checked(stack, run, stores), reading.run(plan.seconds, reads))
        beside.append(report.latencies.get("p95", 0.0))
        costs.append((cpu_seconds(web) - before) / max(1, len(reading.latencies)) * 1e6)
        p50s.append(_quantile(reading.latencies, 0.5))
        found.append(_quantile(reading.latencies, 0.95))
        failed += sum(reading.statuses.values()) - reading.statuses["200"]
        say(
            f"  reads p50 {p50s[-1]:.1f}, p95 {found[-1]:.1f} ms, {costs[-1]:.0f} us of processor each;"
            f" taps p95 {alone[-1]:.1f} ms alone, {beside[-1]:.1f} ms beside; {dict(reading.statuses)}"
        )
    for kind, times in sorted(reading.by_kind.items()):
        say(f"    {kind}: p50 {median(times):.1f}, p95 {_quantile(times, 0.95):.1f} ms")
    return [
        row("api.read_p50_ms", "ms", p50s),
        row("api.read_p95_ms", "ms", found),
        row("api.read_cpu", "us", costs),
        row("api.reads_failed", "reads", [failed]),
        row("api.tap_p95_alone_ms", "ms", alone),
        row("api.tap_p95_beside_ms", "ms", beside),
        row("api.tap_p95_ratio", "x", [after / max(before, 1e-9) for before, after in zip(alone, beside, strict=True)]),
    ]


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[int(share * len(times))] if times else 0.0


async def _token(pool: Pool, redis: Redis) -> str:
    token, _ = await Tokens(ApiTokens(pool, redis), SystemClock()).issue(Role.OPERATOR)
    return token
