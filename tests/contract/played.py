"""Test environment for everything that follows the engine: real stores, a simulated clock, whole games."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from redis.asyncio import Redis

from fsm.engine import Engine
from fsm.kind import ChatTopic, Host
from fsm.lobby import MoveChat
from fsm.registry import KINDS
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Entry, Feed
from storage.games import RedisGames
from storage.projector import Projector
from tests.support.clock import TurnedClock
from tests.support.games import EngineGames

SHARDS = 4
CHAT = -1_001_234_567_500
HOST = Host(99, "Hostess")


class Counted:
    """Source of distinct seeds."""

    def __init__(self) -> None:
        self.next = count(1)

    def seed(self) -> str:
        return f"{next(self.next):064x}"


async def until(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 - what others do is looked at from outside
            await asyncio.sleep(0.002)


class Heard:
    """Handler that records its entries before it calls another handler."""

    def __init__(self, then: Callable[[Sequence[Entry]], Awaitable[object]] | None = None) -> None:
        self.entries: list[Entry] = []
        self.batches = 0
        self.then = then

    async def __call__(self, entries: Sequence[Entry]) -> None:
        if self.then is not None:
            await self.then(entries)
        self.entries += entries
        self.batches += 1


async def rows(redis: Redis, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return all entries of a stream."""
    found: Any = await redis.xrange(key)
    return list(found)


def feed_of(redis: Redis, shards: Sequence[str], group: str = "projector", owner: str = "me", **parts: Any) -> Feed:
    return Feed(redis, shards, group, owner=owner, **parts)


async def drain(feed: Feed, handle: Callable[[Sequence[Entry]], Awaitable[object]]) -> None:
    """Read until the feed is empty, and stop."""
    reading = asyncio.create_task(feed.run(handle))
    try:
        async with asyncio.timeout(60):
            while not feed.reading or (await feed.lag()).entries:
                assert not reading.done(), reading.exception()
                await asyncio.sleep(0.005)
    finally:
        reading.cancel()
        await asyncio.wait({reading})


@dataclass
class House(EngineGames):
    """Engine, live games and projector on real stores."""

    owner = HOST.id

    pool: Pool
    redis: Redis
    codec: Codec = field(default_factory=lambda: Codec(KINDS))
    clock: TurnedClock = field(default_factory=lambda: TurnedClock(round(time.time() * 1000)))
    entropy: Counted = field(default_factory=Counted)
    ids: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.games = RedisGames(self.redis, self.codec, shards=SHARDS)
        self.projector = Projector(self.pool)
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """Return an engine with nothing in memory, like that of another process."""
        return Engine(KINDS, self.games, self.clock, self.entropy)

    async def open(self, chat_id: int = CHAT, **rules: Any) -> str:
        chat_topic = ChatTopic(chat_id)
        game_id = await self.games.reserve_id(chat_topic, f"open:{next(self.ids)}")
        rules = {"prize_pool": Decimal("10.00"), "max_players": 10, **rules}
        await self.do(game_id, self.script.opening(game_id, chat_topic, HOST, "<b> & Söhne", max_live=1000, **rules))
        return game_id

    async def move(self, game_id: str, chat_id: int) -> None:
        await self.do(game_id, MoveChat(chat_id))

    async def project(self, **parts: Any) -> None:
        """Let the projector read the whole feed."""
        await drain(feed_of(self.redis, self.games.shards, **parts), self.projector.handle)

    async def project_for_ever(self, **parts: Any) -> None:
        """Let the projector read until cancelled."""
        await feed_of(self.redis, self.games.shards, **parts).run(self.projector.handle)
