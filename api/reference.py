"""The reference: the OpenAPI document and its page, made from the endpoints that they describe."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from api.endpoint import About, Call, Endpoint, Handler, Reply
from play.access import Needs


def with_reference(endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
    """Return endpoints with those of the reference, which describes itself too."""

    # The modules that render the reference are imported at the first request for it: few processes get one.
    @cache
    def document(version: str, graphql: bool) -> bytes:  # noqa: FBT001 -- a key of the cache
        described: dict[str, Any] = import_module("api.openapi").describe(every, version, graphql=graphql)
        return msgspec.json.encode(described)

    @cache
    def page(version: str, graphql: bool) -> bytes:  # noqa: FBT001 -- a key of the cache
        described = msgspec.json.decode(document(version, graphql))
        rendered: bytes = import_module("api.reference_page").render(described)
        return rendered

    async def get_openapi(call: Call) -> Reply:
        """Return this document."""
        services = call.services
        return Reply(body=document(services.version, services.graphql), headers={"content-type": "application/json"})

    async def get_reference(call: Call) -> Reply:
        """Return this reference as a page, which needs neither scripts nor internet."""
        csp = import_module("api.reference_page").CSP
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": csp}
        return Reply(body=page(call.services.version, call.services.graphql), headers=headers)

    every = (
        _row("/openapi.json", get_openapi, result=dict[str, Any]),
        _row("/reference", get_reference, media_types=("text/html",)),
        _row("/reference.css", get_reference_style, media_types=("text/css",)),
        *endpoints,
    )
    return every


async def get_reference_style(_: Call) -> Reply:
    """Return the style sheet of the reference."""
    return Reply(body=import_module("api.reference_page").style(), headers={"content-type": "text/css; charset=utf-8"})


def _row(path: str, handle: Handler, **more: Any) -> Endpoint:
    row = {"tag": "reference", "needs": Needs.NOTHING, "about": About.NOTHING, "public": True, **more}
    return Endpoint(method="GET", path=path, handle=handle, **row)
