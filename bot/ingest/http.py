"""The HTTP server of a process: webhook, health and metrics.

``bot.ingest.connection`` answers webhook requests and plain reads of the API. Any other connection is handed to
uvicorn, which runs a Starlette application. The server bounds the number of connections and the time that a client may
take.
"""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import unquote

import httptools
import uvicorn
from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, Router
from uvicorn.server import ServerState

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.connection import (
    HEAD_SECONDS,
    MAX_HEAD,
    REQUEST_SECONDS,
    ReadReply,
    Served,
    Services,
    WebhookConnection,
)
from bot.ingest.heads import FastHeads
from bot.ingest.reads import PlainRead, PlainReads
from bot.ingest.webhook import App, Message, Receive, Scope, Send, Webhook, WebhookApp, respond
from bot.observe.health import Health
from bot.tasks import Tasks

BACKLOG = 2048
MAX_CONNECTIONS = 2048
"""Upper limit; half of the process's file limit if that is lower."""
TICK_SECONDS = 2.0
"""Interval of the checks for clients that exceed a time limit. They pause while there are no clients."""
KEEP_ALIVE_SECONDS = 15
"""Time for which uvicorn keeps an idle connection."""
UNREAD_SECONDS = 30
"""Time for which a client may leave a response of uvicorn unread."""
LARGEST_WEBSOCKET_MESSAGE = 16_384
"""Limit of a client's message in bytes; clients only send requests."""
STOP_SECONDS = 2.0
"""Time that current requests get when the server stops."""
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

    async def measured(request: Request) -> Response:
        # Only the format OpenMetrics has exemplars. Prometheus prefers it, curl gets the older text.
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics), media_type=content_type)

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/health", whole),
        Route("/metrics", measured),
    ]


def application(routes_: list[BaseRoute]) -> App:
    """Return the application for all requests except those to the webhook.

    A router alone: uvicorn answers and logs exceptions, and the layers of Starlette's application would cost a read of
    the API a twentieth of its time.
    """
    # A redirect would name the host that the client has named, and http:// behind a proxy with TLS.
    return Router(routes_, redirect_slashes=False)


class AddressTaken(Exception):
    """Another process listens on the configured address."""


class UvicornConnection:
    """The facts about a connection of uvicorn that enforcing its time limits needs."""

    __slots__ = ("_requests", "_since", "_transport", "_unread", "_unread_since", "trusted")

    def __init__(self, transport: asyncio.Transport, now: float, *, trusted: bool) -> None:
        self._transport = transport
        self._requests = 0
        self._since = now
        self._unread = 0
        self._unread_since = now
        self.trusted = trusted

    def begin(self) -> None:
        """Note that a request is being answered."""
        self._requests += 1

    def end(self, now: float) -> None:
        """Note that a request has been answered."""
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
        """Abort the connection if its client takes too long to send a complete head or to read."""
        unread = self._transport.get_write_buffer_size()
        if not unread or unread < self._unread:
            self._unread_since = now
        self._unread = unread
        late = now - self._unread_since > UNREAD_SECONDS
        if late or (not self._requests and now - self._since > KEEP_ALIVE_SECONDS + HEAD_SECONDS):
            self.abort()

    def abort(self) -> None:
        """Close the connection at once, without flushing."""
        self._transport.abort()


class _Bounded:
    """An ASGI application that passes on only requests that are complete in time and unambiguous."""

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
            # RFC 9112 lets Transfer-Encoding override Content-Length, as h11 does. A proxy that does the opposite would
            # allow requests to be hidden in bodies, so refuse such requests.
            await respond(send, 400, headers=[(b"connection", b"close")])
            return
        if not scope["raw_path"].startswith(b"/"):
            scope = _in_origin_form(scope)
        await self._app(scope, _in_time(receive), send)


def _in_origin_form(scope: Scope) -> Scope:
    """Return the scope with its target reduced to a path.

    RFC 9112 demands that servers accept the absolute form; h11 does not.
    """
    with contextlib.suppress(httptools.HttpParserInvalidURLError):
        path = httptools.parse_url(scope["raw_path"]).path
        if path:
            return {**scope, "raw_path": path, "path": unquote(path.decode("ascii"))}
    return scope


