"""Reads of PostgreSQL: results, statistics, live games, and the events of every game.

The answers are as old as the projector's lag. Every query has a limit and an index. The methods raise asyncpg's errors.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from loguru import logger

from fsm.engine import Stored
from fsm.kind import Game, Instant, Player, PlayerId
from fsm.lobby import VOID
from storage.codec import Codec
from storage.connections import Pool
from storage.query_cache import ALL_CHATS, QueryCache

EVENTS_A_READ = 5000
MOST_KINDS = 100
MOST_GAMES_OF_PLAYER = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than any game."""

_STATS = """
SELECT kind, games, wins, prizes, points, best_streak, COALESCE((SELECT jsonb_object_agg(currency, amount::text) FROM (
    SELECT currency, amount FROM player_prizes z
    WHERE z.player_id = s.player_id AND z.chat_id = s.chat_id AND z.kind = s.kind ORDER BY currency LIMIT 20
) AS each), '{}')
FROM player_stats s WHERE player_id = $1 AND chat_id = $3 AND kind <> '' ORDER BY kind LIMIT $2
"""
_BEST_FIRST = "ORDER BY s.wins DESC, s.prizes DESC, s.points DESC, s.games, s.player_id"
LEADERBOARD = f"""
SELECT s.player_id, n.name, s.games, s.wins, s.prizes, s.points,
    COALESCE((SELECT jsonb_object_agg(currency, amount::text) FROM (
        SELECT currency, amount FROM player_prizes z
        WHERE z.player_id = s.player_id AND z.chat_id = $1 AND z.kind = $2 ORDER BY currency LIMIT 20
    ) AS each), '{{}}')
FROM (
    SELECT player_id, games, wins, prizes, points FROM player_stats s WHERE chat_id = $1 AND kind = $2
    {_BEST_FIRST} LIMIT $3 OFFSET $4
) AS s CROSS JOIN LATERAL (
    SELECT name FROM player_stats WHERE player_id = s.player_id AND chat_id = $1 AND kind = $2 OFFSET 0
) AS n
{_BEST_FIRST}
"""  # noqa: S608 -- made of constants
"""The last column holds the totals of the prizes with a currency, as a JSON object. The index alone gives the rows that
a page skips; names and totals are read for the page."""
_FINISHED = "SELECT g.id, g.kind, g.title, g.chat_id, g.status, g.ended_at, g.players, g.summary"
_HISTORY = f"""
{_FINISHED} FROM games g WHERE g.ended_at IS NOT NULL ORDER BY g.ended_at DESC, g.id LIMIT $1 OFFSET $2
"""
_HISTORY_OF_CHAT = f"""
{_FINISHED} FROM games g WHERE g.chat_id = $3 AND g.ended_at IS NOT NULL
ORDER BY g.ended_at DESC, g.id LIMIT $1 OFFSET $2
"""
_HISTORY_OF_PLAYER = f"""
{_FINISHED} FROM game_participants p JOIN games g ON g.id = p.game_id
WHERE p.player_id = $3 AND p.left_at IS NULL AND g.ended_at IS NOT NULL AND ($4::bigint IS NULL OR g.chat_id = $4)
ORDER BY p.joined_at DESC, g.id LIMIT $1 OFFSET $2
"""
_ENDED = f"""
{_FINISHED}, g.ended_at AS position FROM games g
WHERE g.ended_at IS NOT NULL AND g.ended_at <= $2 AND (g.ended_at < $2 OR g.id > $3)
ORDER BY g.ended_at DESC, g.id LIMIT $1
"""
_ENDED_IN_CHAT = f"""
{_FINISHED}, g.ended_at AS position FROM games g
WHERE g.chat_id = $4 AND g.ended_at IS NOT NULL AND g.ended_at <= $2 AND (g.ended_at < $2 OR g.id > $3)
ORDER BY g.ended_at DESC, g.id LIMIT $1
"""
_ENDED_OF_PLAYER = f"""
{_FINISHED}, p.joined_at AS position FROM game_participants p JOIN games g ON g.id = p.game_id
WHERE p.player_id = $4 AND p.left_at IS NULL AND g.ended_at IS NOT NULL AND ($5::bigint IS NULL OR g.chat_id = $5)
    AND p.joined_at <= $2 AND (p.joined_at < $2 OR g.id > $3)
ORDER BY p.joined_at DESC, g.id LIMIT $1
"""
_ENDED_SINCE = """
SELECT id, kind, status, ended_at, summary FROM games WHERE ended_at >= $1 ORDER BY ended_at DESC LIMIT $2
"""
_BEST_OF_EACH = "ended_at DESC, id, place NULLS LAST, player_id"
_RESULTS = f"""
SELECT r.*, COALESCE(z.currency, '') AS currency, COALESCE(z.award, '') AS award FROM (
    SELECT g.id, g.kind, g.title, g.chat_id, g.status, g.opened_at, g.ended_at, p.player_id, p.name, p.number, p.points,
        p.place, p.prize
    FROM games g JOIN game_participants p ON p.game_id = g.id
    WHERE g.id = ANY($1::text[]) AND (p.left_at IS NULL OR p.place IS NOT NULL)
    ORDER BY {_BEST_OF_EACH} LIMIT $2 OFFSET $3
) AS r
LEFT JOIN LATERAL (
    SELECT currency, award FROM prizes
    WHERE game_id = r.id AND player_id = r.player_id AND settled_at = r.ended_at OFFSET 0
) AS z ON true
ORDER BY {_BEST_OF_EACH}
"""  # noqa: S608 -- made of constants
# A player who leaves during a quiz keeps their points, and may have won.
_PARTICIPANTS = """
SELECT g.id, p.player_id, p.name, p.joined_at FROM unnest($1::text[]) AS g (id) CROSS JOIN LATERAL (
    SELECT player_id, name, joined_at FROM game_participants
    WHERE game_id = g.id AND left_at IS NULL ORDER BY joined_at, player_id LIMIT $2
) AS p
"""
_VOID = """
SELECT count(*) FROM games WHERE chat_id = $1 AND status = 'cancelled' AND summary->>'reason' LIKE 'void\\_%'
"""
_GAME = """
SELECT g.id, g.kind, g.title, g.chat_id, g.topic_id, g.host_id, g.status, g.players, g.prize_pool, g.version,
    g.opened_at, g.ended_at FROM games g
"""
_LIVE = f"{_GAME} WHERE status NOT IN ('completed', 'cancelled') ORDER BY id LIMIT $1 OFFSET $2"
_LIVE_IN_CHAT = f"{_GAME} WHERE chat_id = $3 AND ended_at IS NULL ORDER BY opened_at, id LIMIT $1 OFFSET $2"
_FILTERS = {"chat_id": "g.chat_id = {}", "status": "g.status = {}", "kind": "g.kind = {}"}
_LIVENESS = {True: "g.status NOT IN ('completed', 'cancelled')", False: "g.ended_at IS NOT NULL"}
_LIVE_COUNTS = """
SELECT kind, count(*), sum(players) FROM games WHERE status NOT IN ('completed', 'cancelled') GROUP BY kind LIMIT 100
"""
_LIVE_OF_PLAYER = """
SELECT g.id FROM games g JOIN game_participants p ON p.game_id = g.id
WHERE g.status NOT IN ('completed', 'cancelled') AND p.player_id = $1 AND p.left_at IS NULL
ORDER BY g.opened_at, g.id LIMIT $2
"""
_TIMELINE = """
SELECT version, name, at, command_id, data FROM game_events WHERE game_id = $1 ORDER BY version LIMIT $2 OFFSET $3
"""
_JOINED_BY = """
SELECT command_id FROM game_events
WHERE game_id = $1 AND name = 'player_joined' AND (data->>'player_id')::bigint = $2 ORDER BY version DESC LIMIT 1
"""
_EVENTS = """
SELECT version, name, at, command_id, data FROM game_events WHERE game_id = $1 AND version > $2
ORDER BY version LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class PlayerStats:
    """A player's statistics in one kind of game, over completed games only.

    ``prizes`` is the total of amounts without a currency, ``totals`` holds the others by currency.
    """

    kind: str
    games: int
    wins: int
    prizes: Decimal
    points: int
    best_streak: int
    totals: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a leaderboard. `place` counts from 1, over all pages. Prizes as in `PlayerStats`."""

    place: int
    player_id: PlayerId
    name: str
    games: int
    wins: int
    prizes: Decimal
    points: int
    totals: Mapping[str, Decimal]


