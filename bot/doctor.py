"""`python -m bot doctor`: checks everything that a start depends on, one line each."""

import asyncio
import contextlib
from datetime import UTC, datetime

import asyncpg

from bot.bridge.broker import CONNECT_SECONDS, BrokerAway
from bot.bridge.brokers import broker_of
from bot.ingest.http import AddressTaken, listening_socket
from bot.operator_commands import no_connection, say
from bot.settings import Settings, SettingsError
from play.flags import defined
from storage import migrate as schema
from storage.connections import (
    POSTGRES_GONE,
    POSTGRES_REFUSES,
    REDIS_GONE,
    REDIS_REFUSES,
    postgres_pool,
    redis_client,
    redis_ready,
)
from storage.dsn import postgres_address, redis_address
from storage.embedded import EmbeddedStoreError, postgres_programs, stores
from storage.processes import Processes
from storage.redis_server import inspect_redis
from storage.rights import MissingRightError, check_rights
from telegram.client import ApiError, BotApi

SECONDS = 5
"""Time limit for each store's answer, in seconds."""


async def doctor(settings: Settings) -> int:
    """Check everything. Return 1 if something is wrong, else 0."""
    say("configuration: ok")
    for name, flag in sorted(defined().items()):
        if flag.ends < datetime.now(UTC).date():
            say(f"flags: note: {name} should have been removed by {flag.ends}")
    wrong = 0
    postgres, redis = settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value()
    # A wrong address must be reported before an embedded server has started, which may take long.
    if postgres:
        wrong += await _check_postgres(postgres)
    if redis:
        wrong += await _check_redis(redis)
    try:
        async with stores(settings.data_dir, postgres, redis) as (postgres_dsn, redis_dsn):
            if not postgres:
                wrong += await _check_postgres(postgres_dsn)
                say(f"postgresql: embedded, at {postgres_dsn}; pg_dump and others are in {postgres_programs()}")
            if not redis:
                wrong += await _check_redis(redis_dsn)
                say(f"redis: embedded, at {redis_dsn}")
    except EmbeddedStoreError as error:
        say(f"stores: {error}")
        wrong += 1
    wrong += await _check_port(settings)
    wrong += await _check_telegram(settings)
    wrong += await _check_bridge(settings)
    return 1 if wrong else 0


async def _check_postgres(dsn: str) -> int:
    for remark in postgres_address(dsn).remarks:
        say(f"postgresql: note: {remark}")
    try:
        at = await schema.current(dsn, within=SECONDS)
        async with postgres_pool(dsn, start_timeout_seconds=SECONDS) as pool:
            version = await pool.fetchval("SHOW server_version")
        await check_rights(dsn, migrating=at != schema.head(), within=SECONDS)
    except MissingRightError as error:
        say(f"postgresql: {error}")
        return 1
    except asyncpg.exceptions.ClientConfigurationError as error:  # its text may contain part of the password
        say(f"postgresql: PostgreSQL's client rejects database.dsn ({type(error).__name__})")
        return 1
    except POSTGRES_REFUSES as error:
        say(f"postgresql: refused: {error}")
        return 1
    except POSTGRES_GONE as error:
        say(f"postgresql: {no_connection(error)}")
        return 1
    behind = f"at {at or 'nothing'}; `python -m bot migrate` brings it up to date"
    note = "up to date" if at == schema.head() else behind
    say(f"postgresql: ok, version {version}, schema {note}")
    return 0


async def _check_redis(dsn: str) -> int:
    for remark in redis_address(dsn).remarks:
        say(f"redis: note: {remark}")
    try:
        async with redis_client(dsn, pool_size=1, timeout_seconds=SECONDS) as redis:
            await redis_ready(redis, timeout_seconds=SECONDS)
            report = await inspect_redis(redis)
            running = await Processes(redis).listed()
    except REDIS_REFUSES as error:
        say(f"redis: refused: {error}")
        return 1
    except REDIS_GONE as error:
        say(f"redis: {no_connection(error)}")
        return 1
    facts = ", ".join(f"{name} {value}" for name, value in report.facts.items())
    for each in running:
        load = f"{each.load.processor:.0%} of a core, {each.load.updates:g} updates a second"
        say(f"process: {each.name}, {', '.join(each.roles)}, version {each.version}, {load}")
    if len(versions := {each.version for each in running}) > 1:
        say(f"process: note: {len(versions)} versions run on these stores: {', '.join(sorted(versions))}")
    wrong = len(report.refusals) + len(report.risks)
    say(f"redis: {'at risk' if wrong else 'ok'}, {report.product}, {facts}")
    for line in (*report.refusals, *report.risks):
        say(f"redis: {line}")
    for line in report.notes:
        say(f"redis: note: {line}")
    return wrong


async def _check_port(settings: Settings) -> int:
    """Check that the port is free or that a running Tombola has it."""
    host, port = settings.web.host, settings.web.port
    try:
        listening_socket(host, port).close()
    except AddressTaken as error:
        if await _serves_health(host, port):
            say(f"web: ok, a running Tombola has {host}:{port}")
            return 0
        say(f"web: {error}")
        return 1
    say(f"web: ok, {host}:{port} is free")
    return 0


async def _serves_health(host: str, port: int) -> bool:
    """Return whether Tombola's health page answers at this address."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, port)
            with contextlib.closing(writer):
                writer.write(b"GET /health HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n")
                return b'"deadlines"' in await reader.read(65_536)
    return False


async def _check_bridge(settings: Settings) -> int:
    """Connect to the broker of the bridge. This makes what `bridge.create` says."""
    section = settings.bridge
    if not section.url.get_secret_value():
        return 0
    try:
        broker = await broker_of(section)
        try:
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                found = await broker.open()
        finally:
            await broker.close()
    except (SettingsError, BrokerAway, TimeoutError) as error:
        say(f"bridge: {str(error) or 'no answer'}")
        return 1
    say(f"bridge: ok, {found}")
    return 0


async def _check_telegram(settings: Settings) -> int:
    token = settings.telegram.token.get_secret_value()
    if not token:
        say("telegram: no token, so `run` has nothing to run; `sandbox` needs none")
        return 0
    api = BotApi(token, settings.telegram.api_base, seconds=10)
    try:
        me = await api.call("getMe")
    except ApiError as error:
        say(f"telegram: {error}")
        return 1
    finally:
        await api.close()
    say(f"telegram: ok, @{me['username']}, privacy mode {'off' if me['can_read_all_group_messages'] else 'on'}")
    return 0
