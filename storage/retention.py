"""Deletion of old rows, by dropping months or in batches small enough that no other statement waits long.

Events, prizes and figures of periods are divided by time (`storage/time_series.py`): their old months and years are
dropped. Rows of partitions that also hold younger ones are deleted, as those of all other tables.
Age decides: first events, deliveries of webhooks, ended jobs and expired bans; then games with their participants and
prizes, long after their end; the figures of weeks and months before the last year; then chats that the bot has left,
and people without any other row. Statistics stay: they
are one row for each person, chat and kind, and leaderboards are made of them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg

from fsm.kind import Instant
from storage import time_series
from storage.connections import Pool
from storage.jobs import CANCELLED, DEAD, DONE

BATCH = 1000
"""Rows that one statement deletes."""
GAMES = 100
"""Games whose participants and prizes are deleted together, a batch of rows at a time."""
PAUSE_SECONDS = 0.02
"""Pause between two statements, in seconds, so that other work gets its turn."""
WEBHOOK_DAYS = 30.0
JOB_DAYS, DEAD_JOB_DAYS = 14.0, 90.0
"""Days for which done and cancelled jobs are kept, and dead ones."""
TOKEN_DAYS = 90.0
"""Days for which an expired or revoked token stays in the list."""
ERASURE_DAYS = 90.0
"""Days for which the alias of an erased person is known to events that come late. None comes later than that."""
BAN_DAYS = 30.0
"""Days for which an expired ban is kept, because people ask for its reason."""

_EVENTS = """
DELETE FROM game_events WHERE tableoid = $3::oid AND ctid = ANY (ARRAY(
    SELECT old.ctid FROM game_events old
    WHERE old.tableoid = $3::oid AND old.at < $1
        AND ((SELECT COALESCE(g.ended_at, 'infinity') FROM games g WHERE g.id = old.game_id) < $1) IS NOT FALSE
    ORDER BY old.at LIMIT $2
))
"""
"""A ctid is unique in a partition only."""
_LONG = """
SELECT min(opened_at) FROM (
    SELECT opened_at FROM games WHERE status NOT IN ('completed', 'cancelled')
    UNION ALL
    SELECT opened_at FROM games WHERE ended_at - opened_at > interval '1 day' AND ended_at >= $1
) AS each
"""
"""The opening of the first game that is live, or that lasted more than a day and has not ended long ago."""
_DELIVERIES = """
DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
    SELECT id FROM webhook_deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2
))
"""
_MESSAGES = """
DELETE FROM webhook_messages WHERE id = ANY (ARRAY(
    SELECT id FROM webhook_messages WHERE created_at < $1 ORDER BY created_at LIMIT $2
))
"""
_JOBS = """
DELETE FROM jobs WHERE id = ANY (ARRAY(
    SELECT id FROM jobs WHERE status = ANY($3::text[]) AND updated_at < $1 ORDER BY status, updated_at LIMIT $2
))
"""
_BANS = """
DELETE FROM bans WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM bans WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
)) AND expires_at < $1
"""
_AUDIT = """
DELETE FROM audit_log WHERE id = ANY (ARRAY(SELECT id FROM audit_log WHERE at < $1 ORDER BY at LIMIT $2))
"""
_TOKENS = """
DELETE FROM api_tokens WHERE prefix = ANY (ARRAY(
    SELECT prefix FROM api_tokens WHERE least(expires_at, revoked_at) < $1 ORDER BY least(expires_at, revoked_at)
    LIMIT $2
))
"""
_PERIODS = """
DELETE FROM player_periods WHERE tableoid = $3::oid AND ctid = ANY (ARRAY(
    SELECT ctid FROM player_periods WHERE tableoid = $3::oid AND period < $1 ORDER BY period LIMIT $2
))
"""
"""Names of periods begin with the year, and only whole years are deleted, so the order of names is good enough."""
_ERASURES = """
DELETE FROM erasures WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM erasures WHERE erased_at < $1 ORDER BY erased_at LIMIT $2
))
"""
_UNPUBLISHED = """
DELETE FROM unpublished_events WHERE game_id = ANY (ARRAY(
    SELECT u.game_id FROM unpublished_events u WHERE u.since < $1
        AND NOT EXISTS (SELECT FROM game_events e WHERE e.game_id = u.game_id AND e.version BETWEEN u.first AND u.last)
    LIMIT $2
))
"""
"""Rows that a bridge has left behind which was switched off, as soon as their events have been pruned."""
_ENDED = """
SELECT id FROM games WHERE ended_at < $1 ORDER BY ended_at LIMIT $2
"""
_PARTICIPANTS = """
DELETE FROM game_participants WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM game_participants WHERE game_id = ANY($1::text[]) LIMIT $2
))
"""
_PRIZES = """
DELETE FROM prizes WHERE game_id = ANY($1::text[]) AND player_id = ANY (ARRAY(
    SELECT player_id FROM prizes WHERE game_id = ANY($1::text[]) ORDER BY player_id LIMIT $2
))
"""
_SALTS = """
DELETE FROM log_salts WHERE game_id = ANY($1::text[])
"""
_GAMES = """
DELETE FROM games WHERE id = ANY($1::text[])
"""
_CHATS = """
WITH old AS MATERIALIZED (SELECT id FROM chats WHERE NOT active AND updated_at < $1 ORDER BY updated_at LIMIT $2),
    templates AS (DELETE FROM chat_templates WHERE chat_id = ANY (ARRAY(SELECT id FROM old))),
    recurring AS (DELETE FROM recurring_games WHERE chat_id = ANY (ARRAY(SELECT id FROM old))),
    subscribed AS (DELETE FROM game_subscriptions WHERE chat_id = ANY (ARRAY(SELECT id FROM old)))
