"""Webhooks out: operations on endpoints and deliveries, and the job that makes the calls.

One job for each endpoint makes its calls one after the other, the longest due first. So a slow endpoint occupies one
place among `AT_ONCE`, and after a failure the whole endpoint pauses, longer each time, so that a dead one occupies a
place for seconds in an hour. Other endpoints notice neither.
"""

import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
from loguru import logger

from fsm.engine import Clock
from fsm.kind import ChatTopic, Instant, Rejected
from play.access import Access, Actor, Needs
from play.guarded_http import Answer, BadUrl, CallFailed, ForbiddenAddress, GuardedHttp
from play.standard_webhooks import new_secret, signed
from play.texts import DEFAULT_LOCALE, Texts
from storage.job_runner import JobKind, Run
from storage.jobs import Jobs
from storage.leases import jitter
from storage.people import People
from storage.webhooks import (
    ALL_CHATS,
    FAILING,
    GONE,
    KIND,
    Attempt,
    Delivery,
    DueDelivery,
    WebhookEndpoint,
    WebhookMessage,
    Webhooks,
    publish,
)
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

OPENED, COMPLETED, CANCELLED = "game.opened", "game.completed", "game.cancelled"
DISABLED, EXAMPLE = "endpoint.disabled", "webhook.example"
TYPES: Final = (OPENED, COMPLETED, CANCELLED, DISABLED, EXAMPLE)
"""The types of events."""
SCHEDULE: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Delays between the attempts at one delivery, in seconds, before jitter. They add up to three days."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 3600.0
"""First and longest pause of an endpoint after a failure, in seconds; it doubles with each failure in a row."""
LONGEST_RETRY_AFTER = 86_400.0
FAILING_SECONDS = 5 * 86_400.0
"""Time after which an endpoint that has only failed is disabled."""
OVERLAP_SECONDS = 86_400.0
"""Time for which the old secret signs too, after a rotation."""
MAX_ENDPOINTS = 20
"""Maximum number of endpoints of a chat, and of those for all chats."""
MAX_DESCRIPTION = 200
AT_ONCE = 32
"""Endpoints that one process calls at once."""
CALLS = 50
"""Calls to one endpoint after which others get the place."""
AGENT = "Tombola-Webhooks/1"


@dataclass(unsafe_hash=True)
class UnknownEndpoint(Rejected):
    """There is no such endpoint, or none that the actor may see."""


@dataclass(unsafe_hash=True)
class UnknownDelivery(Rejected):
    """The endpoint has no such delivery."""


@dataclass(unsafe_hash=True)
class TooManyEndpoints(Rejected):
    """The chat has the most endpoints allowed."""

    limit: int


@dataclass(unsafe_hash=True)
class UnknownEventType(Rejected):
    """There is no such type of event."""


