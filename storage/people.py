"""Players, chats, their settings and languages, and bans: stored in PostgreSQL, cached in each process.

A change by one process invalidates the caches of the others at once (Redis pub/sub), and entries expire in any case.
While PostgreSQL is away, reads return the cached row, however old, or act as if there were none: games do not stop for
it. Writes raise asyncpg's errors.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import asyncpg
import msgspec
from loguru import logger

from storage import keys
from storage.audit import wrote
from storage.connections import POSTGRES_GONE, in_transaction, storable
from storage.leases import STORE_GONE, jitter
from storage.query_cache import announce
from storage.ticks import next_tick

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from redis.asyncio import Redis

    from fsm.kind import Instant, PlayerId
    from storage.connections import Connection, Pool

CHANGED = keys.PEOPLE_CHANGED
REMEMBER_SECONDS = 60.0
REMEMBER_LOCALES_SECONDS = 600.0
"""Longer than other rows: there are as many as people, few change, and only texts depend on them."""
REMEMBERED = 50_000
"""Maximum number of cached rows of each sort in a process."""
WAITING_PLAYERS = 20_000
"""Maximum number of players that wait to be written. Beyond it, the oldest are dropped."""
FLUSH_SECONDS = 1.0
FLUSH_ROWS = 1000
BANS_A_READ = 5000
DEPARTED_MS = 3 * 86_400_000
"""Lifetime of the set of departed players, longer than any game. `getChatMember` is asked at the next join."""
MOST_MET = 100
"""Maximum number of groups of one person that are looked through for those that the person hosts."""
READ_SECONDS = 1.0
"""Longest wait of a reader for PostgreSQL, in seconds."""
PAUSE_SECONDS = 1.0
"""Time in seconds for which readers do without PostgreSQL after a failure."""
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CHAT = "SELECT id, type, title, locale, settings, active, migrated_to FROM chats WHERE id = $1"
_SAW_CHAT = """
INSERT INTO chats (id, type, title) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET type = excluded.type, title = excluded.title, active = true, updated_at = now()
"""
_CHAT_LOCALE = """
INSERT INTO chats (id, type, title, locale) VALUES ($1, '', '', $2)
ON CONFLICT (id) DO UPDATE SET locale = excluded.locale, updated_at = now()
WHERE chats.locale IS DISTINCT FROM excluded.locale
"""
_CHAT_SETTINGS = """
INSERT INTO chats (id, type, title, settings) VALUES ($1, '', '', jsonb_strip_nulls($2::jsonb))
ON CONFLICT (id) DO UPDATE SET settings = jsonb_strip_nulls(chats.settings || $2::jsonb), updated_at = now()
WHERE chats.settings <> jsonb_strip_nulls(chats.settings || $2::jsonb)
"""
_CHAT_SETTINGS_IF = """
INSERT INTO chats AS c (id, type, title, settings, locale) VALUES ($1, '', '', jsonb_strip_nulls($2::jsonb), $3)
ON CONFLICT (id) DO UPDATE SET
    settings = jsonb_strip_nulls(c.settings || $2::jsonb), locale = excluded.locale, updated_at = now()
WHERE c.settings = $4::jsonb AND c.locale IS NOT DISTINCT FROM $5
RETURNING c.settings <> $4::jsonb OR c.locale IS DISTINCT FROM $5
"""
_CHATS_OF = """
SELECT id, type, title, locale, settings, active, migrated_to FROM chats WHERE id = ANY($1::bigint[])
"""
_CHATS_PAGE = """
SELECT id, type, title, locale, settings, active, migrated_to FROM chats WHERE id > $1 ORDER BY id LIMIT $2
"""
_CHAT_GONE = "UPDATE chats SET active = false, updated_at = now() WHERE id = $1"
_CHATS_ACTIVE = """
SELECT id, type, title, locale, settings, active, migrated_to FROM chats WHERE id > $1 AND active ORDER BY id LIMIT $2
"""
_SAW_PLAYERS = """
INSERT INTO players AS p (id, name, username)
SELECT n.id, n.name, n.username FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n(id, name, username)
WHERE NOT EXISTS (
    SELECT 1 FROM erasures e WHERE e.player_id = n.id AND e.erased_at > now() - interval '10 seconds'
)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, username = excluded.username, updated_at = now()
WHERE (p.name, p.username) IS DISTINCT FROM (excluded.name, excluded.username)
    OR p.updated_at < now() - interval '30 days'
"""
"""A name that was queued before an erasure does not come back with it.

