"""Figures by time: leaderboards of a week, a month or a season, a player's place, weeks, and podiums of seasons.

Every query is bounded by the players of one chat in one period, or by those who are listed, and has an index. The
methods raise asyncpg's errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from fsm.kind import PlayerId
from storage.archive import LEADERBOARD, Row, ranked
from storage.connections import Connection, Pool
from storage.periods import bounds, last_weeks
from storage.query_cache import QueryCache

AROUND = 3
"""Number of rows shown above and below a player."""

_BEST_FIRST = "wins DESC, prizes DESC, points DESC, games, player_id"
_SUMS = "sum(games)::int AS games, sum(wins)::int AS wins, sum(prizes) AS prizes, sum(points)::bigint AS points"
_OF_CHAT = f"""
SELECT player_id, {_SUMS} FROM player_periods
WHERE chat_id = $1 AND period = $2 AND ($3 = '' OR kind = $3) GROUP BY player_id
"""  # noqa: S608 -- made of constants
_OF_CHAT_EVER = """
SELECT player_id, games, wins, prizes, points FROM player_stats WHERE chat_id = $1 AND kind = $3 AND $2 = ''
"""
_OF_LISTED = f"""
SELECT t.player_id, {_SUMS} FROM players p JOIN player_periods t ON t.player_id = p.id
WHERE p.listed AND t.period = $2 AND $1::bigint = 0 AND ($3 = '' OR t.kind = $3) GROUP BY t.player_id
"""  # noqa: S608 -- made of constants
_OF_LISTED_EVER = """
SELECT t.player_id, t.games, t.wins, t.prizes, t.points FROM players p JOIN player_stats t ON t.player_id = p.id
WHERE p.listed AND t.chat_id = 0 AND $1::bigint = 0 AND t.kind = $3 AND $2 = ''
"""
# The constant 0, because a prepared statement's general plan would expect as many rows as an average chat has.
_PAGE = "place > $5"
_NEAR = f"""
place BETWEEN (SELECT place FROM ranked WHERE player_id = $5) - {AROUND}
    AND (SELECT place FROM ranked WHERE player_id = $5) + {AROUND}
"""  # noqa: S608 -- made of constants
_TOTALS = """
SELECT z.currency, sum(z.amount) AS amount FROM game_participants p
CROSS JOIN LATERAL (SELECT ended_at, chat_id, kind FROM games WHERE id = p.game_id OFFSET 0) AS g
CROSS JOIN LATERAL (
    SELECT currency, amount FROM prizes
    WHERE game_id = p.game_id AND player_id = p.player_id AND settled_at >= $6 AND settled_at < $7 OFFSET 0
) AS z
WHERE p.player_id = r.player_id AND p.joined_at > $6::timestamptz - interval '7 days'
    AND p.joined_at < $7::timestamptz AND g.ended_at >= $6 AND g.ended_at < $7
    AND ($1::bigint = 0 OR g.chat_id = $1) AND ($3 = '' OR g.kind = $3) AND z.currency <> '' AND z.amount > 0
GROUP BY z.currency ORDER BY z.currency LIMIT 20
"""
"""Amounts by currency from the results of a player. OFFSET keeps the order of the joins: from the player's games."""
_TOTALS_EVER = """
SELECT currency, amount FROM player_prizes z
WHERE z.player_id = r.player_id AND z.chat_id = $1 AND z.kind = $3
    AND ($6::timestamptz IS NULL OR $7::timestamptz IS NULL) ORDER BY currency LIMIT 20
"""
_WEEKS_OF_PLAYER = """
SELECT period, sum(games)::int, sum(wins)::int FROM player_periods
WHERE player_id = $1 AND period = ANY($2::text[]) AND ($3::bigint = 0 OR chat_id = $3) GROUP BY period
"""
_WEEKS_OF_CHAT = """
SELECT to_char(ended_at AT TIME ZONE 'UTC', 'IYYY-"W"IW'), count(*)::int, 0 FROM games
WHERE chat_id = $1 AND status = 'completed' AND ended_at >= $2 AND ended_at < $3 GROUP BY 1
"""
_CHATS_OF_PLAYER = """
SELECT chat_id FROM player_stats WHERE player_id = $1 AND kind = '' AND chat_id <> 0
ORDER BY updated_at DESC, chat_id LIMIT $2
"""
_CHATS = "SELECT DISTINCT chat_id FROM player_periods WHERE period = $1 AND chat_id > $2 ORDER BY chat_id LIMIT $3"
_CROWN = """
INSERT INTO season_podiums (chat_id, season, place, player_id, name, games, wins, points, ended_at)
SELECT $1, $2, n.place, n.player_id, n.name, n.games, n.wins, n.points, $3
FROM unnest($4::int[], $5::bigint[], $6::text[], $7::int[], $8::int[], $9::bigint[])
    AS n(place, player_id, name, games, wins, points)
ON CONFLICT DO NOTHING
"""
_PODIUMS = """
SELECT season, place, player_id, name, games, wins, points FROM season_podiums
WHERE chat_id = $1 AND season = ANY(ARRAY(
    SELECT season FROM (SELECT season, max(ended_at) AS at FROM season_podiums WHERE chat_id = $1 GROUP BY season) AS s
    ORDER BY at DESC, season LIMIT $2
))
ORDER BY ended_at DESC, season, place
"""
_totals = msgspec.json.Decoder(dict[str, Decimal])


@dataclass(frozen=True, slots=True)
class Week:
    """The games of a player or of a chat in a week. A chat has no wins."""

    name: str
    games: int
    wins: int


