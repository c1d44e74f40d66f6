"""Speed of the projector, and its lag under a steady feed.

python -m benchmarks.projector [--events 60000] [--games 1000] [--rate 14000] [--batch 20]

Real embedded stores with production durability. First the projector reads a backlog at full speed; the processor time
is that of this process alone. Then another process writes entries at `--rate` events a second for some seconds. The lag
of an entry is the time from its arrival in the stream to the commit in PostgreSQL.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from random import Random

from loguru import logger
from redis.asyncio import Redis

from fsm.engine import Record
from fsm.kind import ChatTopic, Event, Host
from fsm.lobby import PlayerJoined
from fsm.pick_number import KIND, GameOpened, NumberPicked, PickNumberRules, SelectionOpened
from fsm.registry import KINDS
from storage import keys
from storage.codec import Codec
from storage.connections import postgres_pool, redis_client
from storage.embedded import embedded_postgres, embedded_redis, tied_to_this_process
from storage.feed import Entry, Feed
from storage.migrate import upgrade
from storage.projector import Projector

SHARDS = [keys.shard_name(index) for index in range(8)]
PLAYERS = 10
CODEC = Codec(KINDS)
SECONDS = 8.0
PAUSE_SECONDS = 3.0
"""Pause after all games are opened at once, which is not part of the measurement."""


def entry(game_id: str, first: int, events: Sequence[tuple[str, Event]], phase: str) -> dict[str, str | int | bytes]:
    """Return the feed entry of one commit, in which each event comes from its own command."""
    now = round(time.time() * 1000)
    records = [Record(command_id, now, (event,)) for command_id, event in events]
    return {"g": game_id, "v": first - 1, "k": KIND.name, "p": phase, "d": now + 60_000,
            "r": CODEC.encode_records(KIND, records)}  # fmt: skip


class Tapping:
    """Games in which players pick number after number, as feed entries."""

    def __init__(self, games: int, seed: int) -> None:
        random = Random(seed)
        self.random = random
        self.versions = {SHARDS[n % len(SHARDS)] + f"{random.getrandbits(60):012x}"[:12]: 0 for n in range(games)}
        self.ids = list(self.versions)
        self.taps = 0

    def opened(self) -> list[dict[str, str | int | bytes]]:
        """Return the entries that bring all games to the selection of numbers."""
        found = []
        for index, game_id in enumerate(self.ids):
            now = round(time.time() * 1000)
            opened = GameOpened(
                game_id, ChatTopic(-index - 1), Host(1, "Host"), "A game", PickNumberRules(prize_pool=Decimal(100)), now
            )
            joined = [PlayerJoined(index * PLAYERS + n + 1, f"Player {n}", now) for n in range(PLAYERS)]
            events = [opened, *joined, SelectionOpened(100, "0" * 64, "0" * 64, now + 60_000)]
            found.append(entry(game_id, 1, [(f"tg:{index}:{n}", e) for n, e in enumerate(events)], "number_selection"))
            self.versions[game_id] = len(events)
        return found

    def tapped(self, batch: int) -> dict[str, str | int | bytes]:
        """Return one commit with a number of taps in one game."""
        game_id = self.random.choice(self.ids)
        events = []
        for _ in range(batch):
            self.taps += 1
            events.append((f"tg:{100_000_000 + self.taps}", NumberPicked(self.taps % 5000, self.taps % 1000)))
        found = entry(game_id, self.versions[game_id] + 1, events, "number_selection")
        self.versions[game_id] += batch
        return found


async def put(redis: Redis, entries: Sequence[dict[str, str | int | bytes]]) -> None:
    """Add entries to their streams."""
    async with redis.pipeline(transaction=False) as pipe:
        for fields in entries:
            pipe.xadd(keys.feed_key(str(fields["g"])[:2]), fields)  # type: ignore[arg-type]
        await pipe.execute()


async def write_steadily(dsn: str, rate: int, games: int, batch: int, seed: int) -> None:
    """Open games, then add taps at a rate for some seconds. Runs in the other process."""
    tapping = Tapping(games, seed)
    async with redis_client(dsn) as redis:
        await put(redis, tapping.opened())
        await asyncio.sleep(PAUSE_SECONDS)
        begun, written = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < SECONDS:
            due = int(passed * rate) - written
            if due >= batch:
                await put(redis, [tapping.tapped(batch) for _ in range(due // batch)])
                written += due // batch * batch
            await asyncio.sleep(0.005)


async def read_backlog(feed: Feed, projector: Projector, events: int) -> tuple[float, float]:
    """Return events a second by the clock, and by this process's processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    reading = asyncio.create_task(feed.run(projector.handle))
    while projector.events < events:  # noqa: ASYNC110 - watched from outside, as it is
        await asyncio.sleep(0.01)
    taken = time.perf_counter() - wall, time.process_time() - cpu
    await stopped(reading)
    return events / taken[0], events / taken[1]


