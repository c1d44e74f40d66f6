"""The composition root: everything is made and wired here, by hand, and nowhere else.

A process has one or more roles: ``ingress`` takes updates, ``worker`` carries the feed to PostgreSQL and to the chats
and sends, ``scheduler`` fires deadlines, ``web`` serves pages. All processes serve health and metrics.
"""

import asyncio
import contextlib
import hashlib
import importlib
import os
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import stamina
from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import web
from bot.bot_api import ApiError, BotApi, RetryAfter, ServerDown, Unauthorized
from bot.clock import SystemClock, SystemEntropy
from bot.deadlines import Deadlines
from bot.doors import Doors, SlowDoor
from bot.exports import export
from bot.health import Check, Health
from bot.logs import TRACE, watch_loop
from bot.metrics import Metrics, registry
from bot.polling import Poller
from bot.sender import SENDER_LEASE, Clock, Outcome, Sender, Settled
from bot.settings import Settings, SettingsError
from bot.tasks import Tasks
from bot.webhook import set_webhook
from fsm.engine import Commit, CommitResult, Engine, Entropy, GameStore, Stored
from fsm.pick_number import Beacon, PickNumberRules
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from handlers.boards import Boards
from handlers.carrying import Carrier
from handlers.floods import Floods
from handlers.hosts import Hosts
from handlers.kinds import extras
from handlers.stage import Stage
from handlers.taps import Taps
from handlers.texts import Texts
from storage import migrate
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import POSTGRES_GONE, REDIS_GONE, Pool, postgres_pool, redis_client, redis_ready
from storage.embedded import stores
from storage.feed import Feed
from storage.games import RedisGames
from storage.leases import RELEASED, Bell, Lease, jitter
from storage.limits import Limits, Rates, Window
from storage.outbox import BELL, Outbox, Outgoing
from storage.people import People
from storage.polls import Polls
from storage.projector import Projector
from storage.questions import Questions
from storage.rebuild import rebuild
from storage.retention import prune
from storage.strict import StrictGames

LOCALES = Path(__file__).parent.parent / "locales"
LISTENERS = 64
"""Connections of the pool for what waits: pub/sub and blocking reads."""
ALL_ROLES = frozenset({"ingress", "worker", "scheduler", "web"})
SETTLE_SECONDS = 1.5
"""How long what is in hand may take when the process stops, and then once more what is being committed."""
POSTGRES_SECONDS = 5.0
"""How long a start waits for PostgreSQL before it goes on without."""
TELEGRAM_SECONDS = 60.0
"""How long a first start waits for Telegram, to learn who the bot is."""
ME_SECONDS = 30 * 86_400
AGAIN_SECONDS = 1.0
PRUNE_SECONDS = 86_400
PRUNE_AGAIN_SECONDS = 600
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError, RedisError)
"""What rebuilding and pruning raise while a store is away."""
VITAL = frozenset({"projector", "boards", "sender", "deadlines", "poller", "web server", "who am I"})
"""Tasks without which a process is of no use."""


class MeasuredStore:
    """A game store that observes how long commits take."""

    def __init__(self, store: GameStore, observe: Callable[[float], None]) -> None:
        self._store = store
        self._observe = observe

    async def load(self, game_id: str) -> Stored | None:
        """As of the store."""
        return await self._store.load(game_id)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[CommitResult | Exception]:
        """As of the store."""
        began = time.perf_counter()
        try:
            return await self._store.commit(commits)
        finally:
            self._observe(time.perf_counter() - began)


