"""Load generator: a separate process that taps buttons over HTTP like Telegram's servers.

Telegram opens up to 100 connections to a webhook and sends one update at a time on each. Closed loop: each connection
sends its next tap when the last one is answered, which finds the highest rate. Open loop: taps are due at fixed times,
whether or not the server keeps up, and a latency counts from the time when a tap was due (no coordinated omission).

Commands arrive as JSON lines on standard input; each gets a JSON line as its answer.
"""

import asyncio
import re
import sys
import time
from array import array
from collections import deque
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import cast

import msgspec
import uvloop

from benchmarks.world import Asking, Spot, World

DONE = b"You have "
"""Beginning of every stack's toast for a committed pick."""
OK = b"HTTP/1.1 200"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
MOST_ASKING = 5000
TICK = 0.001
"""Interval of the open loop's check for due taps, in seconds."""
PATIENCE = 10.0
"""Seconds to wait for answers after the end of a run, before they count as missing."""


class Run(msgspec.Struct, kw_only=True):
    """Parameters of one run."""

    port: int
    seconds: float
    warm: float = 0.0
    """Seconds at the beginning that are not counted."""
    connections: int = 100
    rate: float = 0.0
    """Taps a second in an open loop; 0 selects the closed loop."""
    everybody: bool = False
    """Tap once for each player instead, without a time limit."""
    commands: bool = False
    """Send ordinary commands instead of taps. Any answer with status 200 then counts as done."""
    done_file: str = ""
    """File for the update ids of all taps (not commands) answered "done", 8 bytes each."""


class Report(msgspec.Struct, kw_only=True):
    """Result of one run. Latencies in milliseconds."""

    seconds: float
    counted: int
    """Taps answered "done" after the warm-up."""
    done: int
    """All taps answered "done"."""
    refused: int
    failed: int
    """Answers with another status than 200."""
    missing: int
    """Taps that were sent and never answered."""
    rate: float
    latencies: dict[str, float]
    example: str = ""
    """An answer that was not "done"."""


class Dealer:
    """Order of the taps: all players in a shuffled order, repeatedly, each moving between two numbers."""

    def __init__(self, world: World, seed: int, first_update: int) -> None:
        spots = [(game, player) for game in world.games for player in range(game.pickers)]
        Random(seed).shuffle(spots)
        self.players = len(spots)
        self._taps: list[Spot | Asking] = [Spot(*spot) for spot in spots]
        self._commands: list[Spot | Asking] = [Asking(*spot) for spot in spots[:MOST_ASKING]]
        self._at = 0
        self._update_id = first_update

    def next(self, *, command: bool = False) -> tuple[int, bytes]:
        """Return the next update's id and its request."""
        self._at += 1
        self._update_id += 1
        spots = self._commands if command else self._taps
        return self._update_id, spots[self._at % len(spots)].request(self._update_id)


class Counting:
    """Counters of a run."""

    def __init__(self, *, commands: bool) -> None:
        self._mark = OK if commands else DONE
        self.since = 0.0
        self.counted = self.done = self.refused = self.failed = 0
        self.latencies = array("d")
        self.done_ids = array("q")
        self.example = ""

    def answered(self, update_id: int, began: float, response: bytes) -> None:
        """Count one answer."""
        now = time.perf_counter()
        if self._mark in response:
            self.done += 1
            if self._mark is DONE:
                self.done_ids.append(update_id)
            if now >= self.since:
                self.counted += 1
                self.latencies.append(now - began)
            return
        if response[9:12] == b"200":
            self.refused += 1
        else:
            self.failed += 1
        self.example = self.example or response[-300:].decode(errors="replace")


class Connection(asyncio.Protocol):
    """A kept-alive connection with at most one request in flight."""

    def __init__(self, loading: "Loading") -> None:
        self._loading = loading
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._update_id = 0
        self._began = 0.0
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        # uvloop's transport lacks the base class but has every method
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up the request in flight: it stays unanswered."""
        del exc
        self._transport = None
        self._loading.lost(self)

    def send(self, update_id: int, request: bytes, began: float) -> None:
        """Send a request; its latency counts from ``began``."""
        assert self._transport is not None
        self._update_id, self._began, self.busy = update_id, began, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect a response, and send the next tap when it is complete."""
        self._buffer = self._buffer + data if self._buffer else data
        if not _is_whole(self._buffer):
            return
        response, self._buffer, self.busy = self._buffer, b"", False
        self._loading.counting.answered(self._update_id, self._began, response)
        self._loading.free(self)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()


