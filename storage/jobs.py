"""Jobs in PostgreSQL: work that is enqueued in the transaction that causes it, and that no crash loses.

A job is a row. A process claims it for `LEASE_SECONDS` and renews the claim while it works; the claim of a process that
died expires, and another process goes on from the recorded progress. Each claim has a higher number, the fence. Every
write about a job names the fence of its claim and is refused after a newer claim, so that a process that was frozen
cannot complete, or repeat, the work of its successor.

All times are PostgreSQL's own, because the clocks of processes may differ. Nothing is kept in a session and nothing
uses LISTEN, so that jobs work behind a pooler in transaction mode; a bell on Redis announces new jobs, and a look at
the table every few seconds finds those that it missed.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage import keys
from storage.audit import wrote
from storage.connections import Connection, Pool, bounded_transaction

LEASE_SECONDS = 30.0
"""Lifetime of a claim, in seconds."""
MAX_ERROR = 500
"""Longest stored text of an error, in characters."""
MAX_PAGE = 100
QUEUED, RUNNING, DONE, DEAD, CANCELLED = "queued", "running", "done", "dead", "cancelled"
STATUSES: Final = (QUEUED, RUNNING, DONE, DEAD, CANCELLED)
UNFINISHED: Final = (QUEUED, RUNNING)

_ENQUEUE = """
INSERT INTO jobs AS j (kind, key, chat_id, asked_by, data, due_at)
SELECT n.kind, n.key, n.chat_id, n.asked_by, n.data::jsonb, now() + n.delay * interval '1 second'
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::float8[])
    AS n(kind, key, chat_id, asked_by, data, delay)
ORDER BY n.kind, n.key
ON CONFLICT (kind, key) DO UPDATE SET
    status = 'queued', due_at = excluded.due_at, data = excluded.data, progress = '{}', attempts = 0,
    cancelling = false, error = '', updated_at = now()
WHERE $7 AND j.status IN ('done', 'dead', 'cancelled')
RETURNING id
"""
"""Ordered, so that two transactions that enqueue the same jobs wait for each other instead of deadlocking."""
_WAKE = """
INSERT INTO jobs AS j (kind, key, chat_id, due_at)
SELECT $1, n.key, n.chat_id, GREATEST(now(), n.due_at)
FROM unnest($2::text[], $3::bigint[], $4::timestamptz[]) AS n(key, chat_id, due_at) ORDER BY n.key
ON CONFLICT (kind, key) DO UPDATE SET
    woken = j.woken + 1,
    status = CASE WHEN j.status = 'running' THEN j.status ELSE 'queued' END,
    due_at = CASE j.status
        WHEN 'running' THEN j.due_at
        WHEN 'queued' THEN LEAST(j.due_at, excluded.due_at)
        ELSE excluded.due_at END,
    attempts = CASE WHEN j.status IN ('queued', 'running') THEN j.attempts ELSE 0 END,
    cancelling = false
"""
_CLAIM = """
WITH due AS (
    SELECT j.id FROM unnest($1::text[], $2::int[]) AS w(kind, room)
    CROSS JOIN LATERAL (
        SELECT id FROM jobs
        WHERE kind = w.kind AND status IN ('queued', 'running') AND due_at <= now()
        ORDER BY due_at, id LIMIT w.room FOR UPDATE SKIP LOCKED
    ) AS j
)
UPDATE jobs SET status = 'running', owner = $3, fence = fence + 1, attempts = attempts + 1,
    due_at = now() + $4 * interval '1 second', updated_at = now()
FROM due WHERE jobs.id = due.id
RETURNING jobs.*
"""
_RENEW = """
UPDATE jobs SET due_at = now() + $3 * interval '1 second'
FROM unnest($1::bigint[], $2::bigint[]) AS n(id, fence)
WHERE jobs.id = n.id AND jobs.fence = n.fence AND jobs.status = 'running'
RETURNING jobs.id, jobs.cancelling
"""
_OURS = "SELECT true FROM jobs WHERE id = $1 AND fence = $2 AND status = 'running' FOR UPDATE"
_PROGRESS = """
UPDATE jobs SET progress = $3::jsonb, attempts = 1, due_at = now() + $4 * interval '1 second', updated_at = now()
WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id
"""
_END = """
UPDATE jobs SET error = $4, updated_at = now(), cancelling = false,
    status = CASE WHEN $3 = 'done' AND woken > $5 THEN 'queued' ELSE $3 END,
    attempts = CASE WHEN $3 = 'done' THEN 0 ELSE attempts END,
    due_at = now()
WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id
"""
_AGAIN = """
UPDATE jobs SET status = 'queued', error = $4, updated_at = now(), attempts = $5,
    due_at = CASE WHEN woken > $6 THEN now() ELSE now() + $3 * interval '1 second' END
WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id
"""
_CANCEL = """
UPDATE jobs SET cancelling = true, updated_at = now(),
    due_at = CASE WHEN status = 'queued' THEN now() ELSE due_at END
WHERE id = $1 AND status IN ('queued', 'running') RETURNING id
"""
"""Every job ends through a worker, which undoes what it did. Even a job that no worker has begun may have something to
undo: the transaction that enqueued it may hold things for it.
"""
_SEND_AGAIN = """
UPDATE jobs SET status = 'queued', due_at = now(), attempts = 0, cancelling = false, error = '', updated_at = now()
WHERE id = $1 AND status IN ('dead', 'cancelled') RETURNING id
"""
_HASTEN = """
UPDATE jobs SET due_at = now() WHERE kind = $1 AND key = $2 AND status = 'queued' AND due_at > now() RETURNING id
"""
_PAGE = """
SELECT * FROM jobs
WHERE status = ANY($1::text[]) AND ($2::text IS NULL OR kind = $2) AND ($3::bigint[] IS NULL OR chat_id = ANY($3))
    AND ($4::bigint IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5
"""
_NEXT = """
SELECT extract(epoch FROM min(due_at) - now()) FROM jobs
WHERE status IN ('queued', 'running') AND kind = ANY($1::text[])
"""
_COUNTS = """
SELECT kind, status, count(*), extract(epoch FROM now() - min(due_at)) FROM (
    SELECT kind, status, due_at FROM jobs WHERE status IN ('queued', 'running', 'dead') LIMIT 100000
) AS counted GROUP BY kind, status
"""


class JobLost(Exception):
    """A claim that is no longer this process's: it expired, and another process may have taken the job."""


class NewJob(msgspec.Struct, frozen=True):
    """A job to enqueue.

    Attributes:
        kind: name of its kind, which names the function that does it.
        key: identity of the work: a second job of the kind with this key is not added.
        data: parameters, as JSON.
        chat_id: the chat that it is about; None if it is about none, or about all.
        asked_by: id of the person who asked for it; 0 for nobody.
        delay: seconds until it is to run.
    """

    kind: str
    key: str
    data: bytes = b"{}"
    chat_id: int | None = None
    asked_by: int = 0
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A job as stored. `data` and `progress` are JSON; see the comments on the table's columns."""

    id: int
    kind: str
    key: str
    chat_id: int | None
    asked_by: int
    status: str
    due_at: datetime
    data: bytes
    progress: bytes
    attempts: int
    fence: int
    woken: int
    cancelling: bool
    error: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class JobCount:
    """Number of the jobs of a kind in a status, and the age in seconds of the one that has been due the longest."""

    kind: str
    status: str
    count: int
    overdue: float


async def enqueue(connection: "Connection | Pool", *jobs: NewJob, anew: bool = False) -> list[int]:
    """Enqueue jobs in the caller's transaction. Returns the ids of those that are new, in the order of kinds and keys.

    With `anew`, an ended job with the same key is queued again from its beginning, and counts as new.
    `Jobs.ring` announces them after the commit; without it they wait for the next look at the table.
    """
    columns = [
        [job.kind for job in jobs],
        [job.key for job in jobs],
        [job.chat_id for job in jobs],
        [job.asked_by for job in jobs],
        [job.data.decode() for job in jobs],
        [job.delay for job in jobs],
    ]
    return [row[0] for row in await connection.fetch(_ENQUEUE, *columns, anew)]


async def wake(
    connection: "Connection | Pool", kind: str, jobs: Sequence[tuple[str, int | None, datetime | None]]
) -> None:
    """Make standing jobs run, by key, chat and earliest time: new, again after an end, or once more after this run.

    For work that waits in another table: the transaction that adds to it wakes the job that empties it.
    """
    if jobs:
        keys_, chats, times = zip(*jobs, strict=True)
        await connection.execute(_WAKE, kind, list(keys_), list(chats), list(times))


class Jobs:
    """Repository of jobs.

    Args:
        pool: PostgreSQL.
        redis: announces new jobs.
    """

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self._pool = pool
        self._redis = redis

    async def enqueue(self, *jobs: NewJob) -> list[int]:
        """Enqueue jobs in a transaction of their own, and announce them. Returns the ids of those that are new."""
        ids = await enqueue(self._pool, *jobs)
        await self.ring()
        return ids

    async def ring(self) -> None:
        """Announce that jobs have been enqueued. Without Redis they are found a few seconds later."""
        with suppress(RedisError, OSError):
            await self._redis.publish(keys.JOBS_ENQUEUED, b"")

    # -- for workers --------------------------------------------------------------------------------------------

    async def claim(self, room: Mapping[str, int], owner: str, *, lease: float = LEASE_SECONDS) -> list[Job]:
        """Claim due jobs, at most `room[kind]` of each kind, the longest due first."""
        rows = await self._pool.fetch(_CLAIM, list(room), list(room.values()), owner, lease)
        return [_job(row) for row in rows]

    async def renew(self, jobs: Sequence[Job], *, lease: float = LEASE_SECONDS) -> dict[int, bool]:
        """Renew claims. Returns job id -> whether it is to be cancelled; the claims that are missing are lost."""
        rows = await self._pool.fetch(_RENEW, [job.id for job in jobs], [job.fence for job in jobs], lease)
        return {row[0]: row[1] for row in rows}

    @asynccontextmanager
    async def transaction(self, job: Job) -> AsyncIterator[Connection]:
        """Open a transaction that commits only while the claim is ours. Raises `JobLost`.

        The job's row stays locked, so that nobody can claim it before the transaction ends.
        """
        async with bounded_transaction(self._pool) as connection:
            if not await connection.fetchval(_OURS, job.id, job.fence):
                raise JobLost(job.id)
            yield connection

    async def record(self, job: Job, progress: bytes, connection: "Connection | None" = None) -> None:
        """Store the progress, and renew the claim. Raises `JobLost`."""
        await self._write(connection, job, _PROGRESS, progress.decode(), LEASE_SECONDS)

    async def end(self, job: Job, status: str, error: str = "", connection: "Connection | None" = None) -> None:
        """End a job: `DONE`, `DEAD` or `CANCELLED`. If it was woken during the run, it is not done but runs again.

        Raises `JobLost`.
        """
        await self._write(connection, job, _END, status, error[:MAX_ERROR], job.woken)

    async def run_again(
        self, job: Job, seconds: float, error: str = "", *, attempts: int = 0, connection: "Connection | None" = None
    ) -> None:
        """Put a job back, to run again after some seconds. Raises `JobLost`."""
        await self._write(connection, job, _AGAIN, seconds, error[:MAX_ERROR], attempts, job.woken)

    async def next_due(self, kinds: Sequence[str]) -> float | None:
        """Return the seconds until the next job of these kinds is due, or a claim expires; None if there is none."""
        seconds = await self._pool.fetchval(_NEXT, list(kinds))
        return None if seconds is None else max(0.0, float(seconds))

    async def _write(self, connection: "Connection | None", job: Job, statement: str, *arguments: Any) -> None:
        if await (connection or self._pool).fetchval(statement, job.id, job.fence, *arguments) is None:
            raise JobLost(job.id)

    # -- for people ---------------------------------------------------------------------------------------------

    async def page(
        self,
        *,
        statuses: Sequence[str] = STATUSES,
        kind: str | None = None,
        chats: Sequence[int] | None = None,
        before: int | None = None,
        limit: int = MAX_PAGE,
    ) -> list[Job]:
        """Return a page of jobs, newest first. `before` is the last id of the page before; `chats` None means all."""
        rows = await self._pool.fetch(
            _PAGE, list(statuses), kind, None if chats is None else list(chats), before, min(limit, MAX_PAGE)
        )
        return [_job(row) for row in rows]

    async def get(self, id_: int) -> Job | None:
        """Return a job, or None."""
        row = await self._pool.fetchrow("SELECT * FROM jobs WHERE id = $1", id_)
        return None if row is None else _job(row)

    async def find(self, kind: str, key: str) -> Job | None:
        """Return the job of a kind with a key, or None."""
        row = await self._pool.fetchrow("SELECT * FROM jobs WHERE kind = $1 AND key = $2", kind, key)
        return None if row is None else _job(row)

    async def cancel(self, id_: int) -> bool:
        """Cancel a job. Returns False if it has ended. A job that has begun is told, and undoes its work."""
        found = await self._pool.fetchval(_CANCEL, id_) is not None
        await self.ring()
        if found:
            wrote("cancel-job", target=id_)
        return found

    async def send_again(self, id_: int) -> bool:
        """Queue a dead or cancelled job again. Returns False if it is neither."""
        found = await self._pool.fetchval(_SEND_AGAIN, id_) is not None
        await self.ring()
        if found:
            wrote("send-job-again", target=id_)
        return found

    async def hasten(self, kind: str, key: str) -> bool:
        """Make a queued job due now. Returns False if there is no such job, or if it is due already."""
        found = await self._pool.fetchval(_HASTEN, kind, key) is not None
        if found:
            await self.ring()
        return found

    async def counts(self) -> list[JobCount]:
        """Count the unfinished and the dead jobs by kind and status."""
        return [
            JobCount(kind, status, count, float(age)) for kind, status, count, age in await self._pool.fetch(_COUNTS)
        ]


_FIELDS = tuple(field.name for field in fields(Job))


def _job(row: asyncpg.Record) -> Job:
    return Job(*(row[name] for name in _FIELDS))
