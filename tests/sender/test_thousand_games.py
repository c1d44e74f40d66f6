"""A thousand games at once on the turned clock, against the sandbox's own count of Telegram's limits."""

import heapq
import itertools
from collections import defaultdict
from random import Random

from redis.asyncio import Redis

from sandbox.errors import ApiError
from sandbox.limits import Limits as TelegramLimits
from storage.limits import BASE, Limits, Priority
from storage.outbox import Claimed, Nothing, Outbox, Outgoing
from tests.sender.telegram import START

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
        mean = (RESULT_S, PHASE_S, PROGRESS_S)[priority]
        heapq.heappush(self.due, (self.now + round(self.random.expovariate(1 / mean) * 1000), game, priority))

    async def put_due(self) -> None:
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


async def test_a_thousand_games_cause_no_429_and_results_come_at_once(redis: Redis) -> None:
    await redis.set(f"{BASE}:fence", 1)
    season = Season(redis, seed=7)
    await season.play(15)

    sent = sum(map(len, season.waits.values()))
    assert season.refused == []
    assert sent > 15 * 24
    assert max(season.waits[Priority.URGENT]) < 6_000
    assert season.waits[Priority.COSMETIC]
