"""Retention: rows that have served are deleted, in batches so small that nobody waits for them.

Events and webhook events go by age, bans when they have long expired. Results, prizes and figures stay.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fsm.kind import Instant
from storage.connections import Pool

BATCH = 1000
"""Rows that one statement deletes."""
PAUSE_SECONDS = 0.02
"""Between two statements, so that others come between."""
WEBHOOK_DAYS = 30.0
BAN_DAYS = 30.0
"""How long an expired ban is kept, for whoever asks why."""

_EVENTS = """
DELETE FROM game_events WHERE ctid = ANY (ARRAY(
    SELECT old.ctid FROM game_events old
    WHERE old.at < $1
        AND ((SELECT COALESCE(g.ended_at, 'infinity') FROM games g WHERE g.id = old.game_id) < $1) IS NOT FALSE
    ORDER BY old.at LIMIT $2
))
"""
_WEBHOOKS = """
DELETE FROM webhook_events WHERE id = ANY (ARRAY(
    SELECT id FROM webhook_events WHERE status = ANY($3::text[]) AND created_at < $1 ORDER BY status, created_at
    LIMIT $2
))
"""
_BANS = """
DELETE FROM bans WHERE ctid = ANY (ARRAY(SELECT ctid FROM bans WHERE expires_at < $1 LIMIT $2))
"""
_STATUSES = ("pending", "delivered", "failed")


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows went."""

    events: int
    webhook_events: int
    bans: int


async def prune(pool: Pool, now: Instant, *, keep_events_days: float) -> Pruned:
    """Delete what is older than it is kept. Events of a game stay until the game has ended so long ago.

    May be stopped at any time, and be done by several processes at once. Raises what asyncpg raises.
    """
    at = datetime.fromtimestamp(now / 1000, UTC)
    return Pruned(
        await _delete(pool, _EVENTS, at - timedelta(days=keep_events_days)),
        await _delete(pool, _WEBHOOKS, at - timedelta(days=WEBHOOK_DAYS), list(_STATUSES)),
        await _delete(pool, _BANS, at - timedelta(days=BAN_DAYS)),
    )


async def _delete(pool: Pool, statement: str, *arguments: object) -> int:
    """Run a statement with a limit until it finds nothing more. Returns how many rows it deleted."""
    before, *rest = arguments
    total = 0
    while True:
        count = int((await pool.execute(statement, before, BATCH, *rest)).rpartition(" ")[2])
        total += count
        if count < BATCH:
            return total
        await asyncio.sleep(PAUSE_SECONDS)
