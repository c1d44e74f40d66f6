"""HTTP: the webhook, health and metrics. One server a process.

Every tap comes in by the webhook, which is as near to the socket as uvicorn lets it be; the rest is Starlette's.
"""

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, unquote

import httptools
import msgspec
import uvicorn
from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.dispatcher import UpdateDispatcher
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater
from bot.observe.health import Health
from bot.tasks import Tasks

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECRET_HEADER = b"x-telegram-bot-api-secret-token"
BACKLOG = 2048
LARGEST_UPDATE = 1 << 20
"""Telegram's updates stay far below a megabyte."""
HEADS = {
    200: b"HTTP/1.1 200 OK\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    401: b"HTTP/1.1 401 Unauthorized\r\n",
    405: b"HTTP/1.1 405 Method Not Allowed\r\n",
    413: b"HTTP/1.1 413 Content Too Large\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n",
}
"""How a response without a body begins."""
REPLY = HEADS[200] + b"content-type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram's server delivers updates.

    Attributes:
        paths: of the URL, unquoted.
        secret: what Telegram sends along.
        doors: handle the updates.
    """

    paths: frozenset[str]
    secret: bytes
    doors: UpdateDispatcher
    urls: frozenset[bytes] = field(init=False)
    """How the paths are mostly written in requests."""

    def __post_init__(self) -> None:
        """Make what follows from the paths."""
        object.__setattr__(self, "urls", frozenset(path.encode() for path in self.paths if quote(path) == path))

    def is_at(self, url: bytes) -> bool:
        """Whether a request is for the webhook."""
        if url in self.urls:
            return True
        with contextlib.suppress(httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            return unquote(httptools.parse_url(url).path.decode("ascii")) in self.paths
        return False

    def refused(self, method: bytes, secret: bytes) -> int:
        """The status that a request is refused with; 0 where it is not."""
        if method != b"POST":
            return 405
        return 0 if hmac.compare_digest(secret, self.secret) else 401


class _Update:
    """A request to the webhook, from its head to its response. It is to uvicorn's protocol what its ASGI cycle is."""

    __slots__ = (
        "_begun", "_refused", "_server", "_webhook",
        "body", "disconnected", "keep_alive", "more_body", "response_complete",
    )  # fmt: skip

    def __init__(self, server: "_Http", webhook: Webhook, refused: int, *, keep_alive: bool) -> None:
        self._server = server
        self._webhook = webhook
        self._refused = refused
        self._begun = False
        self.body = bytearray()
        self.more_body = True
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    @property
    def message_event(self) -> "_Update":
        """What uvicorn sets when more of the body is there, or nothing more comes."""
        return self

    def begin(self) -> None:
        """The responses to all requests before it are sent."""
        self._begun = True
        if self._refused:
            self._respond(self._refused)
        elif not self.more_body:
            self.set()

    def set(self) -> None:
        """Look how far the request is."""
        if not self._begun or self.disconnected or self.response_complete:
            return
        if len(self.body) > LARGEST_UPDATE:
            self._respond(413)
        elif not self.more_body:
            self._webhook.doors.take(bytes(self.body), self)
        elif len(self.body) > HIGH_WATER_LIMIT:
            self._server.flow.resume_reading()

    def done(self) -> bool:
        """Whether the response is sent."""
        return self.response_complete

    def set_result(self, reply: Reply, /) -> None:
        """Send the call that answers the update."""
        self._respond(200, msgspec.json.encode(reply) if reply else b"")

    def set_exception(self, exception: Exception, /) -> None:
        """Send why there is no answer."""
        match exception:
            case MalformedUpdate():
                self._respond(400)
            case RetryLater():
                self._respond(503)
            case bug:
                logger.opt(exception=bug).error("an update failed")
                self._respond(500)

    def _respond(self, status: int, body: bytes = b"") -> None:
        self.response_complete = True
        if self.disconnected:
            return
        server = self._server
        last = b"" if self.keep_alive else b"connection: close\r\n"
        head = REPLY if body else HEADS[status]
        server.transport.write(b"%scontent-length: %d\r\n%s\r\n%s" % (head, len(body), last, body))
        if not self.keep_alive:
            server.transport.close()
        server.on_response_complete()


