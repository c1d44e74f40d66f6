"""The operations of the OpenAPI document that are no endpoints: GraphQL and live updates."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from api.graphql import messages as graphql
from api.live import messages as live
from api.openapi_headers import header_parameter
from api.openapi_responses import code, headers, ordered, problems
from api.openapi_types import REF, parameters, text_of
from api.problems import Away, BadRequest, Bug, RequestTimeout, TooLarge
from play.access import GRANTED, Needs, Role

JSON: Final = "application/json"
GRAPHQL: Final = "/api/graphql"
LIVE: Final = "/api/v1/live"
TYPES: Final = (graphql.GraphQLAnswer, graphql.GraphQLBody, *live.DESCRIBED)
REQUESTS: Final = (graphql.GraphQLBody,)
TAG: Final = "graphql"
_EXAMPLE: Final = {"query": "query($chat: Long!) { chat(chat: $chat) { title } }", "variables": {"chat": -1001}}


_ANSWER: Final = {JSON: {"schema": {"$ref": REF.format(name=graphql.GraphQLAnswer.__name__)}}}


def graphql_operations(security: str) -> dict[str, Any]:
    """Return the operations of GraphQL by their methods."""
    return {"get": _persisted_query(security), "post": _query(security)}


def _persisted_query(security: str) -> dict[str, Any]:
    """Answer a persisted query by GraphQL.

    Caches may keep the answer. The queries of the public log need no token.
    """
    return {
        "operationId": "get_persisted_query",
        **_told(_persisted_query),
        "tags": [TAG],
        "security": [{security: []}, {}],
        "parameters": [*parameters(graphql.PersistedQuery), header_parameter("If-None-Match")],
        "responses": {
            "200": {"description": HTTPStatus.OK.phrase, "headers": headers(["ETag"]), "content": _ANSWER},
            "304": {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": headers(["ETag"])},
            **problems(ordered((*graphql.OF_READ, Bug, Away))),
        },
        "x-roles": [role.value for role in Role],
    }


def _query(security: str) -> dict[str, Any]:
    """Answer a query by GraphQL.

    Every read of this API is a field, in camel case. A field that is refused is null, and `errors` has its problem.
    `docs/api.md` lists the limits.
    """
    body = {JSON: {"schema": {"$ref": REF.format(name=graphql.GraphQLBody.__name__)}, "example": _EXAMPLE}}
    return {
        "operationId": "query_graph",
        **_told(_query),
        "tags": [TAG],
        "security": [{security: []}],
        "parameters": [],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {"description": HTTPStatus.OK.phrase, "headers": headers(), "content": _ANSWER},
            **problems(ordered((*graphql.OF_POST, RequestTimeout, Bug, Away))),
        },
        "x-roles": [role.value for role in Role],
    }


def live_updates(security: str) -> dict[str, Any]:
    """Return the description of live updates.

    It is no path, because tools that read all responses would wait for the end of the stream, which has none.
    """
    batch = {"$ref": REF.format(name=live.Batch.__name__)}
    return {
        "url": LIVE,
        "transports": ["websocket", "text/event-stream"],
        "description": text_of(live),
        "messages": batch,
        "requests": [
            {"$ref": REF.format(name=each.__name__)} for each in (live.SubscribeRequest, live.UnsubscribeRequest)
        ],
        "refusals": sorted(code(refusal) for refusal in live.REFUSALS),
        "get": _stream(security, batch),
    }


def _stream(security: str, batch: dict[str, str]) -> dict[str, Any]:
    """Watch games and chats by server-sent events.

    The data of each event is a batch, its id the cursor. The stream ends with the message `closing`.
    """
    refusals = [each for each in live.REFUSALS if each is not BadRequest]  # of messages by WebSocket alone
    content = {"text/event-stream": {"schema": {"type": "string"}, "x-data": batch}}
    return {
        "operationId": "watch_live",
        **_told(_stream),
        "security": [{security: []}, {}],
        "parameters": [*parameters(live.StreamQuery), header_parameter("Last-Event-ID")],
        "responses": {
            "200": {
                "description": HTTPStatus.OK.phrase,
                "headers": headers(["X-Accel-Buffering"]),
                "content": content,
            },
            **problems(ordered((*refusals, TooLarge, Bug, Away))),
        },
        "x-roles": [role.value for role in Role if Needs.LOOK in GRANTED[role]],
    }


def _told(operation: Callable[..., Any]) -> dict[str, str]:
    """Return the summary and the description of an operation, from the docstring of its function."""
    summary, _, rest = text_of(operation).partition("\n\n")
    return {"summary": summary.rstrip("."), "description": rest}
