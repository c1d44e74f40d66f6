"""The projector: a consumer of the feed that writes PostgreSQL.

Everything that follows from a batch of entries is one transaction: events, games, participants, prizes, statistics,
webhook deliveries and the position in the feed. The version of each game in PostgreSQL decides which events are new,
never a position. So a batch may come again, from any process, and a Redis that was lost and begins its streams anew
does no harm. A lock on the row of a shard's checkpoint keeps two writers of one shard apart.

The projector knows no rules: it reads the event that opens a game and those of the lobby; the others pass through as
the JSON they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg
import msgspec
from loguru import logger

from fsm.achievements import PlayedGame
from fsm.lobby import (
    CANCELLED,
    COMPLETED,
    ChatMoved,
    GameCancelled,
    GameCompleted,
    PlayerJoined,
    PlayerLeft,
    PlayerRemoved,
)
from storage.achievements import Ended, note_achievements
from storage.aliases import PROVEN, scrubbed
from storage.connections import bounded_transaction
from storage.feed import Entry, Rewind, Unprocessable
from storage.people import move_chat
from storage.subscriptions import enqueue_words
from storage.unpublished import note_unpublished
from storage.webhooks import WebhookMessage, publish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from fsm.kind import Instant
    from storage.connections import Connection, Pool

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINNERS_SHOWN = 10
"""Winners in a game's summary: the most that a game can have."""
LOGGED_KIND = "pick_number"
"""The kind of game whose draws the public log holds."""
LOGGED = {
    "selection_opened": "opening",
    "selection_closed": "closing",
    "game_completed": "end",
    "game_cancelled": "end",
}
"""The note in the public log's queue for each event; `storage/public_log.py` turns it into a leaf."""

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
"""Pattern of the one character that JSON allows and PostgreSQL's jsonb does not."""

