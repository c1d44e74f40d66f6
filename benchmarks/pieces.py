"""Costs of the pieces of a tap, each beside the code that it replaced, as ratios within one process.

python -m benchmarks.pieces [--rounds 7]

Prints the table of docs/decisions/hot-path.md.
"""

import argparse
import asyncio
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from aiogram.types import Update
from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as ClientHistogram
from redis.connection import HiredisRespSerializer, PythonRespSerializer

from benchmarks.world import SHARDS, Spot, open_games, planned
from bot.clock import SystemClock, SystemEntropy
from bot.ingest.dispatcher import peek
from bot.observe.metrics import Histogram
from fsm.engine import Commit, Engine, Outcome, Record
from fsm.kind import Game, changed
from fsm.pick_number import KIND, NumberPicked
from fsm.registry import KINDS
from play.texts import Texts
from storage.codec import Codec
from storage.connections import packed, redis_client
from storage.embedded import embedded_redis
from storage.games import RedisGames

Piece = tuple[str, Callable[[], object], str, Callable[[], object]]
"""Name and call of our code, name and call of the code that it replaced."""
GAMES = 50
"""Games in a flight under full load."""
SECONDS = 0.05
"""Duration of one round of one piece."""


def pieces(state: Game) -> list[Piece]:
    """Return all pieces that need no store."""
    raw = Spot(planned("many-small", games=1).games[0], 3).request(1_000_000).partition(b"\r\n\r\n")[2]
    texts, entropy, ours = Texts(), SystemEntropy(), Histogram()
    theirs = ClientHistogram("taps", "Taps.", registry=CollectorRegistry())
    command = ("EVALSHA", "0" * 40, 9, *("tombola:{00}:game:00abcdefghijkl",) * 9, *(b"x" * 90,) * 33)
    in_python: Any = PythonRespSerializer(1 << 16, lambda part: part if isinstance(part, bytes) else str(part).encode())
    around: Any = HiredisRespSerializer()
    anything = msgspec.json.Decoder().decode
    return [
        ("a tap's fields, decoded by type", lambda: peek(raw, 0, lambda _: True),
         "the update as dictionaries", lambda: anything(raw)),
        ("the same", lambda: peek(raw, 0, lambda _: True),
         "aiogram's models", lambda: Update.model_validate(anything(raw))),
        ("a state by `changed`", lambda: changed(state, title="a", deadline=1),
         "`dataclasses.replace`", lambda: replace(state, title="a", deadline=1)),
        ("a command of three games, packed by hiredis", lambda: packed(*command),
         "by redis-py around hiredis", lambda: around.pack(*command)),
        ("the same", lambda: packed(*command),
         "by redis-py in Python", lambda: in_python.pack(*command)),
        ("a seed out of a hundred", entropy.seed,
         "a seed from the system", lambda: secrets.token_hex(32)),
        ("our histogram", lambda: ours.add(0.01),
         "the client library's", lambda: theirs.observe(0.01)),
        ("a toast, remembered", lambda: texts.plain("en", "tap-picked", number=7),
         "a text, formatted", lambda: texts.html("en", "tap-picked", number=7)),
    ]  # fmt: skip


def taken(work: Callable[[], object]) -> float:
    """Return the processor time of a call in microseconds."""
    calls, began = 0, time.process_time()
    while (used := time.process_time() - began) < SECONDS:
        for _ in range(50):
            work()
        calls += 50
    return used / calls * 1e6


async def flown(rounds: int) -> tuple[Game, list[tuple[str, str, list[float], list[float]]]]:
    """Measure a game's commit in microseconds, in a full flight and alone. Also returns the state of a game."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tombola-")))
        redis = await stack.enter_async_context(
            redis_client(await stack.enter_async_context(embedded_redis(directory)))
        )
        games = RedisGames(redis, Codec(KINDS), shards=SHARDS)
        engine = Engine(KINDS, games, SystemClock(), SystemEntropy())
        opened = [await engine.look(state.id) for state in await open_games(engine, planned("many-small", games=GAMES))]
        await engine.close()
        together, alone = list[float](), list[float]()
        for number in range(rounds):
            together.append(await _timed(games.commit(_commits(opened, 2 * number))))
            commits = _commits(opened, 2 * number + 1)
            alone.append(await _timed(asyncio.gather(*(games.commit([commit]) for commit in commits))))
        return opened[0].state, [("a commit on a flight of fifty", "fifty commits, each by itself", together, alone)]


def _commits(opened: Sequence[Outcome], number: int) -> list[Commit]:
    record = Record(f"tg:{number}", number, (NumberPicked(1, number % 40),))
    return [
        Commit(game.state.id, KIND, game.version + number, game.version + number + 1, game.state, (record,), {})
        for game in opened
    ]


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) / GAMES * 1e6


def main() -> None:
    """Measure the pieces alternately and print medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pieces", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    logger.remove()
    state, rows = asyncio.run(flown(rounds))
    for ours, do, other, instead in pieces(state):
        pairs = [(taken(do), taken(instead)) for _ in range(rounds)]
        rows.append((ours, other, [pair[0] for pair in pairs], [pair[1] for pair in pairs]))
    print("| kept | µs | instead of | µs | times |\n| --- | --: | --- | --: | --: |")
    for ours, other, mine, theirs in rows:
        ratio = statistics.median(there / here for here, there in zip(mine, theirs, strict=True))
        print(f"| {ours} | {statistics.median(mine):.1f} | {other} | {statistics.median(theirs):.1f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
