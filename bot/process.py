"""The composition root: opens the stores, builds the runtime, starts the roles, and stops them in order.

A process has one or more roles: ``ingress`` receives updates, ``worker`` consumes the feed and sends, ``scheduler``
fires deadlines, ``web`` serves pages. Every process serves health and metrics.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import asyncpg
import stamina
from loguru import logger
from redis.asyncio import Redis

from bot import VERSION
from bot.bridge.bridge import Bridge
from bot.bridge.brokers import broker_of
from bot.bridge.cloud_events import CloudEvents
from bot.clock import SystemClock, SystemEntropy
from bot.consumers import Consumers
from bot.deadlines import Deadlines
from bot.description import Description
from bot.identity import who_am_i
from bot.importing import imported
from bot.ingest import http as web
from bot.ingest.peers import WorkerSlot
from bot.ingest.webhook import App, Webhook
from bot.ingress import Ingress
from bot.observe.health import Health, checks
from bot.observe.logs import watch_loop
from bot.observe.metric_families import Samples, export
from bot.observe.metrics import Metrics, registry
from bot.observe.result_checks import ResultChecks
from bot.profiles import keep_profiling
from bot.recurring import RecurringKeeper
from bot.runtime import ALL_ROLES, Connections, Runtime, build
from bot.settings import Draw, Settings, SettingsError
from bot.web_role import WebRole
from fsm.engine import Clock, Engine, Entropy
from fsm.kind import Game
from fsm.pick_number import Beacon
from handlers.kinds.registry import of_state
from play.application import Application
from play.texts import FOLDER
from storage import keys, migrate
from storage.connections import (
    POSTGRES_GONE,
    POSTGRES_REFUSES,
    REDIS_GONE,
    REDIS_REFUSES,
    Pool,
    postgres_pool,
    redis_client,
    redis_ready,
)
from storage.dsn import postgres_address, redis_address
from storage.embedded import stores
from storage.failover import FailoverGuard
from storage.games import RedisGames
from storage.leases import Bell
from storage.occupancy import Occupancy
from storage.profiles import Profiles
from storage.rebuild import Rebuilt, bring_forward
from storage.redis_server import inspect_redis
from storage.rights import MissingRightError, check_rights
from storage.shared_time import SharedTime
from storage.stores import Stores
from telegram.telegram import Telegram
from web.pages import APP, DASHBOARD, TELEGRAM_WEB, Pages
from web.public_pages import PublicPages

if TYPE_CHECKING:
    from bot.observe.tracing import Tracing

LISTENERS = 64
"""Size of the pool for blocking connections: pub/sub and blocking reads."""
REDIS_SECONDS = 30.0
"""Time for which a start waits for a Redis that is still starting."""
POSTGRES_SECONDS = 2.0
"""Time for which a start waits for PostgreSQL before it continues without it. Games do not need it."""
EMBEDDED_SECONDS = 60.0
"""The corresponding time for the embedded PostgreSQL: creating the first schema is slow on a slow machine."""
SETTLE_SECONDS = 1.5
"""Time for work in progress to end when the process stops, and then as long again for commits in progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBot:
    """A running process, for the caller that started it."""

    port: int
    bot_username: str
    engine: Engine
    deadlines: Deadlines
    games: RedisGames
    pool: Pool
    redis: Redis
    stores: Stores
    play: Application
    telegram: Telegram
    failed: asyncio.Event
    """Event that is set when a vital task has ended."""
    send_anew: Callable[[], Awaitable[None]]
    """Function that sends the message of every live game again."""


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    roles: frozenset[str] = ALL_ROLES,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    anew: bool = False,
    slot: WorkerSlot | None = None,
) -> AsyncIterator[RunningBot]:
    """Run a process until the end of the block, then stop it in order without losing work in progress.

    Args:
        settings: all settings.
        roles: the roles to run.
        clock: the clock; None means the shared time.
        entropy: the source of random seeds; None means the operating system.
        anew: True to send the message of every live game again.
        slot: position of this process among the workers of this machine; None if it is the only one.

    Raises:
        SettingsError: the configuration turns out to be wrong only now, e.g. a refused token or a taken port.
    """
    database, cache, metrics = settings.database, settings.redis, Metrics()
    async with contextlib.AsyncExitStack() as stack:
        if given := cache.dsn.get_secret_value():
            await _check_redis(given)  # first, because an embedded PostgreSQL may take long to start
        postgres_dsn, redis_dsn = await stack.enter_async_context(
            stores(settings.data_dir, database.dsn.get_secret_value(), cache.dsn.get_secret_value())
        )
        for name, remarks in (
            ("database", postgres_address(postgres_dsn).remarks),
            ("redis", redis_address(redis_dsn).remarks),
        ):
            for remark in remarks:
                logger.warning("{}.dsn: {}", name, remark)
        ours = not database.dsn.get_secret_value()
        up = await _migrated(postgres_dsn, EMBEDDED_SECONDS if ours else POSTGRES_SECONDS)
        pool = await stack.enter_async_context(
            postgres_pool(
                postgres_dsn,
                pool_min=database.pool_min if up else 0,  # a pool without minimum opens even if the server is down
                pool_max=database.pool_max,
                connect_timeout_seconds=database.connect_timeout_seconds,
                command_timeout_seconds=database.command_timeout_seconds,
                statement_timeout_seconds=database.statement_timeout_seconds,
                observe=metrics.queries.add,
            )
        )
        redis = await stack.enter_async_context(
            redis_client(redis_dsn, pool_size=cache.pool_size, timeout_seconds=cache.timeout_seconds)
        )
        listening = await stack.enter_async_context(
            redis_client(redis_dsn, pool_size=LISTENERS, timeout_seconds=cache.timeout_seconds, client_name="listening")
        )
        guard = FailoverGuard(redis, listening)  # must watch from the first connection
        if not given:
            await _check_redis(redis_dsn)
        beacon = await _beacon(settings.games.draw)
        tracing = await _tracing(settings, roles)
        if tracing is not None:
            # A thread waits for the collector, so that it does not delay the stop of anything else.
            stack.push_async_callback(asyncio.to_thread, tracing.close)
        connections = Connections(pool, redis, listening)
        clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
        runtime = build(settings, connections, clock, entropy, metrics, beacon, tracing)
        process = await stack.enter_async_context(_roles(runtime, guard, roles, "" if up else postgres_dsn, slot))
        if anew:
            await process.send_anew()
        yield process