_LOCK = """
WITH locked AS (SELECT shard, position FROM feed_checkpoints WHERE shard = ANY($1::text[]) ORDER BY shard FOR UPDATE)
UPDATE feed_checkpoints c SET updated_at = now(), position = CASE
    WHEN (split_part(n.position, '-', 1)::bigint, split_part(n.position, '-', 2)::bigint)
        > (split_part('0' || c.position, '-', 1)::bigint, ('0' || split_part(c.position, '-', 2))::bigint)
    THEN n.position ELSE c.position END
FROM locked JOIN unnest($1::text[], $2::text[]) AS n(shard, position) USING (shard) WHERE c.shard = locked.shard
RETURNING c.shard, locked.position,
    set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true)
"""
"""Statement that takes the locks, in one order, and moves the positions forward.

A repeated batch moves no position back, so a position that has gone back reveals lost transactions. The settings are
for the statements that follow in the transaction: arrays come in lengths that the planner can't foresee, and an index
look-up for each row is right for all of them.
"""
_CHECKPOINTS = "SELECT shard, position FROM feed_checkpoints WHERE shard = ANY($1::text[])"
_NEW_SHARDS = """
INSERT INTO feed_checkpoints (shard, position) SELECT unnest($1::text[]), '' ON CONFLICT DO NOTHING
"""
_KNOWN = """
SELECT id, kind, version, chat_id, COALESCE((rules->>'winners')::int, 1) FROM games WHERE id = ANY($1::text[])
"""
_ERASED = "SELECT player_id, alias, erased_at FROM erasures WHERE player_id = ANY($1::bigint[])"
_STORED = """
SELECT e.game_id, e.version, e.command_id
FROM unnest($1::text[], $2::int[]) AS asked(game_id, version)
JOIN game_events e ON e.game_id = asked.game_id AND e.version = asked.version
"""
_ADVANCE = """
UPDATE games SET status = n.status, version = n.version, players = games.players + n.joined,
    chat_id = COALESCE(n.chat_id, games.chat_id), ended_at = n.ended_at, summary = n.summary::jsonb
FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::timestamptz[], $7::text[], $8::int[])
    AS n(id, status, version, joined, chat_id, ended_at, summary, before)
WHERE games.id = n.id AND games.version = n.before
"""
"""The condition on the version lets an event be written once only: the keys of tables divided by time can't."""
_PLAYERS = """
INSERT INTO players (id, name) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT DO NOTHING
"""
_JOINED = """
INSERT INTO game_participants (game_id, player_id, name, joined_at, left_at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (game_id, player_id)
DO UPDATE SET name = excluded.name, joined_at = excluded.joined_at, left_at = excluded.left_at
"""
_LEFT = """
UPDATE game_participants p SET left_at = n.left_at
FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) AS n(game_id, player_id, left_at)
WHERE p.game_id = n.game_id AND p.player_id = n.player_id
"""
_RESULTS = """
INSERT INTO game_participants AS p (game_id, player_id, name, joined_at, number, points, place, prize)
SELECT * FROM unnest(
    $1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::int[], $6::int[], $7::int[], $8::numeric[]
)
ON CONFLICT (game_id, player_id)
DO UPDATE SET number = excluded.number, points = excluded.points, place = excluded.place, prize = excluded.prize
"""
_PRIZES = """
INSERT INTO prizes (game_id, player_id, place, amount, settled_at, currency, award)
SELECT * FROM unnest(
    $1::text[], $2::bigint[], $3::int[], $4::numeric[], $5::timestamptz[], $6::text[], $7::text[]
)
"""
_TOTALS = """
INSERT INTO player_prizes AS s (player_id, chat_id, kind, currency, amount)
SELECT r.player_id, c.id, k.name, r.currency, sum(r.amount)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::numeric[])
    AS r(player_id, chat_id, kind, currency, amount)
CROSS JOIN LATERAL (VALUES
    (0::bigint), (COALESCE((SELECT migrated_to FROM chats WHERE id = r.chat_id), r.chat_id))
) AS c(id)
CROSS JOIN LATERAL (VALUES (''), (r.kind)) AS k(name)
GROUP BY r.player_id, c.id, k.name, r.currency
ORDER BY r.player_id, c.id, k.name, r.currency
ON CONFLICT (player_id, chat_id, kind, currency) DO UPDATE SET amount = s.amount + excluded.amount
"""
_LOGGED = """
INSERT INTO log_pending (game_id, event) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING
"""
_FIGURES = """
INSERT INTO player_stats AS s (player_id, chat_id, kind, name, games, wins, prizes, points, best_streak)
SELECT r.player_id, c.id, k.name, max(r.name), count(*), count(*) FILTER (WHERE r.won), sum(r.prize), sum(r.points),
    max(r.streak)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bool[], $6::numeric[], $7::bigint[], $8::int[])
    AS r(player_id, chat_id, kind, name, won, prize, points, streak)
CROSS JOIN LATERAL (VALUES
    (0::bigint), (COALESCE((SELECT migrated_to FROM chats WHERE id = r.chat_id), r.chat_id))
) AS c(id)
CROSS JOIN LATERAL (VALUES (''), (r.kind)) AS k(name)
GROUP BY r.player_id, c.id, k.name
ORDER BY r.player_id, c.id, k.name
ON CONFLICT (player_id, chat_id, kind) DO UPDATE SET
    name = excluded.name,
    games = s.games + excluded.games,
    wins = s.wins + excluded.wins,
    prizes = s.prizes + excluded.prizes,
    points = s.points + excluded.points,
    best_streak = greatest(s.best_streak, excluded.best_streak),
    updated_at = now()
RETURNING s.player_id, s.chat_id, s.kind, s.games, s.wins, s.points, s.best_streak
"""
_PERIODS = """
INSERT INTO player_periods AS s (chat_id, period, player_id, kind, games, wins, prizes, points)
SELECT COALESCE((SELECT migrated_to FROM chats WHERE id = r.chat_id), r.chat_id) AS chat, p.name, r.player_id, r.kind,
    count(*), count(*) FILTER (WHERE r.won), sum(r.prize), sum(r.points)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bool[], $5::numeric[], $6::bigint[], $7::timestamptz[])
    AS r(player_id, chat_id, kind, won, prize, points, ended_at)
CROSS JOIN LATERAL (VALUES
    (to_char(r.ended_at AT TIME ZONE 'UTC', 'IYYY-"W"IW')),
    (to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-MM')),
    (to_char(r.ended_at AT TIME ZONE 'UTC', 'YYYY-"Q"Q'))
) AS p(name)
GROUP BY chat, p.name, r.player_id, r.kind
ORDER BY chat, p.name, r.player_id, r.kind
ON CONFLICT (chat_id, period, player_id, kind) DO UPDATE SET
    games = s.games + excluded.games, wins = s.wins + excluded.wins, prizes = s.prizes + excluded.prizes,
    points = s.points + excluded.points
"""
"""The same figures by the week, month and quarter in which the games ended, named as in `storage/periods.py`."""


