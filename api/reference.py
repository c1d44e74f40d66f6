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
)
