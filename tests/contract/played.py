"""Test environment for everything that follows the engine: real stores, a simulated clock, whole games."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from redis.asyncio import Redis

from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Command, Host
from fsm.lobby import Cancel, DeadlinePassed, Join, MoveChat, OpenGame, StartNow
from fsm.pick_number import PickNumber, PickNumberRules
from fsm.registry import KINDS
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Entry, Feed
from storage.games import RedisGames
from storage.projector import Projector
from tests.support.clock import TurnedClock

SHARDS = 4
CHAT = -100500
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
class House:
    """Engine, live games and projector on real stores."""

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

    async def do(self, game_id: str, command: Command, command_id: str = "") -> Outcome:
        return await self.engine.execute(game_id, command, command_id=command_id or f"tg:{next(self.ids)}")

    async def open(self, chat_id: int = CHAT, **rules: Any) -> str:
        chat_topic = ChatTopic(chat_id)
        game_id = await self.games.reserve_id(chat_topic, f"open:{next(self.ids)}")
        given = PickNumberRules(**{"prize_pool": Decimal("10.00"), "max_players": 10, **rules})
        await self.do(game_id, OpenGame("pick_number", game_id, chat_topic, HOST, "<b> & Söhne", given, max_live=1000))
        return game_id

    async def begun(self, players: Sequence[int] = (1, 2, 3), chat_id: int = CHAT, **rules: Any) -> str:
        """Open a game and bring it to the selection of numbers. Returns its id."""
        game_id = await self.open(chat_id, **rules)
        for player in players:
            await self.do(game_id, Join(player, f"Player {player}"))
        await self.do(game_id, StartNow(HOST.id))
        return game_id

    async def finish(self, game_id: str, players: Sequence[int] = (1, 2, 3)) -> Outcome:
        """Pick numbers and let all deadlines pass."""
        for number, player in enumerate(players, 1):
            await self.do(game_id, PickNumber(player, number))
        outcome = await self.engine.look(game_id)
        while (deadline := outcome.state.deadline) is not None:
            self.clock.at = max(self.clock.at, deadline)
            outcome = await self.do(game_id, DeadlinePassed(deadline))
        assert outcome.state.phase == "completed"
        return outcome

    async def whole(self, players: Sequence[int] = (1, 2, 3), chat_id: int = CHAT, **rules: Any) -> str:
        game_id = await self.begun(players, chat_id, **rules)
        await self.finish(game_id, players)
        return game_id

    async def cancel(self, game_id: str) -> None:
        await self.do(game_id, Cancel(HOST.id, "host"))

    async def move(self, game_id: str, chat_id: int) -> None:
        await self.do(game_id, MoveChat(chat_id))

    async def project(self, **parts: Any) -> None:
        """Let the projector read the whole feed."""
        await drain(feed_of(self.redis, self.games.shards, **parts), self.projector.handle)

    async def project_for_ever(self, **parts: Any) -> None:
        """Let the projector read until cancelled."""
        await feed_of(self.redis, self.games.shards, **parts).run(self.projector.handle)
