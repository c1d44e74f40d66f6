"""Comparison of responses with the OpenAPI document: status, headers, content type and code."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httpx
import msgspec

from api.app import HEADERS
from api.openapi import describe
from api.problems import MEDIA_TYPE
from api.table import ENDPOINTS

OF_EVERY_RESPONSE: Final = frozenset(HEADERS) | {
    *("content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "vary"),
}
"""Headers that the document tells of in its description, and those of HTTP itself."""
NOWHERE: Final = frozenset({"not-found", "unknown-game", "too-many-requests"})
"""Codes of problems at an address that is not in the document."""


@cache
def document() -> dict[str, Any]:
    """Return the document as a client reads it."""
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe(ENDPOINTS)))
    return read


@cache
def _paths() -> list[tuple[re.Pattern[str], Mapping[str, Any]]]:
    known = document()
    every = {**known["paths"], known["x-live"]["url"]: {"get": known["x-live"]["get"]}}
    # A text is preferred to a parameter at the same place.
    ordered = sorted(every.items(), key=lambda each: each[0].replace("{", "~"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), operations) for path, operations in ordered]


def operations_at(path: str) -> Mapping[str, Any]:
    """Return the operations of an address by their methods; none if the document does not have it."""
    return next((operations for pattern, operations in _paths() if pattern.fullmatch(path)), {})


def breaches(response: httpx.Response) -> list[str]:
    """Return the differences between a response, which has been read, and the document."""
    request = response.request
    path = request.url.raw_path.decode().partition("?")[0]
    operations, method = operations_at(path), request.method.lower()
    if not operations:
        return [] if response.json()["code"] in NOWHERE else [f"{path}: {response.text}"]
    operation = operations.get("get" if method == "head" else method)
    if operation is None:
        return _of_method(response, {each.upper() for each in operations})
    told = operation["responses"].get(str(response.status_code))
    if told is None:
        return [f"the status {response.status_code} is not documented: {response.text}"]
    found = [*_headers(response, told.get("headers", {})), *_content(response, told.get("content", {}), method)]
    return [f"{response.status_code}: {each}" for each in found]


def _of_method(response: httpx.Response, methods: set[str]) -> list[str]:
    """Return the breaches of a response to OPTIONS, or to a method that the address does not have."""
    streams = response.request.url.path == document()["x-live"]["url"]
    allowed = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods and not streams else set())
    expected = (204 if response.request.method == "OPTIONS" else 405, ", ".join(sorted(allowed)))
    got = (response.status_code, response.headers.get("allow"))
    return [] if got == expected else [f"{got} instead of {expected}"]


def _headers(response: httpx.Response, told: Mapping[str, Any]) -> list[str]:
    known = {name.lower(): document()["components"]["headers"][name] for name in told}
    sent = set(response.headers)
    missing = {name for name, header in known.items() if header.get("required")} - sent
    found = [f"the header {name} is missing" for name in sorted(missing)]
    found += [f"the header {name} is not documented" for name in sorted(sent - known.keys() - OF_EVERY_RESPONSE)]
    found += [f"the header {name} of every response is missing" for name in sorted(HEADERS.keys() - sent)]
    for name in known.keys() & sent:
        pattern = known[name]["schema"].get("pattern", "")
        if not re.search(pattern, response.headers[name]):
            found.append(f"the header {name} is {response.headers[name]}")
    return found


def _content(response: httpx.Response, told: Mapping[str, Any], method: str) -> list[str]:
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if media_type not in (told or {""}):
        return [f"the content type {media_type} is not documented"]
    if method == "head" or media_type != MEDIA_TYPE:
        return []
    code = json.loads(response.content)["code"]
    return [] if code in told[MEDIA_TYPE]["examples"] else [f"the code {code} is not documented"]
