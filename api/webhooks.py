"""Webhooks: endpoints that get events, their deliveries, sources that send calls, and the calls themselves.

The chat 0 stands for all chats; its endpoints are for operators.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Page, Reply
from api.flags import FlagView, flag_view
from api.values import FoundGame
from api.views import GameView, game_view
from fsm.kind import NotNow, TooLate, UnknownGame
from fsm.lobby import BadRule, BadTitle, PlaceTaken
from fsm.pick_number import DrawSealed
from play.access import Elsewhere, Needs, NotAnOperator
from play.bans import EVERYWHERE
from play.content import NoQuestions
from play.flags import BadFlagSetting, UnknownFlag
from play.guarded_http import MAX_URL, BadUrl, ForbiddenAddress
from play.incoming_webhooks import MOST_BYTES, BadCall, EndCall, FlagCall, OpenCall, ReplayedCall, UnknownSource
from play.standard_webhooks import BadSignature, StaleCall, shown
from play.webhooks import (
    MAX_DESCRIPTION,
    OVERLAP_SECONDS,
    TooManyEndpoints,
    UnknownDelivery,
    UnknownEndpoint,
    UnknownEventType,
)
from storage.webhooks import Attempt, Delivery, WebhookEndpoint, WebhookSource

WEBHOOKS: Final = "webhooks"
Types = Annotated[list[str], Meta(max_length=20)]
Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION)]
Url = Annotated[str, Meta(min_length=8, max_length=MAX_URL)]


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint without its secret.

    Attributes:
        id: its id.
        chat_id: the chat whose events it gets; 0 for all chats.
        url: its address.
        types: the types of events that it gets; empty for all.
        description: a note for people.
        enabled: whether it is called.
        reason: the reason for which it is not: `host`, `gone` or `failing`; empty if it is.
        failures: failed calls since the last success.
        failing_since: the time of the first of them; null for none.
        created_at: the time at which it was added.
    """

    id: str
    chat_id: int
    url: str
    types: list[str]
    description: str
    enabled: bool
    reason: str
    failures: int
    failing_since: datetime | None
    created_at: datetime


class OpenEvent(msgspec.Struct, frozen=True, tag_field="type", tag="game.open"):
    """A signed call that opens a game.

    Attributes:
        data: the game.
    """

    data: OpenCall


class EndEvent(msgspec.Struct, frozen=True, tag_field="type", tag="game.end"):
    """A signed call that ends a game.

    Attributes:
        data: the game.
    """

    data: EndCall


class FlagEvent(msgspec.Struct, frozen=True, tag_field="type", tag="flag.set"):
    """A signed call that sets a feature flag.

    Attributes:
        data: the flag and its value.
    """

    data: FlagCall


class EndpointWithSecret(EndpointView, frozen=True, kw_only=True):
    """An endpoint with a new secret.

    Attributes:
        secret: the secret, which is shown this once; null in the response to a repeated request.
    """

    secret: str | None


class EndpointBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An endpoint to add.

    Attributes:
        url: its address, with `https://`.
        types: the types of events that it gets; empty for all.
        description: a note for people.
    """

    url: Url
    types: Types = []
    description: Description = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of an endpoint; a field that is missing or null stays as it is.

    Attributes:
        url: its address.
        types: the types of events that it gets; empty for all.
        description: a note for people.
        enabled: whether it is called.
    """

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    enabled: bool | None = None


class RotationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rotation of a secret.

    Attributes:
        overlap_seconds: the time for which the old secret signs too, at most a week.
    """

    overlap_seconds: Annotated[float, Meta(ge=0, le=604_800)] = OVERLAP_SECONDS


class RecoveryBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recovery.

    Attributes:
        since: the time since which failed and missed deliveries are sent again.
    """

    since: Annotated[datetime, Meta(tz=True)]


class RecoveryView(msgspec.Struct, frozen=True):
    """A recovery that has begun.

    Attributes:
        deliveries: the number of deliveries that are sent again.
    """

    deliveries: int


class ExampleView(msgspec.Struct, frozen=True):
    """An example on its way.

    Attributes:
        delivery: the id of its delivery.
    """

    delivery: int


class DeliveriesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of the list of deliveries.

    Attributes:
        status: only deliveries in this status.
        limit: the number of deliveries on a page.
        cursor: the position to continue from.
    """

    status: Literal["pending", "delivered", "failed", "missed"] | None = None
    limit: Count = 20
    cursor: Cursor | None = None


class AttemptView(msgspec.Struct, frozen=True):
    """One call.

    Attributes:
        at: its time.
        status: the HTTP status of the answer; 0 without an answer.
        error: the reason of a failure; empty for a success.
        ms: its duration in milliseconds.
    """

    at: datetime
    status: int
    error: str
    ms: int


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way to an endpoint.

    Attributes:
        id: its id.
        message_id: the id of the message, which the receiver gets as `webhook-id`.
        type: the type of event.
        status: `pending`, `delivered`, `failed`, or `missed` because the endpoint was disabled.
        attempts: the number of calls since it was sent, or sent again.
        due_at: the time of the next call, if it is pending.
        created_at: the time of the event.
        tried: the calls; only in the response about one delivery.
    """

    id: int
    message_id: str
    type: str
    status: str
    attempts: int
    due_at: datetime
    created_at: datetime
    tried: list[AttemptView] = []


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A source without its secret.

    Attributes:
        id: its id, the last part of the address that it calls.
        chat_id: the chat in which it opens and ends games.
        topic_id: the topic of a forum in which it opens them; 0 outside forums.
        description: a note for people, and the name of the host of its games.
        created_at: the time at which it was added.
    """

    id: str
    chat_id: int
    topic_id: int
    description: str
    created_at: datetime


class SourceWithSecret(SourceView, frozen=True, kw_only=True):
    """A source that was just added.

    Attributes:
        secret: the secret, which is shown this once; null in the response to a repeated request.
    """

    secret: str | None


class SourceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A source to add.

    Attributes:
        topic_id: the topic of a forum in which it opens games; 0 outside forums.
        description: a note for people, and the name of the host of its games.
    """

    topic_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    description: Description = ""


# -- endpoints --------------------------------------------------------------------------------------------------


async def list_webhooks(call: Call) -> list[EndpointView]:
    """List the endpoints of a chat; of chat 0, those for all chats."""
    return [_endpoint(each) for each in await call.services.play.webhooks.endpoints(call.actor, call.path["chat"])]


async def add_webhook(call: Call) -> Reply:
    """Add an endpoint. Its secret is in this response only, and not in that of a repeated request."""
    body: EndpointBody = call.body
    chat_id = call.path["chat"]
    made = await call.services.play.webhooks.add(call.actor, chat_id, body.url, body.types, body.description)
    return _secret(made, {"location": f"/api/v1/chats/{chat_id}/webhooks/{made.id}"})


async def get_webhook(call: Call) -> EndpointView:
    """Return an endpoint, without its secret."""
    return _endpoint(await _found(call))


async def change_webhook(call: Call) -> EndpointView:
    """Change an endpoint. Enabling one that was disabled forgets its failures."""
    endpoint, body = await _found(call), call.body
    changed = await call.services.play.webhooks.change(
        call.actor,
        endpoint.id,
        url=body.url,
        types=body.types,
        description=body.description,
        enabled=body.enabled,
    )
    return _endpoint(changed)


async def remove_webhook(call: Call) -> None:
    """Remove an endpoint with its deliveries."""
    await call.services.play.webhooks.remove(call.actor, (await _found(call)).id)


async def rotate_webhook_secret(call: Call) -> Reply:
    """Give an endpoint a new secret. The old one signs too, for a day or as long as asked for."""
    endpoint = await _found(call)
    overlap = call.body.overlap_seconds
    return _secret(await call.services.play.webhooks.rotate(call.actor, endpoint.id, overlap_seconds=overlap), {})


async def send_webhook_example(call: Call) -> ExampleView:
    """Send an example to an endpoint."""
    return ExampleView(await call.services.play.webhooks.send_example(call.actor, (await _found(call)).id))


async def recover_webhook(call: Call) -> RecoveryView:
    """Send the failed and missed deliveries since a time again, up to thirty days back."""
    endpoint = await _found(call)
    return RecoveryView(await call.services.play.webhooks.recover(call.actor, endpoint.id, call.body.since))


# -- deliveries -------------------------------------------------------------------------------------------------


async def list_deliveries(call: Call) -> Page:
    """List the deliveries to an endpoint, latest first."""
    endpoint, query, after = await _found(call), call.query, await position(call)
    found = await call.services.play.webhooks.deliveries(
        call.actor,
        endpoint.id,
        status=query.status,
        before=None if after is None else int(after[0]),
        limit=query.limit,
    )
    return Page([_delivery(each) for each in found], (found[-1].id,) if len(found) == query.limit else None)


async def get_delivery(call: Call) -> DeliveryView:
    """Return a delivery with its calls."""
    endpoint = await _found(call)
    return _delivery(await call.services.play.webhooks.delivery(call.actor, endpoint.id, call.path["delivery"]))


