"""The HTTP server of a process: the webhook, health and metrics.

Requests to the webhook are answered by ``bot.ingest.connection``; any other connection is handed to uvicorn, which runs
a Starlette application. The server bounds both: the number of connections, and the time that a client may take.
"""

import asyncio
import contextlib
import resource
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import unquote

import httptools
import uvicorn
from loguru import logger
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from uvicorn.server import ServerState

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.connection import HEAD_SECONDS, MAX_HEAD, REQUEST_SECONDS, Served, Services, WebhookConnection
from bot.ingest.webhook import App, FastHeads, Message, Receive, Scope, Send, Webhook, WebhookApp, respond
from bot.observe.health import Health
from bot.tasks import Tasks

BACKLOG = 2048
MAX_CONNECTIONS = 2048
"""At most; and at most half of the files that the process may open."""
TICK_SECONDS = 2.0
"""Between two looks for clients that have used up their time, while there are any clients."""
KEEP_ALIVE_SECONDS = 15
"""How long uvicorn keeps an idle connection."""
UNREAD_SECONDS = 30
"""How long a client may leave a response of uvicorn's unread."""
STOP_SECONDS = 2.0
"""How long requests in hand may take when the server stops."""
CONNECTION = "connection"
"""Key of the `UvicornConnection` in the state of an ASGI scope."""


def routes(health: Health, metrics: CollectorRegistry) -> list[BaseRoute]:
    """Return the routes of health and metrics, which every role serves."""

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
    """Return the application for all requests but those to the webhook."""
    return Starlette(routes=routes_)


class AddressTaken(Exception):
    """Another process listens on the configured address."""


class UvicornConnection:
    """A connection that uvicorn has, as far as the server must know it to bound its time."""

    __slots__ = ("_requests", "_since", "_transport", "_unread", "_unread_since", "trusted")

    def __init__(self, transport: asyncio.Transport, now: float, *, trusted: bool) -> None:
        self._transport = transport
        self._requests = 0
        self._since = now
        self._unread = 0
        self._unread_since = now
        self.trusted = trusted

    def begin(self) -> None:
        """A request is being answered."""
        self._requests += 1

    def end(self, now: float) -> None:
        """A request has been answered."""
        self._requests -= 1
        self._since = now

    def is_over(self) -> bool:
        """Return whether the connection is closed and its last response read."""
        return self._transport.is_closing() and not self._transport.get_write_buffer_size()

    def is_busy(self) -> bool:
        """Return whether a request is being answered."""
        return self._requests > 0

    def waiting_since(self) -> float:
        """Return the server's time at which the last request was answered."""
        return self._since

    def expire(self, now: float) -> None:
        """Cut the connection if its client sends no whole head, or does not read, for too long."""
        unread = self._transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self._unread_since = now
        self._unread = unread
        late = now - self._unread_since > UNREAD_SECONDS
        if late or (not self._requests and now - self._since > KEEP_ALIVE_SECONDS + HEAD_SECONDS):
            self.abort()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()