async def _check_redis(dsn: str) -> None:
    """Wait for Redis and log each risk. Raises ``SettingsError`` if Tombola cannot work with this server."""
    try:
        async with redis_client(dsn, pool_size=1) as redis:
            await redis_ready(redis, timeout_seconds=REDIS_SECONDS, waiting=_tell_of_waiting)
            report = await inspect_redis(redis)
    except REDIS_REFUSES as error:
        raise SettingsError(f"redis.dsn: refused there: {error}") from None
    except REDIS_GONE as error:
        raise SettingsError(f"redis.dsn: no answer from there ({type(error).__name__}: {error})") from None
    if report.refusals:
        raise SettingsError(f"redis.dsn: {report.refusals[0]}")
    for line in report.risks:
        logger.warning("redis: {}", line)
    for line in report.notes:
        logger.info("redis: {}", line)


def _tell_of_waiting(error: Exception) -> None:
    logger.warning("redis does not answer yet, waiting up to {:.0f} s: {}", REDIS_SECONDS, error)


async def _migrated(dsn: str, within: float) -> bool:
    """Bring the schema up to date. Return False if PostgreSQL is away: games run without it, and a task retries."""
    try:
        await migrate.upgrade(dsn, within=within)
        await check_rights(dsn, within=within)
    except MissingRightError as error:
        raise SettingsError(f"database.dsn: {error}") from None
    except migrate.SchemaTooNewError as error:
        raise SettingsError(f"database.dsn: {error}") from None
    except asyncpg.exceptions.ClientConfigurationError as error:  # its text may contain part of the password
        raise SettingsError(f"database.dsn: PostgreSQL's client rejects it ({type(error).__name__})") from None
    except POSTGRES_REFUSES as error:
        raise SettingsError(f"database.dsn: refused there: {error}") from None
    except POSTGRES_GONE as problem:  # TimeoutError is one of them
        logger.warning("starting without PostgreSQL: {}", type(problem).__name__)
        return False
    return True


