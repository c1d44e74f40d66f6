"""The composition root: opens the stores, makes the parts, starts the roles, and stops them in order.

A process has one or more roles: ``ingress`` takes updates, ``worker`` carries the feed to PostgreSQL and to the chats
and sends, ``scheduler`` fires deadlines, ``web`` serves pages. All processes serve health and metrics.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import asyncpg
from loguru import logger
from redis.asyncio import Redis

from bot.clock import SystemClock, SystemEntropy
from bot.consumers import Consumers
from bot.deadlines import Deadlines
from bot.identity import who_am_i
from bot.importing import imported
from bot.ingest import http as web
from bot.ingest.peers import WorkerSlot
from bot.ingress import Ingress
from bot.observe.checks import breaker_check, checks
from bot.observe.exports import export
from bot.observe.health import Health
from bot.observe.logs import watch_loop
from bot.observe.metrics import Metrics, registry
from bot.observe.sampling import Samples
from bot.runtime import Runtime
from bot.settings import Settings, SettingsError
from fsm.engine import Engine, Entropy
from fsm.pick_number import Beacon
from storage import migrate
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
from storage.embedded import stores
from storage.games import RedisGames
from telegram.sender import Clock

LISTENERS = 64
"""Connections of the pool for what waits: pub/sub and blocking reads."""
ALL_ROLES = frozenset({"ingress", "worker", "scheduler", "web"})
POSTGRES_SECONDS = 2.0
"""How long a start waits for PostgreSQL before it goes on without: games need it not."""
EMBEDDED_SECONDS = 60.0
"""The same for our own, which is there: the first schema takes a slow machine longer than that."""
SETTLE_SECONDS = 1.5
"""How long what is in hand may take when the process stops, and then once more what is being committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBot:
    """What runs, for whoever started it."""

    port: int
    bot_username: str
    engine: Engine
    deadlines: Deadlines
    games: RedisGames
    pool: Pool
    redis: Redis
    failed: asyncio.Event
    """Set when a task that must not end has ended."""
    send_anew: Callable[[], Awaitable[None]]
    """Sends the message of every live game once more."""


