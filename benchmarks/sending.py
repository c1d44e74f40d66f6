"""How long messages wait while a thousand games go on within Telegram's limits: a table by kind of message.

    python -m benchmarks.sending [--minutes 4] [--seed 7]

The real outbox and rates on a real Redis, on a clock that is turned as fast as it goes; Telegram's side is the
sandbox's own count of its limits. The table of docs/decisions/sending.md is printed by this.
"""

import argparse
import asyncio
import heapq
import itertools
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from random import Random

from loguru import logger
from redis.asyncio import Redis

from benchmarks.load import percentiles
from sandbox.errors import ApiError
from sandbox.limits import Limits as TelegramLimits
from storage.connections import redis_client
from storage.embedded import embedded_redis
from storage.limits import BASE, Limits, Priority
from storage.outbox import Claimed, Nothing, Outbox, Outgoing

START = 1_800_000_000_000
GAMES = 1_000
PROGRESS_S, PHASE_S, RESULT_S = 10, 60, 300
"""Mean seconds between two of the same of one game."""


class Season:
    """Games that go on, what waits for them, and what Telegram counted."""

    def __init__(self, redis: Redis, seed: int) -> None:
        self.now = START
        self.random = Random(seed)
        self.outbox = Outbox(redis, Limits(redis, now=lambda: self.now))
        self.ids = itertools.count()
        self.due: list[tuple[int, int, Priority]] = []
        for game, priority in itertools.product(range(1, GAMES + 1), Priority):
            self.plan(game, priority)
        self.arriving: list[tuple[int, int]] = []
        self.waits: dict[Priority, list[int]] = defaultdict(list)
        self.refused: list[tuple[int, int]] = []
        self.arrival = 0
        self.telegram = TelegramLimits(lambda: self.arrival / 1000)

    def plan(self, game: int, priority: Priority) -> None:
        """Let the next message of a kind be due, by chance."""
        mean = (RESULT_S, PHASE_S, PROGRESS_S)[priority]
        heapq.heappush(self.due, (self.now + round(self.random.expovariate(1 / mean) * 1000), game, priority))

    async def put_due(self) -> None:
        """Put what is due into the outbox."""
        puts = []
        while self.due and self.due[0][0] <= self.now:
            _, game, priority = heapq.heappop(self.due)
            n = next(self.ids)
            puts.append(
                Outgoing(
                    id=f"{n}", chat_id=-game, method="sendMessage", params={"text": f"{n}"}, priority=priority,
                    slot=f"board:{game}",
                )
            )  # fmt: skip
            self.plan(game, priority)
        await self.outbox.put_many(puts)

    def arrive(self, until: int) -> None:
        """Let calls arrive at Telegram, as late as the network makes each."""
        while self.arriving and self.arriving[0][0] <= until:
            self.arrival, chat = heapq.heappop(self.arriving)
            try:
                self.telegram.spend(chat, group=True)
            except ApiError:
                self.refused.append((self.arrival, chat))

    async def play(self, seconds: int) -> None:
        """Put and send for so long, by the turned clock."""
        end = START + seconds * 1000
        while self.now < end:
            await self.put_due()
            found = await self.outbox.claim(1)
            if isinstance(found, Claimed):
                chat = found.outgoing.chat_id
                heapq.heappush(self.arriving, (self.now + self.random.randint(30, 130), chat))
                self.waits[found.outgoing.priority].append(found.waited_ms)
                await self.outbox.settle(found, sent=None if found.message_id else -chat, shown=bool(found.message_id))
            elif isinstance(found, Nothing):
                self.now = min(self.now + max(found.wait_ms or 1, 1), max(self.due[0][0], self.now + 1))
            self.arrive(self.now)
        self.arrive(self.now + 1_000)


async def measure(minutes: float, seed: int) -> Season:
    """A season on a Redis of its own."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        async with embedded_redis(Path(directory)) as dsn, redis_client(dsn) as redis:
            await redis.set(f"{BASE}:fence", 1)
            season = Season(redis, seed)
            await season.play(round(60 * minutes))
            return season


def main() -> int:
    """Measure and print. Returns 1 where Telegram would have refused something."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sending", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    logger.remove()
    season = asyncio.run(measure(given.minutes, given.seed))
    sent = sum(map(len, season.waits.values()))
    print(f"{next(season.ids):,} puts, {sent / given.minutes / 60:.1f} sends a second, {len(season.refused)} refused\n")
    print("| priority | sent | p50 ms | p95 ms | p99 ms | longest ms |\n| --- | --- | --- | --- | --- | --- |")
    for priority in Priority:
        waits = percentiles(sorted(wait / 1000 for wait in season.waits[priority]))
        print(
            f"| {priority.name.lower()} | {len(season.waits[priority]):,} |",
            " | ".join(f"{wait:,.0f}" for wait in waits.values()),
            "|",
        )
    return int(bool(season.refused))


if __name__ == "__main__":
    sys.exit(main())