async def read_steadily(feed: Feed, projector: Projector, command: Sequence[str]) -> list[float]:
    """Return the sorted lags of all taps, in milliseconds."""
    lags: list[float] = []

    async def handle(entries: Sequence[Entry]) -> None:
        await projector.handle(entries)
        now = time.time() * 1000
        lags.extend(now - int(entry.id.partition("-")[0]) for entry in entries if entry.first_version > 1)

    reading = asyncio.create_task(feed.run(handle))
    writer = await asyncio.create_subprocess_exec(*tied_to_this_process(), *command)
    await writer.wait()
    while (await feed.lag()).entries:  # noqa: ASYNC110 - Redis is asked
        await asyncio.sleep(0.01)
    await stopped(reading)
    return sorted(lags)


async def stopped(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def measure(events: int, games: int, rates: Mapping[str, int], batch: int) -> dict[str, float]:
    """Return all figures. ``rates`` maps the suffix of a row's name to events a second."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        Path(directory).chmod(0o755)  # noqa: ASYNC240 - nothing runs yet
        async with (
            embedded_postgres(Path(directory)) as postgres,
            embedded_redis(Path(directory)) as redis_dsn,
            redis_client(redis_dsn) as redis,
        ):
            await upgrade(postgres)
            async with postgres_pool(postgres) as pool:
                projector = Projector(pool)
                feed = Feed(redis, SHARDS, "projector", owner="benchmark")
                tapping = Tapping(games, seed=1)
                await put(redis, tapping.opened())
                for _ in range(events // batch // 100):
                    await put(redis, [tapping.tapped(batch) for _ in range(100)])
                total = sum(tapping.versions.values())
                by_wall, by_cpu = await read_backlog(feed, projector, total)
                found: dict[str, float] = {
                    "projector.backlog_events_per_second": round(by_wall),
                    "projector.backlog_events_per_cpu_second": round(by_cpu),
                }
                for seed, (ending, rate) in enumerate(rates.items(), 2):
                    command = [sys.executable, "-m", "benchmarks.projector", "--write-to", redis_dsn,
                               "--rate", str(rate), "--games", str(games), "--batch", str(batch),
                               "--seed", str(seed)]  # fmt: skip
                    found |= summed_up(await read_steadily(feed, projector, command), ending, rate)
                stored = await pool.fetchval("SELECT count(*) FROM game_events")
    if stored != projector.events:
        raise SystemExit(f"{projector.events} events were projected, {stored} are stored")
    return found


def summed_up(lags: Sequence[float], ending: str, rate: int) -> dict[str, float]:
    """Return the rows of sorted lags."""
    return {
        f"projector.steady{ending}_events_per_second": rate,
        f"projector.lag{ending}_p50_ms": round(lags[len(lags) // 2], 1),
        f"projector.lag{ending}_p95_ms": round(lags[int(len(lags) * 0.95)], 1),
        f"projector.lag{ending}_max_ms": round(lags[-1], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=60_000, help="taps in the backlog")
    parser.add_argument("--games", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=14_000, help="events a second in the steady part")
    parser.add_argument("--batch", type=int, default=1, help="taps in one commit")
    parser.add_argument("--seed", type=int, default=2, help="seed of the games in the steady part")
    parser.add_argument("--write-to", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    logger.remove()
    if given.write_to:
        asyncio.run(write_steadily(given.write_to, given.rate, given.games, given.batch, given.seed))
        return
    print(json.dumps(asyncio.run(measure(given.events, given.games, {"": given.rate}, given.batch)), indent=2))


if __name__ == "__main__":
    main()
