"""Cost of each fsync policy of Redis, and the losses that a kill causes under it.

python -m benchmarks.durability [--seconds 5] [--kills 5]

First come taps on an engine over the embedded Redis, 1 and 64 at a time, without and with `durability.strict`, in which
PostgreSQL confirms each commit. Then, for each policy, Redis is killed (SIGKILL) while taps are in flight, and
acknowledged taps are looked up after its restart. A power loss cannot be simulated here; see
docs/decisions/durability.md.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

from loguru import logger

from bot.clock import SystemClock, SystemEntropy
from bot.tasks import Tasks
from chaos import stores
from fsm.engine import Engine, GameStore, Unavailable
from fsm.kind import ChatTopic, Host
from fsm.lobby import Join, OpenGame
from fsm.pick_number import PickNumber, PickNumberRules
from fsm.registry import KINDS
from storage.codec import Codec
from storage.connections import postgres_pool, redis_client, redis_ready
from storage.games import RedisGames
from storage.migrate import upgrade
from storage.projector import Projector
from storage.strict_durability import StrictGames

OUT = Path(__file__).parent / "out" / "durability.json"
POLICIES = ("always", "everysec", "no")
GAMES = 64
DAY_MS = 86_400_000
RULES = PickNumberRules(numbers=100, max_players=2, lobby_ms=DAY_MS, join_ms=DAY_MS, selection_ms=DAY_MS)
CODEC = Codec(KINDS)


class Tapping:
    """Games in which two players move between numbers, and a record of the acknowledged taps."""

    def __init__(self, store: GameStore, run: str) -> None:
        self.acknowledged: dict[str, int] = {}
        self.latencies: list[float] = []
        self._engine = Engine(KINDS, store, SystemClock(), SystemEntropy())
        self._run = run
        self._ids = count()

    async def open(self, games: RedisGames, number: int) -> str:
        """Open a game that is ready for picks. Returns its id."""
        chat_topic = ChatTopic(-1 - number)
        game_id = await games.reserve_id(chat_topic, f"{self._run}:{number}")
        opening = OpenGame("pick_number", game_id, chat_topic, Host(1, "Ann"), "", RULES, 1000)
        await self._engine.execute(game_id, opening, command_id=f"open:{game_id}")
        for player in (1, 2):
            await self._engine.execute(game_id, Join(player, f"Player {player}"), command_id=f"join:{player}")
        return game_id

    async def tap(self, game_id: str, until: float) -> None:
        """Move player 1 from number to number, one tap after the other. Player 2 never picks."""
        while time.perf_counter() < until:
            began, number = time.perf_counter(), next(self._ids) % 99 + 1
            try:
                outcome = await self._engine.execute(
                    game_id, PickNumber(1, number), command_id=f"{self._run}:{next(self._ids)}"
                )
            except Unavailable:
                return
            self.latencies.append(time.perf_counter() - began)
            self.acknowledged[game_id] = outcome.version

    def figures(self, seconds: float) -> dict[str, float]:
        """Return the rate per second, and latencies in milliseconds."""
        found = sorted(self.latencies)
        return {
            "taps/s": round(len(found) / seconds),
            "p50 ms": round(found[len(found) // 2] * 1000, 2),
            "p99 ms": round(found[int(len(found) * 0.99)] * 1000, 2),
        }


async def measured(store: GameStore, games: RedisGames, run: str, at_once: int, seconds: float) -> dict[str, float]:
    """Measure taps for a number of seconds, with a fixed number of them in flight."""
    tapping = Tapping(store, run)
    ids = [await tapping.open(games, number) for number in range(at_once)]
    until = time.perf_counter() + seconds
    await asyncio.gather(*(tapping.tap(game_id, until) for game_id in ids))
    return tapping.figures(seconds)


async def killed(server: stores.Store, policy: str, run: str) -> tuple[int, int]:
    """Kill Redis amid taps. Returns the number of acknowledged taps, and of games that lost acknowledged ones."""
    async with redis_client(server.dsn) as client:
        await client.config_set("appendfsync", policy)
        games = RedisGames(client, CODEC, shards=4)
        tapping = Tapping(games, run)
        ids = [await tapping.open(games, number) for number in range(GAMES)]
        tasks = [asyncio.create_task(tapping.tap(game_id, time.perf_counter() + 60)) for game_id in ids]
        await asyncio.sleep(0.7)
        await server.kill()
        await asyncio.gather(*tasks)
        await server.start()
        await redis_ready(client)
        behind = 0
        for game_id, version in tapping.acknowledged.items():
            stored = await games.load(game_id)
            behind += stored is None or stored.version < version
        return len(tapping.latencies), behind


async def main() -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--kills", type=int, default=5)
    given = parser.parse_args()
    logger.remove()
    figures: dict[str, dict[str, float]] = {}
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="durability-")))
        directory.chmod(0o755)  # noqa: ASYNC240 -- runs once, before everything else
        postgres, server = await stores.both(directory)
        stack.push_async_callback(postgres.stop)
        stack.push_async_callback(server.stop)
        client = await stack.enter_async_context(redis_client(server.dsn))
        await upgrade(postgres.dsn)
        pool = await stack.enter_async_context(postgres_pool(postgres.dsn))
        games = RedisGames(client, CODEC, shards=4)
        tasks = Tasks(lambda name, error: logger.error("{} died: {}", name, error))
        strict = StrictGames(games, Projector(pool), CODEC, tasks.spawn)
        for policy in POLICIES:
            await client.config_set("appendfsync", policy)
            for at_once in (1, GAMES):
                name = f"{policy}, {at_once} at a time"
                figures[name] = await measured(games, games, name, at_once, given.seconds)
        await client.config_set("appendfsync", "always")
        for at_once in (1, GAMES):
            name = f"always and strict, {at_once} at a time"
            figures[name] = await measured(strict, games, name, at_once, given.seconds)
        for policy in POLICIES:
            rows = [await killed(server, policy, f"{policy} {number}") for number in range(given.kills)]
            figures[f"{policy}, {given.kills} kills"] = {
                "acknowledged": sum(row[0] for row in rows),
                "games behind": sum(row[1] for row in rows),
            }
    for name, row in figures.items():
        print(f"  {name:32}", "  ".join(f"{key} {value:>9}" for key, value in row.items()))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
