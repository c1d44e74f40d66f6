"""Waiting times of messages while a thousand games play within Telegram's limits, by kind of message.

python -m benchmarks.sending [--minutes 4] [--seed 7]

The real outbox and rates run on a real Redis with a simulated clock, as fast as they can; the sandbox's count of
Telegram's limits stands for Telegram. Prints the table of docs/decisions/sending.md.
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
from storage.keys import send_base
from telegram.limits import Limits, Priority
from telegram.outbox import Claimed, Nothing, Outbox, Outgoing

START = 1_800_000_000_000
GAMES = 1_000
HELD_UP, HELD_UP_MS = 0.01, 1_000
"""Share of calls that the network delays, and the longest delay."""
MEAN_S = {Priority.URGENT: 300, Priority.NORMAL: 60, Priority.COSMETIC: 10}
"""Mean seconds between two messages of one game: results, phase changes, edits that show progress."""


class Season:
    """Games in progress, their waiting messages, and Telegram's count."""

    def __init__(self, redis: Redis, seed: int) -> None:
        self.now = START
        self.random = Random(seed)
        self.limits = Limits(redis, now=lambda: self.now)
        self.outbox = Outbox(redis, self.limits)
        self.ids = itertools.count()
        self.due: list[tuple[int, int, Priority]] = []
        for game, priority in itertools.product(range(1, GAMES + 1), MEAN_S):
            self.plan(game, priority)
        self.arriving: list[tuple[int, int]] = []
        self.answers: list[tuple[int, int]] = []
        """Pairs of the time when a call is answered, and the time from which it counts."""
        self.waits: dict[Priority, list[int]] = defaultdict(list)
        self.refused: list[tuple[int, int]] = []
        self.arrival = 0
        self.telegram = TelegramLimits(lambda: self.arrival / 1000)

    def plan(self, game: int, priority: Priority) -> None:
        """Schedule the next message of a kind at a random time."""
        mean = MEAN_S[priority]
        heapq.heappush(self.due, (self.now + round(self.random.expovariate(1 / mean) * 1000), game, priority))

    async def put_due(self) -> None:
        """Put due messages into the outbox."""
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
        """Let calls arrive at Telegram, each after its network delay."""
        while self.arriving and self.arriving[0][0] <= until:
            self.arrival, chat = heapq.heappop(self.arriving)
            try:
                self.telegram.spend(chat, group=True)
            except ApiError:
                self.refused.append((self.arrival, chat))

    def call(self, claimed: Claimed) -> None:
        """Start a call. The network delays one call in a hundred."""
        arrival = self.now + self.random.randint(30, 130)
        if self.random.random() < HELD_UP:
            arrival += self.random.randint(0, HELD_UP_MS)
        heapq.heappush(self.arriving, (arrival, claimed.outgoing.chat_id))
        heapq.heappush(self.answers, (arrival + self.random.randint(30, 130), claimed.taken_at))

    async def hear(self) -> None:
        """Count the calls whose answers have arrived, from now on."""
        while self.answers and self.answers[0][0] <= self.now:
            await self.limits.answered(heapq.heappop(self.answers)[1])

    async def play(self, seconds: int) -> None:
        """Put and send messages for a number of seconds of the simulated clock."""
        end = START + seconds * 1000
        while self.now < end:
            await self.put_due()
            await self.hear()
            found = await self.outbox.claim(1)
            if isinstance(found, Claimed):
                chat = found.outgoing.chat_id
                self.call(found)
                self.waits[found.outgoing.priority].append(found.waited_ms)
                await self.outbox.settle(found, sent=None if found.message_id else -chat, shown=bool(found.message_id))
            elif isinstance(found, Nothing):
                soonest = min(at for at, *_ in (*self.due[:1], *self.answers[:1]))
                self.now = min(self.now + max(found.wait_ms or 1, 1), max(soonest, self.now + 1))
            self.arrive(self.now)
        self.arrive(self.now + 1_000)


async def measure(minutes: float, seed: int) -> Season:
    """Play a season on a fresh Redis."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        async with embedded_redis(Path(directory)) as dsn, redis_client(dsn) as redis:
            await redis.set(f"{send_base()}:fence", 1)
            season = Season(redis, seed)
            await season.play(round(60 * minutes))
            return season


def main() -> int:
    """Measure and print. Returns 1 if Telegram would have refused a call."""
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
    for priority in MEAN_S:
        waits = percentiles(sorted(wait / 1000 for wait in season.waits[priority]))
        print(
            f"| {priority.name.lower()} | {len(season.waits[priority]):,} |",
            " | ".join(f"{wait:,.0f}" for wait in waits.values()),
            "|",
        )
    return int(bool(season.refused))


if __name__ == "__main__":
    sys.exit(main())
