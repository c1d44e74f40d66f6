"""The audit log: every write of every face, with its author, time, origin and outcome.

There are two hooks. The engine reports each command to a game (`Audit.command`), which covers the writes to games by
all faces. Repositories report all other writes (`wrote`). A face names the author with `acting`. Rows are written in
the background, a second at most after the write, in one statement for many; those of a process that is killed before
are lost, and the events of games are not. The table refuses changes, and deletions of rows that are younger than a
month.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec
from loguru import logger

from fsm.engine import Clock
from fsm.kind import Command, Instant, kebab
from fsm.lobby import OpenGame
from storage.connections import POSTGRES_GONE, Pool, storable
from storage.ticks import next_tick

API, TELEGRAM, SHELL = "api", "telegram", "shell"
"""Faces."""
COMMANDS: Final[Mapping[str, str]] = {"tg": TELEGRAM}
"""Beginning of a command's id -> the face whose commands are recorded here. The API records its own requests."""
WAITING: Final = 50_000
"""Maximum number of rows that wait to be written. Beyond it the oldest are dropped, and counted."""
FLUSH_SECONDS: Final = 1.0
FLUSH_ROWS: Final = 2000
SYNC_SECONDS: Final = 1.0
LONGEST: Final = 200
"""Longest text of a field, in characters."""
AWAY: Final = (*POSTGRES_GONE, asyncpg.PostgresError)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ADD = """
INSERT INTO audit_log (at, face, actor_id, token, action, chat_id, target, origin, outcome)
SELECT * FROM unnest(
    $1::timestamptz[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[],
    $9::text[]
)
"""
_PAGE = "SELECT * FROM audit_log WHERE id < $2"
_FILTERS: Final[Mapping[str, str]] = {
    # Rows keep the id that the chat had: those of a supergroup include those of the groups that became it.
    "chat_id": "chat_id = ANY(ARRAY(SELECT {0}::bigint UNION ALL SELECT id FROM chats WHERE migrated_to = {0}))",
    "actor_id": "actor_id = {}",
    "token": "token = {}",
    "target": "target = {}",
}
LAST_ID: Final = 2**63 - 1


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A write.

    Attributes:
        at: time of receipt.
        face: `api`, `telegram` or `shell`.
        action: the write, such as `cancel` or `ban`.
        outcome: `done`, or the code of the refusal. A write that changed nothing has no row.
        actor_id: the person; 0 if it is unknown or nobody.
        token: prefix of the token; empty for none.
        chat_id: the chat; None if the write is about none.
        target: the game, person, pack or token that it is about; empty for none.
        origin: the update or request, and the address that it came from.
        id: the row's number; 0 before it is written.
    """

    at: Instant
    face: str
    action: str
    outcome: str = "done"
    actor_id: int = 0
    token: str = ""
    chat_id: int | None = None
    target: str = ""
    origin: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Trail:
    """The author of the writes of a task, and the log that gets them."""

    audit: "Audit"
    face: str
    actor_id: int
    chat_id: int | None
    origin: str

    def note(self, action: str, *, chat_id: int | None = None, target: str = "", outcome: str = "done") -> None:
        """Note a write by the author."""
        self.audit.note(
            AuditEntry(
                at=self.audit.now(),
                face=self.face,
                action=action,
                outcome=outcome,
                actor_id=self.actor_id,
                chat_id=self.chat_id if chat_id is None else chat_id,
                target=target,
                origin=self.origin,
            )
        )


_TRAIL: ContextVar[Trail | None] = ContextVar("trail", default=None)


@contextlib.contextmanager
def acting(trail: Trail) -> Iterator[Trail]:
    """Name the author of the writes in the block."""
    token = _TRAIL.set(trail)
    try:
        yield trail
    finally:
        _TRAIL.reset(token)


def wrote(action: str, *, chat_id: int | None = None, target: object = "", nameless: bool = False) -> None:
    """Report a write that was made. Without an author, as in the bot's own tasks, nothing is recorded.

    The row of a nameless write says nothing about its author, whose data it erases.
    """
    trail = _TRAIL.get()
    if trail is not None and nameless:
        trail = replace(trail, actor_id=0, chat_id=None, origin="")
    if trail is not None:
        trail.note(action, chat_id=chat_id, target=str(target))


_Told = tuple[str, Command, str, Instant, int | None, str]
"""A command to a game as the engine reports it: game, command, its id, time of receipt, chat, outcome."""


class Audit:
    """The audit log.

    Args:
        pool: PostgreSQL.
        clock: the time of writes.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self.now = clock.now
        self._waiting: deque[AuditEntry | _Told] = deque(maxlen=WAITING)
        self._flushing = asyncio.Lock()
        self.dropped = 0
        """Number of rows that could not wait any longer."""

    def command(
        self, game_id: str, command: Command, command_id: str, received: Instant, chat_id: int | None, outcome: str
    ) -> None:
        """Note a command that was answered. Part of the hot path: the row is made later."""
        if len(self._waiting) == WAITING:
            self.dropped += 1
        self._waiting.append((game_id, command, command_id, received, chat_id, outcome))

    def note(self, entry: AuditEntry) -> None:
        """Note a write."""
        if len(self._waiting) == WAITING:
            self.dropped += 1
        self._waiting.append(entry)

    async def record(self, entry: AuditEntry) -> None:
        """Note a write, and wait for a second at most until it is written."""
        self.note(entry)
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await self.flush()
        except AWAY as problem:
            logger.warning("a row of the audit log waits for PostgreSQL: {}", type(problem).__name__)

    async def run(self) -> None:
        """Write the rows that wait, once a second, until cancelled."""
        while True:
            await next_tick(FLUSH_SECONDS)
            if self._waiting:
                try:
                    await self.flush()
                except AWAY as problem:
                    count = len(self._waiting)
                    logger.warning("{} rows of the audit log wait for PostgreSQL: {}", count, type(problem).__name__)

    async def close(self) -> None:
        """Write the rows that still wait, if PostgreSQL is there."""
        try:
            async with asyncio.timeout(2 * FLUSH_SECONDS):
                await self.flush()
        except AWAY as problem:
            logger.warning("{} rows of the audit log are lost: {}", len(self._waiting), type(problem).__name__)

    async def flush(self) -> None:
        """Write the rows that wait. Raises asyncpg's errors; the rows then keep waiting."""
        async with self._flushing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(FLUSH_ROWS, len(self._waiting)))]
                rows = [row for told in batch if (row := _row(told)) is not None]
                try:
                    if rows:
                        await self._pool.execute(_ADD, *map(list, zip(*rows, strict=True)))
                except BaseException:
                    room = WAITING - len(self._waiting)
                    self.dropped += max(0, len(batch) - room)
                    self._waiting.extendleft(reversed(batch[max(0, len(batch) - room) :]))
                    raise

    async def page(self, limit: int, before: int = LAST_ID, **filters: Any) -> list[AuditEntry]:
        """Return rows, latest first, before a row: of a `chat_id`, `actor_id`, `token` or `target`, if given."""
        conditions, arguments = [_PAGE], [limit, before]
        for name, value in filters.items():
            if value is not None:
                arguments.append(value)
                conditions.append(_FILTERS[name].format(f"${len(arguments)}"))
        statement = f"{' AND '.join(conditions)} ORDER BY id DESC LIMIT $1"
        return [
            AuditEntry(**{**row, "at": round(row["at"].timestamp() * 1000)})
            for row in await self._pool.fetch(statement, *arguments)
        ]


def _row(told: AuditEntry | _Told) -> tuple[Any, ...] | None:
    """Return the columns of a row; None for a command that no person gave, or that changed nothing."""
    entry = told if isinstance(told, AuditEntry) else _of_command(*told)
    if entry is None:
        return None
    texts = [storable(text)[:LONGEST] for text in (entry.target, entry.origin, entry.outcome)]
    at = EPOCH + timedelta(milliseconds=entry.at)
    return at, entry.face, entry.actor_id, entry.token, entry.action, entry.chat_id, *texts


def _of_command(
    game_id: str, command: Command, command_id: str, received: Instant, chat_id: int | None, outcome: str
) -> AuditEntry | None:
    face = COMMANDS.get(command_id.partition(":")[0])
    if face is None or outcome in {"duplicate", "nothing"}:
        return None
    if isinstance(command, OpenGame):
        actor_id, chat_id = command.host.id, command.place.chat_id
    else:
        actor_id = getattr(command, "by", None) or getattr(command, "player_id", None) or 0
    return AuditEntry(
        at=received,
        face=face,
        action=kebab(type(command).__name__),
        outcome=outcome,
        actor_id=actor_id,
        chat_id=chat_id,
        target=game_id,
        origin=command_id,
    )