@dataclass(frozen=True, slots=True)
class Podium:
    """A place on the podium of a season that is over."""

    season: str
    place: int
    player_id: PlayerId
    name: str
    games: int
    wins: int
    points: int


class Figures:
    """Queries of figures by time.

    Args:
        pool: PostgreSQL.
        cache: answers leaderboards that many ask; None to make every query.
    """

    def __init__(self, pool: Pool, cache: QueryCache | None = None) -> None:
        self._pool = pool
        self._cache = cache

    async def leaderboard(
        self, chat_id: int, period: str, limit: int, offset: int = 0, *, kind: str | None = None
    ) -> list[Row]:
        """Return the best players of a chat in a period (empty: ever), best first, in one kind or in all together.

        Chat 0 means all chats: then only players who agreed to be listed are there.
        """
        return await self._remembered(_PAGE, chat_id, period, kind, limit, offset)

    async def around(self, chat_id: int, period: str, player_id: PlayerId, *, kind: str | None = None) -> list[Row]:
        """Return a player's row of a leaderboard and those next to it; no rows if the player is not there."""
        return await self._remembered(_NEAR, chat_id, period, kind, 2 * AROUND + 1, player_id)

    async def _remembered(self, where: str, chat_id: int, *asked: Any) -> list[Row]:
        if self._cache is None:
            return await self._ranked(where, chat_id, *asked)
        return [*await self._cache.answer(chat_id, (where, *asked), lambda: self._ranked(where, chat_id, *asked))]

    async def _ranked(
        self, where: str, chat_id: int, period: str, kind: str | None, limit: int, position: int
    ) -> list[Row]:
        if chat_id and not period and where is _PAGE:  # the only list whose order is that of an index
            return ranked(await self._pool.fetch(LEADERBOARD, chat_id, kind or "", limit, position), position)
        within: tuple[datetime | None, datetime | None] = (None, None)
        if period:
            figures, totals, within = _OF_CHAT if chat_id else _OF_LISTED, _TOTALS, bounds(period)
        else:
            figures, totals = _OF_CHAT_EVER if chat_id else _OF_LISTED_EVER, _TOTALS_EVER
        statement = _ranked(figures, where, totals)
        rows = await self._pool.fetch(statement, chat_id, period, kind or "", limit, position, *within)
        return [Row(*(*tuple(row)[:-1], _totals.decode(row[-1]))) for row in rows]

    async def weeks_of_player(self, player_id: PlayerId, chat_id: int, at: datetime, count: int) -> list[Week]:
        """Return a player's last weeks in a chat (0: in all chats), oldest first."""
        names = last_weeks(at, count)
        return _filled(names, await self._pool.fetch(_WEEKS_OF_PLAYER, player_id, names, chat_id))

    async def weeks_of_chat(self, chat_id: int, at: datetime, count: int) -> list[Week]:
        """Return the last weeks of a chat, oldest first."""
        names = last_weeks(at, count)
        begin, end = bounds(names[0])[0], bounds(names[-1])[1]
        return _filled(names, await self._pool.fetch(_WEEKS_OF_CHAT, chat_id, begin, end))

    async def chats_of_player(self, player_id: PlayerId, limit: int) -> list[int]:
        """Return the chats in which a player finished games, latest first."""
        return [row[0] for row in await self._pool.fetch(_CHATS_OF_PLAYER, player_id, limit)]

    # -- seasons ------------------------------------------------------------------------------------------------

    async def chats_of(self, period: str, after: int, limit: int) -> list[int]:
        """Return a page of the chats that had games in a period, by id, after a chat."""
        return [row[0] for row in await self._pool.fetch(_CHATS, period, after, limit)]

    async def crown(self, connection: Connection, chat_id: int, season: str, best: Sequence[Row], at: datetime) -> None:
        """Store the podium of a season, in the caller's transaction. A podium that is stored does not change."""
        rows = [(row.place, row.player_id, row.name, row.games, row.wins, row.points) for row in best]
        await connection.execute(_CROWN, chat_id, season, at, *map(list, zip(*rows, strict=True)))

    async def podiums(self, chat_id: int, limit: int) -> list[Podium]:
        """Return the podiums of a chat's last seasons, latest season first."""
        return [Podium(*row) for row in await self._pool.fetch(_PODIUMS, chat_id, limit)]


def _filled(names: Sequence[str], rows: Sequence[Any]) -> list[Week]:
    """Return a week for each name, with zeros for weeks without games."""
    found = {row[0]: Week(*row) for row in rows}
    return [found.get(name, Week(name, 0, 0)) for name in names]


def _ranked(figures: str, where: str, totals: str) -> str:
    """Return the statement of a leaderboard.

    OFFSET 0 makes it look up each name by index: a general plan would read the rows of all players and join them.
    Its parameters: $1 chat, $2 period, $3 kind, $4 limit, $5 offset or player, $6 and $7 bounds of the period.
    """
    return f"""
WITH figures AS MATERIALIZED ({figures}), ranked AS (
    SELECT row_number() OVER (ORDER BY {_BEST_FIRST}) AS place, figures.* FROM figures
), shown AS (SELECT * FROM ranked WHERE {where} ORDER BY place LIMIT $4)
SELECT r.place, r.player_id, COALESCE(s.name, ''), r.games, r.wins, r.prizes, r.points, COALESCE((
    SELECT jsonb_object_agg(currency, amount::text) FROM ({totals}) AS each
), '{{}}')
FROM shown r LEFT JOIN LATERAL (
    SELECT name FROM player_stats WHERE player_id = r.player_id AND chat_id = $1 AND kind = '' OFFSET 0
) AS s ON true
ORDER BY r.place
"""  # noqa: S608 -- made of constants