class WebhookDesk:
    """Operations on endpoints. Hosts manage the endpoints of their chat, operators also those for all chats."""

    def __init__(self, *, webhooks: Webhooks, jobs: Jobs, access: Access, http: GuardedHttp, clock: Clock) -> None:
        self._webhooks = webhooks
        self._jobs = jobs
        self._access = access
        self._http = http
        self._clock = clock

    async def endpoints(self, actor: Actor, chat_id: int | None) -> list[WebhookEndpoint]:
        """Return the endpoints of a chat (0: those for all chats); None returns those of every chat."""
        await self._authorise(actor, chat_id or ALL_CHATS)
        return await self._webhooks.endpoints(chat_id)

    async def get(self, actor: Actor, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint. Raises ``UnknownEndpoint``."""
        endpoint = await self._webhooks.endpoint(endpoint_id)
        await self._authorise(actor, ALL_CHATS if endpoint is None else endpoint.chat_id)
        if endpoint is None:
            raise UnknownEndpoint
        return endpoint

    async def add(
        self, actor: Actor, chat_id: int, url: str, types: Sequence[str] = (), description: str = ""
    ) -> WebhookEndpoint:
        """Add an endpoint with a new secret. ``chat_id`` 0 means all chats.

        Raises ``BadUrl``, ``ForbiddenAddress``, ``UnknownEventType``, ``TooManyEndpoints``.
        """
        await self._authorise(actor, chat_id)
        self._http.guard.check_url(url)
        _check_types(types)
        if await self._webhooks.count(chat_id) >= MAX_ENDPOINTS:
            raise TooManyEndpoints(MAX_ENDPOINTS)
        id_ = f"ep{secrets.token_hex(8)}"
        return await self._webhooks.add(id_, chat_id, url, types, description[:MAX_DESCRIPTION], new_secret(), actor.id)

    async def change(
        self,
        actor: Actor,
        endpoint_id: str,
        *,
        url: str | None = None,
        types: Sequence[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """Change an endpoint; None leaves a field as it is. Enabling forgets its failures.

        Raises ``UnknownEndpoint``, ``BadUrl``, ``ForbiddenAddress`` and ``UnknownEventType``.
        """
        await self.get(actor, endpoint_id)
        if url is not None:
            self._http.guard.check_url(url)
        _check_types(types or ())
        changed = await self._webhooks.change(
            endpoint_id,
            url=url,
            types=types,
            description=None if description is None else description[:MAX_DESCRIPTION],
            enabled=enabled,
        )
        await self._jobs.ring()
        return _known(changed)

    async def rotate(
        self, actor: Actor, endpoint_id: str, *, overlap_seconds: float = OVERLAP_SECONDS
    ) -> WebhookEndpoint:
        """Give an endpoint a new secret; the old one signs too for a while. Raises ``UnknownEndpoint``."""
        await self.get(actor, endpoint_id)
        overlap = min(max(0.0, overlap_seconds), 7 * OVERLAP_SECONDS)
        return _known(await self._webhooks.rotate(endpoint_id, new_secret(), overlap))

    async def remove(self, actor: Actor, endpoint_id: str) -> None:
        """Remove an endpoint with its deliveries. Raises ``UnknownEndpoint``."""
        await self.get(actor, endpoint_id)
        await self._webhooks.remove(endpoint_id)

    # -- deliveries ---------------------------------------------------------------------------------------------

    async def deliveries(
        self, actor: Actor, endpoint_id: str, *, status: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Return a page of an endpoint's deliveries, newest first. Raises ``UnknownEndpoint``."""
        await self.get(actor, endpoint_id)
        return await self._webhooks.deliveries(endpoint_id, status=status, before=before, limit=limit)

    async def delivery(self, actor: Actor, endpoint_id: str, delivery_id: int) -> Delivery:
        """Return a delivery with its attempts. Raises ``UnknownEndpoint`` and ``UnknownDelivery``."""
        await self.get(actor, endpoint_id)
        found = await self._webhooks.delivery(endpoint_id, delivery_id)
        if found is None:
            raise UnknownDelivery
        return found

    async def resend(self, actor: Actor, endpoint_id: str, delivery_id: int) -> Delivery:
        """Send a delivery in any status again. Raises ``UnknownEndpoint`` and ``UnknownDelivery``."""
        await self.get(actor, endpoint_id)
        if not await self._webhooks.resend(endpoint_id, delivery_id):
            raise UnknownDelivery
        await self._jobs.ring()
        return await self.delivery(actor, endpoint_id, delivery_id)

    async def recover(self, actor: Actor, endpoint_id: str, since: datetime) -> int:
        """Send all failed and missed deliveries since a time again. Returns their number.

        Raises ``UnknownEndpoint``.
        """
        await self.get(actor, endpoint_id)
        count = await self._webhooks.recover(endpoint_id, since)
        await self._jobs.ring()
        return count

    async def send_example(self, actor: Actor, endpoint_id: str) -> int:
        """Send an example to an endpoint. Returns the id of the delivery. Raises ``UnknownEndpoint``."""
        endpoint = await self.get(actor, endpoint_id)
        data = {"endpoint_id": endpoint.id, "example": True}
        id_ = await self._webhooks.send(
            endpoint, message(f"ex{secrets.token_hex(12)}", EXAMPLE, endpoint.chat_id, data, self._clock.now())
        )
        await self._jobs.ring()
        return id_

    async def _authorise(self, actor: Actor, chat_id: int) -> None:
        if chat_id == ALL_CHATS:
            await self._access.authorise(actor, None, Needs.OPERATE)
        else:
            await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)