@dataclass(kw_only=True)
class Process:
    """What runs, for whoever started it."""

    port: int
    bot_username: str
    engine: Engine
    deadlines: Deadlines
    games: RedisGames
    pool: Pool
    redis: Redis
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a task that must not end has ended."""


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    roles: frozenset[str] = ALL_ROLES,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> AsyncIterator[Process]:
    """Run a process until the end of the block; then stop in order, so that nothing in hand is lost.

    Raises ``SettingsError`` where the configuration turns out to be wrong only now (a refused token, a taken port).
    """
    database, cache = settings.database, settings.redis
    async with contextlib.AsyncExitStack() as stack:
        dsns = await stack.enter_async_context(
            stores(settings.data_dir, database.dsn.get_secret_value(), cache.dsn.get_secret_value())
        )
        up = await _migrated(dsns[0], POSTGRES_SECONDS)
        pool = await stack.enter_async_context(
            postgres_pool(
                dsns[0],
                pool_min=database.pool_min if up else 0,  # none: it opens without a server
                pool_max=database.pool_max,
                connect_timeout_seconds=database.connect_timeout_seconds,
                command_timeout_seconds=database.command_timeout_seconds,
                statement_timeout_seconds=database.statement_timeout_seconds,
            )
        )
        redis = await stack.enter_async_context(
            redis_client(dsns[1], pool_size=cache.pool_size, timeout_seconds=cache.timeout_seconds)
        )
        listening = await stack.enter_async_context(
            redis_client(dsns[1], pool_size=LISTENERS, timeout_seconds=cache.timeout_seconds, client_name="listening")
        )
        try:
            await redis_ready(redis)
        except REDIS_GONE as error:
            raise SettingsError(f"redis.dsn: no answer from there ({type(error).__name__})") from None
        house = House(settings, roles, pool, redis, listening, clock or SystemClock(), entropy or SystemEntropy())
        house.postgres_dsn = "" if up else dsns[0]
        process = await stack.enter_async_context(house.open())
        yield process


async def _migrated(dsn: str, within: float) -> bool:
    """Bring the schema up to date. False where PostgreSQL is away: games go on without it, and it is tried again."""
    try:
        await asyncio.wait_for(migrate.upgrade(dsn), within)
    except migrate.SchemaTooNewError as error:
        raise SettingsError(f"database.dsn: {error}") from None
    except POSTGRES_GONE as problem:  # TimeoutError is one of them
        logger.warning("starting without PostgreSQL: {}", type(problem).__name__)
        return False
    return True


class House:
    """Makes the parts of one process and starts those that its roles need."""

    def __init__(
        self,
        settings: Settings,
        roles: frozenset[str],
        pool: Pool,
        redis: Redis,
        listening: Redis,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.settings = settings
        self.roles = roles
        self.pool = pool
        self.redis = redis
        self.listening = listening
        self.clock = clock
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.metrics = Metrics()
        self.failed = asyncio.Event()
        self.postgres_dsn = ""
        """Set where PostgreSQL was away at the start: its schema may still have to be brought up to date."""
        self.tasks = Tasks(self._task_died)
        games = settings.games
        self.codec = Codec(KINDS)
        self.games = RedisGames(
            redis,
            self.codec,
            shards=settings.redis.shards,
            keep_finished_ms=int(games.keep_finished_seconds * 1000),
        )
        self.projector = Projector(pool)
        store: GameStore = MeasuredStore(self.games, self.metrics.commits.add)
        if settings.durability.strict:
            store = StrictGames(store, self.projector, self.codec)
        self.engine = Engine(KINDS, store, clock, entropy, observe=self.metrics.command)
        self.texts = Texts(LOCALES)
        self.people = People(pool, redis)
        self.archive = Archive(pool, self.codec)
        self.questions = Questions(pool)
        self.writer: Any = None
        self.supplies = extras.supplies(self.questions, self.people, clock)
        self.floods = Floods(clock)
        telegram = settings.telegram
        self.api = BotApi(
            telegram.token.get_secret_value(), telegram.api_base, seconds=telegram.request_timeout_seconds
        )
        turned = None if isinstance(clock, SystemClock) else clock.now
        self.limits = Limits(redis, rates_of(settings), turned)
        self.outbox = Outbox(redis, self.limits)
        self.released = Bell(listening, RELEASED)
        self.doorbell = Bell(listening, BELL)
        self.deadlines = Deadlines(engine=self.engine, games=self.games, redis=listening, clock=clock, tasks=self.tasks)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Process]:
        """Start everything; at the end stop it in order."""
        try:
            me = await self._who_am_i()
            self.tasks.spawn("released leases", self.released.listen())
            self.tasks.spawn("people", self.people.run())
            self.tasks.spawn("loop lag", watch_loop(self.metrics.loop_lag.add))
            self.beacon = await _beacon_of(self.settings)
            boards = Boards(
                engine=self.engine,
                games=self.games,
                outbox=self.outbox,
                texts=self.texts,
                people=self.people,
                redis=self.redis,
                clock=self.clock,
                bot_username=me["username"],
            )
            doors = self._doors(me, boards) if "ingress" in self.roles else None
            if "worker" in self.roles:
                await self._start_worker(boards)
            if "scheduler" in self.roles:
                lease = self._lease("{deadlines}")
                self.tasks.spawn("deadlines", lease.run(self.deadlines.lead))
            async with self._serving(doors) as port:
                if doors is not None:
                    await self._start_ingress(doors)
                yield Process(
                    port=port,
                    bot_username=me["username"],
                    engine=self.engine,
                    deadlines=self.deadlines,
                    games=self.games,
                    pool=self.pool,
                    redis=self.redis,
                    failed=self.failed,
                )
                self.health.stopping = True
                await self.tasks.stop("poller")  # it finishes the batch in hand, and confirms it
        finally:
            await self._close()

    async def _close(self) -> None:
        """No updates come any more: answer the taps in hand, commit, release what is led, flush, close."""
        await self.tasks.stop("poller", "deadlines")
        await self.tasks.settle(SETTLE_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.engine.close(), SETTLE_SECONDS)
        await self.tasks.close()
        await self.people.close()
        await self.api.close()
        if self.writer is not None:
            await self.writer.aclose()

    def _task_died(self, name: str, error: BaseException) -> None:
        self.metrics.errors[f"task {name.split(maxsplit=1)[0]}"] += 1
        if name in VITAL:
            logger.critical("{} ended: {}; the process stops, so that another can take over", name, error)
            self.failed.set()

    async def _who_am_i(self) -> Mapping[str, Any]:
        """The bot's own account: as known from an earlier start, so that games go on while Telegram is away."""
        token = self.settings.telegram.token.get_secret_value().encode()
        key = f"tombola:me:{hashlib.sha256(token).hexdigest()[:16]}"
        known = await self.redis.get(key)
        if known is not None:
            self.tasks.spawn("who am I", self._ask_who_i_am(key))
            remembered: Mapping[str, Any] = msgspec.json.decode(known)
            return remembered
        try:
            async with asyncio.timeout(TELEGRAM_SECONDS):
                return await self._ask_who_i_am(key)
        except Unauthorized:
            raise SettingsError("telegram.token: refused by Telegram; @BotFather shows the right one") from None
        except (ApiError, TimeoutError) as error:
            raise SettingsError(f"telegram.api_base: no answer from there ({error})") from None

    async def _ask_who_i_am(self, key: str) -> Mapping[str, Any]:
        """Ask Telegram, however long it is away, and remember. Raises the ApiError of a refusal."""
        async for attempt in stamina.retry_context(
            on=(ServerDown, RetryAfter), attempts=None, timeout=None, wait_max=5
        ):
            with attempt:
                me: Mapping[str, Any] = await self.api.call("getMe")
                with contextlib.suppress(*REDIS_GONE):
                    await self.redis.set(key, msgspec.json.encode(me), ex=ME_SECONDS)
                return me
        raise AssertionError("stamina raises after the last attempt")

    def _lease(self, name: str) -> Lease:
        return Lease(self.redis, name, self.owner, released=self.released)

    # -- ingress -------------------------------------------------------------------------------------------------

    def _doors(self, me: Mapping[str, Any], boards: Boards) -> Doors:
        hosts = Hosts(self.api, self.redis)
        defaults = {"pick_number": rules_of(self.settings, self.beacon), "quiz": quiz_rules_of(self.settings)}
        taps = Taps(
            engine=self.engine,
            texts=self.texts,
            people=self.people,
            hosts=hosts,
            boards=boards,
            archive=self.archive,
            ids=self.games,
            bot_username=me["username"],
            max_live=self.settings.games.max_live_per_chat,
            supplies=self.supplies,
        )
        made: list[asyncio.Task[SlowDoor]] = []

        async def slow() -> SlowDoor:
            """aiogram's road, made when it is first needed: importing it takes seconds."""
            if not made:
                made.append(self.tasks.spawn("aiogram", self._aiogram(me, taps, hosts, defaults)))
            return await asyncio.shield(made[0])

        self.slow = slow
        return Doors(
            taps=taps,
            floods=self.floods,
            slow=slow,
            carrier=Carrier(self.api, self.limits, self.outbox),
            redis=self.redis,
            clock=self.clock,
            tasks=self.tasks,
            metrics=self.metrics,
        )

    async def _aiogram(self, me: Mapping[str, Any], taps: Taps, hosts: Hosts, defaults: Mapping[str, Any]) -> SlowDoor:
        routing = await _imported("handlers.routing")
        deps = routing.Deps(
            engine=self.engine,
            games=self.games,
            people=self.people,
            archive=self.archive,
            hosts=hosts,
            taps=taps,
            outbox=self.outbox,
            limits=self.limits,
            api=self.api,
            texts=self.texts,
            clock=self.clock,
            floods=self.floods,
            redis=self.redis,
            defaults=defaults,
            questions=self.questions,
            supplies=self.supplies,
            download=self.api.download,
            writes=bool(self.settings.games.quiz.model.base_url),
            bot_id=me["id"],
            bot_username=me["username"],
            operators=frozenset(self.settings.telegram.operators),
            max_live=self.settings.games.max_live_per_chat,
            health=self._health_words,
            count_error=self._count_error,
            trace=TRACE.get,
        )
        telegram = self.settings.telegram
        door: SlowDoor = routing.SlowDoor(deps, telegram.token.get_secret_value(), telegram.api_base)
        self.tasks.spawn("publish commands", routing.publish(deps))
        return door

    async def _start_ingress(self, doors: Doors) -> None:
        self.tasks.spawn("aiogram first", self._warm())
        telegram = self.settings.telegram
        allowed = list(ALLOWED_UPDATES)
        if telegram.mode == "polling":
            poller = Poller(api=self.api, doors=doors, allowed_updates=allowed)
            self.tasks.spawn("poller", self._lease("{poller}").run(poller.lead))
            return
        webhook = {
            "url": telegram.webhook_address,
            "secret_token": telegram.webhook_secret.get_secret_value(),
            "allowed_updates": allowed,
            "max_connections": 100,
        }
        self.tasks.spawn("webhook", set_webhook(self.api, self.redis, webhook))

    async def _warm(self) -> None:
        await self.slow()

    # -- worker --------------------------------------------------------------------------------------------------

    async def _start_worker(self, boards: Boards) -> None:
        self.boards = boards
        try:
            await asyncio.wait_for(self._rebuild(), POSTGRES_SECONDS)
        except AWAY:
            self.tasks.spawn("rebuilding", self._rebuild_later())
        self.writer = await self._writer()
        stage = Stage(
            engine=self.engine,
            outbox=self.outbox,
            texts=self.texts,
            people=self.people,
            questions=self.questions,
            polls=Polls(self.redis),
            clock=self.clock,
            spawn=self.tasks.spawn,
            writer=self.writer,
        )
        self.shows = extras.shows(stage)
        self.sender = Sender(
            outbox=self.outbox,
            limits=self.limits,
            api=self.api,
            clock=self.clock,
            on_settled=self._settled_by(boards),
            lease=self._lease(SENDER_LEASE),
            bell=self.doorbell,
        )
        self.tasks.spawn("doorbell", self.doorbell.listen())
        self.tasks.spawn("sender", self.sender.run())
        self.tasks.spawn("board progress", boards.keep_showing())
        self.tasks.spawn("projector", self._feed("projector", renewed=self._rebuild).run(self.projector.handle))
        self.tasks.spawn("boards", self._feed("boards", begun=boards.take_over).run(boards.handle))
        for show in self.shows:
            self.tasks.spawn(f"show of {show.name}", self._feed(show.name).run(show.handle))
        self.tasks.spawn("retention", self._lease("{retention}").run(self._prune_daily))
        if self.beacon is not None:
            from bot import beacon  # noqa: PLC0415 -- see _beacon_of

            listener = beacon.Listener(self.engine, self.beacon, self.settings.games.draw)
            self.tasks.spawn("beacon", self._feed("beacon").run(listener.handle))

    async def _writer(self) -> Any:
        """What writes questions, where a model is configured."""
        model = self.settings.games.quiz.model
        if not model.base_url:
            return None
        writer = await _imported("questions.writer")
        key = model.api_key.get_secret_value()
        return writer.QuestionWriter(model.base_url, key, model.name, timeout_seconds=model.timeout_seconds)

    async def _rebuild(self) -> None:
        """Put back the live games that Redis has lost, and tell their chats."""
        rebuilt = await rebuild(self.pool, self.redis, self.codec, self.games)
        for game in rebuilt.games:
            await self.boards.tell_restored(game)

    async def _rebuild_later(self) -> None:
        """What the start could not do as PostgreSQL was away: schema, then live games."""
        while True:
            await asyncio.sleep(jitter(2 * AGAIN_SECONDS))
            try:
                if self.postgres_dsn:
                    await migrate.upgrade(self.postgres_dsn)
                await self._rebuild()
            except AWAY as problem:
                logger.debug("PostgreSQL is still away: {}", type(problem).__name__)
            else:
                return

    async def _prune_daily(self, _fence: int) -> None:
        while True:
            try:
                pruned = await prune(self.pool, self.clock.now(), keep_events_days=self.settings.games.keep_events_days)
                logger.info("pruned: {}", pruned)
            except AWAY as problem:
                logger.warning("nothing pruned yet: {}", type(problem).__name__)
                await asyncio.sleep(PRUNE_AGAIN_SECONDS)
            else:
                await asyncio.sleep(PRUNE_SECONDS)

    def _feed(
        self,
        group: str,
        *,
        renewed: Callable[[], Awaitable[object]] | None = None,
        begun: Callable[[], Awaitable[object]] | None = None,
    ) -> Feed:
        return Feed(
            self.listening,
            self.games.shards,
            group,
            owner=self.owner,
            released=self.released,
            renewed=renewed,
            begun=begun,
        )

    def _settled_by(self, boards: Boards) -> Callable[[Outgoing, Outcome], Awaitable[None]]:
        async def settled(outgoing: Outgoing, outcome: Outcome) -> None:
            if outcome.settled is Settled.CHAT_GONE:
                await boards.chat_gone(outgoing)
            elif outcome.settled is Settled.MIGRATED and outcome.chat_id is not None:
                await boards.chat_migrated(outgoing, outcome.chat_id)
            for show in self.shows:
                await show.settled(outgoing, outcome)

        return settled

    # -- what is seen from outside -------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _serving(self, doors: Doors | None) -> AsyncIterator[int]:
        self.health = Health(self._checks(), needed=frozenset({"redis"}))
        self.metrics.sources.append(lambda: export(self))
        app = web.application(web.routes(self.health, registry(self.metrics)))
        telegram = self.settings.telegram
        if doors is not None and telegram.mode == "webhook":
            secret = telegram.webhook_secret.get_secret_value()
            app = web.Webhook(path=telegram.webhook_path, secret=secret, doors=doors, otherwise=app)
        try:
            async with web.serving(app, self.settings.web.host, self.settings.web.port, self.tasks) as port:
                yield port
        except web.AddressTaken as error:
            raise SettingsError(str(error)) from None

    def _checks(self) -> Mapping[str, Check]:
        async def redis() -> Mapping[str, Any]:
            await self.redis.ping()
            return {}

        async def postgres() -> Mapping[str, Any]:
            await self.pool.fetchval("SELECT 1")
            return {"pool": self.pool.get_size(), "idle": self.pool.get_idle_size()}

        async def telegram() -> Mapping[str, Any]:
            return {"ok": self.api.state == "closed", "breaker": self.api.state}

        async def outbox() -> Mapping[str, Any]:
            depth = await self.outbox.depth()
            return {"ready": sum(depth.ready), "delayed": depth.delayed, "in_flight": depth.in_flight,
                    "oldest_ms": max(depth.oldest_ms), "dropped": depth.dropped}  # fmt: skip

        async def deadlines() -> Mapping[str, Any]:
            due = await self.games.due(self.clock.now(), limit=1)
            overdue = max(0, self.clock.now() - due[0][1]) if due else 0
            return {"ok": overdue < 5000, "oldest_overdue_ms": overdue}

        checks: dict[str, Check] = {
            "redis": redis,
            "postgres": postgres,
            "telegram": telegram,
            "outbox": outbox,
            "deadlines": deadlines,
        }
        if "worker" in self.roles:
            checks["feed"] = self._feed_lag
        return checks

    async def _feed_lag(self) -> Mapping[str, Any]:
        lags = {}
        for group in ("projector", "boards"):
            entries, age_ms = await self._feed(group).lag()
            lags[group] = {"entries": entries, "oldest_ms": age_ms}
        return lags

    async def _health_words(self) -> Mapping[str, str]:
        report = await self.health.report()
        return {name: f"{check.latency_ms:.0f} ms" if check.well else "✗" for name, check in report.checks.items()}

    def _count_error(self, where: str) -> None:
        self.metrics.errors[where] += 1