async def resend_delivery(call: Call) -> DeliveryView:
    """Send a delivery again, also one that was delivered."""
    endpoint = await _found(call)
    return _delivery(await call.services.play.webhooks.resend(call.actor, endpoint.id, call.path["delivery"]))


# -- sources and their calls ------------------------------------------------------------------------------------


async def list_sources(call: Call) -> list[SourceView]:
    """List the systems that may open and end games of a chat by signed calls."""
    return [_source(each) for each in await call.services.play.incoming.sources(call.actor, _chat(call))]


async def list_flag_sources(call: Call) -> list[SourceView]:
    """List the systems that may set feature flags by signed calls. Their chat is 0."""
    return await list_sources(call)


async def add_source(call: Call) -> Reply:
    """Add a system that may open and end games of a chat by signed calls. Its secret is in this response only."""
    body: SourceBody = call.body
    made = await call.services.play.incoming.add(
        call.actor, _chat(call), topic_id=body.topic_id, description=body.description
    )
    described = msgspec.structs.asdict(_source(made))
    return Reply(
        body=SourceWithSecret(secret=shown(made.secret), **described),
        stored=SourceWithSecret(secret=None, **described),
    )


async def add_flag_source(call: Call) -> Reply:
    """Add a system that may set feature flags by signed calls, such as the analysis of a rollout."""
    return await add_source(call)


async def remove_source(call: Call) -> None:
    """Remove a source. Its calls are refused from now on."""
    await call.services.play.incoming.remove(call.actor, _chat(call), call.path["source"])


async def remove_flag_source(call: Call) -> None:
    """Remove a system that sets feature flags. Its calls are refused from now on."""
    await remove_source(call)


def _chat(call: Call) -> int:
    """Return the chat in the path; ``EVERYWHERE`` if there is none."""
    return int(call.path.get("chat", EVERYWHERE))


async def receive_call(call: Call) -> GameView:
    """Open or end a game by a call that is signed by Standard Webhooks.

    The body is `{"type": "game.open", "data": {"kind": …, "title": …, "rules": {…}}}`, or
    `{"type": "game.end", "data": {"game_id": …}}`. A call with an id that was handled before is refused.
    """
    outcome = await call.services.play.incoming.handle(call.path["source"], call.request.headers, call.body)
    return game_view(FoundGame.of(outcome))


async def receive_flag_call(call: Call) -> FlagView:
    """Set a feature flag by a call that is signed by Standard Webhooks, from a source that operators have added.

    The body is `{"type": "flag.set", "data": {"flag": …, "percent": …, "reason": …}}`. A call with an id that was
    handled before is refused.
    """
    play = call.services.play
    flag = await play.incoming.handle_flag(call.path["source"], call.request.headers, call.body)
    return flag_view(flag, play.texts)


async def _found(call: Call) -> WebhookEndpoint:
    """Return the endpoint in the path. Raises ``UnknownEndpoint``, also if it belongs to another chat."""
    endpoint = await call.services.stores.webhooks.endpoint(call.path["endpoint"])
    if endpoint is None or endpoint.chat_id != call.path["chat"]:
        raise UnknownEndpoint
    return await call.services.play.webhooks.get(call.actor, endpoint.id)


def _secret(endpoint: WebhookEndpoint, headers: dict[str, str]) -> Reply:
    described = msgspec.structs.asdict(_endpoint(endpoint))
    return Reply(
        body=EndpointWithSecret(secret=shown(endpoint.secret), **described),
        stored=EndpointWithSecret(secret=None, **described),
        headers=headers,
    )


def _endpoint(endpoint: WebhookEndpoint) -> EndpointView:
    return EndpointView(
        id=endpoint.id,
        chat_id=endpoint.chat_id,
        url=endpoint.url,
        types=list(endpoint.types),
        description=endpoint.description,
        enabled=endpoint.enabled,
        reason=endpoint.reason,
        failures=endpoint.failures,
        failing_since=endpoint.failing_since,
        created_at=endpoint.created_at,
    )


def _delivery(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        message_id=delivery.message_id,
        type=delivery.type,
        status=delivery.status,
        attempts=delivery.attempts,
        due_at=delivery.due_at,
        created_at=delivery.created_at,
        tried=[_attempt(each) for each in delivery.tried],
    )


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(attempt.at, attempt.status, attempt.error, attempt.ms)


def _source(source: WebhookSource) -> SourceView:
    return SourceView(
        id=source.id,
        chat_id=source.chat_id,
        topic_id=source.topic_id,
        description=source.description,
        created_at=source.created_at,
    )


