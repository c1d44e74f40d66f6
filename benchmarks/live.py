"""Live updates: the time from a commit to many clients, and the memory of clients that only wait."""

import asyncio
import re
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from redis.asyncio import Redis

from benchmarks import stacks
from benchmarks.machine import SERVER_CORE, cpu_seconds, free_port, resident_bytes, running
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stores
from benchmarks.world import SHARDS, TapGame, World, open_games, planned
from bot.clock import SystemClock, SystemEntropy
from fsm.engine import Engine
from fsm.pick_number import PickNumber
from fsm.registry import KINDS
from play.access import Role
from play.tokens import Tokens
from storage.api_tokens import ApiTokens
from storage.codec import Codec
from storage.connections import postgres_pool
from storage.games import RedisGames

DATABASE = 10
CLIENTS, A_SECOND = 400, 20
IDLE = 5000
GAMES = 20
AT_ONCE = 100
"""Clients that connect at the same time."""
LONG_SECONDS = 120.0
VERSION = re.compile(rb'"version":(\d+),"name"')
"""The version of an event. A busy server puts several events into one message."""
NO_LIMITS = {
    "TOMBOLA_API__REQUESTS_PER_SECOND": "100000",
    "TOMBOLA_API__BURST": "100000",
    "TOMBOLA_LIVE__MAX_CONNECTIONS_PER_TOKEN": "10000",
}


class Client(asyncio.Protocol):
    """A WebSocket with as little work of its own as possible: it shares its core with the stores.

    Args:
        request: the request that opens it.
        subscribe: the first message.
        got: called with the version of each event.
    """

    def __init__(self, request: bytes, subscribe: bytes, got: Callable[[int], None]) -> None:
        self._request = request
        self._subscribe = subscribe
        self._got = got
        self._buffer = bytearray()
        self._upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the snapshot and the cursor have come."""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail if the connection was not ready yet."""
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionError(f"closed: {bytes(self._buffer)[:300]!r}"))

    def data_received(self, data: bytes) -> None:
        """Take the complete frames."""
        buffer = self._buffer
        buffer += data
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0 or not buffer.startswith(b"HTTP/1.1 101"):
                return
            del buffer[: end + 4]
            self._upgraded = True
            assert self.transport is not None
            self.transport.write(_masked(self._subscribe))
        while len(buffer) >= 2:
            start, length = 2, buffer[1] & 127
            if length == 126:
                start, length = 4, int.from_bytes(buffer[2:4], "big")
            elif length == 127:
                start, length = 10, int.from_bytes(buffer[2:10], "big")
            if len(buffer) < start + length:
                return
            self._take(buffer[0] & 15, bytes(buffer[start : start + length]))
            del buffer[: start + length]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9 and self.transport is not None:
            self.transport.write(b"\x8a" + bytes([128 | len(payload)]) + bytes(4) + payload)
        for found in VERSION.finditer(payload):
            self._got(int(found[1]))
        if not self.ready.done() and not payload.startswith(b'{"cursor":null'):
            self.ready.set_result(None)


def _masked(payload: bytes) -> bytes:
    """Return a text frame of a client, with a mask of zeros."""
    length = len(payload)
    head = bytes([128 | length]) if length < 126 else b"\xfe" + struct.pack("!H", length)
    return b"\x81" + head + bytes(4) + payload


class Server:
    """A process with the role web, and the means to let things happen in its games."""

    def __init__(self, port: int, pid: int, token: str, engine: Engine, world: World) -> None:
        self.port = port
        self.pid = pid
        self.engine = engine
        self.world = world
        self._token = token
        self._loop = asyncio.get_running_loop()

    async def connect(self, games: Sequence[str], count: int, got: Callable[[int], None]) -> list[Client]:
        """Connect clients, each of which watches one of the games."""
        request = (
            f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n"
        ).encode()
        clients: list[Client] = []
        for number in range(0, count, AT_ONCE):
            names = [games[each % len(games)] for each in range(number, min(number + AT_ONCE, count))]
            new = await asyncio.gather(*(self._client(request, game_id, got) for game_id in names))
            async with asyncio.timeout(LONG_SECONDS):
                await asyncio.gather(*(each.ready for each in new))
            clients += new
        return clients

    async def _client(self, request: bytes, game_id: str, got: Callable[[int], None]) -> Client:
        subscribe = msgspec.json.encode({"type": "subscribe", "games": [game_id]})
        _, client = await self._loop.create_connection(lambda: Client(request, subscribe, got), "127.0.0.1", self.port)
        return client