class _Bounded:
    """An ASGI application whose requests come whole, in time and unambiguous to another one."""

    def __init__(self, app: App, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        connection: UvicornConnection = scope["state"].pop(CONNECTION)
        connection.begin()
        try:
            if scope["type"] == "http":
                await self._pass_on(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            connection.end(self._services.now)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = [name for name, _ in scope["headers"]]
        if b"transfer-encoding" in names and b"content-length" in names:
            # h11 lets the one override the other, as it may. A proxy that did the opposite would let requests be
            # hidden in bodies.
            await respond(send, 400, headers=[(b"connection", b"close")])
            return
        if not scope["raw_path"].startswith(b"/"):
            scope = _in_origin_form(scope)
        await self._app(scope, _in_time(receive), send)


def _in_origin_form(scope: Scope) -> Scope:
    """Return a scope whose target has no scheme and host: each server must take the absolute form, h11 leaves it."""
    with contextlib.suppress(httptools.HttpParserInvalidURLError):
        path = httptools.parse_url(scope["raw_path"]).path
        if path:
            return {**scope, "raw_path": path, "path": unquote(path.decode("ascii"))}
    return scope


def _in_time(receive: Receive) -> Receive:
    """Return a ``receive`` that takes a client for gone if its request's body is not there in time."""
    until = asyncio.get_running_loop().time() + REQUEST_SECONDS
    whole = False

    async def bounded() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        whole = not message.get("more_body", False)
        return message

    return bounded


class HttpServer:
    """Accepts connections, bounds their number and time, and gives some of them to uvicorn.

    uvicorn's own server is not used: it wakes up ten times a second, and bounds neither.
    """

    def __init__(self, app: App, webhook: Webhook | None) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._connections: set[Served] = set()
        self._some = asyncio.Event()
        self._most = min(MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._services = Services(
            webhook=webhook,
            heads=FastHeads(webhook),
            coalescer=WriteCoalescer(loop),
            hand_over=self._hand_over,
            opened=self._opened,
            closed=self._connections.discard,
            now=loop.time(),
        )
        self._state = ServerState()
        self._config = uvicorn.Config(
            _Bounded(WebhookApp(webhook, app) if webhook is not None else app, self._services),
            log_config=None,
            access_log=False,
            http="h11",  # bounds heads, which httptools does not: an endless one takes all memory
            h11_max_incomplete_event_size=MAX_HEAD,
            loop="none",
            lifespan="off",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self.connection = partial(WebhookConnection, self._services)
        """Makes the protocol of a new connection."""

    async def watch(self) -> None:
        """Cut the connections of clients that have used up their time, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(TICK_SECONDS)
            now = self._services.now = self._loop.time()
            for connection in list(self._connections):
                if connection.is_over():
                    self._connections.discard(connection)
                else:
                    connection.expire(now)
            if not self._connections:
                self._some.clear()  # without clients nothing wakes the process

    async def stop(self) -> None:
        """Answer the requests in hand, for a while, and close all connections."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                for connection in list(self._connections):
                    if isinstance(connection, WebhookConnection):
                        connection.stop()
                for protocol in list(self._state.connections):
                    protocol.shutdown()
                while not all(connection.is_over() for connection in self._connections):  # noqa: ASYNC110 -- uvicorn sets no event
                    await asyncio.sleep(0.02)
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._connections):
            if not connection.is_over():
                connection.abort()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=STOP_SECONDS)

    def _opened(self, connection: WebhookConnection) -> None:
        if not self._some.is_set():
            self._some.set()
            self._services.now = self._loop.time()  # nobody has advanced it meanwhile
        self._connections.add(connection)
        if len(self._connections) > self._most:
            self._make_room(connection)

    def _make_room(self, newest: WebhookConnection) -> None:
        """Cut the connection that has waited for longest without bringing an update; the newest one if all are busy."""
        self._connections.difference_update([connection for connection in self._connections if connection.is_over()])
        if len(self._connections) <= self._most:
            return
        idle = [connection for connection in self._connections if not connection.is_busy() and connection is not newest]
        oldest = min(idle, key=lambda connection: (connection.trusted, connection.waiting_since()), default=newest)
        self._connections.discard(oldest)
        oldest.abort()

    def _hand_over(self, connection: WebhookConnection, transport: asyncio.Transport, unread: bytes) -> None:
        """Give a connection to uvicorn, as uvicorn gives one to its WebSocket protocol."""
        self._connections.discard(connection)
        handed = UvicornConnection(transport, self._services.now, trusted=connection.trusted)
        made: Any = self._config.http_protocol_class  # declared as the bare protocol of asyncio
        protocol = made(
            config=self._config,
            server_state=self._state,
            app_state={CONNECTION: handed},  # each request's scope has it: so the application can tell whose it is
        )
        self._connections.add(handed)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(unread)


def listening_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that listens. Raises ``AddressTaken``."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio leaves it off: 40 ms an answer
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # clients that connect from now on are served when the server has started
    except OSError as error:
        listener.close()
        raise AddressTaken(f"web.port: {host}:{port} can't be listened on: {error.strerror}") from error
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: App, host: str, port: int, tasks: Tasks, *, webhook: Webhook | None = None, shared: bool = False
) -> AsyncIterator[int]:
    """Serve until the end of the block, where requests in hand are finished. Yields the port.

    ``webhook``: requests to it are not for the application. ``shared``: other processes of this machine listen on the
    same port, and the system spreads connections over them.

    Raises ``AddressTaken``.
    """
    listener = listening_socket(host, port, shared=shared)
    server = HttpServer(app, webhook)
    bound = listener.getsockname()[1]
    accepting = await asyncio.get_running_loop().create_server(server.connection, sock=listener, backlog=BACKLOG)
    logger.debug("listening on {}:{}", host, bound)
    watching = tasks.spawn("web server", server.watch())
    try:
        yield bound
    finally:
        accepting.close()
        await server.stop()
        watching.cancel()