ALLOWED_UPDATES = (
    "message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "poll_answer",
    "poll",
)


async def _beacon_of(settings: Settings) -> Beacon | None:
    """The beacon, where one is configured: its HTTP library takes a quarter of a second of every start."""
    if not settings.games.draw.beacon_url:
        return None
    from bot import beacon  # noqa: PLC0415

    return await beacon.find(settings.games.draw)


async def _imported(name: str) -> Any:
    """Import what takes seconds (aiogram: 4 s, 165 MB), in a thread that a stopping process does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(module: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(module)
        else:
            done.set_exception(error)

    def work() -> None:
        module, problem = None, None
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 -- raised where it is waited for
            problem = error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, module, problem)

    threading.Thread(target=work, name=f"import {name}", daemon=True).start()
    return await done


def rates_of(settings: Settings) -> Rates:
    """Telegram's limits as configured; the windows keep their safety margins."""
    telegram = settings.telegram
    usual = Rates()
    by = telegram.send_rate / 30
    overall = tuple(Window(w.ms, _scaled(w.counts, by)) for w in usual.overall)
    chat = tuple(Window(w.ms, _scaled(w.counts, telegram.chat_rate)) for w in usual.chat)
    group = tuple(Window(w.ms, _scaled(w.counts, telegram.group_per_minute / 20)) for w in usual.group)
    return Rates(overall=overall, chat=chat, group=group)