@asynccontextmanager
async def served(stores: Stores) -> AsyncIterator[Server]:
    """Start a process with the role web, and open games."""
    async with AsyncExitStack() as stack:
        await stores.made(DATABASE)
        port, world = free_port(), planned("many-small", games=GAMES)
        environment: Mapping[str, str] = {**stacks.tombola_environment(stores, port, DATABASE), **NO_LIMITS}
        command, log = stacks.tombola_command("--role", "web"), stores.directory / "live.log"
        process = await stack.enter_async_context(running(command, core=SERVER_CORE, env=environment, log=log))
        await stacks.answering(port, process, log)
        pool = await stack.enter_async_context(
            postgres_pool(stores.postgres_database(DATABASE), pool_min=1, pool_max=2)
        )
        redis = await stack.enter_async_context(Redis.from_url(stores.database(DATABASE)))
        token, _ = await Tokens(ApiTokens(pool, redis), SystemClock()).issue(Role.VIEWER)
        games = RedisGames(redis, Codec(KINDS), shards=SHARDS)
        engine = Engine(KINDS, games, SystemClock(), SystemEntropy())
        await open_games(engine, world)
        stack.push_async_callback(redis.flushdb)
        stack.push_async_callback(engine.close)
        yield Server(port, process.pid, token, engine, world)


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the latency of events, and the memory of idle clients, with one server process on one core."""
    clients, idle = (40, 200) if plan.games else (CLIENTS, IDLE)
    async with served(stores) as server:
        latencies = [await _latency(server, clients, plan.seconds, run) for run in range(plan.runs)]
        each, settled = await _memory(server, idle)
    say(f"  p95 of {clients} clients: {[f'{p95:.0f}' for _, p95, _ in latencies]} ms; {each:.1f} KB for an idle one")
    return [
        row("live.p50_ms", "ms", [p50 for p50, _, _ in latencies]),
        row("live.p95_ms", "ms", [p95 for _, p95, _ in latencies]),
        row("live.cpu_us", "µs", [cpu for _, _, cpu in latencies]),
        row("live.idle_kb", "KB", [each]),
        row("live.idle_cpu_percent", "%", [settled]),
    ]


async def _latency(server: Server, clients: int, seconds: float, run: int) -> tuple[float, float, float]:
    """Return p50 and p95 from a commit to each client in ms, and the server's processor time for a message in µs."""
    game: TapGame = server.world.games[run % len(server.world.games)]
    committed: dict[int, float] = {}
    received: list[tuple[int, float]] = []

    def got(version: int) -> None:
        received.append((version, time.perf_counter()))

    connected = await server.connect([game.id], clients, got)
    count = max(10, int(seconds * A_SECOND))
    spent, began = cpu_seconds(server.pid), time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
        turn, player = divmod(number, game.pickers)
        command = PickNumber(game.first_player + player, 2 * player + 1 + turn % 2)
        outcome = await server.engine.execute(game.id, command, command_id=f"bench:{run}:{number}")
        committed[outcome.version] = time.perf_counter()
    wanted = clients * len(committed)
    async with asyncio.timeout(LONG_SECONDS):
        while len(received) < wanted:  # noqa: ASYNC110 -- the clients only count
            await asyncio.sleep(0.01)
    spent = cpu_seconds(server.pid) - spent
    for client in connected:
        if client.transport is not None:
            client.transport.abort()
    delays = sorted(max(0.0, at - committed[version]) * 1000 for version, at in received)
    return delays[len(delays) // 2], delays[len(delays) * 95 // 100], 1e6 * spent / wanted


async def _memory(server: Server, count: int) -> tuple[float, float]:
    """Return the server's memory for an idle client in KB, and its processor time with all of them in percent."""
    games = [game.id for game in server.world.games]
    before = resident_bytes(server.pid)
    clients = await server.connect(games, count, lambda _: None)
    spent, began = cpu_seconds(server.pid), time.perf_counter()
    await asyncio.sleep(5)
    share = 100 * (cpu_seconds(server.pid) - spent) / (time.perf_counter() - began)
    each = (resident_bytes(server.pid) - before) / count / 1024
    for client in clients:
        if client.transport is not None:
            client.transport.abort()
    return each, share
