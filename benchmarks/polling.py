"""Latency of polled taps, from the moment when Telegram has a tap until the bot has answered it.

A small Bot API server hands out due updates, at most a hundred for each request, and takes the answers. Taps are due at
fixed times, whether or not the bot keeps up.
"""

import asyncio
import re
import time
from collections import deque
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Any, cast

import msgspec

from benchmarks import stacks
from benchmarks.load import percentiles
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stores
from benchmarks.telegram import LENGTH, RESULTS
from benchmarks.world import Spot, World, planned

DATABASE = 10
RATE = 300.0
"""Taps a second. The round trips of long polling set the limit, not the processor."""
BATCH = 100
HOLD_SECONDS = 20.0
PATIENCE_SECONDS = 10.0
"""Seconds to wait for answers after the last tap."""
QUERY = re.compile(rb'"callback_query_id": ?"(\d+)"')


class Polled:
    """A Bot API server whose updates are polled."""

    def __init__(self, world: World, seed: int) -> None:
        spots = [Spot(game, player) for game in world.games for player in range(game.pickers)]
        Random(seed).shuffle(spots)
        self._spots = spots
        self._next_id = 1
        self._pending: deque[tuple[int, bytes]] = deque()
        self._due: dict[int, float] = {}
        self._more, self._answer = asyncio.Event(), asyncio.Event()
        self.latencies: list[float] = []
        self.warm = True

    def come_due(self, due: float) -> None:
        """Queue one more tap."""
        update_id, self._next_id = self._next_id, self._next_id + 1
        raw = self._spots[update_id % len(self._spots)].request(update_id).partition(b"\r\n\r\n")[2]
        self._pending.append((update_id, raw))
        self._due[update_id * 4096] = due
        self._more.set()

    async def updates(self, offset: int) -> bytes:
        """Wait for updates from an id on, and return them."""
        while self._pending and self._pending[0][0] < offset:
            self._pending.popleft()
        if not self._pending:
            self._more.clear()
            try:
                await asyncio.wait_for(self._more.wait(), HOLD_SECONDS)
            except TimeoutError:
                return b'{"ok":true,"result":[]}'
        found = [raw for _, raw in list(self._pending)[:BATCH]]
        return b'{"ok":true,"result":[' + b",".join(found) + b"]}"

    def answered(self, query_id: int) -> None:
        """Record the answer to a tap."""
        self._answer.set()
        due = self._due.pop(query_id, None)
        if due is not None and not self.warm:
            self.latencies.append(time.perf_counter() - due)

    async def all_answered(self) -> None:
        """Wait a limited time for the last answers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._due:
                    self._answer.clear()
                    await self._answer.wait()

    @property
    def unanswered(self) -> int:
        """Return the number of taps without an answer."""
        return len(self._due)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length is not None else b""
                method = head.split(b" ", 2)[1].rpartition(b"/")[2].decode().lower()
                reply = await self._reply(method, body)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(reply)
                )
                writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _reply(self, method: str, body: bytes) -> bytes:
        if method == "getupdates":
            return await self.updates(msgspec.json.decode(body).get("offset", 0))
        if method == "answercallbackquery" and (found := QUERY.search(body)):
            self.answered(int(found[1]))
        result: Any = RESULTS.get(method, True)
        return msgspec.json.encode({"ok": True, "result": result})


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the latency of taps that a real bot process polls."""
    world = planned("many-small", games=100)
    telegram = Polled(world, plan.seed)
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(telegram.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        port = cast("int", server.sockets[0].getsockname()[1])
        ours = Stores(stores.directory, stores.postgres, stores.redis, f"http://127.0.0.1:{port}")
        polling = {"TOMBOLA_TELEGRAM__MODE": "polling"}
        bot = await stack.enter_async_context(stacks.tombola(ours, world, DATABASE, name="polling", more=polling))
        stack.push_async_callback(bot.redis.flushdb)
        await stacks.ready(bot.port)
        await _come_due(telegram, len(world.games) * world.players / RATE)
        telegram.warm = False
        await _come_due(telegram, max(2.0, plan.seconds * plan.few()))
        await telegram.all_answered()
    found = percentiles(sorted(telegram.latencies))
    say(f"  polled at {RATE:.0f}/s: " + ", ".join(f"{name} {value:.1f} ms" for name, value in found.items()))
    rows = [row(f"polling.{name}_ms", "ms", [found[name]]) for name in ("p50", "p95", "p99")]
    return [*rows, row("polling.unanswered", "taps", [telegram.unanswered])]


async def _come_due(telegram: Polled, seconds: float) -> None:
    began, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - began) < seconds:
        while sent < passed * RATE:
            telegram.come_due(began + sent / RATE)
            sent += 1
        await asyncio.sleep(0.001)
