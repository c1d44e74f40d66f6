"""The OpenAPI 3.1 document, made from the table of endpoints and the types in it.

Descriptions come from docstrings: an operation's from its handler's, a field's from the section ``Attributes`` of its
struct's.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, get_args

import msgspec

from api import openapi_routes
from api.chats import BanView, ChatView
from api.dispatch import JSON
from api.endpoint import PATH_TYPES, Endpoint
from api.figures import EndedGame, RankView
from api.graphql.messages import GraphQLBody
from api.jobs import ImportView, JobView
from api.openapi_headers import SIGNED, header_parameter, response_headers
from api.openapi_responses import REPLAYED, headers, ordered, problems
from api.openapi_types import REF, parameters, schemas, text_of
from api.operations import BroadcastSummary, BroadcastView
from api.packs import PackView
from api.problems import (
    Away,
    BadCursor,
    BadRequest,
    Bug,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
    Problem,
    RequestInProgress,
    RequestTimeout,
    TokensOnly,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from api.recurring import OF_UNITS, ScheduleBody
from api.tokens import NewToken, TokenView
from api.views import GameSummary, GameView, PlayerView, state_types
from api.webhooks import DeliveryView, EndpointView, EndpointWithSecret, ExampleView, SourceView, SourceWithSecret
from fsm.kind import Rejected, UnknownGame
from play.access import GRANTED, Banned, Elsewhere, Needs, NotAHost, NotAMember, NotAnOperator, Role
from play.flags import FlagOff
from play.tokens import NotAuthenticated

SECURITY: Final = "token"
NAMED_BY: Final[Mapping[str, Mapping[type[msgspec.Struct], str]]] = MappingProxyType(
    {
        "game": {GameView: "id", GameSummary: "id", EndedGame: "id"},
        "chat": {ChatView: "id"},
        "player": {PlayerView: "id", BanView: "player_id", RankView: "player_id"},
        "pack": {PackView: "id"},
        "job": {JobView: "id", ImportView: "job", BroadcastView: "job", BroadcastSummary: "job"},
        "endpoint": {EndpointView: "id", EndpointWithSecret: "id"},
        "delivery": {DeliveryView: "id", ExampleView: "delivery"},
        "source": {SourceView: "id", SourceWithSecret: "id"},
        "token": {TokenView: "prefix", NewToken: "prefix"},
    }
)
"""Name of a parameter in a path -> the fields of results that hold its value. The document's links follow from it."""


CONSTRAINTS: Final[Mapping[type[msgspec.Struct], Mapping[str, Any]]] = MappingProxyType(
    {ScheduleBody: OF_UNITS, GraphQLBody: {"anyOf": [{"required": ["query"]}, {"required": ["id"]}]}}
)
"""Struct -> the relations between its fields, which types can't tell."""


def describe(endpoints: Sequence[Endpoint], version: str = "1", *, graphql: bool = True) -> dict[str, Any]:
    """Return the document, with GraphQL if ``graphql`` is True.

    `/api/graphql` has every read below as a field of one graph, under the same roles and chats. Live updates are
    described by `x-live`. `docs/api.md` shows how to use all of them.

    Every address answers OPTIONS with the header Allow, and HEAD where it has GET; another method is a 405. The
    language of problems follows Accept-Language. Long responses are compressed if Accept-Encoding has gzip; requests
    must not be. Every response has the headers Cache-Control, Content-Security-Policy, Referrer-Policy,
    X-Content-Type-Options and Cross-Origin-Resource-Policy.
    """
    found, components = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, found)
        if links := _links(endpoint, endpoints):
            operation["responses"][str(endpoint.status)]["links"] = links
        paths.setdefault(f"/api/v1{endpoint.path}", {})[endpoint.method.lower()] = operation
    if graphql:
        paths[openapi_routes.GRAPHQL] = openapi_routes.graphql_operations(SECURITY)
    tags = dict.fromkeys(tag for path in paths.values() for each in path.values() for tag in each["tags"])
    about = text_of(describe).partition("\n\n")[2]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tombola", "version": version, "description": about, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "x-live": openapi_routes.live_updates(SECURITY),
        "components": {
            "schemas": components,
            "headers": response_headers(),
            "securitySchemes": {SECURITY: {"type": "http", "scheme": "bearer", "bearerFormat": "tombola_..."}},
        },
    }