class WebhookCaller:
    """Makes the calls of webhooks, as jobs.

    Attributes:
        attempts: number of attempts by result: `delivered`, `failed`, `gone`.
    """

    def __init__(
        self,
        *,
        webhooks: Webhooks,
        http: GuardedHttp,
        outbox: Outbox,
        people: People,
        texts: Texts,
        clock: Clock,
        operators: Collection[int],
    ) -> None:
        self.attempts = {"delivered": 0, "failed": 0, "gone": 0}
        self.kind = JobKind(name=KIND, work=self._work, at_once=AT_ONCE, attempts=20)
        self._webhooks = webhooks
        self._http = http
        self._outbox = outbox
        self._people = people
        self._texts = texts
        self._clock = clock
        self._operators = operators

    async def _work(self, run: Run) -> None:
        """Make the due calls to an endpoint, then put the job back for the next one."""
        for _ in range(CALLS):
            endpoint = await self._webhooks.endpoint(run.job.key)
            delivery = await self._webhooks.next_delivery(run.job.key)
            if endpoint is None or not endpoint.enabled or delivery is None:
                return
            if delivery.wait > 0:
                await run.again(delivery.wait)
                return
            await self._deliver(run, endpoint, delivery)
        await run.again(0)

    async def _deliver(self, run: Run, endpoint: WebhookEndpoint, delivery: DueDelivery) -> None:
        """Make one call and record its result, under the fence of the job."""
        run.check()
        began = time.monotonic()
        answer: Answer | None = None
        try:
            answer = await self._call(endpoint, delivery)
            error = "" if 200 <= answer.status < 300 else f"status {answer.status}"
        except (CallFailed, BadUrl, ForbiddenAddress) as problem:
            error = str(problem) or type(problem).__name__
        ms = round((time.monotonic() - began) * 1000)
        status = 0 if answer is None else answer.status
        now = self._clock.now()
        attempt = Attempt(moment_of(now), status, error, ms)
        disabled = ""
        async with run.transaction() as connection:
            if not error:
                await self._webhooks.succeeded(connection, endpoint.id, delivery.id, attempt)
            else:
                wanted = retry_after(answer, now)
                over = status == 410 or delivery.attempts >= len(SCHEDULE)
                again = None if over else _delay(SCHEDULE[delivery.attempts])
                pause = max(_pause(endpoint.failures), wanted)
                failing = await self._webhooks.failed(
                    connection,
                    endpoint.id,
                    delivery.id,
                    attempt,
                    again=None if again is None else max(again, wanted),
                    pause=pause,
                )
                disabled = GONE if status == 410 else FAILING if failing > FAILING_SECONDS else ""
            if disabled and await self._webhooks.disable(connection, endpoint.id, disabled):
                data = {"endpoint_id": endpoint.id, "chat_id": endpoint.chat_id, "reason": disabled}
                event = message(f"off{run.job.fence}{endpoint.id}", DISABLED, endpoint.chat_id, data, now)
                await publish(connection, [event], without=[endpoint.id])
        self.attempts["gone" if disabled == GONE else "failed" if error else "delivered"] += 1
        if disabled:
            await self._tell_operators(endpoint, disabled, run)

    async def _call(self, endpoint: WebhookEndpoint, delivery: DueDelivery) -> Answer:
        now = self._clock.now()
        if not endpoint.secret:
            raise CallFailed("the secret can't be decrypted")
        secrets_ = [endpoint.secret]
        if endpoint.old_secret and endpoint.old_until is not None and endpoint.old_until > moment_of(now):
            secrets_.append(endpoint.old_secret)
        headers = signed(secrets_, delivery.message_id, now // 1000, delivery.payload)
        headers |= {"content-type": "application/json", "user-agent": AGENT}
        return await self._http.call("POST", endpoint.url, headers=headers, body=delivery.payload)

    async def _tell_operators(self, endpoint: WebhookEndpoint, reason: str, run: Run) -> None:
        logger.error("webhook endpoint {} is disabled: {}", endpoint.id, reason)
        for operator in self._operators:
            locale = await self._people.locale_of_player(operator) or DEFAULT_LOCALE
            html = self._texts.html(locale, "webhook-disabled", endpoint=endpoint.id, reason=reason)
            await self._outbox.put(
                Outgoing(
                    id=f"webhook-off:{endpoint.id}:{run.job.fence}:{operator}",
                    chat_id=operator,
                    method="sendMessage",
                    params={"text": str(html), "parse_mode": "HTML"},
                    priority=Priority.COSMETIC,
                    created_at=self._clock.now(),
                )
            )


def moment_of(at: Instant) -> datetime:
    """Return an instant as a datetime."""
    return datetime.fromtimestamp(at / 1000, UTC)


def message(id_: str, type_: str, chat_id: int, data: Any, now: Instant) -> WebhookMessage:
    """Return a message in the form that Standard Webhooks recommends."""
    at = moment_of(now).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    payload = msgspec.json.encode({"type": type_, "timestamp": at, "data": data})
    return WebhookMessage(id_, type_, chat_id, payload)


def retry_after(answer: Answer | None, now: Instant) -> float:
    """Return the seconds that an answer of 429 or 503 asks us to wait, at most a day; 0 if it does not."""
    if answer is None or answer.status not in {429, 503}:
        return 0.0
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - now / 1000
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _delay(seconds: float) -> float:
    return jitter(seconds)


def _pause(failures: int) -> float:
    return jitter(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(failures, 16)))


def _check_types(types: Sequence[str]) -> None:
    if any(each not in TYPES for each in types):
        raise UnknownEventType


def _known(endpoint: WebhookEndpoint | None) -> WebhookEndpoint:
    if endpoint is None:
        raise UnknownEndpoint
    return endpoint
