"""Cost of traces: the processor time of a committed pick without them, with a collector, and with one that is away.

python -m benchmarks.traced [--rounds 300] [--ratio 0.01] [--collector URL]

Two servers under the same load differ by ten percent on a shared machine, since their flights differ. Here all engines
live in one process, take the same picks, fifty at a time, in an order that changes with each round, and keep them in
memory, since a wait for Redis ends whenever the machine has a moment. The cost is the time of the loop's thread and of
the thread that sends the spans. A second engine without traces, `again`, shows the error of the measurement.
``--collector`` is the address of a running collector; default: a receiver that this command starts.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from statistics import median

import uvloop
from loguru import logger

from benchmarks.machine import SERVER_CORE, free_port, pin
from benchmarks.plan import say
from benchmarks.world import World, open_games, planned
from bot.clock import SystemClock, SystemEntropy
from bot.observe.span_exporter import THREAD
from bot.observe.tracing import Tracing
from fsm.engine import Commit, CommitResult, Engine, Outcome, Stored
from fsm.pick_number import PickNumber
from fsm.registry import KINDS

AWAY = "http://127.0.0.1:9"
"""Address at which nothing listens."""
CASES = {"without traces": "", "again": "", "a collector": "given", "a collector that is away": AWAY}
GAMES = 50
"""Games, each of which gets one pick of each batch."""
BATCHES = 20
"""Batches in a round."""
WARM = 5
"""Rounds that do not count."""
TAP = 70.0
"""Processor time of a whole tap in microseconds, from HTTP to HTTP; the engine is a part of it."""


class _Receiver(BaseHTTPRequestHandler):
    """A collector that takes each export and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _receive(port: int) -> None:
    HTTPServer(("127.0.0.1", port), _Receiver).serve_forever()


class _Batch:
    """The promise to all askers of a batch."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.over = asyncio.Event()

    def done(self) -> bool:
        """Say that somebody waits."""
        return False

    def set_result(self, _: Outcome, /) -> None:
        """Count an answer."""
        self._left -= 1
        if not self._left:
            self.over.set()

    def set_exception(self, exception: Exception, /) -> None:
        """Fail the benchmark: every pick of it is legal."""
        raise SystemExit(f"a pick was refused: {exception!r}")


class _InMemory:
    """A store that takes each commit. The engines keep the games."""

    async def load(self, _: str) -> None:
        """Know no game."""

    async def records_since(self, _: str, __: Stored) -> None:
        """Know no game."""

    async def commit(self, commits: Sequence[Commit]) -> list[CommitResult]:
        """Take a flight."""
        return [CommitResult.COMMITTED] * len(commits)


class _Contestant:
    """An engine and the costs of its picks in each round."""

    def __init__(self, name: str, engine: Engine, world: World, sender: threading.Thread | None) -> None:
        self.name, self.engine, self._world = name, engine, world
        self.costs: list[float] = []
        self._clock = time.pthread_getcpuclockid(sender.ident) if sender is not None and sender.ident else None
        self._begun, self._sent = 0, 0.0

    def sending(self) -> float:
        """Return the processor time of the thread that sends, in seconds."""
        return time.clock_gettime(self._clock) if self._clock is not None else 0.0

    def restart(self) -> None:
        """Forget the warm-up."""
        self.costs.clear()
        self._sent = self.sending()

    def sent(self) -> float:
        """Return the cost of sending for each pick, in microseconds."""
        return (self.sending() - self._sent) / max(1, len(self.costs) * BATCHES * GAMES) * 1e6

    async def round(self) -> None:
        """Execute all batches of a round."""
        began = time.thread_time()
        for _ in range(BATCHES):
            batch = _Batch(GAMES)
            self._begun += 1
            for number, game in enumerate(self._world.games):
                player = self._begun % game.pickers
                pick = 2 * player + 1 + self._begun // game.pickers % 2
                self.engine.submit(
                    game.id,
                    PickNumber(game.first_player + player, pick),
                    command_id=f"tg:{10_000_000 + self._begun * GAMES + number}",
                    received=None,
                    asker=batch,
                )
            await batch.over.wait()
        self.costs.append((time.thread_time() - began) / (BATCHES * GAMES) * 1e6)


async def compare(rounds: int, ratio: float, collector: str) -> list[tuple[str, list[float], float]]:
    """Return name, costs by round, and cost of sending, in microseconds; first of all without traces."""
    async with AsyncExitStack() as life:
        pin(SERVER_CORE)
        contestants: list[tuple[_Contestant, threading.Thread | None]] = []
        for name, endpoint in CASES.items():
            games, sender = _InMemory(), None
            if endpoint := collector if endpoint == "given" else endpoint:
                tracing = Tracing(endpoint, ratio, {"service.name": "tombola"})
                life.callback(tracing.close)
                (sender,) = {each for each in threading.enumerate() if each.name == THREAD} - {
                    each for *_, each in contestants
                }
                engine = tracing.engine(KINDS, games, SystemClock(), SystemEntropy())
            else:
                engine = Engine(KINDS, games, SystemClock(), SystemEntropy())
            life.push_async_callback(engine.close)
            world = planned("many-small", games=GAMES)
            await open_games(engine, world)
            contestants.append((_Contestant(name, engine, world, sender), sender))
        everybody = [contestant for contestant, _ in contestants]
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        order = Random(1)
        for number in range(WARM + rounds):
            if number == WARM:
                for each in everybody:
                    each.restart()
            for each in order.sample(everybody, len(everybody)):
                await each.round()
            if number % 50 == 0:
                say(f"  {number}: " + ", ".join(f"{each.costs[-1]:.1f} us" for each in everybody))
        return [(each.name, each.costs, each.sent()) for each in everybody]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the interval that holds the median of a distribution with 95 % confidence, from a sample of it."""
    ordered = sorted(values)
    out = max(0, int(len(ordered) / 2 - 0.98 * len(ordered) ** 0.5))
    return ordered[out], ordered[-1 - out]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.traced", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300, help="number of rounds, each of a thousand picks an engine")
    parser.add_argument("--ratio", type=float, default=0.01, help="share of the commands that are traced")
    parser.add_argument("--collector", default="", help="address of a collector (default: one that only receives)")
    given = parser.parse_args()
    logger.remove()
    port = free_port()
    receiver = multiprocessing.get_context("spawn").Process(target=_receive, args=(port,), daemon=True)
    receiver.start()
    try:
        rows = uvloop.run(compare(given.rounds, given.ratio, given.collector or f"http://127.0.0.1:{port}"))
    finally:
        receiver.terminate()
    base = rows[0][1]
    print("| commit of a pick | us | added | with 95 % | of it by the sending thread | of a whole tap |")
    print("| --- | --: | --: | --: | --: | --: |")
    for name, costs, sent in rows:
        added = [cost + sent - other for cost, other in zip(costs, base, strict=True)]
        low, high = interval(added)
        print(
            f"| {name} | {median(costs) + sent:.1f} | {median(added):.2f} | {low:.2f} to {high:.2f} | {sent:.2f} "
            f"| {median(added) / TAP:.1%} |"
        )
    print(
        f"\n{given.rounds} rounds of {GAMES * BATCHES} picks for each engine, ratio {given.ratio:g}, "
        f"load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
