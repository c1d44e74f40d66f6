"""The OpenAPI 3.1 document, made from the table of endpoints and the types in it.

Descriptions come from docstrings: an operation's from its handler's, a field's from the section ``Attributes`` of its
struct's.
"""

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, get_args

import msgspec

from api.chats import BanView, ChatView
from api.dispatch import JSON
from api.endpoint import PATH_TYPES, Endpoint
from api.figures import EndedGame, RankView
from api.jobs import ImportView, JobView
from api.live import messages
from api.live.messages import SubscribeRequest, UnsubscribeRequest
from api.operations import BroadcastSummary, BroadcastView
from api.packs import PackView
from api.problems import (
    MEDIA_TYPE,
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
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
    status_of,
)
from api.tokens import NewToken, TokenView
from api.views import GameSummary, GameView, PlayerView, state_types
from api.webhooks import DeliveryView, EndpointView, EndpointWithSecret, ExampleView, SourceView, SourceWithSecret
from fsm.kind import Rejected, UnknownGame, kebab
from play.access import GRANTED, Elsewhere, Needs, NotAHost, NotAnOperator, Role
from play.flags import FlagOff
from play.tokens import NotAuthenticated

REF: Final = "#/components/schemas/{name}"
SECURITY: Final = "token"
ATTRIBUTE: Final = re.compile(r"^(\w+): (.+)$")
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


def describe(endpoints: Sequence[Endpoint], version: str = "1") -> dict[str, Any]:
    """Return the document.

    `/api/graphql` has every read below as a field of one graph, under the same roles and chats. `docs/api.md` lists its
    limits and their problems.
    """
    schemas, components = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schemas)
        if links := _links(endpoint, endpoints):
            operation["responses"][str(endpoint.status)]["links"] = links
        paths.setdefault(f"/api/v1{endpoint.path}", {})[endpoint.method.lower()] = operation
    about = _text(describe).partition("\n\n")[2]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tombola", "version": version, "description": about, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "x-live": _live(),
        "components": {
            "schemas": components,
            "securitySchemes": {SECURITY: {"type": "http", "scheme": "bearer", "bearerFormat": "tombola_..."}},
        },
    }


def _live() -> dict[str, Any]:
    """Return the description of live updates. They are no path: a WebSocket or an endless stream is no response."""
    return {
        "url": "/api/v1/live",
        "transports": ["websocket", "text/event-stream"],
        "description": _text(messages),
        "messages": {"$ref": REF.format(name=messages.Batch.__name__)},
        "requests": [{"$ref": REF.format(name=each.__name__)} for each in (SubscribeRequest, UnsubscribeRequest)],
        "refusals": sorted(code(refusal) for refusal in messages.REFUSALS),
    }


def refusals_of(endpoint: Endpoint) -> tuple[type[Rejected], ...]:
    """Return every refusal that an endpoint may answer with, in order of their statuses."""
    found: list[type[Rejected]] = [InvalidRequest, NotFound, TooLarge, TooManyRequests, Bug, Away, *endpoint.refuses]
    if not endpoint.public:
        found += [NotAuthenticated]
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
    return tuple(sorted(dict.fromkeys(found), key=lambda refusal: (status_of(refusal), refusal.__name__)))


# -- schemas ----------------------------------------------------------------------------------------------------


