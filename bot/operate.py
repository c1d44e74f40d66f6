"""What operators do from the command line besides running: migrate, check, verify a draw, replay a game."""

import json
import os
import sys
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from bot.settings import Settings
from bot.signatures import SIGNATURES
from fsm import proof
from fsm.kind import Kind, secrets_of
from fsm.registry import KINDS
from play.texts import Texts
from storage import migrate as schema
from storage.archive import Archive, ListedGame, StoredEvent
from storage.codec import Codec, UnreadableGame
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
from telegram.client import ApiError, BotApi

PAGE = 500


def say(line: str) -> None:
    """Write one line to standard output, whatever that can show."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


async def _told(work: Awaitable[int]) -> int:
    """Do the work; say in one line why it can't be done, and give 1."""
    try:
        return await work
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (EmbeddedStoreError, schema.SchemaTooNewError) as error:
        say(f"{error}")
    except asyncpg.UndefinedTableError:
        say("the database is not migrated: `python -m bot migrate`")
    except POSTGRES_GONE as error:
        say(f"postgresql: no connection ({type(error).__name__})")
    except asyncpg.PostgresError as error:
        say(f"postgresql: {error}")
    return 1


async def migrate(settings: Settings, revision: str, *, confirmed: bool = False) -> int:
    """Bring the schema to a revision, up or down: ``head``, ``base`` or one between.

    A way down drops data: it is asked for on a terminal unless ``confirmed``, and refused where there is none. Returns
    1 if it can't be done.
    """
    known = ["base", *schema.revisions(), "head"]
    if revision not in known:
        say(f"there is no revision {revision}: {', '.join(known)}")
        return 1
    return await _told(_migrate(settings, schema.head() if revision == "head" else revision, confirmed=confirmed))


async def _migrate(settings: Settings, revision: str, *, confirmed: bool) -> int:
    async with stores(settings.data_dir, settings.database.dsn.get_secret_value(), "redis://unused") as (dsn, _):
        before = await schema.current(dsn)
        schema.check_known(before)
        if revision != "base" and (before or "") <= revision:
            await schema.upgrade(dsn, revision)
        elif before is not None:
            if not confirmed and not _asked(before, revision):
                return 1
            await schema.downgrade(dsn, revision)
        say(f"schema: {before or 'empty'} -> {await schema.current(dsn) or 'empty'}")
    return 0


def _asked(before: str, revision: str) -> bool:
    """Ask on the terminal whether data may be dropped. False if there is no terminal, or no yes."""
    lost = "every table and all data" if revision == "base" else f"the data that came after {revision}"
    question = f"from {before} to {revision} drops {lost}"
    if not sys.stdin.isatty():
        say(f"{question}: nothing done; --yes confirms it")
        return False
    sys.stdout.write(f"{question}. Type {revision} to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() == revision:
        return True
    say("nothing done")
    return False


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
        raw = _beginning(path)
        checks = proof.verify(raw, SIGNATURES)
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
    say(texts.plain(locale, "verify-holds" if holds else "verify-fails", game=_game_of(raw)))
    return 0 if holds else 1


def _game_of(raw: bytes) -> str:
    document = json.loads(raw)
    game: str = document.get("opening", document)["game"]
    return game


def _beginning(path: Path) -> bytes:
    """The file, or (``-``) what comes in: no more of it than shows whether it is too large for a proof."""
    if str(path) == "-":
        return sys.stdin.buffer.read(proof.LARGEST + 1)
    with path.open("rb") as file:
        return file.read(proof.LARGEST + 1)


# -- replay -----------------------------------------------------------------------------------------------------


async def replay(settings: Settings, game_id: str, *, secrets: bool = False) -> int:
    """Print a game's timeline from PostgreSQL, and the state that its events give.

    What is secret while a game is live is left out of a live one, unless ``secrets``. 1 where there is no such game, or
    its events do not give what the database says of it.
    """
    return await _told(_replay(settings, game_id, secrets=secrets))


async def _replay(settings: Settings, game_id: str, *, secrets: bool) -> int:
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), "redis://unused")
    async with dsns as (dsn, _), postgres_pool(dsn) as pool:
        archive = Archive(pool, Codec(KINDS))
        game = await archive.game(game_id)
        if game is None:
            say(f"no game {game_id} in the database")
            return 1
        if game.kind not in KINDS:
            say(f"this version knows no kind of game called {game.kind}")
            return 1
        timeline, offset = _Timeline(KINDS[game.kind], hidden=game.ended_at is None and not secrets), 0
        while rows := await archive.timeline(game_id, limit=PAGE, offset=offset):
            for row in rows:
                timeline.step(row)
            offset += len(rows)
        return timeline.end(game)


@dataclass(slots=True)
class _Timeline:
    """What is printed of a game, step by step. ``trouble``: what is wrong with its events."""

    kind: Kind[Any]
    hidden: bool
    state: Any = None
    version: int = 0
    trouble: str = ""
    codec: Codec = field(default_factory=lambda: Codec(KINDS))

    def step(self, row: StoredEvent) -> None:
        """One event. After the first that is missing or can't be read there is no state any more."""
        data: Any = msgspec.json.decode(row.data)
        if row.version != self.version + 1:
            self.trouble = self.trouble or f"version {self.version + 1} is missing"
        self.version = row.version
        try:
            event = self.codec.decode_event(self.kind, row.name, row.data)
            if self.hidden:
                data |= dict.fromkeys(secrets_of(event), "secret")
            self.state = None if self.trouble else self.kind.evolve(self.state, event)
        except UnreadableGame as error:
            self.state, self.trouble = None, self.trouble or f"version {row.version} can't be read: {error}"
            data = "secret" if self.hidden else data
        at = datetime.fromtimestamp(row.at / 1000, UTC).isoformat(timespec="milliseconds")
        phase = "?" if self.state is None else self.state.phase
        written = msgspec.json.encode(data).decode()
        say(f"{row.version:>5} {at} {phase:<20} {row.name:<18} {row.command_id:<28} {written}")

    def end(self, game: ListedGame) -> int:
        """The state, and whether it is what the database says. 1 where it is not."""
        if self.version == 0:
            say("its events are no longer kept")
            return 1
        if not self.trouble and (self.version, self.state.phase) != (game.version, game.status):
            self.trouble = f"the database has version {game.version}, {game.status}"
        if self.trouble:
            say(f"the events do not give the game: {self.trouble}")
            return 1
        shown = self.kind.view(self.state, None) if self.hidden else self.state
        say(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode())
        say(f"the events give version {game.version}, {game.status}, as the database says")
        if self.hidden:
            say("the game is live: what is secret is left out; --secrets shows it")
        return 0
