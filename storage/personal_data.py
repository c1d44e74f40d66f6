"""Personal data: the one list of the tables and keys that hold it, and its export and erasure.

After an erasure results and totals stay, under an alias: a random negative number. The name is gone everywhere. The
person's number stays in two places. Events of kinds whose draws have a proof keep it, because the digest that was
published before the draw binds it; the audit log keeps it until its rows expire.

An erased person has a row in `erasures` for some time. Events from before the erasure that the projector reads later,
such as entries that were set aside, are stored under the alias. A person who comes back is new.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio import Redis

from fsm.kind import Host, Instant, PlayerId
from storage import keys
from storage.aliases import ERASED_NAME, PROVEN, scrubbed
from storage.connections import Connection, Pool, in_transaction
from storage.jobs import NewJob, enqueue
from storage.query_cache import announce
from storage.recurring import COLUMNS, RecurringGame, game_of_row

MOST_ROWS: Final = 10_000
"""Most rows of one table in an export."""
GAMES_A_STEP: Final = 50
"""Games whose rows one transaction of an erasure changes."""
MOST_PAUSED: Final = 1_000
"""Most recurring games of a host whose groups are told of the pause."""
ENDED_JOBS: Final = ("done", "dead", "cancelled")


class Held(NamedTuple):
    """The personal data of a table.

    Attributes:
        mine: condition on the alias t for the rows about a person, whose id is $1.
        columns: columns that identify a person.
        erasure: effect of an erasure on these rows.
        secret: columns that an export leaves out.
    """

    mine: str
    columns: tuple[str, ...]
    erasure: str
    secret: tuple[str, ...] = ()


_OWN_GAMES = "t.game_id IN (SELECT p.game_id FROM game_participants p WHERE p.player_id = $1)"
TABLES: Final[Mapping[str, Held]] = {
    "players": Held("t.id = $1", ("id", "name", "username"), "deleted"),
    "chats": Held("t.id = $1", ("id", "title"), "the private chat is deleted; groups are no personal data"),
    "games": Held("t.host_id = $1", ("host_id", "summary", "rules"), "the host becomes the alias, the name goes"),
    "game_participants": Held("t.player_id = $1", ("player_id", "name"), "becomes the alias, without the name"),
    "game_events": Held(
        f"{_OWN_GAMES} AND t.data->>'player_id' = $1::text",
        ("data",),
        "the name goes; the number stays in kinds with a proof, and becomes the alias in others",
    ),
    "prizes": Held(f"{_OWN_GAMES} AND t.player_id = $1", ("player_id",), "becomes the alias"),
    "player_stats": Held("t.player_id = $1", ("player_id", "name"), "becomes the alias, without the name"),
    "player_prizes": Held("t.player_id = $1", ("player_id",), "becomes the alias"),
    "player_periods": Held("t.player_id = $1", ("player_id",), "becomes the alias"),
    "player_achievements": Held("t.player_id = $1", ("player_id",), "deleted"),
    "season_podiums": Held("t.player_id = $1", ("player_id", "name"), "becomes the alias, without the name"),
    "game_subscriptions": Held("t.player_id = $1", ("player_id",), "deleted"),
    "recurring_games": Held("t.host_id = $1", ("host_id", "host_name"), "paused, under the alias and without the name"),
    "bans": Held(
        "t.player_id = $1 OR t.by = $1",
        ("player_id", "by"),
        "bans of the person stay until they end, or an erasure would lift them; bans by the person get the alias",
    ),
    "wallets": Held("t.player_id = $1", ("player_id", "address"), "deleted"),
    "question_packs": Held("t.owner_id = $1", ("owner_id",), "the person's own packs are deleted"),
    "pack_questions": Held("t.pack_id IN (SELECT id FROM question_packs WHERE owner_id = $1)", (), "deleted"),
    "asked_questions": Held("t.chat_id = $1", ("chat_id",), "those of the private chat are deleted"),
    "broadcast_chats": Held("t.chat_id = $1", ("chat_id",), "deleted"),
    "chat_templates": Held("t.chat_id = $1", ("chat_id",), "those of the private chat are deleted"),
    "jobs": Held("t.asked_by = $1 OR t.chat_id = $1", ("asked_by", "data"), "deleted, or without the person"),
    "api_tokens": Held("t.owner_id = $1", ("owner_id", "name"), "revoked, without owner and name", ("hash",)),
    "webhook_endpoints": Held("t.created_by = $1", ("created_by",), "without the person", ("secret", "old_secret")),
    "webhook_sources": Held("t.created_by = $1", ("created_by",), "without the person", ("secret", "old_secret")),
    "webhook_messages": Held(
        "t.id IN (SELECT p.game_id || '.' || n FROM game_participants p JOIN games g ON g.id = p.game_id,"
        " LATERAL (VALUES (1), (g.version)) AS v(n) WHERE p.player_id = $1)",
        ("payload",),
        "without the name; deleted after 30 days",
        ("payload",),
    ),
    "audit_log": Held(
        "t.actor_id = $1 OR t.target = $1::text",
        ("actor_id", "target"),
        "stays until audit.keep_days: nobody may rewrite the log; it has numbers and no names",
    ),
    "erasures": Held("t.player_id = $1", ("player_id", "alias"), "written by the erasure; deleted after 90 days"),
}
"""Table -> its personal data. `tests/contract/test_personal_data.py` compares the list with the schema."""
NOT_PERSONAL: Final[Mapping[str, str]] = {
    "alembic_version": "the schema",
    "api_key": "a key",
    "draw_seeds": "seeds of chats",
    "feature_flags": "switches of the program",
    "feed_checkpoints": "positions",
    "log_heads": "the public log names nobody",
    "log_key": "a key",
    "log_leaves": "the public log names nobody",
    "log_nodes": "the public log names nobody",
    "log_pending": "games that wait for the public log",
    "log_salts": "keys of hashes",
    "unpublished_events": "numbers of events that the bridge has to publish",
    "webhook_attempts": "calls to other systems",
    "webhook_deliveries": "calls to other systems",
    "webhook_events": "no longer used",
}
"""Table without personal data -> its contents."""
KEYS: Final[Mapping[str, str]] = {
    "game_key": "names and numbers of a game's players; deleted with the erasure, at the latest a day after the end",
    "tail_key": "the latest events of a game; as game_key",
    "feed_key": "events on their way to PostgreSQL; trimmed when all consumers have read them",
    "aside_key": "events that could not be stored; stored under the alias if an operator sends them again",
    "challenge_key": "the text that a wallet has to sign; deleted",
    "administrators_key": "numbers of a chat's administrators; expires within an hour",
    "booster_key": "whether a person boosts a chat; expires within a day",
    "presence_key": "whether a person is in a chat; expires within ten minutes",
    "member_key": "membership of a person in a chat; expires within a day",
    "departed_key": "numbers of players who left a chat; expires within days",
    "own_boards_key": "messages of own boards of a game; expires within days of the game",
    "joined_by_api_key": "players for whom the API has joined a game; expires with the game",
    "unhandled_updates_key": "updates that wait to be handled; deleted when they are",
    "live_ticket_key": "the token that asked for a ticket for live updates; expires within minutes",
    "login_key": "number and name of a person who asked for a link to the dashboard; expires within five minutes",
    "app_session_key": "number and name of a person with an open Mini App; expires half an hour after its last use",
    "request_key": "responses of the API; expires within a day",
    "broadcast_key": "results of the messages of a broadcast by chat; expires within two days",
    "send_base": "messages that wait to be sent, and rates of answers; expires within a day",
    "dialog_prefix": "open forms of a person; expires",
}
"""Name in `storage/keys.py` -> the personal data under the key, and its end."""

_ALIAS = """
INSERT INTO erasures (player_id, alias, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (player_id) DO UPDATE SET alias = excluded.alias, erased_at = excluded.erased_at
"""
_AT_ONCE: Final = (
    "DELETE FROM players WHERE id = $1 AND $2::bigint < 0",
    "DELETE FROM chat_templates WHERE chat_id = $1 AND $2::bigint < 0",
    "DELETE FROM broadcast_chats WHERE chat_id = $1 AND $2::bigint < 0",
    "DELETE FROM asked_questions WHERE chat_id = $1 AND $2::bigint < 0",
    "DELETE FROM chats WHERE id = $1 AND $2::bigint < 0",
    "DELETE FROM question_packs WHERE owner_id = $1 AND $2::bigint < 0",
    "DELETE FROM wallets WHERE player_id = $1 AND $2::bigint < 0",
    "DELETE FROM game_subscriptions WHERE player_id = $1 AND $2::bigint < 0",
    "DELETE FROM player_achievements WHERE player_id = $1 AND $2::bigint < 0",
    "UPDATE player_prizes SET player_id = $2 WHERE player_id = $1",
    "UPDATE player_periods SET player_id = $2 WHERE player_id = $1",
    "UPDATE bans SET by = $2 WHERE by = $1",
    "UPDATE webhook_endpoints SET created_by = 0 WHERE created_by = $1 AND $2::bigint < 0",
    "UPDATE webhook_sources SET created_by = 0 WHERE created_by = $1 AND $2::bigint < 0",
)
_NAMED: Final = (
    "UPDATE player_stats SET player_id = $2, name = $3 WHERE player_id = $1",
    "UPDATE season_podiums SET player_id = $2, name = $3 WHERE player_id = $1",
    """
UPDATE recurring_games SET host_id = $2, host_name = $3, version = version + 1,
    paused = CASE WHEN paused = '' THEN 'not-a-host' ELSE paused END
WHERE host_id = $1
""",
)
_RUNNING = f"""
SELECT {COLUMNS} FROM recurring_games
WHERE host_id = $1 AND chat_id <> $1 AND paused = '' ORDER BY id LIMIT $2 FOR UPDATE
"""  # noqa: S608 -- made of constants
_TOKENS = """
UPDATE api_tokens SET owner_id = 0, name = '', revoked_at = COALESCE(revoked_at, now()) WHERE owner_id = $1
RETURNING prefix
"""
_JOBS = (
    "DELETE FROM jobs WHERE (asked_by = $1 OR chat_id = $1) AND id <> $2 AND status = ANY($3::text[])",
    "UPDATE jobs SET asked_by = 0 WHERE asked_by = $1 AND id <> $2 AND NOT status = ANY($3::text[])",
)
_PLAYED = """
SELECT p.game_id FROM game_participants p WHERE p.player_id = $1 AND p.joined_at <= $2 ORDER BY p.joined_at LIMIT $3
"""
_HOSTED = "SELECT id FROM games WHERE host_id = $1 AND opened_at <= $2 LIMIT $3"
_GAMES = """
SELECT id, kind, version, host_id, rules, summary, ended_at IS NOT NULL AS ended
FROM games WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE
"""
_EVENTS = """
SELECT game_id, version, data FROM game_events WHERE game_id = ANY($1::text[]) AND data::text LIKE $2
"""
_EVENT = "UPDATE game_events SET data = $3::jsonb WHERE game_id = $1 AND version = $2"
_MESSAGES = "SELECT id, payload FROM webhook_messages WHERE id = ANY($1::text[]) FOR UPDATE"
_MESSAGE = "UPDATE webhook_messages SET payload = $2 WHERE id = $1"
_PLACES = """
SELECT game_id, place, name FROM game_participants WHERE game_id = ANY($1::text[]) AND player_id = $2
"""
_PARTICIPANTS = """
UPDATE game_participants SET player_id = $3, name = $4 WHERE game_id = ANY($1::text[]) AND player_id = $2
"""
_PRIZES = """
WITH own AS (DELETE FROM prizes WHERE game_id = ANY($1::text[]) AND player_id = $2 RETURNING *)
INSERT INTO prizes (game_id, player_id, place, amount, settled_at, currency, award)
SELECT game_id, $3, place, amount, settled_at, currency, award FROM own
"""
"""Deletes and inserts, because TimescaleDB updates no column of a key in a compressed chunk."""
_GAME = "UPDATE games SET host_id = $2, rules = $3::jsonb, summary = $4::jsonb WHERE id = $1"
_LIVE = """
SELECT g.id FROM game_participants p JOIN games g ON g.id = p.game_id
WHERE p.player_id = $1 AND p.left_at IS NULL AND g.status NOT IN ('completed', 'cancelled')
UNION SELECT g.id FROM games g WHERE g.host_id = $1 AND g.status NOT IN ('completed', 'cancelled') LIMIT 100
"""
_FORGET_JOB = "UPDATE jobs SET key = 'ended:' || id, asked_by = 0, data = '{}', progress = '{}' WHERE id = $1"
_CHATS = "SELECT chat_id FROM player_stats WHERE player_id = $1 AND kind = '' LIMIT 1000"


class PersonalData:
    """Export and erasure of a person's data. The methods raise the errors of asyncpg and redis-py."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    # -- reading ------------------------------------------------------------------------------------------------

    async def counts(self, player_id: PlayerId) -> dict[str, int]:
        """Return the number of rows about a person by table, without the tables that have none."""
        found = {}
        for table, held in TABLES.items():
            count = await self._pool.fetchval(
                f"SELECT count(*) FROM (SELECT 1 FROM {table} t WHERE {held.mine} LIMIT {MOST_ROWS}) AS n",  # noqa: S608
                player_id,
            )
            if count:
                found[table] = int(count)
        return found

    async def export(self, player_id: PlayerId) -> dict[str, list[Any]]:
        """Return all rows about a person by table, and the open challenge of a wallet. Secrets are left out."""
        found: dict[str, list[Any]] = {}
        for table, held in TABLES.items():
            rows = await self._pool.fetch(
                f"SELECT to_jsonb(t) - $2::text[] FROM {table} t WHERE {held.mine} LIMIT {MOST_ROWS}",  # noqa: S608
                player_id,
                list(held.secret),
            )
            if rows:
                found[table] = [msgspec.json.decode(row[0]) for row in rows]
        challenge: Any = await self._redis.get(keys.challenge_key(player_id))
        if challenge is not None:
            found["challenge"] = [bytes(challenge).decode()]
        return found

    async def live_games(self, player_id: PlayerId) -> list[str]:
        """Return the ids of the live games that a person plays or hosts."""
        return [row[0] for row in await self._pool.fetch(_LIVE, player_id)]

    # -- erasing ------------------------------------------------------------------------------------------------

    async def begin(
        self, player_id: PlayerId, alias: int, at: Instant, job_id: int, word: Callable[[RecurringGame], NewJob] | None
    ) -> None:
        """Erase everything but the games. Harmless to repeat under the same alias.

        ``word`` returns the job that tells a group that a recurring game of the person is paused. Without it none is
        told, as when an erasure is repeated after a backup was restored.
        """
        moment = datetime.fromtimestamp(at / 1000, UTC)
        chats = [row[0] for row in await self._pool.fetch(_CHATS, player_id)]

        async def erase(connection: Connection) -> list[str]:
            await connection.execute(_ALIAS, player_id, alias, moment)
            paused = [game_of_row(row) for row in await connection.fetch(_RUNNING, player_id, MOST_PAUSED)]
            for statement in _AT_ONCE:
                await connection.execute(statement, player_id, alias)
            for statement in _NAMED:
                await connection.execute(statement, player_id, alias, ERASED_NAME)
            for statement in _JOBS:
                await connection.execute(statement, player_id, job_id, list(ENDED_JOBS))
            if word is not None:  # the job's data names the host, so it gets the alias
                await enqueue(connection, *(word(replace(each, host=Host(alias, ERASED_NAME))) for each in paused))
            return [row[0] for row in await connection.fetch(_TOKENS, player_id)]

        for prefix in await in_transaction(self._pool, erase):
            await self._redis.publish(keys.TOKENS_CHANGED, prefix)
        await self._redis.delete(keys.challenge_key(player_id))
        await self._redis.publish(keys.PEOPLE_CHANGED, f"erased:{player_id}")
        await announce(self._redis, chats)

    async def erase_games(self, player_id: PlayerId, alias: int, until: Instant) -> int:
        """Erase a person from some of their games from before a time. Returns the number of games, 0 at the end."""
        moment = datetime.fromtimestamp(until / 1000, UTC)

        async def erase(connection: Connection) -> tuple[int, list[str]]:
            found = await connection.fetch(_PLAYED, player_id, moment, GAMES_A_STEP)
            found = found or await connection.fetch(_HOSTED, player_id, moment, GAMES_A_STEP)
            game_ids = [row[0] for row in found]
            if not game_ids:
                return 0, []
            return len(game_ids), await _erase_from(connection, game_ids, player_id, alias)

        count, ended = await in_transaction(self._pool, erase)
        for game_id in ended:  # copies, which PostgreSQL has too
            await self._redis.delete(keys.game_key(game_id), keys.tail_key(game_id))
        return count

    async def forget_job(self, connection: Connection, job_id: int) -> None:
        """Remove the person from the job of their erasure, so that a later erasure is a new job."""
        await connection.execute(_FORGET_JOB, job_id)


async def _erase_from(connection: Connection, game_ids: Sequence[str], player: PlayerId, alias: int) -> list[str]:
    """Erase a person from games: results, prizes, the list of winners, events, and messages of webhooks.

    Returns the ids of those games that have ended; a person may have left the lobby of a game that goes on.
    """
    games = await connection.fetch(_GAMES, list(game_ids))
    places = {row[0]: (row[1], row[2]) for row in await connection.fetch(_PLACES, list(game_ids), player)}
    proven = {row["id"]: row["kind"] in PROVEN for row in games}
    events = [
        (row["game_id"], row["version"], scrubbed(row["data"], player, None if proven[row["game_id"]] else alias))
        for row in await connection.fetch(_EVENTS, list(proven), f"%{player}%")
    ]
    if events:
        await connection.executemany(_EVENT, [(game, version, data.decode()) for game, version, data in events])
    names = [f"{row['id']}.{version}" for row in games for version in {1, row["version"]}]
    for row in await connection.fetch(_MESSAGES, names):
        await connection.execute(_MESSAGE, row["id"], scrubbed(row["payload"], player, alias))
    for id_, kind, _, host_id, rules, summary, _ in games:
        given = rules if kind in PROVEN else scrubbed(rules, player, alias).decode()
        shown = summary if summary is None else _without_name(summary, places.get(id_))
        await connection.execute(_GAME, id_, alias if host_id == player else host_id, _text(given), _text(shown))
    await connection.execute(_PRIZES, list(game_ids), player, alias)
    await connection.execute(_PARTICIPANTS, list(game_ids), player, alias, ERASED_NAME)
    return [row["id"] for row in games if row["ended"]]


def _text(json: str | bytes | None) -> str | None:
    return json.decode() if isinstance(json, bytes) else json


def _without_name(summary: str | bytes, result: tuple[int | None, str] | None) -> bytes | str:
    """Return the summary of a game without the name that the person with a result had there."""
    if result is None:
        return summary
    shown = msgspec.json.decode(summary)
    for winner in shown.get("winners", ()):
        if winner[:2] == list(result):
            winner[1] = ERASED_NAME
    return msgspec.json.encode(shown)