@contextlib.asynccontextmanager
async def _roles(
    runtime: Runtime, guard: FailoverGuard, roles: frozenset[str], late_dsn: str, slot: WorkerSlot | None
) -> AsyncIterator[RunningBot]:
    """Start the roles; at the end of the block stop them in order."""
    tasks, taking = runtime.tasks, list[asyncio.Task[None]]()
    ingress: Ingress | None = None
    consumers: Consumers | None = None
    try:
        me = await who_am_i(runtime)
        await _occupy(runtime, me["id"])
        await _compare_clocks(runtime, may_lead="scheduler" in roles)
        tasks.spawn("released leases", runtime.released.listen())
        tasks.spawn("people", runtime.stores.people.run())
        await runtime.play.flags.load()
        tasks.spawn("flags", runtime.play.flags.run())
        tasks.spawn("audit", runtime.stores.audit.run())
        tasks.spawn("loop lag", watch_loop(runtime.metrics.loop_lag.add))
        boards = runtime.boards(me["username"])
        guard.begin(partial(_bring_forward, runtime, []), boards.tell_of_restored, partial(tasks.spawn, brief=True))
        if "worker" in roles:
            reminders = runtime.reminders()
            moments = runtime.moments(reminders, me["username"])
            bridge = await _bridge(runtime, me["username"])
            consumers = Consumers(runtime, boards, moments, reminders, late_dsn, bridge)
            await consumers.start()
        elif runtime.settings.durability.strict:
            await guard.compare()
        accepts_everything = asyncio.Event()
        health = Health(
            checks(runtime, roles, accepts_everything if "ingress" in roles else None),
            needed=frozenset({"redis", "updates"}),
        )
        deadlines = _deadlines(runtime)
        if "scheduler" in roles:
            taking.append(tasks.spawn("deadlines", deadlines.run(runtime.lease("{deadlines}"))))
            recurring = _recurring(runtime, me["id"])
            taking.append(tasks.spawn("recurring games", recurring.run(runtime.lease("{recurring}"))))
        _export(runtime, deadlines, consumers)
        if "ingress" in roles:
            ingress = Ingress(runtime, me, boards, partial(_words, health), accepts_everything, slot)
        serving = WebRole(runtime, health) if "web" in roles else None
        async with _serving(runtime, health, ingress, serving, slot) as port:
            if ingress is not None:
                await ingress.start()
            described = Description(runtime, roles, port)
            tasks.spawn("registry", runtime.stores.processes.keep(described), vital=False)
            tasks.spawn("profiles", keep_profiling(Profiles(runtime.stores.redis), runtime.owner), vital=False)
            yield RunningBot(
                port=port,
                bot_username=me["username"],
                engine=runtime.play.engine,
                deadlines=deadlines,
                games=runtime.stores.games,
                pool=runtime.stores.pool,
                redis=runtime.stores.redis,
                stores=runtime.stores,
                play=runtime.play,
                telegram=runtime.telegram,
                failed=tasks.failed,
                send_anew=boards.send_anew,
            )
            health.stopping = True
            if ingress is not None:
                await ingress.stop_polling()
            if serving is not None:
                await serving.stop()
    finally:
        await _stop(runtime, taking, ingress, consumers)


_patiently = stamina.retry(on=REDIS_GONE, attempts=None, timeout=REDIS_SECONDS)
"""Decorator of the questions to Redis at the start: it may go away after it has answered the first of them."""