def _schemas(endpoints: Sequence[Endpoint]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Return the schema of each type by the type's identity, and the components that they refer to."""
    types: list[Any] = [Problem, *state_types().values(), *PATH_TYPES.values(), *messages.DESCRIBED]
    for endpoint in endpoints:
        types += [type_ for type_ in (endpoint.query, endpoint.body, endpoint.result) if type_ not in {None, bytes}]
    made, components = msgspec.json.schema_components(types, ref_template=REF)
    for type_ in {type_ for type_ in types if isinstance(type_, type) and issubclass(type_, msgspec.Struct)}:
        _describe_fields(components[type_.__name__], type_)
    states = [{"$ref": REF.format(name=state.__name__)} for state in state_types().values()]
    components[GameView.__name__]["properties"]["state"]["anyOf"] = states
    return {id(type_): schema for type_, schema in zip(types, made, strict=True)}, components


def _describe_fields(schema: dict[str, Any], type_: type[msgspec.Struct]) -> None:
    summary, fields = described(type_)
    schema["description"] = summary
    for name, text in fields.items():
        if name in schema["properties"]:
            schema["properties"][name]["description"] = text


def described(type_: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """Return the text of a struct's docstring, and the descriptions of its fields and those of its bases."""
    texts: dict[str, str] = {}
    for base in reversed(type_.__mro__):
        _, _, attributes = (inspect.cleandoc(base.__doc__ or "")).partition("Attributes:\n")
        name = ""
        for line in attributes.splitlines():
            found = ATTRIBUTE.match(line.strip())
            if found is not None and line.startswith("    ") and not line.startswith("     "):
                name = found[1]
                texts[name] = found[2]
            elif name and line.strip():
                texts[name] += f" {line.strip()}"
    return _text(type_).partition("Attributes:")[0].strip(), {
        name: text[0].upper() + text[1:] for name, text in texts.items()
    }


# -- operations -------------------------------------------------------------------------------------------------


def _operation(endpoint: Endpoint, schemas: Mapping[int, Any]) -> dict[str, Any]:
    summary, _, rest = _text(endpoint.handle).partition("\n\n")
    roles = [role.value for role in Role if endpoint.needs in GRANTED[role]]
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": summary.rstrip("."),
        "description": rest,
        "security": [] if endpoint.public else [{SECURITY: []}],
        "parameters": [*_path(endpoint, schemas), *_query(endpoint), *_headers(endpoint)],
        "responses": _responses(endpoint, schemas),
        "x-roles": [] if endpoint.public else roles,
        "x-about": endpoint.about.value,
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(endpoint, schemas)}
    return operation


def _content(endpoint: Endpoint, schemas: Mapping[int, Any]) -> dict[str, Any]:
    if endpoint.body is bytes:
        return {"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "*/*"}}}
    content: dict[str, Any] = {"schema": schemas[id(endpoint.body)]}
    if endpoint.example is not None:
        content["example"] = endpoint.example
    return {JSON: content}


def _path(endpoint: Endpoint, schemas: Mapping[int, Any]) -> Iterable[dict[str, Any]]:
    for name in endpoint.parameters:
        yield {"name": name, "in": "path", "required": True, "schema": schemas[id(PATH_TYPES[name])]}


def _query(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    _, components = msgspec.json.schema_components([endpoint.query], ref_template=REF)
    schema = components[endpoint.query.__name__]
    _, fields = described(endpoint.query)
    for name, each in schema["properties"].items():
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": _plain(each),
        }
        yield parameter | ({"description": fields[name]} if name in fields else {})


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter: one that is left out is absent, not null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return options[0] if len(options) == 1 else {name: value for name, value in schema.items() if value is not None}


def _headers(endpoint: Endpoint) -> Iterable[dict[str, Any]]:
    if endpoint.writes:
        schema = {"type": "string", "pattern": "^[!-~]{1,128}$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema}


def _responses(endpoint: Endpoint, schemas: Mapping[int, Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {str(endpoint.status): _success(endpoint, schemas)}
    if endpoint.method == "GET":
        responses["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}
    by_status: dict[int, list[type[Rejected]]] = {}
    for refusal in refusals_of(endpoint):
        by_status.setdefault(status_of(refusal), []).append(refusal)
    for status, refusals in by_status.items():
        examples = {code(refusal): {"summary": _text(refusal).partition("\n")[0]} for refusal in refusals}
        responses[str(status)] = {
            "description": ", ".join(f"`{each}`" for each in examples),
            "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(name=Problem.__name__)}, "examples": examples}},
        }
    return responses


def _success(endpoint: Endpoint, schemas: Mapping[int, Any]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    content: dict[str, Any] = {name: {"schema": {}} for name in endpoint.media_types}
    if endpoint.result is not None:
        schema = schemas[id(endpoint.result)]
        if endpoint.paged:
            next_ = {"type": ["string", "null"], "maxLength": 512}
            schema = {
                "type": "object",
                "required": ["items", "next"],
                "properties": {"items": {"type": "array", "items": schema}, "next": next_},
            }
        content[JSON] = {"schema": schema}
    return response | ({"content": content} if content else {})


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


def code(refusal: type[Rejected]) -> str:
    """Return the code of a refusal."""
    return kebab(refusal.__name__)


def _text(thing: Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "")
