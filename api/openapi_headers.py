"""The headers of requests and responses, as the OpenAPI document describes them."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from api.openapi_types import described


class RequestHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """The headers that operations read.

    Attributes:
        key: a new random text for each request of this token; the same one to send a request again.
        id: the id of the call. A call with one that was handled before is refused.
        timestamp: the time of the call, in seconds since 1970, five minutes off at most.
        signature: signatures by Standard Webhooks 1.0.0, `v1,...`, separated by spaces.
        none_match: tags of states that the client has. If the present one is among them, the response is a 304.
        match: the tag of the state that the change is for. If there is another state now, the change is refused.
        last_event: the last cursor of an earlier connection, as browsers send it; it goes before the parameter.
    """

    key: Annotated[str, Meta(pattern="^[!-~]{1,128}$")] = field(name="Idempotency-Key")
    id: str = field(name="webhook-id")
    timestamp: Annotated[str, Meta(pattern="^[0-9]{1,12}$")] = field(name="webhook-timestamp")
    signature: str = field(name="webhook-signature")
    none_match: str | UnsetType = field(name="If-None-Match", default=UNSET)
    match: str | UnsetType = field(name="If-Match", default=UNSET)
    last_event: str | UnsetType = field(name="Last-Event-ID", default=UNSET)


class ResponseHeaders(msgspec.Struct, frozen=True, kw_only=True):
    """The headers of responses. The descriptions say when those that are not required are absent.

    Attributes:
        trace: the id under which the logs, the traces and the audit log have the request.
        etag: the tag of this state, for If-None-Match, and for If-Match where an operation has it.
        location: the address of the new thing.
        cookie: the cookie of a session of the dashboard, or its end.
        disposition: the name of the file.
        language: the language of `detail`.
        authenticate: the scheme of tokens.
        buffering: `no`, so that proxies pass the stream on at once.
        link: the address of the next page with `rel="next"`; absent on the last page.
        retry: the seconds after which the same request may be sent again; absent if that would not help.
        encoding: `identity`, if the body was refused because it was compressed.
        replayed: `true`, if this is the response of an earlier request with the same idempotency key.
    """

    trace: Annotated[str, Meta(pattern="^[0-9a-f]{8}$")] = field(name="X-Trace-Id")
    etag: Annotated[str, Meta(pattern='^(W/)?"[^"]*"$')] = field(name="ETag")
    location: str = field(name="Location")
    cookie: str = field(name="Set-Cookie")
    disposition: str = field(name="Content-Disposition")
    language: str = field(name="Content-Language")
    authenticate: str = field(name="WWW-Authenticate")
    buffering: str = field(name="X-Accel-Buffering")
    link: str | UnsetType = field(name="Link", default=UNSET)
    retry: Annotated[int, Meta(ge=1)] | UnsetType = field(name="Retry-After", default=UNSET)
    encoding: str | UnsetType = field(name="Accept-Encoding", default=UNSET)
    replayed: Literal["true"] | UnsetType = field(name="Idempotency-Replayed", default=UNSET)


SIGNED: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
"""The headers of a signed call."""


@cache
def response_headers() -> Mapping[str, Any]:
    """Return the headers of responses by their names."""
    return dict(_fields(ResponseHeaders))


@cache
def _request_headers() -> Mapping[str, Any]:
    return dict(_fields(RequestHeaders))


def header_parameter(name: str) -> dict[str, Any]:
    """Return a header of requests as a parameter."""
    return {"name": name, "in": "header", **_request_headers()[name]}


def _fields(type_: type[msgspec.Struct]) -> Iterator[tuple[str, dict[str, Any]]]:
    _, components = msgspec.json.schema_components([type_])
    schemas, (_, texts) = components[type_.__name__]["properties"], described(type_)
    for each in msgspec.structs.fields(type_):
        header = {"description": texts[each.name], "schema": schemas[each.encode_name]}
        yield each.encode_name, header | ({"required": True} if each.required else {})