def _row(method: str, path: str, handle: Any, **more: Any) -> Endpoint:
    known = (UnknownEndpoint, NotAnOperator) if "{endpoint}" in path else (NotAnOperator,)
    refuses = (*known, *more.pop("refuses", ()))
    row = {"tag": WEBHOOKS, "needs": Needs.HOST, "about": About.CHAT, **more}
    return Endpoint(method=method, path=f"/chats/{{chat}}{path}", handle=handle, refuses=refuses, **row)


ONE: Final = "/webhooks/{endpoint}"
WRONG: Final = (BadUrl, ForbiddenAddress, UnknownEventType)
ENDPOINTS: Final = (
    _row("GET", "/webhooks", list_webhooks, result=list[EndpointView]),
    _row(
        "POST",
        "/webhooks",
        add_webhook,
        body=EndpointBody,
        result=EndpointWithSecret,
        status=201,
        headers=("Location",),
        refuses=(*WRONG, TooManyEndpoints),
        example={"url": "https://example.org/hook", "types": ["game.completed"]},
    ),
    _row("GET", ONE, get_webhook, result=EndpointView),
    _row(
        "PATCH",
        ONE,
        change_webhook,
        body=EndpointChange,
        result=EndpointView,
        refuses=WRONG,
        example={"enabled": False},
    ),
    _row("DELETE", ONE, remove_webhook, status=204),
    _row(
        "POST",
        f"{ONE}/rotate",
        rotate_webhook_secret,
        body=RotationBody,
        result=EndpointWithSecret,
        example={"overlap_seconds": 3600},
    ),
    _row("POST", f"{ONE}/example", send_webhook_example, result=ExampleView, status=202),
    _row(
        "POST",
        f"{ONE}/recover",
        recover_webhook,
        body=RecoveryBody,
        result=RecoveryView,
        status=202,
        example={"since": "2026-11-30T00:00:00Z"},
    ),
    _row("GET", f"{ONE}/deliveries", list_deliveries, query=DeliveriesQuery, result=DeliveryView, paged=True),
    _row("GET", f"{ONE}/deliveries/{{delivery}}", get_delivery, result=DeliveryView, refuses=(UnknownDelivery,)),
    _row(
        "POST",
        f"{ONE}/deliveries/{{delivery}}/resend",
        resend_delivery,
        result=DeliveryView,
        status=202,
        refuses=(UnknownDelivery,),
    ),
    _row("GET", "/webhook-sources", list_sources, result=list[SourceView]),
    _row(
        "POST",
        "/webhook-sources",
        add_source,
        body=SourceBody,
        result=SourceWithSecret,
        status=201,
        refuses=(TooManyEndpoints,),
        example={"description": "Calendar"},
    ),
    _row("DELETE", "/webhook-sources/{source}", remove_source, status=204, refuses=(UnknownSource,)),
    Endpoint(
        method="GET",
        path="/webhook-sources",
        handle=list_flag_sources,
        tag=WEBHOOKS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=list[SourceView],
    ),
    Endpoint(
        method="POST",
        path="/webhook-sources",
        handle=add_flag_source,
        tag=WEBHOOKS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        body=SourceBody,
        result=SourceWithSecret,
        status=201,
        refuses=(TooManyEndpoints,),
        example={"description": "Rollout"},
    ),
    Endpoint(
        method="DELETE",
        path="/webhook-sources/{source}",
        handle=remove_flag_source,
        tag=WEBHOOKS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        status=204,
        refuses=(UnknownSource,),
    ),
    Endpoint(
        method="POST",
        path="/flag-hooks/{source}",
        handle=receive_flag_call,
        tag=WEBHOOKS,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        signed=True,
        body=bytes,
        most=MOST_BYTES,
        decoded=FlagEvent,
        example={"type": "flag.set", "data": {"flag": "api-writes", "percent": 10}},
        result=FlagView,
        refuses=(BadSignature, StaleCall, ReplayedCall, BadCall, UnknownFlag, BadFlagSetting),
    ),
    Endpoint(
        method="POST",
        path="/hooks/{source}",
        handle=receive_call,
        tag=WEBHOOKS,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        signed=True,
        body=bytes,
        most=MOST_BYTES,
        decoded=OpenEvent | EndEvent,
        example={"type": "game.open", "data": {"kind": "pick_number", "title": "Friday"}},
        result=GameView,
        refuses=(
            BadSignature,
            StaleCall,
            ReplayedCall,
            BadCall,
            PlaceTaken,
            BadTitle,
            BadRule,
            NoQuestions,
            Elsewhere,
            UnknownGame,
            DrawSealed,
            NotNow,
            TooLate,
        ),
    ),
)