DELETE FROM chats WHERE id = ANY (ARRAY(SELECT id FROM old)) AND NOT active
"""
_UNSEEN = """
SELECT updated_at, id FROM players WHERE updated_at < $1 AND (updated_at, id) > ($2, $3)
ORDER BY updated_at, id LIMIT $4
"""
_PLAYERS = """
DELETE FROM players p WHERE p.id = ANY($1::bigint[]) AND p.updated_at < $2
    AND (SELECT true FROM game_participants g WHERE g.player_id = p.id LIMIT 1) IS NULL
    AND (SELECT true FROM player_stats s WHERE s.player_id = p.id LIMIT 1) IS NULL
    AND (SELECT true FROM bans b WHERE b.player_id = p.id LIMIT 1) IS NULL
    AND (SELECT true FROM wallets w WHERE w.player_id = p.id LIMIT 1) IS NULL
    AND (SELECT true FROM question_packs q WHERE q.owner_id = p.id LIMIT 1) IS NULL
    AND (SELECT true FROM game_subscriptions u WHERE u.player_id = p.id LIMIT 1) IS NULL
"""
"""Subqueries, not joins, which the planner would run over whole tables: each player is looked up by index."""
_FIRST = (datetime(1970, 1, 1, tzinfo=UTC), -1)


@dataclass(frozen=True, slots=True)
class Pruned:
    """Numbers of deleted rows. `games` does not count participants and prizes."""

    events: int
    webhook_deliveries: int
    webhook_messages: int
    jobs: int
    dead_jobs: int
    bans: int
    audit_rows: int
    tokens: int
    period_rows: int
    erasures: int
    unpublished_games: int
    games: int
    chats: int
    players: int
    partitions: int
    """Partitions dropped: months of events and prizes, years of figures. Their rows are in no other number."""


async def prune(
    pool: Pool, now: Instant, *, keep_events_days: float, keep_results_days: float, keep_audit_days: float = 365
) -> Pruned:
    """Delete rows that are older than they are kept. A game's rows wait until the game itself ended that long ago.

    May be cancelled at any time, and run in several processes at once. If a table can't be pruned, the others still
    are; then the first error of asyncpg is raised.
    """
    at = datetime.fromtimestamp(now / 1000, UTC)
    past = at - timedelta(days=keep_results_days)
    # Functions, not coroutines: a cancellation would leave coroutines behind that were never awaited.
    rows = (
        partial(_events, pool, at - timedelta(days=keep_events_days)),
        partial(_delete, pool, _DELIVERIES, at - timedelta(days=WEBHOOK_DAYS)),
        partial(_delete, pool, _MESSAGES, at - timedelta(days=WEBHOOK_DAYS)),
        partial(_delete, pool, _JOBS, at - timedelta(days=JOB_DAYS), [DONE, CANCELLED]),
        partial(_delete, pool, _JOBS, at - timedelta(days=DEAD_JOB_DAYS), [DEAD]),
        partial(_delete, pool, _BANS, at - timedelta(days=BAN_DAYS)),
        partial(_delete, pool, _AUDIT, at - timedelta(days=keep_audit_days)),
        partial(_delete, pool, _TOKENS, at - timedelta(days=TOKEN_DAYS)),
        partial(_periods, pool, str(at.year - 1)),
        partial(_delete, pool, _ERASURES, at - timedelta(days=ERASURE_DAYS)),
        partial(_delete, pool, _UNPUBLISHED, at - timedelta(days=keep_events_days)),
        partial(_games, pool, past),
        partial(_delete, pool, _CHATS, past),
        partial(_players, pool, past),
    )
    # Each by itself: a long read of one table, as by a backup, keeps only this table's partitions.
    partitions = (
        partial(_drop_months, pool, at - timedelta(days=keep_events_days)),
        partial(_drop_old, pool, "prizes", past),
        partial(_drop_old, pool, time_series.YEARLY, str(at.year - 1)),
    )
    ahead = (
        partial(time_series.make_ahead, pool, at),
        partial(time_series.compress, pool, at - timedelta(days=time_series.COMPRESS_DAYS)),
    )
    problems = list[asyncpg.PostgresError]()

    async def each(steps: Iterable[Callable[[], Awaitable[int]]]) -> list[int]:
        counts = list[int]()
        for step in steps:
            try:
                counts.append(await step())
            except asyncpg.PostgresError as problem:
                problems.append(problem)
        return counts

    counts, dropped, _ = await each(rows), await each(partitions), await each(ahead)
    if problems:
        raise problems[0]
    return Pruned(*(*counts, sum(dropped)))


async def _drop_months(pool: Pool, before: datetime) -> int:
    """Drop the months of events that are older than a time. Returns their number.

    A month that a game needs, because it is live or lasted long, stays: the events of other games in it are deleted
    row by row.
    """
    dropped = 0
    for partition in await _old_months(pool, before):
        if await time_series.drop(pool, "game_events", partition):
            dropped += 1
        elif partition.oid:
            await _delete(pool, _EVENTS, before, partition.oid)
    return dropped


async def _drop_old(pool: Pool, table: str, before: datetime | str) -> int:
    """Drop the partitions of a table whose last row is older than a time or year. Returns their number."""
    dropped = 0
    for partition in await time_series.partitions(pool, table):
        if partition.end is not None and partition.end <= before:  # type: ignore[operator]
            dropped += await time_series.drop(pool, table, partition)
    return dropped


async def _old_months(pool: Pool, before: datetime) -> list[time_series.Partition]:
    """Return the partitions of events whose games all ended before a time."""
    needed: datetime | None = await pool.fetchval(_LONG, before)
    # Other games lasted a day at most. The events of an opening are the first of their game.
    last = min(before - timedelta(days=1), needed or before)
    return [
        each
        for each in await time_series.partitions(pool, "game_events")
        if isinstance(each.end, datetime) and each.end <= last
    ]


async def _events(pool: Pool, before: datetime) -> int:
    """Delete old events from the partitions that can't be dropped."""
    going = {each.name for each in await _old_months(pool, before) if each.single}
    total = 0
    for partition in await time_series.partitions(pool, "game_events"):
        # A month that is not over for a month is not old either, nor has it any row that is.
        if partition.oid and partition.name not in going and _has_old(partition, before):
            total += await _delete(pool, _EVENTS, before, partition.oid)
    return total


