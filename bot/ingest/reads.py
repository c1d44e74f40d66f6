"""Plain reads of the API, answered through ASGI on the connection that received them, without uvicorn.

uvicorn and h11 need as much processor time for a small read as the API itself. A read is plain if nothing about it is
special: GET in HTTP/1.1, a path of the API that is answered with one body, no body of its own. Anything else goes to
uvicorn, and with it the rest of its connection.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import httptools
import msgspec
from loguru import logger

from bot.ingest.webhook import App, Header, Message, Scope

STATUS_LINES: Final = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
SPECIAL: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade", b"http2-settings"})
"""Headers that a plain read has not."""
BODILESS: Final = frozenset({204, 304})
"""Statuses of responses that have no body and no Content-Length."""
FAILED: Final = (STATUS_LINES[500] + b"content-type: text/plain; charset=utf-8\r\n", b"Internal Server Error")


class PlainRead(msgspec.Struct, frozen=True, gc=False):
    """The head of a plain read."""

    target: bytes
    headers: list[Header]
    keep_alive: bool
    length: int = 0
    """Length of the body in bytes: it has none."""


@dataclass(frozen=True, slots=True)
class PlainReads:
    """Recognizes plain reads and answers them.

    Attributes:
        app: the ASGI application of the reads.
        root: the path below which it answers, without a slash at the end.
        takes: returns True if the application answers GET for this path with one body.
    """

    app: App
    root: str
    takes: Callable[[str], bool]

    def admitted(
        self, head: bytes, target: bytes, headers: list[Header], parser: httptools.HttpRequestParser
    ) -> PlainRead | None:
        """Return a request as a plain read, or None if it is none. `parser` has parsed the whole head."""
        if not target.startswith(self.root.encode() + b"/") or not target.isascii():
            return None
        names = [name for name, _ in headers]
        if (
            parser.get_http_version() != "1.1"
            or not head.startswith(b"GET %s HTTP/1.1\r\n" % target)  # llhttp tolerates repeated spaces
            or names.count(b"host") != 1
            or not SPECIAL.isdisjoint(names)
            or not self.takes(_path(target))
        ):
            return None
        # The parser no longer tells it, as the message is complete for it.
        options = [each for name, value in headers if name == b"connection" for each in value.lower().split(b",")]
        closes = any(each.strip() == b"close" for each in options)
        return PlainRead(target, headers, not closes)

    async def answer(self, read: PlainRead, client: Any, server: Any) -> tuple[bytes, bytes | None]:
        """Return the head of a response, without Content-Length and the empty line, and its body.

        The body is None if the status allows none.
        """
        raw, _, query = read.target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "server": server,
            "client": client,
            "scheme": "http",
            "method": "GET",
            "app_root_path": "",
            "root_path": self.root,
            "path": _path(raw),
            "raw_path": raw,
            "query_string": query,
            "headers": read.headers,
            "path_params": {},
            "state": {},
        }
        response = _Response()
        try:
            await self.app(scope, _no_body, response.send)
            return response.head(), None if response.status in BODILESS else b"".join(response.chunks)
        except Exception as bug:  # noqa: BLE001 -- the client gets an answer in any case
            logger.opt(exception=bug).error("GET {} failed", scope["path"])
            return FAILED


def _path(target: bytes) -> str:
    return unquote(target.partition(b"?")[0].decode("ascii"))


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Response:
    """Collects the messages of a response."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.chunks: list[bytes] = []

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.chunks.append(message.get("body", b""))

    def head(self) -> bytes:
        """Return the status line and the headers. Raises ValueError if they are no head."""
        lines = [b"%s: %s\r\n" % header for header in self.headers if header[0] != b"content-length"]
        made = b"".join((STATUS_LINES[self.status], *lines))
        if made.count(b"\n") != len(lines) + 1 or made.count(b"\r") != len(lines) + 1:
            raise ValueError("a header of the response has a line break")
        return made