async def _occupy(runtime: Runtime, bot_id: int) -> None:
    """Mark the stores as this bot's. Raises ``SettingsError`` if another bot uses them."""
    occupancy = Occupancy(runtime.stores.redis, bot_id, runtime.owner)
    other = await _patiently(occupancy.take)()
    if other:
        raise SettingsError(
            f"telegram.token: another bot (id {other}) runs on the same stores; give each bot its own data_dir, or its "
            "own database and Redis"
        )
    runtime.tasks.spawn("occupancy", occupancy.keep())


async def _bring_forward(runtime: Runtime, untold: list[Game]) -> Rebuilt:
    """Restore the games that are newer in PostgreSQL. ``untold`` keeps those of interrupted attempts.

    The failover guard blocks the usual Redis client meanwhile, so this uses the other client.
    """
    stores = runtime.stores
    games = stores.games.through(stores.listening)
    rebuilt = await bring_forward(stores.pool, stores.listening, stores.codec, games, untold)
    untold.clear()
    return rebuilt


async def _compare_clocks(runtime: Runtime, *, may_lead: bool) -> None:
    """Adopt the shared time and keep comparing clocks. A clock that a test controls is left alone."""
    clock = runtime.play.clock
    if isinstance(clock, SystemClock):
        shared = SharedTime(runtime.stores.redis, runtime.owner)
        await _patiently(clock.measure)(shared, may_lead=may_lead)
        runtime.tasks.spawn("clock", clock.keep(shared, runtime.stores.pool, may_lead=may_lead))


def _deadlines(runtime: Runtime) -> Deadlines:
    clock = runtime.play.clock
    return Deadlines(
        engine=runtime.play.engine,
        games=runtime.stores.games,
        redis=runtime.stores.listening,
        clock=clock,
        tasks=runtime.tasks,
        fit=_fit(clock),
        step=lambda game: (game.phase, of_state(game).step(game)),
        aside=runtime.aside,
    )


def _recurring(runtime: Runtime, bot_id: int) -> RecurringKeeper:
    play = runtime.play
    return RecurringKeeper(play.occurrences, play.clock, bot_id, _fit(play.clock), runtime.aside)


def _fit(clock: Clock) -> Callable[[], bool]:
    """Return a function that tells if a clock is right enough to lead. A clock that a test controls always is."""
    return (lambda: clock.fit) if isinstance(clock, SystemClock) else (lambda: True)


def _export(runtime: Runtime, deadlines: Deadlines, consumers: Consumers | None) -> None:
    """Export the figures of this process to Prometheus. A worker also samples the stores and checks results."""
    samples = Samples(runtime)
    checks = ResultChecks(runtime.stores.archive, runtime.play.clock.now(), runtime.aside)
    if consumers is not None:
        runtime.tasks.spawn("samples", samples.keep())
        runtime.tasks.spawn("result checks", checks.keep())
    runtime.metrics.sources.append(lambda: export(runtime, deadlines, consumers, samples, checks))


async def _stop(
    runtime: Runtime, taking: Sequence[asyncio.Task[None]], ingress: Ingress | None, consumers: Consumers | None
) -> None:
    """Stop in order: accept nothing new, answer the current taps, commit, release leases, flush, close.

    Args:
        runtime: the shared services.
        taking: tasks of other roles that produce commands.
        ingress: the receiver of updates, if this process has that role.
        consumers: the consumers, if this process has that role.
    """
    if ingress is not None:
        await ingress.stop_taking()
    await runtime.tasks.stop(*taking)
    await runtime.tasks.settle(SETTLE_SECONDS)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(runtime.play.engine.close(), SETTLE_SECONDS)
    await runtime.tasks.close()
    await runtime.stores.people.close()
    await runtime.stores.audit.close()
    if ingress is not None:
        await ingress.close()
    if consumers is not None:
        await consumers.close()
    await runtime.telegram.api.close()
    await runtime.play.http.close()


