"""Parts of the OpenAPI document that operations share: headers, and responses with problem details."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from api.openapi_types import REF, text_of
from api.problems import MEDIA_TYPE, Problem, status_of
from fsm.kind import Rejected, kebab

REPLAYED: Final = "Idempotency-Replayed"
_OF_STATUS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
        HTTPStatus.CONFLICT: ("Retry-After",),
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("Accept-Encoding",),
        HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
        HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
    }
)


def headers(names: Iterable[str] = ()) -> dict[str, Any]:
    """Return the headers of a response: the trace id, and others by their names."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Trace-Id", *names)}


def problems(refusals: Iterable[type[Rejected]], *, replayed: bool = False) -> dict[str, Any]:
    """Return the responses with problem details by their statuses.

    Args:
        refusals: the refusals, ordered by their statuses.
        replayed: True if a repeat gets the same response again.
    """
    by_status: dict[int, list[type[Rejected]]] = {}
    for refusal in refusals:
        by_status.setdefault(status_of(refusal), []).append(refusal)
    responses: dict[str, Any] = {}
    for status, found in by_status.items():
        examples = {code(refusal): {"summary": text_of(refusal).partition("\n")[0]} for refusal in found}
        names = ["Content-Language", *_OF_STATUS.get(status, ())]
        if replayed and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            names.append(REPLAYED)
        responses[str(status)] = {
            "description": ", ".join(f"`{each}`" for each in examples),
            "headers": headers(names),
            "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(name=Problem.__name__)}, "examples": examples}},
        }
    return responses


def code(refusal: type[Rejected]) -> str:
    """Return the code of a refusal."""
    return kebab(refusal.__name__)


def ordered(refusals: Iterable[type[Rejected]]) -> tuple[type[Rejected], ...]:
    """Return refusals without repetitions, in order of their statuses."""
    return tuple(sorted(dict.fromkeys(refusals), key=lambda refusal: (status_of(refusal), refusal.__name__)))
