"""HTTP: the webhook, health and metrics. One server a process.

The webhook is plain ASGI, because every tap goes through it; the rest is Starlette's.
"""

import asyncio
import contextlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator, MutableMapping
from typing import Any

import msgspec
import uvicorn
from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bot.doors import Doors
from bot.gathering import gathering
from bot.health import Health
from bot.tasks import Tasks
from bot.updates import Again, NotAnUpdate

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SECRET_HEADER = b"x-telegram-bot-api-secret-token"
LARGEST_UPDATE = 1 << 20
"""Telegram's updates stay far below a megabyte."""
JSON = (b"content-type", b"application/json")
RETRY = (b"retry-after", b"1")


class Webhook:
    """Takes updates from Telegram's server; everything else goes on to the next application."""

    def __init__(self, *, paths: Container[str], secret: str, doors: Doors, otherwise: App) -> None:
        self._paths = paths
        self._secret = secret.encode()
        self._doors = doors
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._otherwise(scope, receive, send)
            return
        status, body = await self._serve(scope, receive)
        headers = [(b"content-length", b"%d" % len(body))]
        if body:
            headers.append(JSON)
        elif status == 503:
            headers.append(RETRY)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _serve(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if scope["method"] != "POST":
            return 405, b""
        if not hmac.compare_digest(dict(scope["headers"]).get(SECRET_HEADER, b""), self._secret):
            return 401, b""
        message = await receive()
        raw: bytes | None = message.get("body")
        if raw is None or message.get("more_body") or len(raw) > LARGEST_UPDATE:
            raw = await _whole(message, receive)
        if raw is None:
            return 413, b""
        try:
            reply = await self._doors.deliver(raw)
        except NotAnUpdate:
            return 400, b""
        except Again:
            return 503, b""
        return 200, msgspec.json.encode(reply) if reply else b""


async def _whole(message: Message, receive: Receive) -> bytes | None:
    """The whole body, of which this is the beginning; None where it is too large, or the client has gone."""
    if message["type"] != "http.request":
        return None
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request" or len(body) > LARGEST_UPDATE:
            return None
        body += message.get("body", b"")
    return body if len(body) <= LARGEST_UPDATE else None


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


class _Http(HttpToolsProtocol):
    """uvicorn's protocol, which writes a response's head and body apart, on a transport that sends them together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """A client is there."""
        super().connection_made(gathering(transport, self.loop))


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


@contextlib.asynccontextmanager
async def serving(app: App, host: str, port: int, tasks: Tasks, *, shared: bool = False) -> AsyncIterator[int]:
    """Serve until the end of the block, where requests in hand are finished. Gives the port.

    ``shared``: other processes of this machine listen on the same port, and the system spreads connections over them.

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
    except OSError as error:
        listener.close()
        raise AddressTaken(f"web.port: {host}:{port} can't be listened on: {error.strerror}") from error
    config = uvicorn.Config(
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
        backlog=2048,
    )
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
