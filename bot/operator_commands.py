"""Commands of operators other than running: migrate, run PostgreSQL's programs, verify a draw, replay a game."""

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

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
from storage.connections import POSTGRES_GONE, POSTGRES_REFUSES, postgres_pool
from storage.embedded import EmbeddedStoreError, postgres_programs, stores
from storage.rights import MissingRightError, check_rights

PAGE = 500


def say(line: str) -> None:
    """Write one line to standard output. Characters that its encoding lacks are escaped."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


async def told(work: Awaitable[int]) -> int:
    """Run a command. If it cannot be done, print the reason in one line and return 1."""
    try:
        return await work
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (EmbeddedStoreError, schema.SchemaTooNewError) as error:
        say(f"{error}")
    except MissingRightError as error:
        say(f"postgresql: {error}")
    except asyncpg.UndefinedTableError:
        say("the database is not migrated: `python -m bot migrate`")
    except asyncpg.exceptions.ClientConfigurationError as error:  # its text may contain part of the password
        say(f"postgresql: PostgreSQL's client rejects database.dsn ({type(error).__name__})")
    except POSTGRES_REFUSES as error:
        say(f"postgresql: refused: {error}")
    except POSTGRES_GONE as error:
        say(f"postgresql: {no_connection(error)}")
    except asyncpg.PostgresError as error:
        say(f"postgresql: {error}")
    return 1


def account() -> str:
    """Return the user of the system who runs the command, for the audit log."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def no_connection(error: BaseException) -> str:
    """Return one line about a store that does not answer, with the system's reason, which holds no secret."""
    reason = " ".join(str(error).split())
    return f"no connection ({type(error).__name__}{f': {reason}' if reason else ''})"


async def migrate(settings: Settings, revision: str, *, confirmed: bool = False) -> int:
    """Bring the schema up or down to a revision: ``head``, ``base`` or one between.

    A downgrade drops data. Unless ``confirmed``, it asks on the terminal, and refuses if there is none. Returns 1 if
    the schema was not changed as asked.
    """
    known = ["base", *schema.revisions(), "head"]
    if revision not in known:
        say(f"there is no revision {revision}: {', '.join(known)}")
        return 1
    return await told(_migrate(settings, schema.head() if revision == "head" else revision, confirmed=confirmed))


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
        if revision == schema.head():
            await check_rights(dsn)
    return 0


def _asked(before: str, revision: str) -> bool:
    """Ask on the terminal whether data may be dropped. Return False without a terminal or without a yes."""
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


async def postgres_program(settings: Settings, command: list[str]) -> int:
    """Run one of PostgreSQL's own programs on the embedded database, starting the database if necessary.

    A program of the operating system may be older than the embedded server and refuse it. Returns the program's status.
    """
    return await told(_postgres_program(settings, command))


async def _postgres_program(settings: Settings, command: list[str]) -> int:
    if settings.database.dsn.get_secret_value():
        say("database.dsn is set: use the programs that belong to that server")
        return 1
    programs = postgres_programs()
    program = programs / command[0]
    if not program.is_file():
        say(f"there is no program {command[0]}: {', '.join(sorted(path.name for path in programs.iterdir()))}")
        return 1
    async with stores(settings.data_dir, "", "redis://unused") as (dsn, _):
        process = await asyncio.create_subprocess_exec(program, f"--dbname={dsn}", *command[1:])
        return await process.wait()


HEAD = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})")
"""Form in which people keep a head of the public log: size and root."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Facts that a player kept, to compare with a proof. ``consistency`` is a file that proves how the log grew."""

    commitment: str | None = None
    head: str | None = None
    consistency: Path | None = None


def verify(path: Path, language: str, kept: Kept = Kept()) -> int:
    """Recompute a draw from its proof and print each check. Return 1 if a check fails or the file is no proof."""
    try:
        status = _verify(path, language, kept)
        sys.stdout.flush()
    except (
        OSError,
        ValueError,
        AttributeError,
    ):  # a closed pipe, a full disk, no standard output: only the status is left
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return status


def _verify(path: Path, language: str, kept: Kept) -> int:
    texts = Texts()
    locale = texts.pick(language)
    head = None if kept.head is None else HEAD.fullmatch(kept.head.strip().lower())
    if kept.head is not None and head is None:
        say(texts.plain(locale, "verify-bad-head"))
        return 1
    try:
        raw = _beginning(path)
        grown = [] if kept.consistency is None else _consistency(kept.consistency)
        checks = [*proof.verify(raw, SIGNATURES)]
        checks += proof.compare(raw, kept.commitment, None if head is None else (int(head[1]), head[2]), grown)
    except OSError as error:
        say(texts.plain(locale, "verify-unreadable", path=str(path), reason=error.strerror or str(error)))
        return 1
    except _NoConsistency as error:
        say(texts.plain(locale, "verify-no-consistency", path=str(kept.consistency), reason=str(error)))
        return 1
    except proof.NotAProof as error:
        say(texts.plain(locale, f"verify-{error}"))
        return 1
    for check in checks:
        mark = texts.plain(locale, "verify-passed" if check.passed else "verify-failed")
        say(f"[{mark}] {texts.plain(locale, f'verify-{check.code}', **check.parameters)}")
    holds = all(check.passed for check in checks)
    document = json.loads(raw)
    game = document.get("opening", document)["game"]
    say(texts.plain(locale, "verify-holds" if holds else "verify-fails", game=game))
    return 0 if holds else 1


def _consistency(path: Path) -> list[str]:
    """Return the path in a consistency proof, as `python -m bot log consistency` prints it. Raises _NoConsistency."""
    try:
        return msgspec.json.decode(_beginning(path), type=_Consistency).path
    except OSError as error:
        raise _NoConsistency(error.strerror or str(error)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _NoConsistency("JSON") from error


class _NoConsistency(Exception):
    """The file with the consistency proof can't be read, or holds none. ``str()`` is a reason."""


class _Consistency(msgspec.Struct):
    path: list[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]]


def _beginning(path: Path) -> bytes:
    """Read the file, or standard input for ``-``, up to one byte more than the largest proof."""
    if str(path) == "-":
        if sys.stdin is None:
            raise OSError("standard input is closed")
        return sys.stdin.buffer.read(proof.LARGEST + 1)
    with path.open("rb") as file:
        return file.read(proof.LARGEST + 1)


# -- replay -----------------------------------------------------------------------------------------------------


async def replay(settings: Settings, game_id: str, *, secrets: bool = False) -> int:
    """Print a game's timeline from PostgreSQL and the state that results from its events.

    The secrets of a live game are hidden unless ``secrets``. Returns 1 if there is no such game, or if its events
    contradict the database.
    """
    return await told(_replay(settings, game_id, secrets=secrets))


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
    """The printed timeline of a game. ``trouble`` describes the first error in its events; empty if there is none."""

    kind: Kind[Any]
    hidden: bool
    state: Any = None
    version: int = 0
    trouble: str = ""
    codec: Codec = field(default_factory=lambda: Codec(KINDS))

    def step(self, row: StoredEvent) -> None:
        """Print one event. After the first missing or unreadable event the state is unknown (None)."""
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
        """Print the state and compare it with the database. Return 1 if they differ."""
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