@contextlib.asynccontextmanager
async def running(
    settings: Settings,
    roles: frozenset[str] = ALL_ROLES,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
    anew: bool = False,
    seat: WorkerSlot | None = None,
) -> AsyncIterator[RunningBot]:
    """Run a process until the end of the block; then stop in order, so that nothing in hand is lost.

    ``seat``: which of this machine's workers it is, where there are several.

    Raises ``SettingsError`` where the configuration turns out to be wrong only now (a refused token, a taken port).
    """
    database, cache, metrics = settings.database, settings.redis, Metrics()
    async with contextlib.AsyncExitStack() as stack:
        postgres_dsn, redis_dsn = await stack.enter_async_context(
            stores(settings.data_dir, database.dsn.get_secret_value(), cache.dsn.get_secret_value())
        )
        ours = not database.dsn.get_secret_value()
        up = await _migrated(postgres_dsn, EMBEDDED_SECONDS if ours else POSTGRES_SECONDS)
        pool = await stack.enter_async_context(
            postgres_pool(
                postgres_dsn,
                pool_min=database.pool_min if up else 0,  # none: it opens without a server
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
        try:
            await redis_ready(redis)
        except REDIS_REFUSES as error:
            raise SettingsError(f"redis.dsn: refused there: {error}") from None
        except REDIS_GONE as error:
            raise SettingsError(f"redis.dsn: no answer from there ({type(error).__name__})") from None
        parts = Runtime(settings, pool, redis, listening, clock or SystemClock(), entropy or SystemEntropy(), metrics)
        process = await stack.enter_async_context(_roles(parts, roles, "" if up else postgres_dsn, seat))
        if anew:
            await process.send_anew()
        yield process


async def _migrated(dsn: str, within: float) -> bool:
    """Bring the schema up to date. False where PostgreSQL is away: games go on without it, and it is tried again."""
    try:
        await migrate.upgrade(dsn, within=within)
    except migrate.SchemaTooNewError as error:
        raise SettingsError(f"database.dsn: {error}") from None
    except asyncpg.exceptions.ClientConfigurationError as error:  # its own words may hold a part of the password
        raise SettingsError(
            f"database.dsn: not one that PostgreSQL's client can use ({type(error).__name__})"
        ) from None
    except POSTGRES_REFUSES as error:
        raise SettingsError(f"database.dsn: refused there: {error}") from None
    except POSTGRES_GONE as problem:  # TimeoutError is one of them
        logger.warning("starting without PostgreSQL: {}", type(problem).__name__)
        return False
    return True


@contextlib.asynccontextmanager
async def _roles(
    parts: Runtime, roles: frozenset[str], late_dsn: str, seat: WorkerSlot | None
) -> AsyncIterator[RunningBot]:
    """Start what the roles need; at the end stop it in order."""
    tasks = parts.tasks
    ingress: Ingress | None = None
    worker: Consumers | None = None
    try:
        me = await who_am_i(parts)
        tasks.spawn("released leases", parts.released.listen())
        tasks.spawn("people", parts.people.run())
        tasks.spawn("loop lag", watch_loop(parts.metrics.loop_lag.add))
        beacon = await _beacon(parts)
        boards = parts.boards(me["username"])
        asked = checks(parts, roles)
        health = Health(asked, needed=frozenset({"redis", "updates"}))
        deadlines = Deadlines(
            engine=parts.engine, games=parts.games, redis=parts.listening, clock=parts.clock, tasks=tasks
        )
        if "ingress" in roles:
            ingress = Ingress(parts, me, boards, beacon, lambda: _words(health), seat)
            asked["updates"] = ingress.check
        if "worker" in roles:
            worker = Consumers(parts, boards, beacon, late_dsn)
            await worker.start()
        asked |= {name: breaker_check(guard) for name, guard in parts.breakers.items() if name not in asked}
        if "scheduler" in roles:
            tasks.spawn("deadlines", parts.lease("{deadlines}").run(deadlines.lead))
        sender = worker.sender if worker else None
        samples = Samples(parts)
        if worker is not None:
            tasks.spawn("samples", samples.keep())
        parts.metrics.sources.append(lambda: export(parts, deadlines, sender, samples))
        async with _serving(parts, health, ingress, seat) as port:
            if ingress is not None:
                await ingress.start()
            yield RunningBot(
                port=port,
                bot_username=me["username"],
                engine=parts.engine,
                deadlines=deadlines,
                games=parts.games,
                pool=parts.pool,
                redis=parts.redis,
                failed=parts.failed,
                send_anew=boards.send_anew,
            )
            health.stopping = True
            await tasks.stop("poller")  # it finishes the batch in hand, and confirms it
    finally:
        await _stop(parts, ingress, worker)


async def _stop(parts: Runtime, ingress: Ingress | None, worker: Consumers | None) -> None:
    """No updates come any more: answer the taps in hand, commit, release what is led, flush, close."""
    await parts.tasks.stop("poller", "siblings", "deadlines")
    await parts.tasks.settle(SETTLE_SECONDS)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(parts.engine.close(), SETTLE_SECONDS)
    await parts.tasks.close()
    await parts.people.close()
    if ingress is not None:
        await ingress.close()
    if worker is not None:
        await worker.close()
    await parts.api.close()


@contextlib.asynccontextmanager
async def _serving(
    parts: Runtime, health: Health, ingress: Ingress | None, seat: WorkerSlot | None
) -> AsyncIterator[int]:
    """Serve HTTP until the end of the block. Gives the port. A worker also has a port of its own, for its metrics."""
    telegram, address = parts.settings.telegram, parts.settings.web
    app, webhook = web.application(web.routes(health, registry(parts.metrics))), None
    if ingress is not None and telegram.mode == "webhook":
        secret = telegram.webhook_secret.get_secret_value().encode()
        webhook = web.Webhook(telegram.webhook_paths, secret, ingress.doors)
    try:
        async with contextlib.AsyncExitStack() as stack:
            if seat is not None:
                await _serve_alone(stack, parts, app, address.port + 1 + seat.index)
            shared = seat is not None
            serving = web.serving(app, address.host, address.port, parts.tasks, webhook=webhook, shared=shared)
            yield await stack.enter_async_context(serving)
    except web.AddressTaken as error:
        raise SettingsError(str(error)) from None


async def _serve_alone(stack: contextlib.AsyncExitStack, parts: Runtime, app: web.App, port: int) -> None:
    """Serve a worker's own metrics, if the port is free."""
    try:
        await stack.enter_async_context(web.serving(app, parts.settings.web.host, port, parts.tasks))
    except web.AddressTaken:
        logger.warning("this worker's own metrics are not to be had: port {} is taken", port)


async def _words(health: Health) -> Mapping[str, str]:
    """The state of each dependency in a few characters, for the operators' dialog."""
    report = await health.report()
    return {name: f"{check.latency_ms:.0f} ms" if check.well else "✗" for name, check in report.checks.items()}


async def _beacon(parts: Runtime) -> Beacon | None:
    """The beacon, where one is configured: its HTTP library takes a quarter of a second of every start."""
    draw = parts.settings.games.draw
    if not draw.beacon_url:
        return None
    found: Beacon | None = await (await imported("bot.beacon")).find(draw, parts.redis)
    return found
