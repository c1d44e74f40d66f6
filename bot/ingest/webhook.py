"""The webhook: recognition of its requests, and its endpoint as an ASGI application.

Nearly all updates take the fast path of ``bot.ingest.connection``, which consults `FastHeads` about each head. The ASGI
endpoint answers the same requests in the same way if they are chunked, announce a body (Expect), carry a wrong secret,
or follow another request on a connection that uvicorn already serves.
"""

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
import msgspec
from loguru import logger

from bot.ingest.dispatcher import UpdateDispatcher
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater

if TYPE_CHECKING:
    from bot.ingest.reads import PlainRead, PlainReads

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

SECRET_HEADER = b"x-telegram-bot-api-secret-token"
MAX_UPDATE = 1 << 20
"""Maximum size of an update in bytes. Telegram's updates stay far below it."""
KNOWN_HEADS = 1024
"""Maximum number of remembered heads. Telegram and proxies repeat a few dozen, one for each length of a body."""


class MalformedRequest(Exception):
    """The head does not belong to a valid HTTP request."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """The endpoint that Telegram's server calls.

    Attributes:
        paths: paths of the URL, unquoted.
        secret: the token that Telegram sends in a header.
        dispatcher: handles the updates.
    """

    paths: frozenset[str]
    secret: bytes
    dispatcher: UpdateDispatcher

    def is_at(self, target: bytes) -> bool:
        """Return whether a request's target, in any of its forms, is the webhook."""
        with contextlib.suppress(httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            path: bytes | None = httptools.parse_url(target).path  # None for "http://host", contrary to its annotation
            return path is not None and unquote(path.decode("ascii")) in self.paths
        return False

    def refusal(self, method: bytes, headers: Iterable[Header]) -> int:
        """Return the status that refuses a request, or 0 if it may pass. The names of headers must be in lower case."""
        if method != b"POST":
            return 405
        # Refuse a repeated header: a proxy in front may check one copy while this code checks the other.
        given = [value for name, value in headers if name == SECRET_HEADER]
        return 0 if len(given) == 1 and hmac.compare_digest(given[0], self.secret) else 401


def status_of(problem: BaseException) -> int:
    """Return the status that explains a missing reply. Log the problem if it is a bug."""
    match problem:
        case MalformedUpdate():
            return 400
        case RetryLater():
            return 503
        case bug:
            logger.opt(exception=bug).error("an update failed")
            return 500


class Head(msgspec.Struct, frozen=True, gc=False):
    """The head of a request that takes the fast path."""

    length: int
    """Length of the body in bytes."""
    keep_alive: bool


class FastHeads:
    """Decides from a request's head whether it takes the fast path.

    This admission is the risky part of an HTTP server. If a proxy and this server disagree about the end of a request,
    an attacker can hide one request in the body of another. httptools therefore parses each head that is seen for the
    first time, and only plain heads are admitted: POST, one Content-Length, no Transfer-Encoding, no Upgrade or Expect.
    Admitted heads are remembered byte for byte, and identical bytes are not parsed again. Plain reads of the API are
    admitted by rules of their own and not remembered, as their paths are many.
    """

    def __init__(self, webhook: Webhook | None, reads: "PlainReads | None" = None) -> None:
        self._webhook = webhook
        self._reads = reads
        self._known: dict[bytes, Head] = {}
        self.get = self._known.get
        """Lookup of a head that was admitted before; None if there is none."""

    def read(self, head: bytes) -> "Head | PlainRead | None":
        """Return the parsed head, or None if the request is for uvicorn.

        Raises:
            MalformedRequest: the head is ambiguous. No server may answer it, as another may read it differently.
        """
        request = _ParsedHead()
        parser = httptools.HttpRequestParser(request)
        try:
            parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            return None
        except httptools.HttpParserError as error:
            raise MalformedRequest(str(error)) from None
        if not request.headers_complete:
            raise MalformedRequest("the head is empty")
        if self._webhook is not None and self._webhook.is_at(request.url):
            return self._admitted(head, request, parser, self._webhook)
        if self._reads is not None and parser.get_method() == b"GET" and request.messages == 1:
            return self._reads.admitted(head, request.url, request.headers, parser)
        return None

    def _admitted(
        self, head: bytes, request: "_ParsedHead", parser: httptools.HttpRequestParser, webhook: Webhook
    ) -> Head | None:
        version, headers = parser.get_http_version(), request.headers
        names = [name for name, _ in headers]
        lengths = [value for name, value in headers if name == b"content-length"]
        if (
            version not in ("1.0", "1.1")
            or not head.startswith(b"POST %s HTTP/1." % request.url)  # llhttp tolerates repeated spaces
            or webhook.refusal(parser.get_method(), headers)
            or len(lengths) != 1
            or not lengths[0].isdigit()
            or int(lengths[0]) > MAX_UPDATE
            or b"transfer-encoding" in names
            or b"expect" in names
            or names.count(b"host") != (version == "1.1")
        ):
            return None
        found = Head(int(lengths[0]), version == "1.1" and parser.should_keep_alive())
        # Last check: httptools too must see exactly one request that ends after this number of bytes.
        if found.length:
            parser.feed_data(bytes(found.length))
        if request.messages != 1 or request.body != found.length:
            raise MalformedRequest("the length of the body is ambiguous")
        if len(self._known) >= KNOWN_HEADS:
            self._known.clear()
        self._known[head] = found
        return found


class _ParsedHead:
    """Collects the results of httptools."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[Header] = []
        self.headers_complete = False
        self.body = 0
        self.messages = 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.headers_complete = True

    def on_body(self, body: bytes) -> None:
        self.body += len(body)

    def on_message_complete(self) -> None:
        self.messages += 1


class WebhookApp:
    """The webhook's endpoint as an ASGI application. Other requests go to another application.

    Args:
        webhook: the endpoint.
        app: the application for all other requests.
    """

    def __init__(self, webhook: Webhook, app: App) -> None:
        self._webhook = webhook
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not self._webhook.is_at(scope["raw_path"]):
            await self._app(scope, receive, send)
            return
        status = self._webhook.refusal(scope["method"].encode(), scope["headers"])
        if status == 405:
            await respond(send, status, headers=[(b"allow", b"POST")])
        elif status:
            await respond(send, status)
        else:
            await self._take(receive, send)

    async def _take(self, receive: Receive, send: Send) -> None:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client disconnected before the update was complete
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_UPDATE:
                await respond(send, 413)
                return
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._webhook.dispatcher.take(bytes(body), reply)
        try:
            call = await reply
        except Exception as problem:  # noqa: BLE001 -- the status reports the error, and bugs are logged
            status = status_of(problem)
            await respond(send, status, headers=[(b"retry-after", b"1")] if status == 503 else [])
            return
        if call:
            await respond(send, 200, msgspec.json.encode(call), [(b"content-type", b"application/json")])
        else:
            await respond(send, 200)


async def respond(send: Send, status: int, body: bytes = b"", headers: Iterable[Header] = ()) -> None:
    """Send a complete response."""
    headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
