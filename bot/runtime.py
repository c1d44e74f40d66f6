"""The services that all roles share, wired by hand from settings and connections."""

import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from redis.asyncio import Redis

from bot.game_defaults import rates_of, rules_of
from bot.ingest.fair_queue import outside
from bot.observe.metrics import Metrics
from bot.settings import Settings
from bot.tasks import Tasks
from fsm.engine import Clock, Commit, Committed, Engine, Entropy, GameStore, Record, Stored
from fsm.pick_number import Beacon
from fsm.registry import KINDS
from handlers.app_links import AppLinks
from handlers.audience import slot_of
from handlers.boards import Boards
from handlers.kinds.registry import CONSUMERS, FACES
from handlers.moments import Moments
from handlers.own_boards import OwnBoards
from handlers.pictures import Pictures
from handlers.reminders import Reminders
from handlers.seasons import Seasons
from play.access import Access
from play.acting import Acting
from play.application import Application
from play.bans import Bans
from play.broadcasts import Broadcasts
from play.departures import Departures
from play.flags import Flags
from play.guarded_http import AddressGuard, GuardedHttp
from play.hosts import Hosts
from play.incoming_webhooks import SEEN_MS, IncomingWebhooks
from play.jobs import JobDesk
from play.member_checks import MemberChecks
from play.members import Members
from play.next_games import NextGames
from play.occurrences import Occurrences
from play.opening import Configured, Openings
from play.pack_imports import PackImports
from play.privacy import Privacy
from play.proofs import Proofs
from play.public_chats import PublicChats
from play.recurring import RecurringDesk
from play.sessions import Sessions
from play.templates import GameTemplates
from play.texts import Texts
from play.tokens import Tokens
from play.webhooks import WebhookDesk
from storage import keys
from storage.achievements import Achievements
from storage.administrators import Administrators
from storage.api_requests import ApiRequests
from storage.api_tokens import ApiTokens
from storage.app_sessions import AppSessions
from storage.archive import Archive
from storage.audit import Audit
from storage.breakers import Breaker, Circuit, GuardedPool, GuardedStore
from storage.broadcast_chats import BroadcastChats
from storage.chat_members import ChatMembers
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Check, Feed, Handle
from storage.figures import Figures
from storage.flags import FlagSettings
from storage.games import RedisGames
from storage.jobs import Jobs
from storage.leases import RELEASED, Bell, Lease, ring
from storage.own_boards import OwnBoardIndex
from storage.people import People
from storage.personal_data import PersonalData
from storage.pins import Pins
from storage.processes import Processes
from storage.projector import Projector
from storage.public_log import PublicLog
from storage.query_cache import QueryCache, announce
from storage.questions import Questions
from storage.rebuild import put_back, restore_missing
from storage.recurring import RecurringGames
from storage.secret_box import SecretBox
from storage.seeds import Seeds
from storage.seen_calls import SeenCalls
from storage.set_aside import SetAside
from storage.stores import Stores
from storage.strict_durability import StrictGames
from storage.subscriptions import Subscriptions
from storage.templates import Templates
from storage.unpublished import Unpublished
from storage.wallets import Wallets
from storage.webhooks import Webhooks
from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox
from telegram.telegram import Telegram

if TYPE_CHECKING:
    import asyncio

    from bot.observe.tracing import Tracing


ALL_ROLES = frozenset({"ingress", "worker", "scheduler", "web"})