def routes(health: Health, metrics: CollectorRegistry) -> list[BaseRoute]:
    """Health and metrics, which every role serves."""

    async def live(_request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_request: Request) -> Response:
        report = await health.report()
        return PlainTextResponse("ready\n" if report.ready else "not ready\n", 200 if report.ready else 503)

    async def whole(_request: Request) -> Response:
        report = await health.report()
        return JSONResponse(report.as_dict(), 200 if report.ready else 503)

    async def measured(_request: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/health", whole),
        Route("/metrics", measured),
    ]


def application(routes_: list[BaseRoute]) -> App:
    """Everything that is not the hot path."""
    return Starlette(routes=routes_)


class AddressTaken(Exception):
    """Something else listens on the configured address."""


class _Config(uvicorn.Config):
    """uvicorn's configuration, which its protocol has at hand, and what is ours.

    Attributes:
        webhook: whose requests are not for the application.
        turn: gathers the responses, which uvicorn itself writes in two pieces.
    """

    webhook: Webhook | None
    turn: WriteCoalescer


class _Http(HttpToolsProtocol):
    """uvicorn's protocol. What is for the webhook goes without ASGI, which costs more than deciding on a tap."""

    config: _Config

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client is there."""
        super().connection_made(self.config.turn.gathering(transport))

    def on_message_begin(self) -> None:
        """A request begins. What uvicorn makes of it here is made when it is known to be for the application."""
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of a request's head."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """A request's head is there."""
        webhook, url, headers = self.config.webhook, self.url, self.headers
        if webhook is None or self.parser.should_upgrade() or not webhook.is_at(url):
            super().on_message_begin()
            super().on_url(url)
            for name, value in headers:
                super().on_header(name, value)
            super().on_headers_complete()
            return
        said = {name.lower(): value for name, value in headers}
        refused = webhook.refused(self.parser.get_method(), said.get(SECRET_HEADER, b""))
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        before: RequestResponseCycle | None = self.cycle
        update = _Update(self, webhook, refused, keep_alive=keep_alive)
        self.cycle = cast("RequestResponseCycle", update)
        if said.get(b"expect", b"").lower() == b"100-continue" and not refused:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if before is None or before.response_complete:
            update.begin()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle | _Update, app: Any) -> None:
        """It is the turn of a request that came before the one before it was answered."""
        if isinstance(cycle, _Update):
            cycle.begin()
        else:
            super()._start_asgi_task(cycle, app)


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


@contextlib.asynccontextmanager
async def serving(
    app: App, host: str, port: int, tasks: Tasks, *, webhook: Webhook | None = None, shared: bool = False
) -> AsyncIterator[int]:
    """Serve until the end of the block, where requests in hand are finished. Gives the port.

    ``webhook``: whose requests are not for the application. ``shared``: other processes of this machine listen on the
    same port, and the system spreads connections over them.

    Raises ``AddressTaken``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off: 40 ms an answer
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # who connects from now on is served when the server has started
    except OSError as error:
        listener.close()
        raise AddressTaken(f"web.port: {host}:{port} can't be listened on: {error.strerror}") from error
    config = _Config(
        app,
        log_config=None,
        access_log=False,
        http=_Http,
        loop="none",
        lifespan="off",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        backlog=BACKLOG,
    )
    config.webhook, config.turn = webhook, WriteCoalescer(asyncio.get_running_loop())
    server = _Server(config)
    bound = listener.getsockname()[1]
    logger.debug("listening on {}:{}", host, bound)
    task = tasks.spawn("web server", server.serve([listener]))
    try:
        yield bound
    finally:
        server.should_exit = True
        await asyncio.wait({task})
        listener.close()
