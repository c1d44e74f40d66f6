"""The games with events that the bridge has not published yet: one row for each game, however many events it has.

The projector writes a row in the transaction that writes the events, and the bridge deletes it when its broker has
confirmed them. So a broker that is away for a day costs a row for each game of the day, and Redis nothing: the feed is
trimmed as usual, because the events come from `game_events`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from storage.connections import Connection, Pool, bounded_transaction

_NOTE = """
INSERT INTO unpublished_events AS u (game_id, first, last) SELECT * FROM unnest($1::text[], $2::int[], $3::int[])
ON CONFLICT (game_id) DO UPDATE SET first = least(u.first, excluded.first), last = greatest(u.last, excluded.last)
"""
_DUE = """
SELECT u.game_id, u.first, u.last, u.tries, g.kind, g.chat_id, e.version, e.name, e.at, e.data
FROM (
    SELECT game_id, first, last, tries FROM unpublished_events WHERE due_at <= now() ORDER BY due_at, game_id LIMIT $1
) u
JOIN games g ON g.id = u.game_id
JOIN LATERAL (
    SELECT version, name, at, data FROM game_events
    WHERE game_id = u.game_id AND version BETWEEN u.first AND u.last ORDER BY version LIMIT $2
) e ON true
ORDER BY u.game_id, e.version
"""
_GONE = """
DELETE FROM unpublished_events u WHERE due_at <= now()
    AND NOT EXISTS (SELECT FROM game_events e WHERE e.game_id = u.game_id AND e.version BETWEEN u.first AND u.last)
"""
"""Statement that gives up the games whose events have been pruned. Only a bridge that was off for a year meets any."""
_LOCK = "SELECT FROM unpublished_events WHERE game_id = ANY($1::text[]) ORDER BY game_id FOR UPDATE"
_DONE = """
DELETE FROM unpublished_events u USING unnest($1::text[], $2::int[]) AS p(game_id, version)
WHERE u.game_id = p.game_id AND u.last <= p.version
"""
_GO_ON = """
UPDATE unpublished_events u SET first = p.version + 1, tries = 0, since = COALESCE(
    (SELECT e.at FROM game_events e WHERE e.game_id = u.game_id AND e.version = p.version + 1), u.since
)
FROM unnest($1::text[], $2::int[]) AS p(game_id, version)
WHERE u.game_id = p.game_id AND u.last > p.version AND u.first <= p.version
"""
_PUT_OFF = """
UPDATE unpublished_events SET tries = tries + 1, due_at = now() + $2 * interval '1 second' WHERE game_id = $1
"""
_WAITING = """
SELECT count(*), COALESCE(extract(epoch FROM now() - min(since)), 0)::float FROM unpublished_events
"""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as PostgreSQL has it. `data` is JSON and may hold secrets."""

    version: int
    name: str
    at: datetime
    data: str


@dataclass(frozen=True, slots=True)
class UnpublishedGame:
    """A game with its next unpublished events, in order.

    Attributes:
        game_id: the game.
        kind: its kind.
        chat_id: its chat.
        last: the version of its last unpublished event, which may come after `events`.
        tries: number of failures of its next event.
        events: the next events.
    """

    game_id: str
    kind: str
    chat_id: int
    last: int
    tries: int
    events: list[StoredEvent]


class Waiting(NamedTuple):
    """The number of games with unpublished events, and the age of the oldest of these events in seconds."""

    games: int
    seconds: float


async def note_unpublished(connection: Connection, versions: Mapping[str, tuple[int, int]]) -> None:
    """Note the first and last version of new events by game, in the transaction that writes the events."""
    rows = sorted((game_id, *span) for game_id, span in versions.items())  # in one order: no deadlock with `published`
    await connection.execute(_NOTE, *(list(column) for column in zip(*rows, strict=True)))


class Unpublished:
    """Repository of unpublished events.

    Args:
        pool: PostgreSQL.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def due(self, games: int, events: int) -> list[UnpublishedGame]:
        """Return at most `games` games, each with at most `events` events. Empty if all is published."""
        found: dict[str, UnpublishedGame] = {}
        for game_id, _, last, tries, kind, chat_id, *event in await self._pool.fetch(_DUE, games, events):
            game = found.setdefault(game_id, UnpublishedGame(game_id, kind, chat_id, last, tries, []))
            game.events.append(StoredEvent(*event))
        return list(found.values())

    async def published(self, versions: Mapping[str, int]) -> None:
        """Record that the events of these games are published up to a version each."""
        games = sorted(versions)
        upto = [versions[game_id] for game_id in games]
        async with bounded_transaction(self._pool) as connection:
            # The projector may be adding events to these rows: wait for it, then decide by the new rows.
            await connection.execute(_LOCK, games)
            await connection.execute(_DONE, games, upto)
            await connection.execute(_GO_ON, games, upto)

    async def put_off(self, game_id: str, seconds: float) -> None:
        """Leave a game alone for some seconds, after its next event has failed by itself."""
        await self._pool.execute(_PUT_OFF, game_id, seconds)

    async def give_up_pruned(self) -> int:
        """Delete the rows whose events have been pruned. Returns their number."""
        return int((await self._pool.execute(_GONE)).rpartition(" ")[2])

    async def waiting(self) -> Waiting:
        """Count what waits."""
        row = await self._pool.fetchrow(_WAITING)
        return Waiting(*row) if row is not None else Waiting(0, 0.0)
