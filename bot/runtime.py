"""What every role of a process is made of: made here, by hand, from the settings and the connections to the stores."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, cast

from loguru import logger
from redis.asyncio import Redis

from bot.clock import SystemClock
from bot.game_defaults import rates_of
from bot.observe.metrics import Metrics
from bot.settings import Settings
from bot.tasks import Tasks
from fsm.engine import Commit, Committed, Engine, Entropy, GameStore, Stored
from fsm.registry import KINDS
from handlers.boards import Boards
from handlers.kinds import extras
from play.texts import Texts
from storage.archive import Archive
from storage.breakers import Circuit, GuardedPool, GuardedStore
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Feed
from storage.games import RedisGames
from storage.leases import RELEASED, Bell, Lease
from storage.people import People
from storage.projector import Projector
from storage.questions import Questions
from storage.strict import StrictGames
from storage.wallets import Wallets
from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox
from telegram.sender import Clock

VITAL = frozenset({"projector", "boards", "sender", "deadlines", "poller", "siblings", "web server", "who am I"})
"""Tasks without which a process is of no use."""


class Breaker(Protocol):
    """Whatever has a circuit."""

    @property
    def state(self) -> str:
        """`closed` (all is well), `opened` or `half-opened`."""


class MeasuredStore:
    """A game store that observes how long commits take."""

    def __init__(self, store: GameStore, observe: Callable[[float], None]) -> None:
        self._store = store
        self._observe = observe

    async def load(self, game_id: str) -> Stored | None:
        """As of the store."""
        return await self._store.load(game_id)

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """As of the store."""
        began = time.perf_counter()
        try:
            return await self._store.commit(commits)
        finally:
            self._observe(time.perf_counter() - began)


class Runtime:
    """The parts that roles share. ``listening`` is the client for what waits: pub/sub and blocking reads."""

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        redis: Redis,
        listening: Redis,
        clock: Clock,
        entropy: Entropy,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.redis = redis
        self.listening = listening
        self.clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.failed = asyncio.Event()
        """Set when a task that must not end has ended."""
        self.metrics = metrics
        self.tasks = Tasks(self._task_died)
        self.codec = Codec(KINDS)
        self.games = RedisGames(
            redis,
            self.codec,
            shards=settings.redis.shards,
            keep_finished_ms=int(settings.games.keep_finished_seconds * 1000),
        )
        self.projector = Projector(pool)
        postgres_circuit, redis_circuit = Circuit("postgres"), Circuit("redis")
        reads = cast("Pool", GuardedPool(pool, postgres_circuit))
        store: GameStore = GuardedStore(MeasuredStore(self.games, self.metrics.commits.add), redis_circuit)
        if settings.durability.strict:
            spawn = partial(self.tasks.spawn, brief=True)
            store = StrictGames(store, self.projector, self.codec, spawn)
        self.engine = Engine(KINDS, store, clock, entropy, observe=self.metrics.command)
        self.texts = Texts()
        self.people = People(reads, redis)
        self.archive = Archive(reads, self.codec)
        self.questions = Questions(reads)
        self.wallets = Wallets(reads, redis)
        self.supplies = extras.supplies(self.questions, self.people, clock)
        telegram = settings.telegram
        self.api = BotApi(
            telegram.token.get_secret_value(), telegram.api_base, seconds=telegram.request_timeout_seconds
        )
        beacon = ("beacon",) if settings.games.draw.beacon_url else ()
        self.groups = ("projector", "boards", *extras.SHOWS, *beacon)
        """Who reads the feed."""
        self.breakers: dict[str, Breaker] = {"postgres": postgres_circuit, "redis": redis_circuit, "telegram": self.api}
        """Service -> what stands in front of it; a role adds those of the services that it alone calls."""
        turned = None if isinstance(clock, SystemClock) else clock.now
        self.limits = Limits(redis, rates_of(settings), turned)
        self.outbox = Outbox(redis, self.limits)
        self.released = Bell(listening, RELEASED)

    def boards(self, bot_username: str) -> Boards:
        """The living messages of the bot of that name."""
        return Boards(
            engine=self.engine,
            games=self.games,
            outbox=self.outbox,
            texts=self.texts,
            people=self.people,
            redis=self.redis,
            clock=self.clock,
            bot_username=bot_username,
        )

    def lease(self, name: str) -> Lease:
        """The right to do a job that only one process may do."""
        return Lease(self.redis, name, self.owner, released=self.released)

    def feed(
        self,
        group: str,
        *,
        renewed: Callable[[], Awaitable[object]] | None = None,
        begun: Callable[[], Awaitable[object]] | None = None,
    ) -> Feed:
        """A group of the feed's consumers, over all shards."""
        return Feed(
            self.listening,
            self.games.shards,
            group,
            owner=self.owner,
            released=self.released,
            renewed=renewed,
            begun=begun,
        )

    def _task_died(self, name: str, error: BaseException) -> None:
        self.metrics.errors[f"task {name.split(maxsplit=1)[0]}"] += 1
        if name in VITAL:
            logger.critical("{} ended: {}; the process stops, so that another can take over", name, error)
            self.failed.set()
