"""Achievements in PostgreSQL: noted by the projector with the results, and announced once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fsm.achievements import BY_NAME, PlayedGame, Totals, earned
from fsm.kind import Instant, PlayerId
from storage.connections import Connection, Pool

ANNOUNCED_DAYS = 7
"""Age in days after which an achievement that no result has announced is not announced any more."""
MOST_ANNOUNCED = 30

_MOVED = "SELECT id, migrated_to FROM chats WHERE id = ANY($1::bigint[]) AND migrated_to IS NOT NULL"
_KNOWN = """
SELECT player_id, chat_id, achievement FROM player_achievements
WHERE player_id = ANY($1::bigint[]) AND chat_id = ANY($2::bigint[])
"""
_NOTE = """
INSERT INTO player_achievements (player_id, chat_id, achievement, game_id, earned_at)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
"""
_ANNOUNCE = """
UPDATE player_achievements a SET told_in = $2
FROM (
    SELECT player_id, chat_id, achievement FROM player_achievements
    WHERE chat_id = $1 AND earned_at > $3 AND told_in = ANY(ARRAY['', $2]) ORDER BY earned_at, player_id LIMIT $4
) AS n
WHERE (a.player_id, a.chat_id, a.achievement) = (n.player_id, n.chat_id, n.achievement)
RETURNING a.player_id, a.achievement,
    COALESCE((SELECT name FROM player_stats s WHERE s.player_id = a.player_id AND s.chat_id = $1 AND s.kind = ''), '')
"""
_OF_PLAYER = """
SELECT achievement, min(earned_at), count(*) FROM player_achievements
WHERE player_id = $1 AND ($2::bigint = 0 OR chat_id = $2) GROUP BY achievement
"""
_PROJECTED = "SELECT ended_at IS NOT NULL FROM games WHERE id = $1"


class Ended(NamedTuple):
    """A player's part in a game that ended: the game, its chat, the time, and the part."""

    game_id: str
    chat_id: int
    at: datetime
    game: PlayedGame


@dataclass(frozen=True, slots=True)
class Earned:
    """An achievement of a player. `count` is the number of chats in which they have it."""

    name: str
    first_at: Instant
    count: int


async def note_achievements(connection: Connection, ended: Sequence[Ended], totals: Sequence[Any]) -> None:
    """Note the achievements that games completed. `totals` has the players' figures after all of these games.

    The figures are counted forward game by game, so that an achievement belongs to the game that completed it, however
    the games are batched.
    """
    after = {(row[0], row[1]): Totals(*tuple(row)[3:]) for row in totals if row[1] and not row[2]}
    moved: dict[int, int] = {}
    if any((each.game.standing.player_id, each.chat_id) not in after for each in ended):
        moved = {row[0]: row[1] for row in await connection.fetch(_MOVED, list({each.chat_id for each in ended}))}
    games: dict[tuple[PlayerId, int], list[Ended]] = defaultdict(list)
    for each in ended:
        games[each.game.standing.player_id, moved.get(each.chat_id, each.chat_id)].append(each)
    players, chats = {player for player, _ in games}, {chat for _, chat in games}
    known = {tuple(row) for row in await connection.fetch(_KNOWN, list(players), list(chats))}
    rows = []
    for (player, chat), parts in games.items():
        if (player, chat) not in after:  # moved twice: the next game notes what this one completed
            continue
        for counted, part in zip(_counted(after[player, chat], parts), parts, strict=True):
            for name in earned(counted, part.game):
                if (player, chat, name) not in known:
                    known.add((player, chat, name))
                    rows.append((player, chat, name, part.game_id, part.at))
    if rows:
        await connection.execute(_NOTE, *map(list, zip(*rows, strict=True)))


def _counted(after: Totals, parts: Sequence[Ended]) -> list[Totals]:
    """Return the totals after each of a player's games, from those after the last one."""
    standings = [part.game.standing for part in parts]
    streaks = [standing.streak for standing in standings]
    found = []
    for number in range(len(parts)):
        later = parts[number + 1 :]
        # If the best run belongs to one of these games, the ones before it must not get its achievement.
        best = max(streaks[: number + 1]) if after.best_streak in streaks else after.best_streak
        found.append(
            Totals(
                games=after.games - len(later),
                wins=after.wins - sum(each.game.won for each in later),
                points=after.points - sum(standing.points for standing in standings[number + 1 :]),
                best_streak=best,
            )
        )
    return found


class Achievements:
    """Repository of achievements. The methods raise asyncpg's errors."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_player(self, player_id: PlayerId, chat_id: int = 0) -> list[Earned]:
        """Return a player's achievements in a chat (0: in all chats), in the order of `ACHIEVEMENTS`."""
        rows = {row[0]: row for row in await self._pool.fetch(_OF_PLAYER, player_id, chat_id)}
        return [Earned(name, _instant(rows[name][1]), rows[name][2]) for name in BY_NAME if name in rows]

    async def projected(self, game_id: str) -> bool:
        """Return True if the result of a game is in PostgreSQL."""
        return bool(await self._pool.fetchval(_PROJECTED, game_id))

    async def announce(self, chat_id: int, game_id: str, at: Instant) -> list[tuple[PlayerId, str, str]]:
        """Return player, achievement and name for those that the result of a game announces; again if asked again.

        Each achievement is announced by one result: that of its game, or of the next one.
        """
        since = datetime.fromtimestamp(at / 1000 - ANNOUNCED_DAYS * 86_400, UTC)
        rows = await self._pool.fetch(_ANNOUNCE, chat_id, game_id, since, MOST_ANNOUNCED)
        return sorted((row[0], row[1], row[2]) for row in rows)


def _instant(moment: datetime) -> Instant:
    return round(moment.timestamp() * 1000)