class Winner(msgspec.Struct, frozen=True, array_like=True):
    """A winner of an ended game, as its summary holds them. Summaries of older versions end with the prize."""

    place: int
    name: str
    prize: Decimal
    currency: str = ""
    award: str = ""


@dataclass(frozen=True, slots=True)
class FinishedGame:
    """A game that has ended. `winners` holds at most ten, best first."""

    id: str
    kind: str
    title: str
    chat_id: int
    status: str
    ended_at: Instant
    players: int
    winners: list[Winner]


@dataclass(frozen=True, slots=True)
class ListedGame:
    """A game, live or ended, as operators see it. `players` counts the people who joined and have not left."""

    id: str
    kind: str
    title: str
    chat_id: int
    topic_id: int
    host_id: PlayerId
    status: str
    players: int
    prize_pool: Decimal
    version: int
    opened_at: Instant
    ended_at: Instant | None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one participant of an ended game. `number` and `place` are None without one."""

    id: str
    kind: str
    title: str
    chat_id: int
    status: str
    opened_at: Instant
    ended_at: Instant
    player_id: PlayerId
    name: str
    number: int | None
    points: int
    place: int | None
    prize: Decimal
    currency: str
    award: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A stored event. `data` is JSON; it holds secrets while the game is live."""

    version: int
    name: str
    at: Instant
    command_id: str
    data: bytes


