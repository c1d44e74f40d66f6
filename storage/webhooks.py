"""Webhooks in PostgreSQL: endpoints, messages, their deliveries and attempts, and the sources of incoming calls.

A message is published in the transaction that causes it: `publish` stores it, a delivery for each endpoint that wants
it, and wakes the job of each of these endpoints. Its id is derived from the event, so that events that the projector
writes again, after PostgreSQL has lost transactions, are no new messages for a receiver.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from storage.audit import wrote
from storage.connections import Connection, Pool, bounded_transaction
from storage.jobs import wake
from storage.secret_box import SecretBox

KIND: Final = "webhooks"
"""The kind of job that empties the queue of an endpoint; its key is the endpoint's id."""
ALL_CHATS: Final = 0
PENDING, DELIVERED, FAILED, MISSED = "pending", "delivered", "failed", "missed"
HOST, GONE, FAILING = "host", "gone", "failing"
"""Reasons for which an endpoint is disabled: by a person; the receiver answered 410; five days of failures."""
MAX_PAGE = 100
MAX_ERROR = 200
RESEALED = 500
"""Secrets that are read at a time to be encrypted anew."""
MOST = 1000
"""Maximum number of endpoints that are listed."""

_PUBLISH = """
WITH told AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) AS t(id, type, chat_id, payload)
), wanted AS (
    SELECT t.id AS message_id, e.id AS endpoint_id, e.enabled, e.chat_id, e.paused_until
    FROM told t CROSS JOIN LATERAL (
        SELECT * FROM webhook_endpoints e
        WHERE e.chat_id = ANY (ARRAY[t.chat_id, 0]) AND (e.types = '{}' OR t.type = ANY(e.types))
            AND e.id <> ALL($5::text[])
    ) AS e
), stored AS (
    INSERT INTO webhook_messages (id, type, chat_id, payload)
    SELECT id, type, chat_id, payload FROM told WHERE id IN (SELECT message_id FROM wanted)
    ON CONFLICT (id) DO NOTHING
), added AS (
    INSERT INTO webhook_deliveries (endpoint_id, message_id, status)
    SELECT endpoint_id, message_id, CASE WHEN enabled THEN 'pending' ELSE 'missed' END FROM wanted
    ORDER BY endpoint_id, message_id
    ON CONFLICT (endpoint_id, message_id) DO NOTHING
    RETURNING endpoint_id, status
)
SELECT DISTINCT w.endpoint_id, w.chat_id, w.paused_until FROM wanted w JOIN added a USING (endpoint_id)
WHERE a.status = 'pending'
"""
_ADD = """
INSERT INTO webhook_endpoints (id, chat_id, url, types, description, secret, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *
"""
_CHANGE = """
UPDATE webhook_endpoints SET url = COALESCE($2, url), types = COALESCE($3::text[], types),
    description = COALESCE($4, description), enabled = COALESCE($5, enabled),
    reason = CASE WHEN $5 THEN '' WHEN NOT $5 THEN 'host' ELSE reason END,
    failures = CASE WHEN $5 THEN 0 ELSE failures END,
    failing_since = CASE WHEN $5 THEN NULL ELSE failing_since END,
    paused_until = CASE WHEN $5 OR $2 IS NOT NULL THEN now() ELSE paused_until END,
    updated_at = now()
WHERE id = $1 RETURNING *
"""
_ROTATE = """
UPDATE webhook_endpoints SET old_secret = CASE WHEN $3 > 0 THEN secret END, secret = $2,
    old_until = now() + $3 * interval '1 second', updated_at = now()
WHERE id = $1 RETURNING *
"""
_NEXT = """
SELECT d.id, d.message_id, m.type, m.payload, d.attempts,
    extract(epoch FROM GREATEST(d.due_at, CASE WHEN e.failures > 0 THEN e.paused_until END) - now()) AS wait
FROM webhook_deliveries d
JOIN webhook_messages m ON m.id = d.message_id
JOIN webhook_endpoints e ON e.id = d.endpoint_id
WHERE d.endpoint_id = $1 AND d.status = 'pending' ORDER BY d.due_at, d.id LIMIT 1
"""
_ATTEMPT = """
INSERT INTO webhook_attempts (delivery_id, status, error, ms) VALUES ($1, $2, $3, $4)
"""
_SETTLE = """
UPDATE webhook_deliveries SET status = $2, attempts = attempts + 1, due_at = now() + $3 * interval '1 second',
    ended_at = CASE WHEN $2 = 'pending' THEN NULL ELSE now() END
WHERE id = $1
"""
_SUCCEEDED = """
UPDATE webhook_endpoints SET failures = 0, failing_since = NULL, paused_until = now()
WHERE id = $1 AND failures > 0
"""
_FAILED = """
UPDATE webhook_endpoints SET failures = failures + 1, failing_since = COALESCE(failing_since, now()),
    paused_until = now() + $2 * interval '1 second'
WHERE id = $1 RETURNING extract(epoch FROM now() - failing_since)
"""
_DISABLE = """
WITH missed AS (UPDATE webhook_deliveries SET status = 'missed' WHERE endpoint_id = $1 AND status = 'pending')
UPDATE webhook_endpoints SET enabled = false, reason = $2, updated_at = now() WHERE id = $1 AND enabled RETURNING id
"""
_MISS = "UPDATE webhook_deliveries SET status = 'missed' WHERE endpoint_id = $1 AND status = 'pending'"
_RESEND = """
UPDATE webhook_deliveries SET status = 'pending', due_at = now(), attempts = 0, ended_at = NULL
WHERE id = $2 AND endpoint_id = $1 RETURNING id
"""
_RECOVER = """
UPDATE webhook_deliveries SET status = 'pending', due_at = now(), attempts = 0, ended_at = NULL
WHERE endpoint_id = $1 AND created_at >= $2 AND status IN ('failed', 'missed')
"""
_DELIVERIES = """
SELECT d.*, m.type FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id
WHERE d.endpoint_id = $1 AND ($2::text IS NULL OR d.status = $2) AND ($3::bigint IS NULL OR d.id < $3)
ORDER BY d.id DESC LIMIT $4
"""
_ATTEMPTS = """
SELECT delivery_id, at, status, error, ms FROM webhook_attempts
WHERE delivery_id = ANY($1::bigint[]) ORDER BY delivery_id, at
"""
_OTHERWISE = """
SELECT * FROM (
    SELECT 'webhook_endpoints' AS source, 'secret' AS name, id, secret AS stored FROM webhook_endpoints
    UNION ALL SELECT 'webhook_endpoints', 'old_secret', id, old_secret FROM webhook_endpoints WHERE old_until > now()
    UNION ALL SELECT 'webhook_sources', 'secret', id, secret FROM webhook_sources
) AS secrets WHERE stored IS NOT NULL AND substring(stored FOR length($1::bytea)) <> $1 ORDER BY id, name LIMIT $2
"""
_RESEAL = "UPDATE {table} SET {column} = $3 WHERE id = $1 AND {column} = $2"
_COUNTS = """
SELECT status, count(*) FROM (
    SELECT status FROM webhook_deliveries WHERE status IN ('pending', 'failed') LIMIT 100000
) AS counted GROUP BY status
"""


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An endpoint as stored; see the comments on the table's columns. The secrets are never shown."""

    id: str
    chat_id: int
    url: str
    types: tuple[str, ...]
    description: str
    enabled: bool
    reason: str
    failures: int
    failing_since: datetime | None
    paused_until: datetime
    created_by: int
    created_at: datetime
    updated_at: datetime
    secret: bytes = field(repr=False)
    """Empty if no configured key decrypts it."""
    old_secret: bytes | None = field(repr=False)
    old_until: datetime | None


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """The next delivery of an endpoint. `wait` is the time in seconds until it may be tried."""

    id: int
    message_id: str
    type: str
    payload: bytes
    attempts: int
    wait: float


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a delivery. `status` is the HTTP status, or 0 without an answer."""

    at: datetime
    status: int
    error: str
    ms: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to an endpoint."""

    id: int
    endpoint_id: str
    message_id: str
    type: str
    status: str
    attempts: int
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None
    tried: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A system that may open and end games of a chat by a signed call. The secrets are never shown."""

    id: str
    chat_id: int
    topic_id: int
    description: str
    created_by: int
    created_at: datetime
    secret: bytes = field(repr=False)
    """Empty if no configured key decrypts it."""
    old_secret: bytes | None = field(repr=False)
    old_until: datetime | None


class WebhookMessage(msgspec.Struct, frozen=True):
    """A message to publish.

    Attributes:
        id: its id, the same however often it is published.
        type: the type of event.
        chat_id: the chat that it is about; `ALL_CHATS` for the endpoints that get all chats alone.
        payload: the body.
    """

    id: str
    type: str
    chat_id: int
    payload: bytes


async def publish(
    connection: "Connection | Pool", messages: Sequence[WebhookMessage], *, without: Sequence[str] = ()
) -> bool:
    """Store messages with their deliveries, and wake the jobs. Returns True if any endpoint wants any of them.

    Args:
        connection: the connection of the transaction that causes them.
        messages: the messages.
        without: ids of endpoints that do not get them.
    """
    columns = [[getattr(each, name) for each in messages] for name in ("id", "type", "chat_id", "payload")]
    rows = await connection.fetch(_PUBLISH, *columns, list(without))
    await wake(connection, KIND, sorted((row[0], row[1] or None, row[2]) for row in rows))
    return bool(rows)


class Webhooks:
    """Repository of endpoints, deliveries and sources.

    Args:
        pool: PostgreSQL.
        box: encrypts the secrets; None stores them as they are.
    """

    def __init__(self, pool: Pool, box: SecretBox | None = None) -> None:
        self._pool = pool
        self._box = box or SecretBox()

    # -- endpoints ----------------------------------------------------------------------------------------------

    async def add(
        self, id_: str, chat_id: int, url: str, types: Sequence[str], description: str, secret: bytes, by: int
    ) -> WebhookEndpoint:
        """Store a new endpoint."""
        sealed = self._box.seal(secret, id_)
        row: Any = await self._pool.fetchrow(_ADD, id_, chat_id, url, list(types), description, sealed, by)
        wrote("add-webhook", chat_id=chat_id or None, target=id_)
        return self._endpoint(row)

    async def count(self, chat_id: int) -> int:
        """Return the number of endpoints of a chat."""
        return int(await self._pool.fetchval("SELECT count(*) FROM webhook_endpoints WHERE chat_id = $1", chat_id))

    async def endpoints(self, chat_id: int | None) -> list[WebhookEndpoint]:
        """Return the endpoints of a chat; those of all chats if `chat_id` is None, at most `MOST`."""
        if chat_id is None:
            rows = await self._pool.fetch("SELECT * FROM webhook_endpoints ORDER BY id LIMIT $1", MOST)
        else:
            statement = "SELECT * FROM webhook_endpoints WHERE chat_id = $1 ORDER BY id LIMIT $2"
            rows = await self._pool.fetch(statement, chat_id, MOST)
        return [self._endpoint(row) for row in rows]

    async def endpoint(self, id_: str) -> WebhookEndpoint | None:
        """Return an endpoint, or None."""
        row = await self._pool.fetchrow("SELECT * FROM webhook_endpoints WHERE id = $1", id_)
        return None if row is None else self._endpoint(row)

    async def change(
        self,
        id_: str,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> WebhookEndpoint | None:
        """Change an endpoint; None leaves a field as it is. Returns None if there is no such endpoint."""
        wanted = None if types is None else list(types)
        async with bounded_transaction(self._pool) as connection:
            row = await connection.fetchrow(_CHANGE, id_, url, wanted, description, enabled)
            if enabled is False:
                await connection.execute(_MISS, id_)
            elif row is not None:
                await wake(connection, KIND, [(id_, row["chat_id"] or None, row["paused_until"])])
        if row is None:
            return None
        wrote("change-webhook", chat_id=row["chat_id"] or None, target=id_)
        return self._endpoint(row)

    async def rotate(self, id_: str, secret: bytes, overlap_seconds: float) -> WebhookEndpoint | None:
        """Give an endpoint a new secret. The old one signs too, for some seconds. Returns None without endpoint."""
        row = await self._pool.fetchrow(_ROTATE, id_, self._box.seal(secret, id_), overlap_seconds)
        if row is None:
            return None
        wrote("rotate-webhook-secret", chat_id=row["chat_id"] or None, target=id_)
        return self._endpoint(row)

    async def remove(self, id_: str) -> bool:
        """Delete an endpoint with its deliveries. Returns False if there is none."""
        done = await self._pool.execute("DELETE FROM webhook_endpoints WHERE id = $1", id_)
        removed = not done.endswith(" 0")
        if removed:
            wrote("remove-webhook", target=id_)
        return removed

    # -- deliveries ---------------------------------------------------------------------------------------------

    async def next_delivery(self, endpoint_id: str) -> DueDelivery | None:
        """Return the delivery of an endpoint that is due next, or None."""
        row = await self._pool.fetchrow(_NEXT, endpoint_id)
        if row is None:
            return None
        id_, message_id, type_, payload, attempts, wait = row
        return DueDelivery(id_, message_id, type_, payload, attempts, float(wait))

    async def deliveries(
        self, endpoint_id: str, *, status: str | None = None, before: int | None = None, limit: int = MAX_PAGE
    ) -> list[Delivery]:
        """Return a page of an endpoint's deliveries, newest first, without their attempts."""
        rows = await self._pool.fetch(_DELIVERIES, endpoint_id, status, before, min(limit, MAX_PAGE))
        return [_delivery(row) for row in rows]

    async def delivery(self, endpoint_id: str, id_: int) -> Delivery | None:
        """Return a delivery with its attempts, or None."""
        statement = """
            SELECT d.*, m.type FROM webhook_deliveries d JOIN webhook_messages m ON m.id = d.message_id
            WHERE d.id = $1 AND d.endpoint_id = $2
        """
        row = await self._pool.fetchrow(statement, id_, endpoint_id)
        if row is None:
            return None
        tried = tuple(Attempt(*tuple(each)[1:]) for each in await self._pool.fetch(_ATTEMPTS, [id_]))
        return _delivery(row, tried)

    async def resend(self, endpoint_id: str, id_: int) -> bool:
        """Make a delivery pending again. Returns False if there is none."""
        async with bounded_transaction(self._pool) as connection:
            found = await connection.fetchval(_RESEND, endpoint_id, id_) is not None
            if found:
                await self._wake(connection, endpoint_id)
        if found:
            wrote("resend-delivery", target=id_)
        return found

    async def recover(self, endpoint_id: str, since: datetime) -> int:
        """Make the failed and missed deliveries since a time pending again. Returns their number."""
        async with bounded_transaction(self._pool) as connection:
            count = int((await connection.execute(_RECOVER, endpoint_id, since)).rpartition(" ")[2])
            if count:
                await self._wake(connection, endpoint_id)
        wrote("recover-webhook", target=endpoint_id)
        return count

    async def send(self, endpoint: WebhookEndpoint, message: WebhookMessage) -> int:
        """Store a message for one endpoint alone. Returns the id of its delivery."""
        async with bounded_transaction(self._pool) as connection:
            await connection.execute(
                "INSERT INTO webhook_messages (id, type, chat_id, payload) VALUES ($1, $2, $3, $4)",
                message.id, message.type, message.chat_id, message.payload,
            )  # fmt: skip
            id_: int = await connection.fetchval(
                "INSERT INTO webhook_deliveries (endpoint_id, message_id) VALUES ($1, $2) RETURNING id",
                endpoint.id, message.id,
            )  # fmt: skip
            await self._wake(connection, endpoint.id)
        wrote("send-webhook-example", chat_id=endpoint.chat_id or None, target=endpoint.id)
        return id_

    async def counts(self) -> dict[str, int]:
        """Count the pending and the failed deliveries."""
        return {PENDING: 0, FAILED: 0} | {row[0]: row[1] for row in await self._pool.fetch(_COUNTS)}

    # -- results of attempts, in the transaction of their job ---------------------------------------------------

    async def succeeded(self, connection: Connection, endpoint_id: str, delivery_id: int, attempt: Attempt) -> None:
        """Record a successful attempt."""
        await self._tried(connection, delivery_id, attempt, DELIVERED, 0)
        await connection.execute(_SUCCEEDED, endpoint_id)

    async def failed(
        self,
        connection: Connection,
        endpoint_id: str,
        delivery_id: int,
        attempt: Attempt,
        *,
        again: float | None,
        pause: float,
    ) -> float:
        """Record a failed attempt. Returns the seconds for which the endpoint has been failing.

        Args:
            connection: the connection of the job's transaction.
            endpoint_id: the endpoint.
            delivery_id: the delivery.
            attempt: the attempt.
            again: seconds until the next attempt at this delivery; None for none.
            pause: seconds until the next attempt at any delivery of the endpoint.
        """
        await self._tried(connection, delivery_id, attempt, FAILED if again is None else PENDING, again or 0)
        return float(await connection.fetchval(_FAILED, endpoint_id, pause) or 0)

    async def disable(self, connection: Connection, endpoint_id: str, reason: str) -> bool:
        """Disable an endpoint; its pending deliveries are missed. Returns False if it was disabled before."""
        return await connection.fetchval(_DISABLE, endpoint_id, reason) is not None

    async def _tried(
        self, connection: Connection, delivery_id: int, attempt: Attempt, status: str, again: float
    ) -> None:
        await connection.execute(_ATTEMPT, delivery_id, attempt.status, attempt.error[:MAX_ERROR], attempt.ms)
        await connection.execute(_SETTLE, delivery_id, status, again)

    async def _wake(self, connection: Connection, endpoint_id: str) -> None:
        statement = "SELECT chat_id, paused_until FROM webhook_endpoints WHERE id = $1"
        row = await connection.fetchrow(statement, endpoint_id)
        if row is not None:
            await wake(connection, KIND, [(endpoint_id, row[0] or None, row[1])])

    # -- sources ------------------------------------------------------------------------------------------------

    async def add_source(
        self, id_: str, chat_id: int, topic_id: int, description: str, secret: bytes, by: int
    ) -> WebhookSource:
        """Store a new source."""
        row: Any = await self._pool.fetchrow(
            """
            INSERT INTO webhook_sources (id, chat_id, topic_id, description, secret, created_by)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING *
            """,
            id_, chat_id, topic_id, description, self._box.seal(secret, id_), by,
        )  # fmt: skip
        wrote("add-webhook-source", chat_id=chat_id, target=id_)
        return self._source(row)

    async def sources(self, chat_id: int) -> list[WebhookSource]:
        """Return the sources of a chat."""
        statement = "SELECT * FROM webhook_sources WHERE chat_id = $1 ORDER BY id LIMIT 100"
        return [self._source(row) for row in await self._pool.fetch(statement, chat_id)]

    async def source(self, id_: str) -> WebhookSource | None:
        """Return a source, or None."""
        row = await self._pool.fetchrow("SELECT * FROM webhook_sources WHERE id = $1", id_)
        return None if row is None else self._source(row)

    async def remove_source(self, id_: str) -> bool:
        """Delete a source. Returns False if there is none."""
        done = await self._pool.execute("DELETE FROM webhook_sources WHERE id = $1", id_)
        removed = not done.endswith(" 0")
        if removed:
            wrote("remove-webhook-source", target=id_)
        return removed

    # -- secrets ------------------------------------------------------------------------------------------------

    async def reseal(self) -> int:
        """Encrypt with the first key all secrets that are stored in another way. Returns their number.

        May be stopped at any time, and run in several processes at once.
        """
        count = 0
        while self._box.current and (rows := await self._pool.fetch(_OTHERWISE, self._box.current, RESEALED)):
            opened = [(row, self._box.open(row["stored"], row["id"])) for row in rows]
            readable = [(row, secret) for row, secret in opened if secret is not None]
            for row, secret in readable:
                # The stored value is compared, because a host may give the endpoint a new secret meanwhile.
                statement = _RESEAL.format(table=row["source"], column=row["name"])
                await self._pool.execute(statement, row["id"], row["stored"], self._box.seal(secret, row["id"]))
            count += len(readable)
            if len(readable) < len(rows):
                break  # the same rows would come again
        return count

    def _endpoint(self, row: asyncpg.Record) -> WebhookEndpoint:
        values = {name: row[name] for name in _ENDPOINT} | self._secrets(row)
        return WebhookEndpoint(**{**values, "types": tuple(values["types"])})

    def _source(self, row: asyncpg.Record) -> WebhookSource:
        return WebhookSource(**{name: row[name] for name in _SOURCE} | self._secrets(row))

    def _secrets(self, row: asyncpg.Record) -> dict[str, bytes | None]:
        stored = {name: row[name] for name in ("secret", "old_secret")}
        return {name: None if each is None else self._box.open(each, row["id"]) or b"" for name, each in stored.items()}


_ENDPOINT = tuple(each.name for each in fields(WebhookEndpoint))
_DELIVERY = tuple(each.name for each in fields(Delivery))[:-1]
_SOURCE = tuple(each.name for each in fields(WebhookSource))


def _delivery(row: asyncpg.Record, tried: tuple[Attempt, ...] = ()) -> Delivery:
    return Delivery(**{name: row[name] for name in _DELIVERY}, tried=tried)