def _in_time(receive: Receive) -> Receive:
    """Return a ``receive`` that reports a disconnect if the body of the request is not complete in time."""
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
    """Accepts connections, bounds their number and time, and hands some of them to uvicorn.

    uvicorn's own server is not used, because it wakes up ten times a second and sets neither bound.
    """

    def __init__(self, app: App, webhook: Webhook | None, live: int = 0, reads: PlainReads | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._connections: set[Served] = set()
        self._some = asyncio.Event()
        self._most = min(MAX_CONNECTIONS + live, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._reads = reads
        self._services = Services(
            webhook=webhook,
            heads=FastHeads(webhook, reads),
            coalescer=WriteCoalescer(loop),
            answer=self._answer,
            hand_over=self._hand_over,
            opened=self._opened,
            closed=self._connections.discard,
            now=loop.time(),
        )
        self._state = ServerState()
        websocket: Any = _websocket if live else "none"  # uvicorn declares a class, and only calls it
        logging.getLogger("uvicorn.error").addFilter(_is_mistake)
        self._config = uvicorn.Config(
            _Bounded(WebhookApp(webhook, app) if webhook is not None else app, self._services),
            log_config=None,
            access_log=False,
            http="h11",  # bounds the size of heads, which httptools does not: an endless head would fill the memory
            h11_max_incomplete_event_size=MAX_HEAD,
            loop="none",
            ws=websocket,
            ws_max_size=LARGEST_WEBSOCKET_MESSAGE,
            ws_per_message_deflate=False,  # its buffers would be most of a connection's memory
            lifespan="off",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self.connection = partial(WebhookConnection, self._services)
        """Factory of the protocol of a new connection."""

    async def watch(self) -> None:
        """Abort the connections of clients that exceed a time limit, until cancelled."""
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
                self._some.clear()  # without clients no timer wakes the process

    async def stop(self) -> None:
        """Give current requests some time to be answered, then close all connections."""
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
            self._services.now = self._loop.time()  # the timer was paused, so the time is stale
        self._connections.add(connection)
        if len(self._connections) > self._most:
            self._make_room(connection)

    def _make_room(self, newest: WebhookConnection) -> None:
        """Abort the connection that has been idle longest, preferring clients that never sent an update.

        If all are busy, abort the newest.
        """
        self._connections.difference_update([connection for connection in self._connections if connection.is_over()])
        if len(self._connections) <= self._most:
            return
        idle = [connection for connection in self._connections if not connection.is_busy() and connection is not newest]
        oldest = min(idle, key=lambda connection: (connection.trusted, connection.waiting_since()), default=newest)
        self._connections.discard(oldest)
        oldest.abort()

    def _answer(self, read: PlainRead, reply: ReadReply, transport: asyncio.Transport) -> None:
        """Answer a plain read in a task, which is kept with those of uvicorn's requests."""
        reads = self._reads
        assert reads is not None
        client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")

        async def answer() -> None:
            reply.send(*await reads.answer(read, client and client[:2], server and server[:2]))

        task = self._loop.create_task(answer())
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def _hand_over(self, connection: WebhookConnection, transport: asyncio.Transport, unread: bytes) -> None:
        """Hand a connection to uvicorn, as uvicorn itself hands one to its WebSocket protocol."""
        self._connections.discard(connection)
        handed = UvicornConnection(transport, self._services.now, trusted=connection.trusted)
        made: Any = self._config.http_protocol_class  # its declared type is asyncio's bare protocol
        protocol = made(
            config=self._config,
            server_state=self._state,
            app_state={CONNECTION: handed},  # part of each request's scope, which so identifies its connection
        )
        self._connections.add(handed)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(unread)


def _is_mistake(record: logging.LogRecord) -> bool:
    """Return False for the error that uvicorn logs when the application has refused a WebSocket with a response."""
    return record.msg != "ASGI callable returned without completing handshake."


def _websocket(**options: Any) -> asyncio.Protocol:
    """Return the protocol of a WebSocket. It is imported for the first one, so that other roles do without it."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol  # noqa: PLC0415

    return WebSocketsSansIOProtocol(**options)


def listening_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a listening socket. Raises ``AddressTaken``."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # asyncio does not set it, which would delay an answer by 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # connections made from now on are served once the server has started
    except OSError as error:
        listener.close()
        raise AddressTaken(f"web.port: {host}:{port} can't be listened on: {error.strerror}") from error
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: App,
    host: str,
    port: int,
    tasks: Tasks,
    *,
    webhook: Webhook | None = None,
    reads: PlainReads | None = None,
    live: int = 0,
    shared: bool = False,
) -> AsyncIterator[int]:
    """Serve until the end of the block, then finish current requests. Yields the port.

    Args:
        app: the application for all requests except those to the webhook.
        host: the host name or address to listen on.
        port: the port; 0 lets the system choose.
        tasks: owner of the server's task.
        webhook: the webhook; None if this process has none.
        reads: the reads that go past uvicorn; None for none.
        live: the number of clients of live updates that are let in beside others; 0 if this process serves none.
        shared: True if other processes of this machine listen on the same port and the system distributes connections.

    Raises:
        AddressTaken: another process listens there.
    """
    listener = listening_socket(host, port, shared=shared)
    server = HttpServer(app, webhook, live, reads)
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