P = ParamSpec("P")
T = TypeVar("T")


def _remembered(
    query: Callable[Concatenate["Archive", P], Coroutine[Any, Any, list[T]]],
) -> Callable[Concatenate["Archive", P], Coroutine[Any, Any, list[T]]]:
    """Let the archive's cache answer a query.

    Its argument ``chat_id`` names the chat that it is about; 0, None or no such argument means all chats.
    """
    names = list(signature(query).parameters)[1:]

    @wraps(query)
    async def answered(archive: "Archive", /, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        if archive.cache is None:
            return await query(archive, *args, **kwargs)
        asked = {**dict(zip(names, args, strict=False)), **kwargs}
        chat_id: Any = asked.get("chat_id") or ALL_CHATS
        key = (query.__name__, *sorted(asked.items()))
        return [*await archive.cache.answer(chat_id, key, lambda: query(archive, *args, **kwargs))]

    return answered


class _Summary(msgspec.Struct):
    winners: list[Winner] = []
    reason: str = ""


_summary = msgspec.json.Decoder(_Summary)
_totals = msgspec.json.Decoder(dict[str, Decimal])


class Archive:
    """Queries of PostgreSQL. Lists are paged by `limit` and `offset`.

    Args:
        pool: PostgreSQL.
        codec: decodes events.
        cache: answers queries of figures that many ask; None to make every query.
    """

    def __init__(self, pool: Pool, codec: Codec, cache: QueryCache | None = None) -> None:
        self._pool = pool
        self._codec = codec
        self.cache = cache

    @property
    def uncached(self) -> "Archive":
        """The same archive without its cache, for work that reads everything once."""
        return Archive(self._pool, self._codec)

    # -- figures ------------------------------------------------------------------------------------------------

    @_remembered
    async def player_stats(self, player_id: PlayerId, chat_id: int = 0) -> list[PlayerStats]:
        """Return a player's statistics in a chat (0: in all chats): one item for each kind played to the end."""
        rows = await self._pool.fetch(_STATS, player_id, MOST_KINDS, chat_id)
        return [PlayerStats(*(*row[:-1], _totals.decode(row[-1]))) for row in rows]

    @_remembered
    async def leaderboard(self, chat_id: int, kind: str | None, limit: int, offset: int = 0) -> list[Row]:
        """Return the best players of a chat (0: of all chats) in one kind (None: in all kinds together)."""
        rows = await self._pool.fetch(LEADERBOARD, chat_id, kind or "", limit, offset)
        return ranked(rows, offset)

    # -- games --------------------------------------------------------------------------------------------------

    @_remembered
    async def history(
        self, chat_id: int | None, player_id: PlayerId | None, limit: int, offset: int = 0
    ) -> list[FinishedGame]:
        """Return ended games, latest first: of a chat, of a player who stayed to the end, or both.

        None for a chat or player means any.
        """
        if player_id is not None:
            rows = await self._pool.fetch(_HISTORY_OF_PLAYER, limit, offset, player_id, chat_id)
        elif chat_id is not None:
            rows = await self._pool.fetch(_HISTORY_OF_CHAT, limit, offset, chat_id)
        else:
            rows = await self._pool.fetch(_HISTORY, limit, offset)
        return [_finished(row) for row in rows]

    @_remembered
    async def ended(
        self,
        limit: int,
        *,
        chat_id: int | None = None,
        player_id: PlayerId | None = None,
        after: tuple[Instant, str] | None = None,
    ) -> list[tuple[Instant, FinishedGame]]:
        """Return ended games like `history`, each with its position, after the one with this position and id."""
        at, last = (LAST, "") if after is None else (EPOCH + timedelta(milliseconds=after[0]), after[1])
        if player_id is not None:
            rows = await self._pool.fetch(_ENDED_OF_PLAYER, limit, at, last, player_id, chat_id)
        elif chat_id is not None:
            rows = await self._pool.fetch(_ENDED_IN_CHAT, limit, at, last, chat_id)
        else:
            rows = await self._pool.fetch(_ENDED, limit, at, last)
        return [(_instant(row["position"]), _finished(row)) for row in rows]

    async def ended_since(self, since: Instant, limit: int) -> list[tuple[Instant, str, str, str]]:
        """Return the time, id, kind and outcome of the games that ended since then, the latest first.

        The outcome is ``completed``, or the reason of a cancelled game.
        """
        rows = await self._pool.fetch(_ENDED_SINCE, EPOCH + timedelta(milliseconds=since), limit)
        return [
            (_instant(at), id_, kind, status if status == "completed" else _summary.decode(summary or b"{}").reason)
            for id_, kind, status, at, summary in rows
        ]

    async def results(self, game_ids: Sequence[str], limit: int | None = None, offset: int = 0) -> list[Result]:
        """Return the participants of ended games with their results, game by game, best first. None: all of them.

        People who left are among them only if they have a place.
        """
        return [
            Result(**{**row, "opened_at": _instant(row["opened_at"]), "ended_at": _instant(row["ended_at"])})
            for row in await self._pool.fetch(_RESULTS, list(game_ids), limit, offset)
        ]

    async def participants(self, game_ids: Sequence[str], limit: int) -> dict[str, list[Player]]:
        """Return the people who play in games, by game, in joining order; at most ``limit`` of each game."""
        found: dict[str, list[Player]] = {game_id: [] for game_id in game_ids}
        for game_id, player_id, name, joined_at in await self._pool.fetch(_PARTICIPANTS, list(game_ids), limit):
            found[game_id].append(Player(player_id, name, _instant(joined_at)))
        return found

    async def events_after(self, game_id: str, version: int, limit: int) -> list[StoredEvent]:
        """Return a page of a game's events, in order, after a version. Those of a live game hold secrets."""
        rows = await self._pool.fetch(_EVENTS, game_id, version, limit)
        return [
            StoredEvent(number, name, _instant(at), command_id, data) for number, name, at, command_id, data in rows
        ]

    async def joined_by(self, game_id: str, player_id: PlayerId) -> str | None:
        """Return the id of the command with which a player last joined a game; None if it is not stored."""
        found: str | None = await self._pool.fetchval(_JOINED_BY, game_id, player_id)
        return found

    async def void_games(self, chat_id: int) -> int:
        """Count the games of a chat that ended as void."""
        count: int = await self._pool.fetchval(_VOID, chat_id)
        return count

    async def live_games(self, chat_id: int | None, limit: int, offset: int = 0) -> list[ListedGame]:
        """Return the live games of a chat, oldest first, or of all chats, by id, if `chat_id` is None."""
        if chat_id is None:
            rows = await self._pool.fetch(_LIVE, limit, offset)
        else:
            rows = await self._pool.fetch(_LIVE_IN_CHAT, limit, offset, chat_id)
        return [_listed(row) for row in rows]

    async def listed(
        self,
        limit: int,
        *,
        chat_id: int | None = None,
        status: str | None = None,
        kind: str | None = None,
        live: bool | None = None,
        after: tuple[Instant, str] | None = None,
    ) -> list[ListedGame]:
        """Return games, latest first, after the one with this time of opening and id. None means any."""
        at, last = (LAST, "") if after is None else (EPOCH + timedelta(milliseconds=after[0]), after[1])
        conditions = ["(g.opened_at, g.id) < ($2, $3)"]
        arguments: list[Any] = [limit, at, last]
        # A statement for each set of filters: with `$1 IS NULL OR ...` the planner would not choose an index.
        for name, value in (("chat_id", chat_id), ("status", status), ("kind", kind)):
            if value is not None:
                arguments.append(value)
                conditions.append(_FILTERS[name].format(f"${len(arguments)}"))
        if live is not None:
            conditions.append(_LIVENESS[live])
        statement = f"{_GAME} WHERE {' AND '.join(conditions)} ORDER BY g.opened_at DESC, g.id DESC LIMIT $1"
        return [_listed(row) for row in await self._pool.fetch(statement, *arguments)]

    async def live_counts(self) -> dict[str, tuple[int, int]]:
        """Return, by kind, the number of live games and of players in them."""
        return {kind: (count, players) for kind, count, players in await self._pool.fetch(_LIVE_COUNTS)}

    async def live_game_of_player(self, player_id: PlayerId) -> list[str]:
        """Return the ids of the live games that a player has joined and not left, oldest first."""
        return [row[0] for row in await self._pool.fetch(_LIVE_OF_PLAYER, player_id, MOST_GAMES_OF_PLAYER)]

    async def game(self, game_id: str) -> ListedGame | None:
        """Return a game, or None if PostgreSQL does not have it."""
        row = await self._pool.fetchrow(f"{_GAME} WHERE g.id = $1", game_id)
        return None if row is None else _listed(row)

    # -- events -------------------------------------------------------------------------------------------------

    async def timeline(self, game_id: str, limit: int, offset: int = 0) -> list[StoredEvent]:
        """Return a page of a game's events, in order. Those of a live game hold secrets: never show them to players."""
        return [
            StoredEvent(version, name, _instant(at), command_id, data)
            for version, name, at, command_id, data in await self._pool.fetch(_TIMELINE, game_id, limit, offset)
        ]

    async def finished(self, game_id: str) -> Game | None:
        """Return the final state of an ended game. See `ended_game`."""
        found = await self.ended_game(game_id)
        return None if found is None else found.state

    async def ended_game(self, game_id: str) -> Stored | None:
        """Return an ended game, folded from its events.

        Returns None if the game is unknown, is still live, or lacks events. Raises `UnreadableGame`.
        """
        game = await self.game(game_id)
        if game is None or game.ended_at is None:
            return None
        stored = await self.folded(game_id, game.kind)
        return None if stored is None or stored.version != game.version else stored

    async def folded(self, game_id: str, kind_name: str) -> Stored | None:
        """Fold a game from its events. Returns None if some are missing or there are none. Raises `UnreadableGame`."""
        kind = self._codec.kind(kind_name)
        state, version, seen = None, 0, {}
        while rows := await self._pool.fetch(_EVENTS, game_id, version, EVENTS_A_READ):
            for at_version, name, at, command_id, data in rows:
                if at_version != version + 1:
                    logger.bind(game=game_id).warning("version {} is missing from PostgreSQL", version + 1)
                    return None
                state, version = kind.evolve(state, self._codec.decode_event(kind, name, data)), at_version
                seen[command_id] = _instant(at)
        return None if state is None else Stored(kind, state, version, seen)


def ranked(rows: Sequence[Any], offset: int) -> list[Row]:
    """Return the rows of `LEADERBOARD` with their places."""
    return [Row(*(place, *row[:-1], _totals.decode(row[-1]))) for place, row in enumerate(rows, offset + 1)]


def _instant(moment: datetime) -> Instant:
    return round(moment.timestamp() * 1000)


def _winners(summary: bytes | None) -> list[Winner]:
    return [] if summary is None else _summary.decode(summary).winners


def _status(status: str, summary: bytes | None) -> str:
    """Return ``void`` for a game that was cancelled as void, else its phase."""
    return "void" if summary is not None and _summary.decode(summary).reason.startswith(VOID) else status


def _finished(row: Any) -> FinishedGame:
    id_, kind, title, chat, status, ended_at, players, summary = tuple(row)[:8]
    return FinishedGame(
        id_, kind, title, chat, _status(status, summary), _instant(ended_at), players, _winners(summary)
    )


def _listed(row: Any) -> ListedGame:
    opened_at, ended_at = _instant(row["opened_at"]), row["ended_at"]
    return ListedGame(**{**row, "opened_at": opened_at, "ended_at": None if ended_at is None else _instant(ended_at)})