def _is_whole(response: bytes) -> bool:
    head = response.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = LENGTH.search(response, 0, head)
    if length is not None:
        return len(response) >= head + 4 + int(length[1])
    return b"chunked" not in response[:head].lower() or response.endswith(b"0\r\n\r\n")


class Loading:
    """A run in progress."""

    def __init__(self, run: Run, dealer: Dealer) -> None:
        self._run = run
        self._dealer = dealer
        self._idle: list[Connection] = []
        self._due: deque[float] = deque()
        self._connections: list[Connection] = []
        self._left = dealer.players if run.everybody else -1
        self._ended = asyncio.Event()
        self._until = 0.0
        self.counting = Counting(commands=run.commands)

    async def measure(self) -> Report:
        """Connect, tap, wait for the last answers, disconnect."""
        loop = asyncio.get_running_loop()
        for _ in range(self._run.connections):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", self._run.port)
            self._connections.append(connection)
        begun = time.perf_counter()
        self.counting.since = begun + self._run.warm
        self._until = float("inf") if self._run.everybody else self.counting.since + self._run.seconds
        if self._run.rate:
            self._idle = list(self._connections)
            await self._send_when_due(begun)
        else:
            for connection in list(self._connections):
                self.free(connection)
        with_patience = PATIENCE + (3600 if self._run.everybody else max(0.0, self._until - time.perf_counter()))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), with_patience)
        seconds = min(time.perf_counter(), self._until) - self.counting.since
        missing = sum(connection.busy for connection in self._connections)
        for connection in self._connections:
            connection.close()
        return self._report(seconds, missing)

    def _next(self) -> tuple[int, bytes]:
        return self._dealer.next(command=self._run.commands)

    def free(self, connection: Connection) -> None:
        """Give an idle connection the next tap, or end the run."""
        now = time.perf_counter()
        if self._run.rate:
            # Overdue taps keep their due time, so that waiting for a free connection counts as latency.
            if self._due:
                connection.send(*self._next(), self._due.popleft())
                return
            self._idle.append(connection)
        elif now < self._until and self._left != 0:
            self._left -= 1
            connection.send(*self._next(), now)
            return
        if (now >= self._until or self._left == 0) and not any(other.busy for other in self._connections):
            self._ended.set()

    def lost(self, connection: Connection) -> None:
        """Remove a lost connection. The run ends with the last one."""
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._connections and not connection.busy:
            self._connections.remove(connection)
        if all(other.busy or other is connection for other in self._connections):
            self._until = min(self._until, time.perf_counter())
            self._ended.set()

    async def _send_when_due(self, begun: float) -> None:
        sent, random = 0, Random(self._run.rate)
        at = begun
        while (now := time.perf_counter()) < self._until:
            while at <= now:
                if self._idle:
                    self._idle.pop().send(*self._next(), at)
                else:
                    self._due.append(at)
                sent += 1
                # Independent arrivals: a fixed interval would hide queueing.
                at += random.expovariate(self._run.rate)
            await asyncio.sleep(TICK)

    def _report(self, seconds: float, missing: int) -> Report:
        counting = self.counting
        if self._run.done_file:
            Path(self._run.done_file).write_bytes(counting.done_ids.tobytes())
        return Report(
            seconds=seconds,
            counted=counting.counted,
            done=counting.done,
            refused=counting.refused,
            failed=counting.failed,
            missing=missing + len(self._due),
            rate=counting.counted / seconds if seconds > 0 else 0.0,
            latencies=percentiles(sorted(counting.latencies)),
            example=counting.example,
        )


def percentiles(ordered: list[float]) -> dict[str, float]:
    """Return percentiles in milliseconds of sorted seconds."""
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {
        name: ordered[round(last * part)] * 1000
        for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    }


async def serve(world: World, seed: int, first_update: int) -> None:
    """Answer commands until the input ends."""
    loop = asyncio.get_running_loop()
    dealer = Dealer(world, seed, first_update)
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        report = await Loading(msgspec.json.decode(line, type=Run), dealer).measure()
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    described = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=World)
    uvloop.run(serve(described, int(sys.argv[2]), int(sys.argv[3])))