def _has_old(partition: time_series.Partition, before: datetime) -> bool:
    """Return whether a partition may have rows that are to be deleted one by one."""
    return not partition.single or (isinstance(partition.end, datetime) and partition.end <= before - timedelta(days=1))


async def _periods(pool: Pool, before: str) -> int:
    """Delete the figures of old years from the partitions that hold several years."""
    total = 0
    for partition in await time_series.partitions(pool, time_series.YEARLY):
        if not partition.single:
            total += await _delete(pool, _PERIODS, before, partition.oid)
    return total


async def _games(pool: Pool, before: datetime) -> int:
    """Delete the games that ended before a time, their participants and prizes first: a game may have thousands."""
    total = 0
    while ids := [row[0] for row in await pool.fetch(_ENDED, before, GAMES)]:
        # The log's keys go first: without participants, `PublicLog.forget` would find them for nobody any more.
        await pool.execute(_SALTS, ids)
        await _delete(pool, _PARTICIPANTS, ids)
        await _delete(pool, _PRIZES, ids)
        total += _count(await pool.execute(_GAMES, ids))
        await asyncio.sleep(PAUSE_SECONDS)
    return total


async def _players(pool: Pool, before: datetime) -> int:
    """Delete the players not seen since a time that no other table mentions. Each is examined once."""
    total, last = 0, _FIRST
    while rows := await pool.fetch(_UNSEEN, before, *last, BATCH):
        last = tuple(rows[-1])
        total += _count(await pool.execute(_PLAYERS, [row["id"] for row in rows], before))
        await asyncio.sleep(PAUSE_SECONDS)
    return total


async def _delete(pool: Pool, statement: str, *arguments: object) -> int:
    """Run a statement with a limit until it finds nothing more. Returns the number of deleted rows."""
    first, *rest = arguments
    total = 0
    while True:
        count = _count(await pool.execute(statement, first, BATCH, *rest))
        total += count
        if count < BATCH:
            return total
        await asyncio.sleep(PAUSE_SECONDS)


def _count(status: str) -> int:
    """Return the number of rows that a statement touched, from PostgreSQL's status line."""
    return int(status.rpartition(" ")[2])