def _scaled(counts: tuple[int, int, int], by: float) -> tuple[int, int, int]:
    first, second, third = (max(1, int(count * by)) for count in counts)
    return first, second, third


def rules_of(settings: Settings, beacon_: Beacon | None) -> PickNumberRules:
    """What the configuration makes of the rules of Pick Your Number."""
    ours = settings.games.pick_number
    return PickNumberRules(
        winners=ours.winners,
        prize_pool=ours.prize_pool,
        absent=ours.absent,
        min_players=ours.min_players,
        max_players=ours.max_players,
        lobby_ms=round(ours.lobby_seconds * 1000),
        join_ms=round(ours.join_seconds * 1000),
        selection_ms=round(ours.selection_seconds * 1000),
        reveal_ms=round(ours.reveal_seconds * 1000),
        range_multiplier=Decimal(str(ours.range_multiplier)),
        max_number=ours.max_number,
        beacon=beacon_,
    )


def quiz_rules_of(settings: Settings) -> QuizRules:
    """What the configuration makes of the rules of the quiz."""
    ours = settings.games.quiz
    return QuizRules(
        questions=ours.questions,
        question_ms=round(ours.question_seconds * 1000),
        reveal_ms=round(ours.reveal_seconds * 1000),
        min_players=ours.min_players,
        max_players=ours.max_players,
        lobby_ms=round(ours.lobby_seconds * 1000),
        join_ms=round(ours.join_seconds * 1000),
    )