class MeasuredStore:
    """A game store that measures the duration of commits."""

    def __init__(self, store: GameStore, observe: Callable[[float], None]) -> None:
        self._store = store
        self._observe = observe

    async def load(self, game_id: str) -> Stored | None:
        """Load a game. Not measured, because the engine keeps games in memory."""
        return await self._store.load(game_id)

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records after a known state. Not measured either."""
        return await self._store.records_since(game_id, known)

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Commit a flight and report its duration in seconds, also if it fails."""
        began = time.perf_counter()
        try:
            return await self._store.commit(commits)
        finally:
            self._observe(time.perf_counter() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """The services that all roles of a process share, grouped by package.

    Attributes:
        settings: all settings.
        metrics: counters of this process.
        tasks: owner of the tasks of this process.
        stores: repositories and connections.
        telegram: the Bot API and its queue.
        play: the application layer.
        pictures: draws pictures, one at a time.
        owner: name of this process in leases and consumer groups.
        groups: consumer groups that read the feed.
        breakers: service -> its circuit breaker. A role adds the breakers of services that only it calls.
        released: wakes the waiters of a lease when it is released.
        aside: work that the loops of this process failed to handle.
        tracing: makes the spans of this process; None without a collector.
    """

    settings: Settings
    metrics: Metrics
    tasks: Tasks
    stores: Stores
    telegram: Telegram
    play: Application
    pictures: Pictures
    owner: str
    groups: tuple[str, ...]
    breakers: dict[str, Breaker]
    released: Bell
    aside: SetAside
    tracing: "Tracing | None" = None

    def boards(self, bot_username: str) -> Boards:
        """Return the living messages of the bot with this name."""
        return Boards(
            engine=self.play.engine,
            games=self.stores.games,
            outbox=self.telegram.outbox,
            texts=self.play.texts,
            people=self.stores.people,
            administrators=Administrators(self.stores.redis),
            clock=self.play.clock,
            bot_username=bot_username,
            app=AppLinks(link, self.settings.app.url) if (link := self.settings.app.link(bot_username)) else None,
            aside=self.aside,
        )

    def reminders(self) -> Reminders:
        """Return the reminders of late players."""
        return Reminders(
            engine=self.play.engine,
            games=self.stores.games,
            outbox=self.telegram.outbox,
            texts=self.play.texts,
            people=self.stores.people,
            clock=self.play.clock,
        )

    def member_checks(self) -> MemberChecks:
        """Return the checks of the players of running games."""
        play = self.play
        return MemberChecks(
            engine=play.engine, members=play.members, departures=play.departures, clock=play.clock, aside=self.aside
        )

    def moments(self, reminders: Reminders, bot_username: str) -> Moments:
        """Return the messages that games have beside their boards."""
        texts, people, outbox = self.play.texts, self.stores.people, self.telegram.outbox
        return Moments(
            engine=self.play.engine,
            outbox=outbox,
            texts=texts,
            people=people,
            pins=Pins(self.stores.redis),
            own_boards=OwnBoards(OwnBoardIndex(self.stores.redis), outbox, texts, people),
            reminders=reminders,
            pictures=self.pictures,
            achievements=self.stores.achievements,
            clock=self.play.clock,
            bot_username=bot_username,
        )

    def seasons(self) -> Seasons:
        """Return the ends of seasons."""
        return Seasons(
            jobs=self.stores.jobs,
            figures=self.stores.figures,
            people=self.stores.people,
            outbox=self.telegram.outbox,
            texts=self.play.texts,
            clock=self.play.clock,
        )

    def lease(self, name: str) -> Lease:
        """Return the lease for a job that only one process may do."""
        return Lease(self.stores.redis, name, self.owner, released=self.released)

    def handling(self, group: str, handle: Handle) -> Handle:
        """Return a handler of the feed, with spans if this process is traced."""
        return handle if self.tracing is None else self.tracing.handling(group, handle)

    def feed(
        self,
        group: str,
        *,
        renewed: Callable[[], Awaitable[object]] | None = None,
        begun: Callable[[], Awaitable[object]] | None = None,
        check: Check | None = None,
        caught_up: Callable[[], Awaitable[object]] | None = None,
    ) -> Feed:
        """Return the reader of the feed for a consumer group, over all shards."""
        return Feed(
            self.stores.listening,
            self.stores.games.shards,
            group,
            owner=self.owner,
            released=self.released,
            renewed=renewed,
            begun=begun,
            check=check,
            caught_up=caught_up,
        )


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of a process to the stores.

    Attributes:
        pool: connections to PostgreSQL.
        redis: the client for commands that are answered at once.
        listening: the client for commands that wait.
    """

    pool: Pool
    redis: Redis
    listening: Redis


def build(
    settings: Settings,
    connections: Connections,
    clock: Clock,
    entropy: Entropy,
    metrics: Metrics,
    beacon: Beacon | None,
    tracing: "Tracing | None",
) -> Runtime:
    """Wire the services of a process from its settings and connections."""
    pool, redis, listening = connections.pool, connections.redis, connections.listening
    tasks = Tasks(partial(_count_death, metrics))
    postgres_circuit, redis_circuit = Circuit("postgres"), Circuit("redis")
    guarded = cast("Pool", GuardedPool(pool, postgres_circuit))
    aside = SetAside(partial(_count_error, metrics))
    stores = _stores(settings, pool, guarded, redis, listening, clock)
    stores.projector.on_published = stores.jobs.ring
    if settings.bridge.url.get_secret_value():
        stores.projector.on_unpublished = partial(ring, redis, keys.EVENTS_UNPUBLISHED)
    stores.projector.on_figures = partial(announce, redis)
    games: GameStore = GuardedStore(MeasuredStore(stores.games, metrics.commits.add), redis_circuit)
    if settings.durability.strict:
        through = (pool, listening, stores.codec, stores.games.through(listening))
        games = strict = StrictGames(
            games,
            stores.projector,
            stores.codec,
            partial(tasks.spawn, brief=True),
            put_back=partial(put_back, *through),
            restore_missing=partial(restore_missing, *through),
        )
        stores.projector.on_rewind = strict.forget
    telegram = _telegram(settings, redis, clock)
    engine = (Engine if tracing is None else tracing.engine)(
        KINDS,
        games,
        clock,
        entropy,
        strict=settings.durability.strict,
        observe=metrics.command,
        record=stores.audit.command,
    )
    play = _play(settings, stores, telegram, engine, beacon, clock)
    return Runtime(
        settings=settings,
        metrics=metrics,
        tasks=tasks,
        stores=stores,
        telegram=telegram,
        play=play,
        pictures=Pictures(play.texts),
        owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}",
        groups=("projector", "boards", *CONSUMERS, *(("beacon",) if settings.games.draw.beacon_url else ())),
        breakers={"postgres": postgres_circuit, "redis": redis_circuit, "telegram": telegram.api},
        released=Bell(listening, RELEASED),
        aside=aside,
        tracing=tracing,
    )


def _stores(settings: Settings, pool: Pool, guarded: Pool, redis: Redis, listening: Redis, clock: Clock) -> Stores:
    """Wire the repositories. Reads for people go through ``guarded``, which fails fast while PostgreSQL is away."""
    codec, cache = Codec(KINDS), QueryCache(listening) if settings.api.cache else None
    return Stores(
        pool=pool,
        redis=redis,
        listening=listening,
        codec=codec,
        games=RedisGames(
            redis,
            codec,
            shards=settings.redis.shards,
            keep_finished_ms=int(settings.games.keep_finished_seconds * 1000),
        ),
        projector=Projector(pool),
        people=People(guarded, redis, clock.now),
        archive=Archive(guarded, codec, cache),
        figures=Figures(guarded, cache),
        achievements=Achievements(guarded),
        questions=Questions(guarded),
        seeds=Seeds(guarded),
        log=PublicLog(pool, codec),
        wallets=Wallets(guarded, redis),
        templates=Templates(guarded),
        recurring=RecurringGames(guarded),
        subscriptions=Subscriptions(guarded),
        jobs=Jobs(pool, redis),
        broadcast_chats=BroadcastChats(pool, redis),
        audit=Audit(guarded, clock),
        unpublished=Unpublished(pool),
        webhooks=Webhooks(pool, SecretBox(settings.web.opening_keys)),
        api_tokens=ApiTokens(guarded, listening, settings.api.token_key.get_secret_value().encode()),
        flags=FlagSettings(guarded, listening),
        api_requests=ApiRequests(redis),
        processes=Processes(redis),
    )


def _play(
    settings: Settings, stores: Stores, telegram: Telegram, engine: Engine, beacon: Beacon | None, clock: Clock
) -> Application:
    hosts = Hosts(telegram.api, Administrators(stores.redis))
    members = Members(telegram.api, ChatMembers(stores.redis), outside)
    operators = frozenset(settings.telegram.operators)
    access = Access(people=stores.people, hosts=hosts, members=members, operators=operators, now=clock.now)
    flags = Flags(stores.flags, access, Path(settings.flags.file) if settings.flags.file else None)
    openings = Openings(
        engine=engine,
        games=stores.games,
        people=stores.people,
        access=access,
        content={
            name: face.content(stores.questions, stores.people, stores.seeds, clock)
            for name, face in FACES.items()
            if face.content is not None
        },
        flags=flags,
        configured=Configured(
            rules=rules_of(settings, beacon),
            max_live=settings.games.max_live_per_chat,
            host_joins=settings.games.host_joins,
        ),
    )
    tokens = Tokens(stores.api_tokens, clock)
    texts, http = Texts(), GuardedHttp(AddressGuard(settings.web.networks))
    next_games = NextGames(
        stored=stores.subscriptions,
        engine=engine,
        people=stores.people,
        access=access,
        members=members,
        outbox=telegram.outbox,
        texts=texts,
        clock=clock,
        slot_of=slot_of,
    )
    return Application(
        engine=engine,
        clock=clock,
        texts=texts,
        hosts=hosts,
        members=members,
        access=access,
        flags=flags,
        openings=openings,
        templates=GameTemplates(stores.templates, access),
        recurring=RecurringDesk(
            stored=stores.recurring,
            templates=stores.templates,
            openings=openings,
            people=stores.people,
            access=access,
            jobs=stores.jobs,
            clock=clock,
            default_zone=settings.games.time_zone,
        ),
        occurrences=Occurrences(
            stored=stores.recurring,
            templates=stores.templates,
            openings=openings,
            games=stores.games,
            engine=engine,
            archive=stores.archive,
            people=stores.people,
            access=access,
            members=members,
            outbox=telegram.outbox,
            jobs=stores.jobs,
            texts=texts,
            clock=clock,
            default_zone=settings.games.time_zone,
        ),
        next_games=next_games,
        jobs=JobDesk(stores.jobs, access),
        http=http,
        webhooks=WebhookDesk(webhooks=stores.webhooks, jobs=stores.jobs, access=access, http=http, clock=clock),
        incoming=IncomingWebhooks(
            webhooks=stores.webhooks,
            seen=SeenCalls(stores.redis, ttl_ms=SEEN_MS),
            engine=engine,
            openings=openings,
            flags=flags,
            access=access,
            clock=clock,
        ),
        imports=PackImports(
            jobs=stores.jobs, questions=stores.questions, http=http, outbox=telegram.outbox, texts=texts, clock=clock
        ),
        broadcasts=Broadcasts(
            jobs=stores.jobs,
            chats=stores.broadcast_chats,
            people=stores.people,
            outbox=telegram.outbox,
            access=access,
            texts=texts,
            clock=clock,
        ),
        acting=Acting(access=access, requests=stores.api_requests, archive=stores.archive),
        bans=Bans(engine=engine, access=access, people=stores.people, games=stores.games, archive=stores.archive),
        privacy=Privacy(
            personal_data=PersonalData(stores.pool, stores.redis),
            jobs=stores.jobs,
            engine=engine,
            outbox=telegram.outbox,
            texts=texts,
            clock=clock,
            policy_url=settings.privacy.policy_url,
        ),
        departures=Departures(
            engine=engine,
            games=stores.games,
            archive=stores.archive,
            people=stores.people,
            members=members,
            next_games=next_games,
        ),
        proofs=Proofs(
            engine=engine,
            archive=stores.archive,
            log=stores.log,
            clock=clock,
            provers={name: face.prove for name, face in FACES.items() if face.prove is not None},
        ),
        public=PublicChats(stores.people, tokens.key, settings.app.url),
        tokens=tokens,
        sessions=Sessions(
            AppSessions(stores.redis),
            stores.people,
            clock,
            settings.telegram.token.get_secret_value(),
            operators,
        ),
        beacon=beacon,
    )


def _telegram(settings: Settings, redis: Redis, clock: Clock) -> Telegram:
    telegram = settings.telegram
    # Not Redis's own time, which follows its machine's clock: an entry ten minutes in the future would block all
    # sending.
    limits = Limits(redis, rates_of(settings), clock.now)
    return Telegram(
        api=BotApi(telegram.token.get_secret_value(), telegram.api_base, seconds=telegram.request_timeout_seconds),
        limits=limits,
        outbox=Outbox(redis, limits),
    )


def _count_error(metrics: Metrics, loop: str) -> None:
    metrics.errors[loop] += 1


def _count_death(metrics: Metrics, name: str, _error: BaseException) -> None:
    metrics.errors[f"task {name.split(maxsplit=1)[0]}"] += 1
