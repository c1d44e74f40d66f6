"""Log lines as JSON: Tombola's own field names, or those of Elastic's Common Schema (ECS).

Secrets are masked in every value before it is encoded, because JSON would escape some of their characters. No line is
longer than ``LONGEST_LINE``: longer ones are split by container engines and cut by syslog, and are no JSON afterwards.
"""

import os
import socket
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from loguru import Record

LONGEST_LINE: Final = 16_000
"""Limit of a line in bytes. Docker splits lines at 16 KiB."""
LONGEST_TEXT: Final = 8_000
"""Limit of one value in characters."""
SHORTEST_TEXT: Final = 16
HIDDEN: Final = "***"
CUT: Final = "…"
ECS_VERSION: Final = "8.17.0"
DATASET: Final = "tombola"
"""Name of the set of data in Elasticsearch: the middle part of `logs-tombola-default`."""

MakeLine = Callable[["Record", Sequence[str]], str]
"""A format of lines: returns the line of a record, with these secrets masked."""


def masked(text: str, secrets: Sequence[str]) -> str:
    """Return a text with every secret replaced."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def shortened(text: str, limit: int = LONGEST_TEXT) -> str:
    """Return at most ``limit`` characters of a text and a sign that it goes on."""
    return text if len(text) <= limit else text[:limit] + CUT


def text_of(value: object) -> str:
    """Return a value as text, also if its own method for that raises: the line must not be lost."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 -- code of any library
        return f"<{type(value).__name__} without a text>"


def on_one_line(text: str) -> str:
    """Return a text with its control characters escaped: they could forge a line, or command a terminal."""
    return text.translate(_ESCAPES)


_ESCAPES: Final = (
    {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
    # separators of lines and paragraphs, and signs that turn the direction of the text after them
    | {code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    | {10: "\\n", 13: "\\r", 9: "\\t"}
)


_JSON_ESCAPES: Final = {
    code: f"\\u{code:04x}"
    for code in (*range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Characters that JSON allows in a line, and that command a terminal or divide lines for some programs."""


def own_line(record: "Record", secrets: Sequence[str]) -> str:
    """Return a line with Tombola's own field names."""
    line: dict[str, Any] = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "logger": record["name"],
        "message": record["message"],
        **{str(key): value for key, value in record["extra"].items() if value is not None},
    }
    error = record["exception"]
    if error is not None and error.value is not None:
        line["error"] = f"{type(error.value).__name__}: {text_of(error.value)}"
        line["traceback"] = _frames(error.value)
    return _encoded(line, secrets)


def ecs_lines(
    *, version: str, environment: str, roles: Sequence[str] = (), trace_id: Callable[[str, str], str] | None = None
) -> MakeLine:
    """Return the format of lines with the field names of ECS 8.

    Args:
        version: the version of the program.
        environment: the name of the deployment.
        roles: the roles of the process.
        trace_id: returns the id of the OpenTelemetry trace of a game and the eight digits, in hex; empty if that trace
            is not recorded. None without traces.
    """
    process: Mapping[str, Any] = {
        "ecs.version": ECS_VERSION,
        "event.dataset": DATASET,
        "event.kind": "event",
        "service.name": "tombola",
        "service.version": version,
        "service.environment": environment,
        **({"service.node.roles": sorted(roles)} if roles else {}),
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
    }

    def ecs_line(record: "Record", secrets: Sequence[str]) -> str:
        extra = record["extra"]
        line: dict[str, Any] = {
            "@timestamp": record["time"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "log.level": record["level"].name.lower(),
            "message": record["message"],
            **process,
            "log.logger": record["name"],
            "log.origin.file.name": record["file"].name,
            "log.origin.file.line": record["line"],
            "log.origin.function": record["function"],
            # keywords in Elasticsearch, so that a label never changes its type
            **{f"labels.{key}": str(value) for key, value in extra.items() if value is not None},
        }
        if trace_id is not None and (whole := trace_id(str(extra.get("game") or ""), str(extra.get("trace") or ""))):
            line["trace.id"] = whole
        error = record["exception"]
        if error is not None and error.value is not None:
            line["error.type"] = type(error.value).__name__
            line["error.message"] = text_of(error.value)
            line["error.stack_trace"] = "\n".join(reversed(_frames(error.value)))  # innermost first: the end may be cut
        return _encoded(line, secrets)

    return ecs_line


def _frames(error: BaseException) -> list[str]:
    """Return the places that an exception has passed, outermost first: file, line and function, without values."""
    return [
        f"{frame.f_code.co_filename}:{line} {frame.f_code.co_qualname}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]


def _encoded(line: Mapping[str, Any], secrets: Sequence[str]) -> str:
    """Encode a line. Texts are shortened until it fits."""
    safe = {key: _safe(value, secrets) for key, value in line.items()}
    limit = LONGEST_TEXT
    while True:
        encoded = msgspec.json.encode({key: _bounded(value, limit) for key, value in safe.items()}).decode()
        encoded = encoded.translate(_JSON_ESCAPES)  # they occur in strings alone
        if len(encoded.encode()) <= LONGEST_LINE or limit <= SHORTEST_TEXT:
            return encoded
        limit //= 2


def _safe(value: Any, secrets: Sequence[str]) -> Any:
    """Return a value that JSON can hold, without secrets."""
    if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    if isinstance(value, list):
        return [_safe(each, secrets) for each in value]
    # a lone surrogate, which people can send, has no UTF-8
    return masked(text_of(value), secrets).encode(errors="replace").decode()


def _bounded(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return shortened(value, limit)
    if isinstance(value, list):
        return [_bounded(each, limit) for each in value[-max(1, limit // 100) :]]  # the innermost frames of a traceback
    return value