@contextlib.asynccontextmanager
async def _serving(
    runtime: Runtime, health: Health, ingress: Ingress | None, role: WebRole | None, slot: WorkerSlot | None
) -> AsyncIterator[int]:
    """Serve HTTP until the end of the block and yield the port. A worker also serves its metrics on a separate port."""
    telegram, address = runtime.settings.telegram, runtime.settings.web
    routes, webhook = web.routes(health, registry(runtime.metrics)), None
    if role is not None:
        role.start()
        routes.insert(0, role.route)  # most requests are for it, and routes are tried in order
        if runtime.settings.app.url:
            routes += Pages(APP, FOLDER, (*TELEGRAM_WEB, *runtime.settings.app.framed_by)).routes
            routes += PublicPages(runtime.play, runtime.stores.archive, role.wait_ms).routes
        if runtime.settings.dashboard.url:
            routes += Pages(DASHBOARD, FOLDER).routes
    app = web.application(routes)
    if ingress is not None and telegram.mode == "webhook":
        secret = telegram.webhook_secret.get_secret_value().encode()
        webhook = Webhook(telegram.webhook_paths, secret, ingress.dispatcher)
    try:
        async with contextlib.AsyncExitStack() as stack:
            if slot is not None:
                await _serve_alone(stack, runtime, app, address.port + 1 + slot.index)
            shared = slot is not None
            serving = web.serving(
                *(app, address.host, address.port, runtime.tasks),
                webhook=webhook,
                reads=None if role is None else role.reads,
                live=runtime.settings.live.max_connections if role is not None else 0,
                shared=shared,
            )
            yield await stack.enter_async_context(serving)
    except web.AddressTaken as error:
        raise SettingsError(str(error)) from None


async def _serve_alone(stack: contextlib.AsyncExitStack, runtime: Runtime, app: App, port: int) -> None:
    """Serve a worker's metrics on its separate port, if that is free."""
    try:
        await stack.enter_async_context(web.serving(app, runtime.settings.web.host, port, runtime.tasks))
    except web.AddressTaken:
        logger.warning("this worker's own metrics are not served: port {} is in use", port)


async def _words(health: Health) -> Mapping[str, str]:
    """Return the state of each dependency in a few characters, for the operators' dialog."""
    report = await health.report()
    return {name: f"{check.latency_ms:.0f} ms" if check.well else "✗" for name, check in report.checks.items()}


async def _bridge(runtime: Runtime, username: str) -> Bridge | None:
    """Return the bridge to a broker, or None. Raises ``SettingsError`` if the broker's client is not installed."""
    section = runtime.settings.bridge
    if not section.url.get_secret_value():
        return None
    broker = await broker_of(section)
    bell = Bell(runtime.stores.listening, keys.EVENTS_UNPUBLISHED)
    runtime.tasks.spawn("bell of the bridge", bell.listen())
    return Bridge(
        runtime.stores.unpublished,
        broker,
        CloudEvents(runtime.stores.codec, f"tombola/{username}", structured=section.format == "structured"),
        bell,
        runtime.aside,
    )


async def _tracing(settings: Settings, roles: frozenset[str]) -> "Tracing | None":
    """Return the maker of spans, or None without a collector."""
    section = settings.tracing
    if not section.endpoint:
        return None
    try:
        module = await imported("bot.observe.tracing")
    except ModuleNotFoundError as missing:
        raise SettingsError(f"tracing.endpoint: needs {missing.name}: pip install 'tombola[otel]'") from None
    authorization = section.authorization.get_secret_value()
    made: Tracing = module.Tracing(
        section.endpoint,
        section.ratio,
        {
            "service.name": "tombola",
            "service.version": VERSION,
            "deployment.environment.name": settings.environment,
            "tombola.roles": ",".join(sorted(roles)),
        },
        {"authorization": authorization} if authorization else {},
    )
    return made


async def _beacon(draw: Draw) -> Beacon | None:
    """Return the configured beacon, or None. The import of its HTTP library takes 0.25 s, so skip it if not needed."""
    if not draw.beacon_url:
        return None
    found: Beacon | None = (await imported("bot.beacon")).beacon_of(draw)
    return found