`updated_at` tells within a month when a player was last seen: players unseen for years are pruned.
"""
_PLAYER_LOCALE = """
INSERT INTO players (id, name, locale) VALUES ($1, '', $2)
ON CONFLICT (id) DO UPDATE SET locale = excluded.locale, updated_at = now()
WHERE players.locale IS DISTINCT FROM excluded.locale
"""
_PLAYER_LISTED = """
INSERT INTO players (id, name, listed) VALUES ($1, '', $2)
ON CONFLICT (id) DO UPDATE SET listed = excluded.listed, updated_at = now() WHERE players.listed <> excluded.listed
"""
_PLAYER_BLOCKED = "UPDATE players SET blocked = $2, updated_at = now() WHERE id = $1 AND blocked <> $2"
_NAME_IN = """
SELECT p.name FROM game_participants p JOIN games g ON g.id = p.game_id
WHERE g.chat_id = $1 AND p.player_id = $2
ORDER BY p.joined_at DESC LIMIT 1
"""
_CHATS_MET = """
SELECT id, type, title, locale, settings, active, migrated_to FROM chats
WHERE active AND id < 0 AND migrated_to IS NULL AND id = ANY(ARRAY(
    SELECT chat_id FROM player_stats WHERE player_id = $1
    UNION (SELECT chat_id FROM audit_log WHERE actor_id = $1 ORDER BY id DESC LIMIT 1000)
    LIMIT 1000
)) ORDER BY id LIMIT $2
"""
_FIND_PLAYER = """
SELECT id, name FROM players WHERE lower(username) = lower($1) ORDER BY updated_at DESC LIMIT 1
"""
_BAN = """
INSERT INTO bans AS b (chat_id, player_id, by, reason, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (chat_id, player_id) DO UPDATE SET
    by = excluded.by, reason = excluded.reason, expires_at = excluded.expires_at, created_at = now()
WHERE (b.by, b.reason, b.expires_at) IS DISTINCT FROM (excluded.by, excluded.reason, excluded.expires_at)
    OR b.expires_at <= now()
"""
_UNBAN = """
DELETE FROM bans WHERE chat_id = $1 AND player_id = $2 RETURNING expires_at IS NULL OR expires_at > now()
"""
_BANNED = """
SELECT chat_id, player_id, expires_at FROM bans
WHERE chat_id = ANY($1::bigint[]) AND (chat_id, player_id) > ($2, $3) AND (expires_at IS NULL OR expires_at > now())
ORDER BY chat_id, player_id LIMIT $4
"""
_BANS = """
SELECT b.player_id, COALESCE(p.name, ''), b.by, b.reason, b.created_at, b.expires_at
FROM bans b LEFT JOIN players p ON p.id = b.player_id
WHERE b.chat_id = $1 AND b.player_id > $3 AND (b.expires_at IS NULL OR b.expires_at > now())
ORDER BY b.player_id LIMIT $2
"""
_MOVE = (
    """
INSERT INTO chats AS c (id, type, title, locale, settings)
SELECT $2, 'supergroup', title, locale, settings FROM chats WHERE id = $1 AND migrated_to IS NULL
ON CONFLICT (id) DO UPDATE SET
    locale = COALESCE(c.locale, excluded.locale), settings = excluded.settings || c.settings, updated_at = now()
""",
    """
INSERT INTO chats (id, type, title, active, migrated_to) VALUES ($1, 'group', '', false, $2)
ON CONFLICT (id) DO UPDATE SET active = false, migrated_to = excluded.migrated_to, updated_at = now()
""",
    """
INSERT INTO bans (chat_id, player_id, by, reason, created_at, expires_at)
SELECT $2, player_id, by, reason, created_at, expires_at FROM bans WHERE chat_id = $1 ON CONFLICT DO NOTHING
""",
    "DELETE FROM bans WHERE chat_id = $1 AND chat_id <> $2",
    "UPDATE games SET chat_id = $2 WHERE chat_id = $1",
    """
INSERT INTO asked_questions AS a (chat_id, question_id, text, answer, photo, asked_at, game_id)
SELECT $2, question_id, text, answer, photo, asked_at, game_id FROM asked_questions WHERE chat_id = $1
ORDER BY question_id
ON CONFLICT (chat_id, question_id) DO UPDATE SET asked_at = greatest(a.asked_at, excluded.asked_at)
""",
    "DELETE FROM asked_questions WHERE chat_id = $1 AND chat_id <> $2",
    "UPDATE webhook_endpoints SET chat_id = $2 WHERE chat_id = $1",
    "UPDATE webhook_sources SET chat_id = $2 WHERE chat_id = $1",
    "UPDATE webhook_messages SET chat_id = $2 WHERE chat_id = $1",
    "UPDATE jobs SET chat_id = $2 WHERE chat_id = $1 AND status IN ('queued', 'running', 'dead')",
    """
INSERT INTO player_stats AS s (player_id, chat_id, kind, name, games, wins, prizes, points, best_streak)
SELECT player_id, $2, kind, name, games, wins, prizes, points, best_streak FROM player_stats WHERE chat_id = $1
ORDER BY player_id, kind
ON CONFLICT (player_id, chat_id, kind) DO UPDATE SET
    games = s.games + excluded.games, wins = s.wins + excluded.wins, prizes = s.prizes + excluded.prizes,
    points = s.points + excluded.points, best_streak = greatest(s.best_streak, excluded.best_streak),
    updated_at = now()
""",
    "DELETE FROM player_stats WHERE chat_id = $1 AND chat_id <> $2",
    """
INSERT INTO player_prizes AS s (player_id, chat_id, kind, currency, amount)
SELECT player_id, $2, kind, currency, amount FROM player_prizes WHERE chat_id = $1 ORDER BY player_id, kind, currency
ON CONFLICT (player_id, chat_id, kind, currency) DO UPDATE SET amount = s.amount + excluded.amount
""",
    "DELETE FROM player_prizes WHERE chat_id = $1 AND chat_id <> $2",
    """
INSERT INTO player_periods AS s (chat_id, period, player_id, kind, games, wins, prizes, points)
SELECT $2, period, player_id, kind, games, wins, prizes, points FROM player_periods WHERE chat_id = $1
ORDER BY period, player_id, kind
ON CONFLICT (chat_id, period, player_id, kind) DO UPDATE SET
    games = s.games + excluded.games, wins = s.wins + excluded.wins, prizes = s.prizes + excluded.prizes,
    points = s.points + excluded.points
""",
    "DELETE FROM player_periods WHERE chat_id = $1 AND chat_id <> $2",
    """
INSERT INTO player_achievements (player_id, chat_id, achievement, game_id, earned_at, told_in)
SELECT player_id, $2, achievement, game_id, earned_at, told_in FROM player_achievements WHERE chat_id = $1
ORDER BY player_id, achievement ON CONFLICT DO NOTHING
""",
    "DELETE FROM player_achievements WHERE chat_id = $1 AND chat_id <> $2",
    """
INSERT INTO season_podiums (chat_id, season, place, player_id, name, games, wins, points, ended_at)
SELECT $2, season, place, player_id, name, games, wins, points, ended_at FROM season_podiums WHERE chat_id = $1
ORDER BY season, place ON CONFLICT DO NOTHING
""",
    "DELETE FROM season_podiums WHERE chat_id = $1 AND chat_id <> $2",
    """
UPDATE chat_templates t SET chat_id = $2 WHERE chat_id = $1
    AND NOT EXISTS (SELECT 1 FROM chat_templates o WHERE o.chat_id = $2 AND lower(o.name) = lower(t.name))
""",
    "DELETE FROM chat_templates WHERE chat_id = $1 AND chat_id <> $2",
    """
UPDATE feature_flags SET on_chats = array_replace(on_chats, $1::bigint, $2::bigint),
    off_chats = array_replace(off_chats, $1::bigint, $2::bigint)
WHERE on_chats @> ARRAY[$1::bigint] OR off_chats @> ARRAY[$1::bigint]
""",
    "UPDATE recurring_games SET chat_id = $2, version = version + 1 WHERE chat_id = $1 AND chat_id <> $2",
    """
INSERT INTO game_subscriptions SELECT $2, player_id, created_at FROM game_subscriptions WHERE chat_id = $1
ORDER BY player_id ON CONFLICT DO NOTHING
""",
    "DELETE FROM game_subscriptions WHERE chat_id = $1 AND chat_id <> $2",
    "UPDATE api_tokens SET chats = array_replace(chats, $1::bigint, $2::bigint) WHERE chats @> ARRAY[$1::bigint]",
    """
INSERT INTO draw_seeds SELECT $2, root, secret, size, taken FROM draw_seeds WHERE chat_id = $1 ON CONFLICT DO NOTHING
""",
    "DELETE FROM draw_seeds WHERE chat_id = $1 AND chat_id <> $2",
)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that the bot has met. `active`: the bot is a member and may write. `migrated_to`: id of its supergroup."""

    id: int
    type: str
    title: str
    locale: str | None
    settings: Mapping[str, Any]
    active: bool
    migrated_to: int | None


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban in force. `by`: the person who imposed it; `expires_at`: None for a ban without end."""

    player_id: PlayerId
    name: str
    by: PlayerId
    reason: str
    created_at: Instant
    expires_at: Instant | None


async def move_chat(connection: Connection, old: int, new: int) -> None:
    """Move everything stored of a group to the supergroup that it has become. Harmless to repeat."""
    if old == new:
        return
    for statement in _MOVE:
        await connection.execute(statement, old, new)


K = TypeVar("K")
V = TypeVar("V")


class _Memory(Generic[K, V]):
    """Cache of rows by key. The least recently read row is evicted first; an expired row is read again."""

    def __init__(self, read: Callable[[K], Awaitable[V]], seconds: float = REMEMBER_SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._rows: OrderedDict[K, tuple[float, V]] = OrderedDict()
        """Time until which a row is fresh (0: known to have changed), and the row, by key."""
        self._changes = 0
        self._away_until = 0.0

    def fresh(self, key: K, now: float | None = None) -> V | None:
        """Return the cached row if it is fresh, else None. A None may also be the cached row itself."""
        found = self._rows.get(key)
        return None if found is None or found[0] < (now or time.monotonic()) else found[1]

    async def get(self, key: K, otherwise: V) -> V:
        """Return the row; while PostgreSQL is away return the cached row, or `otherwise`."""
        found, now = self._rows.get(key), time.monotonic()
        if found is not None and (found[0] >= now or now < self._away_until):
            self._rows.move_to_end(key)
            return found[1]
        if now < self._away_until:
            return otherwise
        if found is not None and found[0]:
            self._rows[key] = (now + PAUSE_SECONDS, found[1])  # one caller reads again, the others use this
        if self._away_until:  # one caller tests whether PostgreSQL is back; the others get the default meanwhile
            self._away_until = now + PAUSE_SECONDS
        # An invalidation during the read may concern the row that is being read.
        changes = self._changes
        try:
            async with asyncio.timeout(READ_SECONDS):
                row = await self._read(key)
        except AWAY as problem:
            logger.warning("using cached rows while PostgreSQL is away: {}: {}", type(problem).__name__, problem)
            self._away_until = time.monotonic() + PAUSE_SECONDS
            return otherwise if found is None else found[1]
        self._away_until = 0.0
        self.put(key, row)
        if changes != self._changes:
            self.drop(key)  # it may have been read just before the change
        return row

    def put(self, key: K, row: V) -> None:
        """Cache a row."""
        self._rows[key] = (time.monotonic() + self._seconds, row)
        self._rows.move_to_end(key)
        if len(self._rows) > REMEMBERED:
            self._rows.popitem(last=False)

    def drop(self, key: K) -> None:
        """Invalidate a row: the next call reads it again, if PostgreSQL is there."""
        self._changes += 1
        found = self._rows.get(key)
        if found is not None:
            self._rows[key] = (0.0, found[1])

    def drop_all(self) -> None:
        """Invalidate all rows."""
        for key in self._rows:
            self.drop(key)


class _Batch(Generic[K, V]):
    """Keys to read together, and their rows after that."""

    def __init__(self) -> None:
        self.keys: set[K] = set()
        self.rows: Mapping[K, V] | None = None


class _Together(Generic[K, V]):
    """Reader that serves simultaneous requests with one query: thousands of people arrive at the start of a game."""

    def __init__(self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._batch: _Batch[K, V] = _Batch()
        self._lock = asyncio.Lock()

    async def get(self, key: K) -> V | None:
        """Return the row, or None. Raises the errors of reading."""
        batch = self._batch
        batch.keys.add(key)
        async with self._lock:
            if batch.rows is None:  # the first caller of a batch to get the lock reads for all of it
                if batch is self._batch:
                    self._batch = _Batch()
                batch.rows = await self._read(list(batch.keys))
        return batch.rows.get(key)


def _wall_ms() -> Instant:
    return time.time_ns() // 1_000_000


class People:
    """Repository of players, chats and bans.

    A running `run` receives other processes' changes and writes seen players.
    """

    def __init__(self, pool: Pool, redis: Redis, now: Callable[[], Instant] = _wall_ms) -> None:
        self._pool = pool
        self._now = now
        self._redis = redis
        self._locales: _Memory[PlayerId, str] = _Memory(self._locale_of, REMEMBER_LOCALES_SECONDS)
        self._locales_together = _Together(self._read_locales)
        self._chats: _Memory[int, Chat | None] = _Memory(self._read_chat)
        self._bans: _Memory[int, dict[PlayerId, float]] = _Memory(self._bans_of)
        self._bans_together = _Together(self._read_bans)
        self._departed: _Memory[int, frozenset[PlayerId]] = _Memory(self._departed_from)
        self._seen: OrderedDict[PlayerId, tuple[str, str | None]] = OrderedDict()
        """Names and usernames as last written or queued."""
        self._waiting: OrderedDict[PlayerId, tuple[str, str | None]] = OrderedDict()
        self._writing = asyncio.Lock()

    async def run(self) -> None:
        """Receive changes and write seen players, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._keep_flushing())

    async def close(self) -> None:
        """Write the players that were seen and not written yet, if PostgreSQL is there."""
        try:
            await asyncio.wait_for(self.flush(), 2 * FLUSH_SECONDS)
        except AWAY as problem:
            logger.warning("cannot store {} players who were seen: {}", len(self._waiting), type(problem).__name__)

    # -- players ------------------------------------------------------------------------------------------------

    def saw_player(self, player_id: PlayerId, name: str, username: str | None) -> None:
        """Queue a player's present name for writing in the background."""
        name = storable(name)
        if self._seen.get(player_id) == (name, username):
            return
        _remember(self._seen, player_id, (name, username), REMEMBERED)
        _remember(self._waiting, player_id, (name, username), WAITING_PLAYERS)

    async def flush(self) -> None:
        """Write the queued players. Raises asyncpg's errors; the queue then keeps the rest."""
        async with self._writing:
            while self._waiting:
                rows = dict(list(self._waiting.items())[:FLUSH_ROWS])
                ids = sorted(rows)  # in one order, because other processes write players too: no deadlock
                await self._write_seen(ids, rows)
                for id_, row in rows.items():
                    if self._waiting.get(id_) == row:
                        del self._waiting[id_]

    async def _write_seen(self, ids: list[PlayerId], rows: Mapping[PlayerId, tuple[str, str | None]]) -> None:
        """Write these players. Those that PostgreSQL can't store are isolated by halving, and skipped."""
        try:
            await self._pool.execute(_SAW_PLAYERS, ids, *zip(*(rows[id_] for id_ in ids), strict=True))
        except (asyncpg.DataError, ValueError) as problem:  # refused by the server, or by asyncpg itself
            if len(ids) == 1:
                logger.error("player {} can't be stored: {}", ids[0], problem)
                return
            await self._write_seen(ids[: len(ids) // 2], rows)
            await self._write_seen(ids[len(ids) // 2 :], rows)

    async def name_in(self, chat_id: int, player_id: PlayerId) -> str | None:
        """Return the name that a player had in the latest game of a chat; None if they have never played there.

        The name of a person who is known from other chats only must not be shown to this one.
        """
        name: str | None = await self._pool.fetchval(_NAME_IN, chat_id, player_id)
        return name

    async def last_name(self, player_id: PlayerId) -> str | None:
        """Return a player's name as last seen anywhere, for those who may look at all chats; None if it is unknown."""
        name: str | None = await self._pool.fetchval("SELECT name FROM players WHERE id = $1", player_id)
        return name or None

    async def find_player(self, username: str) -> tuple[PlayerId, str] | None:
        """Return id and name of the player last seen with a username (without @, in any case), or None."""
        row = await self._pool.fetchrow(_FIND_PLAYER, username)
        return None if row is None else (row["id"], row["name"])

    def remembered_locale(self, player_id: PlayerId) -> str | None:
        """Return the player's chosen language, empty for none; None if PostgreSQL would have to be asked."""
        return self._locales.fresh(player_id)

    async def known_since(self, player_id: PlayerId) -> Instant | None:
        """Return the time at which the bot first saw a person; None if it has not stored them yet.

        While PostgreSQL is away everybody counts as known for ever, so that games can be joined.
        """
        try:
            first: datetime | None = await self._pool.fetchval(
                "SELECT created_at FROM players WHERE id = $1", player_id
            )
        except AWAY as problem:
            logger.warning("cannot tell how long user {} is known: {}", player_id, type(problem).__name__)
            return 0
        return None if first is None else _instant(first)

    async def locale_of_player(self, player_id: PlayerId) -> str | None:
        """Return the player's chosen language, or None."""
        return await self._locales.get(player_id, "") or None

    async def set_player_locale(self, player_id: PlayerId, locale: str) -> bool:
        """Store the player's chosen language. Returns False if they have chosen it before."""
        changed = _did(await self._pool.execute(_PLAYER_LOCALE, player_id, locale))
        self._locales.put(player_id, locale)
        await self._tell(f"player:{player_id}")
        if changed:
            wrote("set-own-language", target=locale)
        return changed

    async def is_listed(self, player_id: PlayerId) -> bool:
        """Return True if a player agreed to be shown in the list of all groups."""
        return bool(await self._pool.fetchval("SELECT listed FROM players WHERE id = $1", player_id))

    async def set_listed(self, player_id: PlayerId, *, listed: bool) -> bool:
        """Store whether a player agreed to be shown in the list of all groups. Returns False if nothing changed."""
        changed = _did(await self._pool.execute(_PLAYER_LISTED, player_id, listed))
        if changed:
            await announce(self._redis, ())
            wrote("set-listed", target=listed)
        return changed

    async def player_blocked(self, player_id: PlayerId, *, blocked: bool = True) -> None:
        """Record that a player has blocked the bot, or no longer does. Skipped while PostgreSQL is away."""
        await self._note(self._pool.execute(_PLAYER_BLOCKED, player_id, blocked))

    # -- chats --------------------------------------------------------------------------------------------------

    async def chat(self, chat_id: int) -> Chat | None:
        """Return a chat, or None if it is unknown."""
        return await self._chats.get(chat_id, None)

    async def saw_chat(self, chat_id: int, type_: str, title: str) -> None:
        """Record that the bot is in a chat, and the chat's title. Skipped while PostgreSQL is away."""
        known = self._chats.fresh(chat_id)
        if known is not None and known.active and (known.type, known.title) == (type_, title):
            return
        await self._note(self._change(chat_id, _SAW_CHAT, type_, storable(title)))

    async def set_chat_locale(self, chat_id: int, locale: str) -> bool:
        """Store the language of a chat. Returns False if it was chosen before."""
        changed = await self._change(chat_id, _CHAT_LOCALE, locale)
        if changed:
            wrote("set-language", chat_id=chat_id, target=locale)
        return changed

    async def change_settings(self, chat_id: int, changes: Mapping[str, Any]) -> bool:
        """Change some of a chat's settings; a value of None restores the default. Returns False if nothing changed."""
        changed = await self._change(chat_id, _CHAT_SETTINGS, msgspec.json.encode(changes))
        if changed:
            wrote("change-settings", chat_id=chat_id, target=", ".join(changes))
        return changed

    async def change_settings_if(
        self, chat_id: int, before: Chat | None, changes: Mapping[str, Any], locale: str | None
    ) -> bool | None:
        """Change settings and language of a chat unless somebody else has changed them since they were read.

        Returns None if so, and else whether anything changed. A value of None restores the default.
        """
        known, language = ({}, None) if before is None else (before.settings, before.locale)
        changed: bool | None = await self._pool.fetchval(
            _CHAT_SETTINGS_IF, chat_id, msgspec.json.encode(changes), locale, msgspec.json.encode(known), language
        )
        self._chats.drop(chat_id)
        await self._tell(f"chat:{chat_id}")
        if changed:
            wrote("change-settings", chat_id=chat_id, target=", ".join(changes))
        return changed

    async def chat_now(self, chat_id: int) -> Chat | None:
        """Return a chat as PostgreSQL has it now, or None. Raises asyncpg's errors."""
        return await self._read_chat(chat_id)

    async def chats_of(self, chat_ids: Collection[int]) -> dict[int, Chat]:
        """Return chats by id, as PostgreSQL has them now. Unknown ones are missing."""
        return {row[0]: _chat(row) for row in await self._pool.fetch(_CHATS_OF, list(chat_ids))}

    async def chats(self, after_id: int, limit: int) -> list[Chat]:
        """Return a page of the chats that the bot has met, by ascending id, after `after_id`."""
        return [_chat(row) for row in await self._pool.fetch(_CHATS_PAGE, after_id, limit)]

    async def chats_met(self, player_id: PlayerId, limit: int = MOST_MET) -> list[Chat]:
        """Return the groups with the bot in which a person has played, or lately opened a game or given a command."""
        return [_chat(row) for row in await self._pool.fetch(_CHATS_MET, player_id, limit)]

    async def chat_gone(self, chat_id: int) -> None:
        """Record that the bot is no longer in a chat, or may not write there. Skipped while PostgreSQL is away."""
        await self._note(self._change(chat_id, _CHAT_GONE))

    async def chat_migrated(self, old: int, new: int) -> None:
        """Move everything known of a group to the supergroup that it has become."""
        await in_transaction(self._pool, lambda connection: move_chat(connection, old, new))
        await self._move_departures(old, new)
        for chat_id in (old, new):
            self._forget_chat(chat_id)
            await self._tell(f"chat:{chat_id}")
        await announce(self._redis, (old, new))
        try:
            # Flags may name the group, and each process keeps them in memory.
            await self._redis.publish(keys.FLAGS_CHANGED, "")
        except STORE_GONE as problem:
            logger.warning("cannot announce that flags have changed: {}", type(problem).__name__)

    async def chats_active(self, after_id: int, limit: int) -> list[Chat]:
        """Return a page of the chats that the bot may write to, by ascending id, after `after_id`."""
        return [_chat(row) for row in await self._pool.fetch(_CHATS_ACTIVE, after_id, limit)]

    # -- bans ---------------------------------------------------------------------------------------------------

    async def ban(
        self,
        chat_id: int,
        player_id: PlayerId,
        by: PlayerId,
        reason: str,
        expires_at: Instant | None = None,
    ) -> bool:
        """Ban a player from a chat's games (0: from all chats'), until `expires_at` or, if None, without end.

        Returns False if the same ban is in force already.
        """
        until = None if expires_at is None else EPOCH + timedelta(milliseconds=expires_at)
        changed = _did(await self._pool.execute(_BAN, chat_id, player_id, by, storable(reason), until))
        await self._bans_changed(chat_id)
        if changed:
            wrote("ban", chat_id=chat_id, target=player_id)
        return changed

    async def unban(self, chat_id: int, player_id: PlayerId) -> bool:
        """Lift a player's ban in a chat (0: the ban in all chats). Returns False if there is none in force."""
        in_force = await self._pool.fetchval(_UNBAN, chat_id, player_id)
        await self._bans_changed(chat_id)
        if in_force:
            wrote("unban", chat_id=chat_id, target=player_id)
        return bool(in_force)

    def remembered_welcome(self, chat_id: int, player_id: PlayerId) -> bool:
        """Return True if the cache shows that a player is not banned from a chat's games and has not left the chat.

        Every pick calls this, so the clock is read once. Returns False also if a store would have to be asked.
        """
        now = time.monotonic()
        here, everywhere = self._bans.fresh(chat_id, now), self._bans.fresh(0, now)
        departed = self._departed.fresh(chat_id, now)
        if here is None or everywhere is None or departed is None or player_id in departed:
            return False
        if not here and not everywhere:
            return True
        return not self._holds(here, player_id) and not self._holds(everywhere, player_id)

    async def is_banned(self, chat_id: int, player_id: PlayerId) -> bool:
        """Return True if a player is banned in this chat or in all chats."""
        here, everywhere = await self._bans.get(chat_id, {}), await self._bans.get(0, {})
        return self._holds(here, player_id) or self._holds(everywhere, player_id)

    async def bans(self, chat_id: int, limit: int = 100, after: PlayerId = 0) -> list[Ban]:
        """Return the bans in force in a chat (0: in all chats), by the player's id, after a player."""
        rows = await self._pool.fetch(_BANS, chat_id, limit, after)
        return [
            Ban(player_id, name, by, reason, _instant(made), None if until is None else _instant(until))
            for player_id, name, by, reason, made, until in rows
        ]

    def _holds(self, bans: Mapping[PlayerId, float], player_id: PlayerId) -> bool:
        """Return True if one of these bans is in force for a player now."""
        until = bans.get(player_id)
        return until is not None and self._now() / 1000 < until

    # -- departures ---------------------------------------------------------------------------------------------

    async def has_departed(self, chat_id: int, player_id: PlayerId) -> bool:
        """Return True if a player of a live game has left the chat."""
        return player_id in await self._departed.get(chat_id, frozenset())

    async def player_departed(self, chat_id: int, player_id: PlayerId) -> None:
        """Record that a player of a live game has left the chat, or was removed from it."""
        key = keys.departed_key(chat_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.sadd(key, player_id)
            pipe.pexpire(key, DEPARTED_MS)
            await pipe.execute()
        await self._departures_changed(chat_id)

    async def player_returned(self, chat_id: int, player_id: PlayerId) -> None:
        """Record that a player is in the chat again."""
        if await self._redis.srem(keys.departed_key(chat_id), player_id):
            await self._departures_changed(chat_id)

    async def _move_departures(self, old: int, new: int) -> None:
        for player_id in await self._departed_from(old):
            await self.player_departed(new, player_id)
        if old != new:
            await self._redis.delete(keys.departed_key(old))

    async def _departed_from(self, chat_id: int) -> frozenset[PlayerId]:
        return frozenset(int(member) for member in await self._redis.smembers(keys.departed_key(chat_id)))

    async def _departures_changed(self, chat_id: int) -> None:
        self._departed.drop(chat_id)
        await self._tell(f"departed:{chat_id}")

    # -- reading ------------------------------------------------------------------------------------------------

    async def _locale_of(self, player_id: PlayerId) -> str:
        """Return the player's chosen language, or an empty text."""
        return await self._locales_together.get(player_id) or ""

    async def _read_locales(self, player_ids: list[PlayerId]) -> dict[PlayerId, str | None]:
        rows = await self._pool.fetch("SELECT id, locale FROM players WHERE id = ANY($1::bigint[])", player_ids)
        return {row[0]: row[1] for row in rows}

    async def _read_chat(self, chat_id: int) -> Chat | None:
        row = await self._pool.fetchrow(_CHAT, chat_id)
        return None if row is None else _chat(row)

    async def _bans_of(self, chat_id: int) -> dict[PlayerId, float]:
        """Return the end of each ban, in seconds since the epoch, by player."""
        return await self._bans_together.get(chat_id) or {}

    async def _read_bans(self, chat_ids: list[int]) -> dict[int, dict[PlayerId, float]]:
        """Return the bans of several chats, by chat; chats without bans are missing."""
        found: dict[int, dict[PlayerId, float]] = {}
        last = (min(chat_ids) - 1, 0)
        while rows := await self._pool.fetch(_BANNED, chat_ids, *last, BANS_A_READ):
            for chat_id, player_id, until in rows:
                bans = found.setdefault(chat_id, {})
                bans[player_id] = float("inf") if until is None else until.timestamp()
            last = rows[-1][0], rows[-1][1]
        return found

    # -- changes ------------------------------------------------------------------------------------------------

    async def _note(self, writing: Awaitable[object]) -> None:
        """Write a fact that will be seen again anyway: while PostgreSQL is away, skip it."""
        try:
            await writing
        except AWAY as problem:
            logger.warning("cannot record a fact that will be seen again: {}: {}", type(problem).__name__, problem)

    async def _change(self, chat_id: int, statement: str, *arguments: Any) -> bool:
        """Execute a statement about a chat. Returns True if it changed a row."""
        changed = _did(await self._pool.execute(statement, chat_id, *arguments))
        self._chats.drop(chat_id)
        await self._tell(f"chat:{chat_id}")
        return changed

    async def _bans_changed(self, chat_id: int) -> None:
        self._bans.drop(chat_id)
        await self._tell(f"bans:{chat_id}")

    async def _tell(self, change: str) -> None:
        """Announce a change to other processes. If that fails, their cached rows expire later."""
        try:
            await self._redis.publish(CHANGED, change)
        except STORE_GONE as problem:
            logger.warning("cannot announce the change {} to other processes: {}", change, type(problem).__name__)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(CHANGED)
                    while True:
                        message = await pubsub.get_message(timeout=30)
                        if message is not None:
                            self._heard(message)
            except STORE_GONE as problem:
                logger.debug("cannot receive changes from other processes: {}", type(problem).__name__)
                await asyncio.sleep(jitter(0.5))

    def _heard(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "subscribe":  # earlier announcements were not received
            for memory in (self._locales, self._chats, self._bans, self._departed):
                memory.drop_all()
        elif message["type"] == "message":
            try:
                what, _, number = message["data"].decode().partition(":")
                id_ = int(number)
            except ValueError:  # from another program on this Redis
                logger.warning("ignored a malformed announcement: {!r}", message["data"][:64])
                return
            match what:
                case "player":
                    self._locales.drop(id_)
                case "bans":
                    self._bans.drop(id_)
                case "departed":
                    self._departed.drop(id_)
                case "erased":
                    self._forget_person(id_)
                case _:
                    self._forget_chat(id_)

    def _forget_person(self, player_id: PlayerId) -> None:
        """Drop a person whose data has been erased; their next update makes them known anew."""
        self._locales.drop(player_id)
        self._chats.drop(player_id)
        self._seen.pop(player_id, None)
        self._waiting.pop(player_id, None)

    def _forget_chat(self, chat_id: int) -> None:
        self._chats.drop(chat_id)
        self._bans.drop(chat_id)
        self._departed.drop(chat_id)

    async def _keep_flushing(self) -> None:
        while True:
            await next_tick(FLUSH_SECONDS)
            try:
                await self.flush()
            except AWAY as problem:
                logger.warning(
                    "{} players who were seen wait to be stored: {}", len(self._waiting), type(problem).__name__
                )


def _remember(rows: OrderedDict[PlayerId, tuple[str, str | None]], key: PlayerId, row: Any, limit: int) -> None:
    rows[key] = row
    rows.move_to_end(key)
    if len(rows) > limit:
        rows.popitem(last=False)


def _did(done: str) -> bool:
    """Return True if a statement changed a row, by the tag that PostgreSQL answers with."""
    return not done.endswith(" 0")


def _chat(row: Any) -> Chat:
    id_, type_, title, locale, settings, active, migrated_to = row
    return Chat(id_, type_, title, locale, msgspec.json.decode(settings), active, migrated_to)


def _instant(moment: datetime) -> Instant:
    return round(moment.timestamp() * 1000)