class _ChatTopic(msgspec.Struct):
    chat_id: int
    topic_id: int = 0


class _Host(msgspec.Struct):
    id: int
    name: str


class _Opened(msgspec.Struct):
    """The fields of ``game_opened`` that every kind has."""

    place: _ChatTopic
    host: _Host
    title: str
    rules: msgspec.Raw
    at: int


class _Rules(msgspec.Struct):
    """The rules that the projector reads, with defaults for kinds that lack them."""

    winners: int = 1
    prize_pool: Decimal = Decimal(0)


class _Record(msgspec.Struct):
    c: str
    at: int
    e: list[tuple[str, msgspec.Raw]]


_records = msgspec.json.Decoder(list[_Record])
_opened = msgspec.json.Decoder(_Opened)
_rules = msgspec.json.Decoder(_Rules)
_READ: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(type_)
    for name, type_ in {
        "player_joined": PlayerJoined,
        "player_left": PlayerLeft,
        "player_removed": PlayerRemoved,
        "chat_moved": ChatMoved,
        "game_completed": GameCompleted,
        "game_cancelled": GameCancelled,
    }.items()
}
"""Decoders of the events that are read after the first; all others pass through."""
_OPENED = "game_opened"
_TOLD = {_OPENED: "game.opened", "game_completed": "game.completed", "game_cancelled": "game.cancelled"}
"""Names of the events that webhooks report, by name in the feed."""


class Forked(Unprocessable):
    """A conflict: PostgreSQL has another event at this version, because Redis continued from an older state."""


class OvertakenError(asyncpg.SerializationError):
    """A conflict with a writer that did not hold the lock of the shard. The batch is read again."""


class Beginning(Unprocessable):
    """A game whose events arrived without the one that opens it."""


@dataclass(slots=True)
class _Row:
    """A game of this batch: its row in PostgreSQL, and the changes to it."""

    kind: str
    version: int
    chat_id: int
    winners: int
    stored: int = 0
    """The version in PostgreSQL before this batch."""
    opened: tuple[Any, ...] | None = None
    """Columns that only the opening event sets; None if that is not in this batch."""
    status: str = ""
    joined: int = 0
    moved_to: int | None = None
    ended_at: datetime | None = None
    summary: str | None = None


_Participation = tuple[str | None, datetime | None, datetime | None]


