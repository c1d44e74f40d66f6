"""The reference: the OpenAPI document, made from the table of endpoints."""

from functools import cache
from importlib import import_module
from typing import Any, Final

import msgspec

from api.endpoint import About, Call, Endpoint, Reply
from play.access import Needs


@cache
def document(version: str = "") -> bytes:
    """Return the OpenAPI document as JSON."""
    endpoints = import_module("api.table").ENDPOINTS  # which lists this module too
    described: dict[str, Any] = import_module("api.openapi").describe(endpoints, version)
    return msgspec.json.encode(described)


async def get_openapi(call: Call) -> Reply:
    """Return this document."""
    return Reply(body=document(call.services.version), headers={"content-type": "application/json"})


@cache
def page(version: str = "") -> bytes:
    """Return the reference as a page."""
    rendered: bytes = import_module("api.reference_page").render(msgspec.json.decode(document(version)))
    return rendered


async def get_reference(call: Call) -> Reply:
    """Return this reference as a page, which needs neither scripts nor internet."""
    csp = import_module("api.reference_page").CSP
    headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": csp}
    return Reply(body=page(call.services.version), headers=headers)


async def get_reference_style(_: Call) -> Reply:
    """Return the style sheet of the reference."""
    return Reply(body=import_module("api.reference_page").style(), headers={"content-type": "text/css; charset=utf-8"})


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/openapi.json",
        handle=get_openapi,
        tag="reference",
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        result=dict[str, Any],
    ),
    Endpoint(
        method="GET",
        path="/reference",
        handle=get_reference,
        tag="reference",
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        media_types=("text/html",),
    ),
    Endpoint(
        method="GET",
        path="/reference.css",
        handle=get_reference_style,
        tag="reference",
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        media_types=("text/css",),
    ),
)
