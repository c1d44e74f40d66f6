"""What operators do from the command line besides running: migrate, check, verify a draw, replay a game."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bot.bot_api import ApiError, BotApi
from bot.settings import Settings
from fsm import proof
from fsm.registry import KINDS
from handlers.texts import Texts
from storage import migrate as schema
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import (
    POSTGRES_GONE,
    POSTGRES_REFUSES,
    REDIS_GONE,
    REDIS_REFUSES,
    postgres_pool,
    redis_client,
    redis_ready,
)
from storage.embedded import EmbeddedStoreError, stores

PAGE = 500


def say(line: str) -> None:
    """Write one line to standard output."""
    sys.stdout.write(line + "\n")


async def migrate(settings: Settings, revision: str) -> int:
    """Bring the schema to a revision: ``head``, ``base`` or one between."""
    async with stores(settings.data_dir, settings.database.dsn.get_secret_value(), "redis://unused") as (dsn, _):
        before = await schema.current(dsn)
        if revision == "head":
            await schema.upgrade(dsn)
        else:
            await schema.downgrade(dsn, revision)
        say(f"schema: {before or 'empty'} -> {await schema.current(dsn) or 'empty'}")
    return 0


async def doctor(settings: Settings) -> int:
    """Check everything that a start depends on, a line each. 1 where something is wrong."""
    say("configuration: ok")
    wrong = 0
    try:
        async with stores(
            settings.data_dir, settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value()
        ) as (postgres_dsn, redis_dsn):
            wrong += await _check_postgres(postgres_dsn)
            wrong += await _check_redis(redis_dsn)
    except EmbeddedStoreError as error:
        say(f"stores: {error}")
        wrong += 1
    wrong += await _check_telegram(settings)
    return 1 if wrong else 0


async def _check_postgres(dsn: str) -> int:
    try:
        async with postgres_pool(dsn, start_timeout_seconds=5) as pool:
            version = await pool.fetchval("SHOW server_version")
    except POSTGRES_REFUSES as error:
        say(f"postgresql: refused: {error}")
        return 1
    except POSTGRES_GONE as error:
        say(f"postgresql: no connection ({type(error).__name__})")
        return 1
    at = await schema.current(dsn)
    behind = f"at {at or 'nothing'}; `python -m bot migrate` brings it up to date"
    note = "up to date" if at == schema.head() else behind
    say(f"postgresql: ok, version {version}, schema {note}")
    return 0


async def _check_redis(dsn: str) -> int:
    try:
        async with redis_client(dsn, pool_size=1) as redis:
            await redis_ready(redis, timeout_seconds=5)
            server = await redis.info("server")
            saved: dict[str | None, str | None] = {}
            for name in ("appendonly", "appendfsync", "maxmemory-policy"):  # Redis 6.2 gives one at a time
                saved |= await redis.config_get(name)
    except REDIS_REFUSES as error:
        say(f"redis: refused: {error}")
        return 1
    except REDIS_GONE as error:
        say(f"redis: no connection ({type(error).__name__})")
        return 1
    valkey = server.get("valkey_version")
    version = f"Valkey {valkey}" if valkey else f"version {server['redis_version']}"
    say(f"redis: ok, {version}, {', '.join(f'{name} {value}' for name, value in saved.items())}")
    if saved.get("appendonly") == "no":
        say("redis: without append-only file, what was acknowledged can be lost with it")
        return 1
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


def verify(path: Path, language: str) -> int:
    """Recompute a draw from its proof and say what was checked. 1 where it does not hold, or is no proof."""
    texts = Texts()
    locale = texts.pick(language)
    try:
        raw = path.read_bytes()
        checks = proof.verify(raw)
    except OSError as error:
        say(texts.plain(locale, "verify-unreadable", path=str(path), reason=error.strerror or ""))
        return 1
    except proof.NotAProof as error:
        say(texts.plain(locale, f"verify-{error}"))
        return 1
    for check in checks:
        mark = texts.plain(locale, "verify-passed" if check.passed else "verify-failed")
        say(f"[{mark}] {texts.plain(locale, f'verify-{check.code}', **check.parameters)}")
    holds = all(check.passed for check in checks)
    game = msgspec.json.decode(raw)["game"]
    say(texts.plain(locale, "verify-holds" if holds else "verify-fails", game=str(game)))
    return 0 if holds else 1


async def replay(settings: Settings, game_id: str) -> int:
    """Print a game's timeline from PostgreSQL, and the state that its events give. 1 where there is no such game."""
    codec = Codec(KINDS)
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), "redis://unused")
    async with dsns as (dsn, _), postgres_pool(dsn) as pool:
        archive = Archive(pool, codec)
        game = await archive.game(game_id)
        if game is None:
            say(f"no game {game_id} in the database")
            return 1
        kind = codec.kind(game.kind)
        state, offset = None, 0
        while rows := await archive.timeline(game_id, limit=PAGE, offset=offset):
            for row in rows:
                state = kind.evolve(state, codec.decode_event(kind, row.name, row.data))
                at = datetime.fromtimestamp(row.at / 1000, UTC).isoformat(timespec="milliseconds")
                say(f"{row.version:>5} {at} {state.phase:<20} {row.name} {bytes(row.data).decode()}")
            offset += len(rows)
        if state is not None:
            say(msgspec.json.format(msgspec.json.encode(kind.view(state, None)), indent=2).decode())
    return 0
