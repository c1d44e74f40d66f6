"""The chats of broadcasts, each with its state, in PostgreSQL; and the sender's reports about them, in Redis.

The sender reports into a hash in Redis, which is there whenever it sends. The job that sends the broadcast collects the
reports from there. Methods raise asyncpg's errors, and redis-py's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.asyncio import Redis

from storage import keys
from storage.connections import Connection, Pool

WAITING, QUEUING, QUEUED, LEAVING = "waiting", "queuing", "queued", "leaving"
"""States of a chat whose message is not settled: it is to be queued, perhaps is queued, is queued, and has left the
queue without a report."""
OPEN: Final = (WAITING, QUEUING, QUEUED, LEAVING)
SENT, WITHDRAWN, SKIPPED, CROWDED, UNKNOWN = "sent", "withdrawn", "skipped", "crowded", "unknown"
"""States of a settled chat: `SKIPPED` had become inactive or another chat of the broadcast, `CROWDED` had too many
waiting messages, and of `UNKNOWN` the sender's report was lost. A report may set others, the reasons of failures."""
REPORT_MS: Final = 2 * 86_400_000
"""Lifetime of the reports about a broadcast, longer than a message waits."""

_LIST = """
INSERT INTO broadcast_chats AS b (job_id, chat_id) SELECT $1, id FROM chats WHERE active
ON CONFLICT (job_id, chat_id) DO UPDATE SET state = 'waiting', changed_at = now() WHERE b.state = 'withdrawn'
"""
"""One statement, so that a group that becomes a supergroup meanwhile is listed once."""
_TAKE = """
UPDATE broadcast_chats SET state = 'queuing', changed_at = now()
WHERE job_id = $1 AND chat_id = ANY(ARRAY(
    SELECT chat_id FROM broadcast_chats WHERE job_id = $1 AND state = 'waiting' ORDER BY chat_id LIMIT $2
))
"""
_QUEUING = """
SELECT b.chat_id, COALESCE(n.id, b.chat_id),
    COALESCE(n.active, c.active, false)
    AND NOT EXISTS (SELECT 1 FROM broadcast_chats o WHERE o.job_id = b.job_id AND o.chat_id = n.id)
FROM broadcast_chats b LEFT JOIN chats c ON c.id = b.chat_id LEFT JOIN chats n ON n.id = c.migrated_to
WHERE b.job_id = $1 AND b.state = 'queuing' ORDER BY b.chat_id
"""
_MARK = """
UPDATE broadcast_chats b SET state = n.state, changed_at = now()
FROM unnest($2::bigint[], $3::text[]) AS n(chat_id, state)
WHERE b.job_id = $1 AND b.chat_id = n.chat_id AND b.state = ANY($4::text[])
"""
_UNSETTLED = """
SELECT chat_id, state, extract(epoch FROM now() - changed_at) FROM broadcast_chats
WHERE job_id = $1 AND state IN ('queuing', 'queued', 'leaving') ORDER BY chat_id
"""
_KEEP_BACK = """
UPDATE broadcast_chats SET state = 'withdrawn', changed_at = now() WHERE job_id = $1 AND state = 'waiting'
"""
_COUNTS = """
SELECT job_id, state, count(*) FROM broadcast_chats WHERE job_id = ANY($1::bigint[]) GROUP BY job_id, state
"""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A chat that is to get the message. `to`: its present id; `active`: whether it is to be sent there at all."""

    chat_id: int
    to: int
    active: bool


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A chat whose message perhaps is in the queue, and the seconds since its state changed."""

    chat_id: int
    state: str
    seconds: float


class BroadcastChats:
    """Repository of the chats of broadcasts. A broadcast has the id of its job."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    # -- the sender ---------------------------------------------------------------------------------------------

    async def report(self, job_id: int, chat_id: int, state: str) -> None:
        """Report that the message to a chat is settled."""
        key = keys.broadcast_key(job_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, str(chat_id), state)
            pipe.pexpire(key, REPORT_MS)
            await pipe.execute()

    # -- the job ------------------------------------------------------------------------------------------------

    async def list_active(self, job_id: int) -> None:
        """List all active chats, and again those from which the message was withdrawn. Harmless to repeat."""
        await self._pool.execute(_LIST, job_id)

    async def take(self, connection: Connection, job_id: int, limit: int) -> bool:
        """Record that the messages to the next chats are about to be queued. Returns False if no chat waits."""
        done = await connection.execute(_TAKE, job_id, limit)
        return not done.endswith(" 0")

    async def queuing(self, job_id: int) -> list[Recipient]:
        """Return the chats whose messages are about to be queued, or were when a process died."""
        return [Recipient(*row) for row in await self._pool.fetch(_QUEUING, job_id)]

    async def mark(self, job_id: int, states: Mapping[int, str], among: Collection[str]) -> None:
        """Set the states of chats whose state is `among` these."""
        if states:
            await self._pool.execute(_MARK, job_id, list(states), list(states.values()), list(among))

    async def collect(self, job_id: int) -> int:
        """Store the sender's reports, and remove them. Returns their number. Harmless to repeat."""
        key = keys.broadcast_key(job_id)
        found = cast("Mapping[bytes, bytes]", await cast("Any", self._redis.hgetall(key)))
        if found:
            states = {int(chat): state.decode() for chat, state in found.items()}
            await self.mark(job_id, states, (QUEUING, QUEUED, LEAVING, UNKNOWN))
            await cast("Any", self._redis.hdel(key, *found))
        return len(found)

    async def unsettled(self, job_id: int) -> list[Unsettled]:
        """Return the chats whose messages perhaps are in the queue."""
        return [Unsettled(chat, state, float(age)) for chat, state, age in await self._pool.fetch(_UNSETTLED, job_id)]

    async def keep_back(self, job_id: int) -> None:
        """Withdraw the messages that were never queued."""
        await self._pool.execute(_KEEP_BACK, job_id)

    # -- people -------------------------------------------------------------------------------------------------

    async def counts(self, job_ids: Sequence[int]) -> dict[int, dict[str, int]]:
        """Return the number of chats in each state, by broadcast. Broadcasts without chats are missing."""
        found: dict[int, dict[str, int]] = {}
        for job_id, state, count in await self._pool.fetch(_COUNTS, list(job_ids)):
            found.setdefault(job_id, {})[state] = count
        return found