def refusals_of(endpoint: Endpoint) -> tuple[type[Rejected], ...]:
    """Return every refusal that an endpoint may answer with, in order of their statuses."""
    found: list[type[Rejected]] = [InvalidRequest, NotFound, RequestTimeout, TooLarge, TooManyRequests, Bug, Away]
    found += endpoint.refuses
    if not endpoint.public:
        found += [NotAuthenticated]
        found += [Banned, NotAMember] if endpoint.people else [TokensOnly]
        if endpoint.needs is not Needs.NOTHING:
            found += [Elsewhere, NotAnOperator if endpoint.needs is Needs.OPERATE else NotAHost]
    if "game" in endpoint.parameters:
        found.append(UnknownGame)
    if endpoint.body is not None:
        found += [BadRequest, UnsupportedMediaType]
    if endpoint.paged:
        found.append(BadCursor)
    if endpoint.writes:
        found += [IdempotencyKeyMissing, IdempotencyKeyReused, RequestInProgress]
        if not endpoint.without_flag:
            found.append(FlagOff)
    return ordered(found)


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Return the schema of each type by the type's identity, and the components that they refer to."""
    requests: list[Any] = [*openapi_routes.REQUESTS]
    types: list[Any] = [Problem, *state_types().values(), *PATH_TYPES.values(), *openapi_routes.TYPES]
    for endpoint in endpoints:
        requests += [type_ for type_ in (endpoint.body, endpoint.decoded) if type_ not in {None, bytes}]
        types += [type_ for type_ in (endpoint.query, endpoint.result) if type_ is not None]
    found, components = schemas([*types, *requests], requests)
    states = [{"$ref": REF.format(name=state.__name__)} for state in state_types().values()]
    components[GameView.__name__]["properties"]["state"]["anyOf"] = states
    for type_, constraint in CONSTRAINTS.items():
        components[type_.__name__] |= constraint
    return found, components


# -- operations -------------------------------------------------------------------------------------------------


def _operation(endpoint: Endpoint, found: Mapping[int, Any]) -> dict[str, Any]:
    summary, _, rest = text_of(endpoint.handle).partition("\n\n")
    roles = [role.value for role in Role if endpoint.needs in GRANTED[role]]
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": summary.rstrip("."),
        "description": rest,
        "security": [] if endpoint.public else [{SECURITY: []}],
        "parameters": [*_path(endpoint, found), *parameters(endpoint.query), *_headers(endpoint)],
        "responses": _responses(endpoint, found),
        "x-roles": [] if endpoint.public else roles,
        "x-people": endpoint.people,
        "x-about": endpoint.about.value,
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint, found)}
    return operation


def _content(endpoint: Endpoint, found: Mapping[int, Any]) -> dict[str, Any]:
    if endpoint.decoded is not None:
        return {JSON: {"schema": found[id(endpoint.decoded)], "example": endpoint.example}}
    if endpoint.body is bytes:
        return {"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "*/*"}}}
    content: dict[str, Any] = {"schema": found[id(endpoint.body)]}
    if endpoint.example is not None:
        content["example"] = endpoint.example
    return {JSON: content}


def _path(endpoint: Endpoint, found: Mapping[int, Any]) -> Iterable[dict[str, Any]]:
    for name in endpoint.parameters:
        yield {"name": name, "in": "path", "required": True, "schema": found[id(PATH_TYPES[name])]}


def _headers(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    if endpoint.writes:
        yield header_parameter("Idempotency-Key")
    if endpoint.signed:
        yield from map(header_parameter, SIGNED)
    if endpoint.method == "GET" and not endpoint.streamed:
        yield header_parameter("If-None-Match")
    if endpoint.if_match:
        yield header_parameter("If-Match")


def _responses(endpoint: Endpoint, found: Mapping[int, Any]) -> dict[str, Any]:
    names = [*endpoint.headers]
    if endpoint.method == "GET" and not endpoint.streamed:
        names.append("ETag")
    if endpoint.paged:
        names.append("Link")
    if endpoint.writes:
        names.append(REPLAYED)
    success: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase, "headers": headers(names)}
    if content := _result(endpoint, found):
        success["content"] = content
    responses: dict[str, Any] = {str(endpoint.status): success}
    if endpoint.method == "GET" and not endpoint.streamed:
        responses["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": headers(["ETag"])}
    return responses | problems(refusals_of(endpoint), replayed=endpoint.writes)


def _result(endpoint: Endpoint, found: Mapping[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {name: {"schema": {}} for name in endpoint.media_types}
    if endpoint.result is not None:
        schema = found[id(endpoint.result)]
        if endpoint.paged:
            next_ = {"type": ["string", "null"], "maxLength": 512}
            schema = {
                "type": "object",
                "required": ["items", "next"],
                "properties": {"items": {"type": "array", "items": schema}, "next": next_},
            }
        content[JSON] = {"schema": schema}
    return content


def _links(endpoint: Endpoint, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return links to the operations on the thing that a result names, such as a game that was just opened."""
    place = "items/0/" if endpoint.paged else ""
    type_ = endpoint.result
    if options := get_args(type_):
        place, type_ = "0/", options[0]
    links: dict[str, Any] = {}
    for parameter, fields in NAMED_BY.items():
        if type_ not in fields or parameter in endpoint.parameters:
            continue
        known = {name: f"$request.path.{name}" for name in endpoint.parameters}
        known[parameter] = f"$response.body#/{place}{fields[type_]}"
        for other in endpoints:
            if parameter in other.parameters and set(other.parameters) <= known.keys():
                given = {name: known[name] for name in other.parameters}
                links[other.name] = {"operationId": other.name, "parameters": given}
    return links