@dataclass(slots=True)
class _Writes:
    """The rows that a batch writes."""

    games: dict[str, _Row]
    erased: Mapping[int, tuple[int, datetime]] = field(default_factory=dict)
    """Alias and time of erasure by person, of those who were erased lately and are in this batch."""
    people: set[int] = field(default_factory=set)
    """The people whose names and results the batch has."""
    changed: set[str] = field(default_factory=set)
    events: list[tuple[Any, ...]] = field(default_factory=list)
    participants: dict[tuple[str, int], _Participation] = field(default_factory=dict)
    """Name, time of joining and time of leaving by game and player. A name of None: joined before this batch."""
    results: list[tuple[Any, ...]] = field(default_factory=list)
    prizes: list[tuple[Any, ...]] = field(default_factory=list)
    totals: list[tuple[Any, ...]] = field(default_factory=list)
    figures: list[tuple[Any, ...]] = field(default_factory=list)
    periods: list[tuple[Any, ...]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    moves: list[tuple[int, int]] = field(default_factory=list)
    told: list[tuple[str, int, str, Instant, Mapping[str, Any]]] = field(default_factory=list)
    """Game, version, event, time and data of the webhook events."""
    logged: list[tuple[str, str]] = field(default_factory=list)
    """Game and note for the public log."""
    again: list[tuple[str, int, str]] = field(default_factory=list)
    """Game, version and command id of events that PostgreSQL should have already."""
    early: set[str] = field(default_factory=set)
    """Games that are left out, because another process is still writing their earlier events."""


class Projector:
    """Writer of the feed into PostgreSQL. Pass its `handle` to a `Feed`.

    Args:
        pool: PostgreSQL.
    """

    def __init__(self, pool: Pool) -> None:
        self.events = 0
        """Events written by this process."""
        self.gaps = 0
        """Entries that arrived without earlier ones, which were lost or set aside."""
        self.rewound = 0
        """Number of times that PostgreSQL was found to have lost transactions."""
        self.lost: dict[str, int] = {}
        """First version that neither PostgreSQL nor the feed nor Redis has, by game."""
        self.on_rewind: Callable[[], object] | None = None
        """Callback for the loss of transactions in PostgreSQL, after which earlier confirmations no longer hold."""
        self._positions: dict[str, str] = {}
        """Latest known checkpoint in PostgreSQL, by shard."""
        self._pool = pool
        self.on_published: Callable[[], Awaitable[object]] | None = None
        """Called after a batch that has enqueued jobs."""
        self.on_unpublished: Callable[[], Awaitable[object]] | None = None
        """Called after a batch with events for the bridge. None: there is no bridge, so they are not noted for it."""
        self.on_figures: Callable[[Collection[int]], Awaitable[object]] | None = None
        """Called after a batch in which games have ended or moved, with their chats: their figures have changed."""

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Write entries, in order within each shard; entries written before change nothing.

        Raises `Unprocessable`, `Rewind`, and asyncpg's errors.
        """
        await self.write(entries, gaps=True)
        for entry in entries:
            _tell_operators(entry)

    async def write(self, entries: Sequence[Entry], *, gaps: bool) -> frozenset[str]:
        """Write entries in one transaction. Returns the games that were left out.

        If PostgreSQL lacks events before an entry's, `gaps` decides: True means that they are lost for good, so the
        entry is written without them; False means that they are on their way, so the game is left out.
        """
        positions = {entry.shard: entry.id or None for entry in entries}
        shards = list(positions)
        async with bounded_transaction(self._pool) as connection:
            # Lock before reading versions: a reader that lost its lease may still be writing the same shard.
            found = await connection.fetch(_LOCK, shards, list(positions.values()))
            if gaps:
                self._see({row[0]: row[1] for row in found}, shards)
            if len(found) < len(shards):
                await connection.execute(_NEW_SHARDS, shards)
                await connection.fetch(_LOCK, shards, list(positions.values()))
            writes = _Writes(await _known(connection, entries))
            for entry in entries:
                self._read(entry, writes, gaps=gaps)
            if writes.people and (erased := await _erased(connection, writes.people)):
                writes = _Writes(await _known(connection, entries), erased)
                for entry in entries:
                    self._read(entry, writes, gaps=gaps)
            await _check(connection, writes)
            published = await self._write(connection, writes)
        self.events += len(writes.events)
        if gaps:
            for shard, position in positions.items():
                if position and _order(position) > _order(self._positions.get(shard, "")):
                    self._positions[shard] = position
        if published and self.on_published is not None:
            await self.on_published()
        if writes.events and self.on_unpublished is not None:
            await self.on_unpublished()
        if self.on_figures is not None and (chats := _changed_figures(writes)):
            await self.on_figures(chats)
        return frozenset(writes.early)

    # -- lost transactions --------------------------------------------------------------------------------------

    async def check(self, places: Mapping[str, str], first: bool) -> None:  # noqa: FBT001 -- as the feed calls it
        """Compare PostgreSQL's checkpoints with those written, and on the first call with the positions in the feed.

        Raises `Rewind` if they went back, and asyncpg's errors.
        """
        rows = await self._pool.fetch(_CHECKPOINTS, list(places))
        found = {row[0]: row[1] for row in rows}
        if first:  # entries set aside at the end are read again, too: that is harmless
            self._positions = dict(places)
        self._see(found, list(places))
        self._positions = found

    async def check_again(self) -> None:
        """Compare PostgreSQL's checkpoints with those written. Raises `Rewind`, and asyncpg's errors."""
        await self.check(self._positions, first=False)

    def _see(self, found: Mapping[str, str], shards: Sequence[str]) -> None:
        """Raise `Rewind` if PostgreSQL's checkpoints are before those written."""
        back = {
            shard: found.get(shard, "")
            for shard in shards
            if _order(found.get(shard, "")) < _order(self._positions.get(shard, ""))
        }
        if not back:
            return
        self.rewound += 1
        self._positions = {shard: id_ for shard, id_ in self._positions.items() if shard not in back}
        logger.error("PostgreSQL has lost transactions; reading the feed again: {}", back)
        if self.on_rewind is not None:
            self.on_rewind()
        raise Rewind(back)

    # -- from entries to rows -----------------------------------------------------------------------------------

    def _read(self, entry: Entry, writes: _Writes, *, gaps: bool) -> None:
        raw = entry.records
        try:
            records = _records.decode(_NUL.sub(rb"\1\\ufffd", raw) if b"\\u0000" in raw else raw)
            if self._in_order(entry, writes, gaps=gaps):
                _fold(entry, records, writes)
        except msgspec.DecodeError as error:
            raise Unprocessable(f"game {entry.game_id}, version {entry.first_version}: {error}") from error

    def _in_order(self, entry: Entry, writes: _Writes, *, gaps: bool) -> bool:
        """Return True if an entry is to be written now: it continues its game's known events, or repeats some."""
        game_id, row = entry.game_id, writes.games.get(entry.game_id)
        if game_id in writes.early:
            return False
        if entry.first_version <= (row.version if row else 0) + 1:
            if entry.after and entry.first_version > 1:
                writes.again.append((game_id, entry.first_version - 1, entry.after))
            return True
        if not gaps:
            writes.early.add(game_id)
            return False
        if row is None:
            raise Beginning(f"game {game_id} begins with version {entry.first_version}")
        self.gaps += 1
        self.lost[game_id] = row.version + 1
        logger.bind(game=game_id).error(
            "versions {} to {} are missing from the feed", row.version + 1, entry.first_version - 1
        )
        return True

    # -- from rows to tables ------------------------------------------------------------------------------------

    async def _write(self, connection: Connection, writes: _Writes) -> bool:
        """Write the rows of a batch. Returns True if a job was enqueued: for webhooks, or for subscribers."""
        if not writes.changed:
            return False
        await _put_games(connection, writes)
        await connection.copy_records_to_table("game_events", columns=_EVENT_COLUMNS, records=writes.events)
        if writes.events and self.on_unpublished is not None:
            await note_unpublished(connection, _spans(writes))
        await _put_participants(connection, writes)
        for old, new in writes.moves:
            await move_chat(connection, old, new)
        if writes.results:
            await connection.execute(_RESULTS, *_columns(writes.results))
            totals = await connection.fetch(_FIGURES, *_columns(writes.figures))
            await connection.execute(_PERIODS, *_columns(writes.periods))
            await note_achievements(connection, writes.ended, totals)
        if writes.logged:
            await connection.execute(_LOGGED, *_columns(writes.logged))
        if writes.prizes:
            await connection.execute(_PRIZES, *_columns(writes.prizes))
        if writes.totals:
            await connection.execute(_TOTALS, *_columns(writes.totals))
        opened = [(game_id, row.chat_id) for game_id, row in writes.games.items() if row.opened is not None]
        words = bool(opened) and await enqueue_words(connection, opened)
        told = bool(writes.told) and await publish(connection, [_message(writes, *told) for told in writes.told])
        return told or words


_GAME_COLUMNS = (
    "id", "kind", "chat_id", "topic_id", "title", "host_id", "rules", "prize_pool", "opened_at",
    "status", "version", "players", "ended_at", "summary",
)  # fmt: skip
_EVENT_COLUMNS = ("game_id", "version", "name", "at", "command_id", "data")


def _spans(writes: _Writes) -> dict[str, tuple[int, int]]:
    """Return the first and the last version of a batch's events by game."""
    spans: dict[str, tuple[int, int]] = {}
    for game_id, version, *_ in writes.events:
        first, last = spans.get(game_id, (version, version))
        spans[game_id] = (min(first, version), max(last, version))
    return spans


def _changed_figures(writes: _Writes) -> set[int]:
    """Return the chats whose results or statistics a batch has changed."""
    ended = {writes.games[game_id].chat_id for game_id in writes.changed if writes.games[game_id].ended_at is not None}
    return ended.union(*writes.moves)


async def _known(connection: Connection, entries: Sequence[Entry]) -> dict[str, _Row]:
    rows = await connection.fetch(_KNOWN, list({entry.game_id for entry in entries}))
    return {row[0]: _Row(row[1], row[2], row[3], row[4], stored=row[2]) for row in rows}


async def _erased(connection: Connection, people: set[int]) -> dict[int, tuple[int, datetime]]:
    """Return alias and time of erasure of the people among these who were erased lately."""
    return {row[0]: (row[1], row[2]) for row in await connection.fetch(_ERASED, list(people))}


async def _check(connection: Connection, writes: _Writes) -> None:
    """Raise `Forked` if a repeated event differs from PostgreSQL's. Pruned events can't be compared."""
    if not writes.again:
        return
    games, versions, _ = _columns(writes.again)
    stored = {(row[0], row[1]): row[2] for row in await connection.fetch(_STORED, games, versions)}
    for game_id, version, command_id in writes.again:
        if stored.get((game_id, version), command_id) != command_id:
            raise Forked(f"game {game_id}, version {version}: by {command_id}, and by {stored[game_id, version]}")


def _order(position: str) -> tuple[int, int]:
    """Parse an id of a stream into a comparable form."""
    ms, _, seq = (position or "0-0").partition("-")
    return int(ms), int(seq or 0)


def _moment(at: Instant) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def _fold(entry: Entry, records: list[_Record], writes: _Writes) -> None:
    game_id, version = entry.game_id, entry.first_version - 1
    row = writes.games.get(game_id) or _open(entry, records, writes)
    for record in records:
        at = _moment(record.at)
        for name, raw in record.e:
            version += 1
            if version <= row.version:  # written before: skip, but compare the command id later
                writes.again.append((game_id, version, record.c))
                continue
            data = _without_erased(bytes(raw), row.kind, at, writes)
            writes.events.append((game_id, version, name, at, record.c, data))
            decoder = _READ.get(name)
            event = None if decoder is None else decoder.decode(data)
            if event is not None:
                _apply(row, game_id, event, at, writes)
            if row.kind == LOGGED_KIND and name in LOGGED:
                writes.logged.append((game_id, LOGGED[name]))
            if name in _TOLD:
                told = _reported(_opened.decode(data) if event is None else event)
                writes.told.append((game_id, version, _TOLD[name], record.at, told))
    if version > row.version:
        row.version, row.status = version, entry.phase
        writes.changed.add(game_id)


def _without_erased(data: bytes, kind: str, at: datetime, writes: _Writes) -> bytes:
    """Return an event's fields without the people who were erased after the event: it comes late."""
    for player_id, (alias, erased_at) in writes.erased.items():
        if at <= erased_at:
            data = scrubbed(data, player_id, None if kind in PROVEN else alias)
    return data


def _row_id(player_id: int, at: datetime, writes: _Writes) -> int:
    """Return the number under which a person's rows are stored: their alias if they were erased after the event."""
    writes.people.add(player_id)
    alias, erased_at = writes.erased.get(player_id, (player_id, at))
    return alias if at <= erased_at else player_id


def _open(entry: Entry, records: list[_Record], writes: _Writes) -> _Row:
    """Create the row of a game that PostgreSQL does not have yet, from its first event. Raises `Beginning`."""
    name, raw = records[0].e[0] if records and records[0].e else ("nothing", msgspec.Raw())
    if name != _OPENED:
        raise Beginning(f"game {entry.game_id} begins with {name}")
    event = _opened.decode(raw)
    rules = _rules.decode(event.rules)
    place = event.place
    row = writes.games[entry.game_id] = _Row(entry.kind, 0, place.chat_id, rules.winners)
    opened_at = _moment(event.at)
    host_id = _row_id(event.host.id, opened_at, writes)
    row.opened = (place.topic_id, event.title, host_id, bytes(event.rules), rules.prize_pool, opened_at)
    return row


def _apply(row: _Row, game_id: str, event: Any, at: datetime, writes: _Writes) -> None:
    """Apply one event to the rows of the batch."""
    match event:
        case PlayerJoined(player_id, name, joined_at):
            row.joined += 1
            player_id = _row_id(player_id, at, writes)
            writes.participants[game_id, player_id] = (name, _moment(joined_at), None)
        case PlayerLeft(player_id) | PlayerRemoved(player_id):
            row.joined -= 1
            player_id = _row_id(player_id, at, writes)
            participant = writes.participants.get((game_id, player_id), (None, None, None))
            writes.participants[game_id, player_id] = (participant[0], participant[1], at)
        case ChatMoved(chat_id):
            writes.moves.append((row.chat_id, chat_id))
            row.chat_id = row.moved_to = chat_id
        case GameCompleted():
            _complete(row, game_id, event, writes)
        case GameCancelled(reason, by, ended_at):
            row.ended_at = _moment(ended_at)
            row.summary = msgspec.json.encode({"reason": reason, "by": by}).decode()


def _complete(row: _Row, game_id: str, event: GameCompleted, writes: _Writes) -> None:
    """Record a game's result: places, prizes, and every player's statistics."""
    row.ended_at = ended_at = _moment(event.at)
    winners: list[tuple[int, str, Decimal, str, str]] = []
    for each in event.standings:
        player_id = _row_id(each.player_id, ended_at, writes)
        place, won = each.place, each.place is not None and each.place <= row.winners
        if place is not None and won and len(winners) < WINNERS_SHOWN:
            winners.append((place, each.name, each.prize, each.currency, each.award))
        if place is not None and (each.prize > 0 or each.award):
            writes.prizes.append((game_id, player_id, place, each.prize, ended_at, each.currency, each.award))
        if each.prize > 0 and each.currency:
            writes.totals.append((player_id, row.chat_id, row.kind, each.currency, each.prize))
        writes.results.append((game_id, player_id, each.name, ended_at, each.number, each.points, place, each.prize))
        prize = Decimal(0) if each.currency else each.prize
        writes.figures.append((player_id, row.chat_id, row.kind, each.name, won, prize, each.points, each.streak))
        writes.periods.append((player_id, row.chat_id, row.kind, won, prize, each.points, ended_at))
        if player_id == each.player_id:
            writes.ended.append(
                Ended(game_id, row.chat_id, ended_at, PlayedGame(len(event.standings), row.winners, each))
            )
    row.summary = msgspec.json.encode({"winners": winners}).decode()


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Transpose rows into the arrays that `unnest` turns into rows again."""
    return [list(column) for column in zip(*rows, strict=True)]


async def _put_games(connection: Connection, writes: _Writes) -> None:
    new, known = [], []
    for game_id in writes.changed:
        row = writes.games[game_id]
        state = (row.status, row.version, row.joined)
        if row.opened is None:
            known.append((game_id, *state, row.moved_to, row.ended_at, row.summary, row.stored))
        else:
            new.append((game_id, row.kind, row.chat_id, *row.opened, *state, row.ended_at, row.summary))
    if new:
        await connection.copy_records_to_table("games", columns=_GAME_COLUMNS, records=new)
    if known:
        advanced = await connection.execute(_ADVANCE, *_columns(known))
        if int(advanced.rpartition(" ")[2]) != len(known):
            raise OvertakenError("another transaction has written events of these games meanwhile")


async def _put_participants(connection: Connection, writes: _Writes) -> None:
    joined = [(*participant, *times) for participant, times in writes.participants.items() if times[0] is not None]
    left = [(*participant, left_at) for participant, (name, _, left_at) in writes.participants.items() if name is None]
    if joined:
        names = sorted(
            {row[1]: row[2] for row in joined if row[1] > 0}.items()
        )  # in one order, so that writers do not deadlock
        await connection.execute(_PLAYERS, *_columns(names))
        await connection.execute(_JOINED, *_columns(joined))
    if left:
        await connection.execute(_LEFT, *_columns(left))


def _message(
    writes: _Writes, game_id: str, version: int, event: str, at: Instant, data: Mapping[str, Any]
) -> WebhookMessage:
    """Return the message with which webhooks report an event. Its id is the same whenever it is projected."""
    row = writes.games[game_id]
    content = {"game_id": game_id, "kind": row.kind, "chat_id": row.chat_id, "version": version, **data}
    moment = _moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payload = msgspec.json.encode({"type": event, "timestamp": moment, "data": content})
    return WebhookMessage(f"{game_id}.{version}", event, row.chat_id, payload)


def _reported(event: Any) -> Mapping[str, Any]:
    """Return the fields of an event that other systems may see. Questions, seeds and the like are not among them."""
    match event:
        case _Opened():
            place, host = {"topic_id": event.place.topic_id}, {"id": event.host.id, "name": event.host.name}
            return {**place, "host": host, "title": event.title, "rules": event.rules}
        case GameCompleted():
            return {"standings": event.standings}
        case _:
            return {"reason": event.reason, "by": event.by}


def _tell_operators(entry: Entry) -> None:
    """Log a game's start and end. A repeated entry repeats its line."""
    if entry.first_version == 1:
        logger.bind(game=entry.game_id).info("a game of {} is open", entry.kind)
    if entry.phase in {COMPLETED, CANCELLED}:
        logger.bind(game=entry.game_id).info("a game of {} is {}", entry.kind, entry.phase)
