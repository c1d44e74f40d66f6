"""Live updates over WebSockets and as server-sent events, at one address."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from api import problems
from api.addresses import client_address, rate_group
from api.dispatch import ACCESS_REFUSED, NOBODY, STRANGERS_A_SECOND, STRANGERS_BURST, TRACE, bearer, failure
from api.live.messages import ClosingMessage, Frame, RefusedMessage, SubscribeRequest, encode
from api.live.messages import Request as ClientRequest
from api.live.principals import LIFETIME, NOT_AUTHENTICATED, OF_TOKEN, RESTART, UNAVAILABLE, Principal
from api.live.subscription import Subscription
from api.problems import BadRequest, InvalidRequest, MethodNotAllowed, TooLarge, TooManyRequests, WrongOrigin
from api.services import Services
from fsm.kind import UnknownGame
from play.tokens import NotAuthenticated, actor_of
from storage.audit import API, AuditEntry
from storage.keys import is_game_id

if TYPE_CHECKING:
    from api.live.hub import Hub

PATH: Final = "/v1/live"
LARGEST_REQUEST: Final = 16_384
"""Size of a client's message in bytes. uvicorn closes the connection at a larger one, with 1009."""
CLOSE_SECONDS: Final = 2.0
"""Time in which a client must read the last message, before its connection is cut."""
MOST_REFUSALS: Final = 20
"""Refused requests of one connection after which it is closed."""
CLOSE_CODES: Final = {RESTART: 1012, LIFETIME: 1001, UNAVAILABLE: 1013, NOT_AUTHENTICATED: 4401, "gone": 1000}
POLICY_VIOLATION: Final = 1008
STREAM_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)
ALLOW: Final = "GET, OPTIONS"
"""A stream has no end, so there is no HEAD."""
GONE: Final = ClosingMessage(code="gone", retry_ms=None)
LOWEST_ID: Final = -(2**52)

_request = msgspec.json.Decoder(ClientRequest).decode


def routes(services: Services) -> Sequence[BaseRoute]:
    """Return the routes of live updates."""
    server = LiveServer(services)
    return [Route(PATH, server.stream), WebSocketRoute(PATH, server.socket)]


class LiveServer:
    """The connections of live updates.

    Args:
        services: the services of the process.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._hub: Hub = services.hub
        self.stream = _Application(self._stream)
        """Server-sent events."""
        self.socket = _Application(self._socket)
        """WebSockets."""

    # -- server-sent events -------------------------------------------------------------------------------------

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        principal: Principal | None = None
        if request.method == "OPTIONS":
            await Response(status_code=204, headers={"allow": ALLOW})(scope, receive, send)
            return
        try:
            _check_method(request)
            principal = await self._principal(request)
            wanted = _wanted(request)
            self._check(wanted)
            subscription = await self._hub.subscribe(
                principal, games=wanted.games, chats=wanted.chats, cursor=wanted.cursor
            )
        except Exception as error:  # noqa: BLE001 -- every error has a response; a bug is logged there
            await self._refuse(request, principal, error, scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": list(STREAM_HEADERS)})

        async def emit(frame: Frame) -> None:
            await send({"type": "http.response.body", "body": frame.event, "more_body": True})

        async def close(closing: ClosingMessage) -> None:
            # The browser's EventSource connects again by itself, but its ticket is spent: `closing` tells the page.
            retry = b"" if closing.retry_ms is None else b"retry: %d\n" % closing.retry_ms
            frame = Frame(None, (encode(closing),))
            await send({"type": "http.response.body", "body": retry + frame.event, "more_body": False})

        async def until_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        await self._serve("sse", subscription, emit, close, until_gone)

    # -- WebSockets ---------------------------------------------------------------------------------------------

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        subscription = await self._opened(scope, receive, send)
        if subscription is None:
            return
        await send({"type": "websocket.accept"})

        async def emit(frame: Frame) -> None:
            await send({"type": "websocket.send", "text": frame.text})

        async def close(closing: ClosingMessage) -> None:
            await emit(Frame(None, (encode(closing),)))
            code = CLOSE_CODES.get(closing.code, POLICY_VIOLATION)
            await send({"type": "websocket.close", "code": code, "reason": closing.code})

        await self._serve("websocket", subscription, emit, close, partial(self._read, scope, subscription, receive))

    async def _opened(self, scope: Scope, receive: Receive, send: Send) -> Subscription | None:
        """Return the subscription of a new client; None if it was refused. Keeps nothing of the request in memory."""
        request, principal = as_request(scope), None
        try:
            principal = await self._principal(request)
            return self._hub.open(principal)
        except Exception as error:  # noqa: BLE001 -- every error has a response; a bug is logged there
            await self._refuse(request, principal, error, scope, receive, send)
            return None

    async def _read(self, scope: Scope, subscription: Subscription, receive: Receive) -> None:
        """Handle the requests of a client until it is gone, or until it has sent too many wrong ones."""
        refusals = 0
        while (message := await receive())["type"] != "websocket.disconnect":
            try:
                await self._handle(subscription, message.get("text"))
            except BadRequest as garbage:
                self._hub.end(subscription, garbage.code)
                return
            except Exception as error:  # noqa: BLE001 -- every error is told; a bug is logged there
                refusals += 1
                request, trace = as_request(scope), scope["state"][TRACE]
                record_refusal(self._services, request, subscription.principal, error)
                failure(error, self._services, request, trace)  # logs a bug
                refusal = problems.refusal_of(error, trace)
                if refusals > MOST_REFUSALS:
                    self._hub.end(subscription, refusal.code)
                    return
                detail = self._services.play.texts.refusal("en", refusal)
                self._hub.tell(subscription, RefusedMessage(code=refusal.code, detail=detail))

    async def _handle(self, subscription: Subscription, text: str | None) -> None:
        if text is None:
            raise BadRequest
        try:
            request = _request(text)
        except msgspec.ValidationError as error:
            raise InvalidRequest(str(error)) from None
        except (msgspec.DecodeError, RecursionError):
            raise BadRequest from None
        await self._count(subscription.principal.name)
        if isinstance(request, SubscribeRequest):
            self._check(request)
            await self._hub.add(subscription, games=request.games, chats=request.chats, cursor=request.cursor)
        else:
            self._hub.remove(subscription, games=request.games, chats=request.chats)

    # -- both ---------------------------------------------------------------------------------------------------

    async def _serve(
        self,
        transport: str,
        subscription: Subscription,
        emit: Callable[[Frame], Awaitable[None]],
        close: Callable[[ClosingMessage], Awaitable[None]],
        until_gone: Callable[[], Awaitable[None]],
    ) -> None:
        """Send the batches of a subscription until it ends, or its client is gone."""
        loop = asyncio.get_running_loop()

        async def wait_for_end() -> None:
            await until_gone()
            subscription.end(GONE)

        self._hub.figures.open[transport] += 1
        try:
            async with asyncio.timeout(None) as deadline, asyncio.TaskGroup() as tasks:
                subscription.on_end = lambda: deadline.reschedule(loop.time() + CLOSE_SECONDS)
                waiting = tasks.create_task(wait_for_end())
                try:
                    async for frame in subscription:
                        await emit(frame)
                        self._hub.sent(frame)
                    if subscription.closing is not None and subscription.closing is not GONE:
                        await close(subscription.closing)
                except OSError:  # uvicorn's report of a client that has gone
                    subscription.end(GONE)
                waiting.cancel()
        except TimeoutError:
            pass  # the client does not read
        finally:
            subscription.on_end = None
            self._hub.figures.open[transport] -= 1
            self._hub.unsubscribe(subscription)

    async def _principal(self, request: Request) -> Principal:
        """Return the caller, by a ticket in the address or a token in the header. Raises refusals."""
        if not self._is_welcome(request):
            raise WrongOrigin
        try:
            return await self._authenticated(request)
        except NotAuthenticated:
            address = rate_group(client_address(request, self._services.proxies))
            await self._count(f"@{address}", STRANGERS_A_SECOND, STRANGERS_BURST)
            raise

    async def _authenticated(self, request: HTTPConnection) -> Principal:
        ticket = request.query_params.get("ticket")
        if ticket is None:
            token = await self._services.tokens.check(bearer(request.headers))
            await self._count(token.prefix)
            return Principal(OF_TOKEN, token.prefix, actor_of(token))
        holder = await self._services.tickets.take(ticket[:100])
        principal = None if holder is None else await self._hub.principal(holder.kind, holder.name)
        if principal is None:
            raise NotAuthenticated
        return principal

    def _is_welcome(self, request: HTTPConnection) -> bool:
        """Return whether the page that connects may: browsers name its origin, and let any page open a WebSocket."""
        origin = request.headers.get("origin")
        if origin is None or origin in self._services.origins or "*" in self._services.origins:
            return True
        return urlsplit(origin).netloc == request.headers.get("host")

    async def _count(self, client: str, a_second: float | None = None, burst: int | None = None) -> None:
        limits = self._services.limits
        wait = await self._services.requests.wait_ms(
            client, a_second=limits.a_second if a_second is None else a_second, burst=burst or limits.burst
        )
        if wait:
            raise TooManyRequests(seconds=-(-wait // 1000))

    def _check(self, wanted: SubscribeRequest) -> None:
        if any(not is_game_id(game_id) for game_id in wanted.games):
            raise UnknownGame
        if any(not LOWEST_ID <= chat_id <= -LOWEST_ID for chat_id in wanted.chats):
            raise InvalidRequest("Expected an id of a chat - at `$.chats`")

    async def _refuse(
        self,
        request: Request,
        principal: Principal | None,
        error: Exception,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send the response that refuses a connection."""
        record_refusal(self._services, request, principal, error)
        response = failure(error, self._services, request, scope["state"][TRACE])
        if isinstance(error, MethodNotAllowed):
            response.headers["allow"] = ALLOW
        await response(scope, receive, send)


def record_refusal(services: Services, request: Request, principal: Principal | None, error: Exception) -> None:
    """Record a refused access to live updates in the audit log."""
    if not isinstance(error, (*ACCESS_REFUSED, WrongOrigin)):
        return
    address = client_address(request, services.proxies)
    services.stores.audit.note(
        AuditEntry(
            at=services.play.clock.now(),
            face=API,
            action="watch_live",
            outcome=error.code,
            actor_id=(NOBODY if principal is None else principal.actor).id,
            token="" if principal is None else principal.name,
            target="",
            origin=f"{address} {request.scope['state'][TRACE]}",
        )
    )


class _Application:
    """An ASGI application from a method, because Starlette takes a method for a handler of requests."""

    def __init__(self, serve: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._serve(scope, receive, send)


def as_request(scope: Scope) -> Request:
    """Return the request that opens a WebSocket as a plain one, for the checks and refusals of both transports."""
    return Request({**scope, "type": "http", "method": "GET"})


def _check_method(request: Request) -> None:
    if request.method != "GET":
        raise MethodNotAllowed


def _wanted(request: Request) -> SubscribeRequest:
    """Return the games and chats in the address of a stream. Raises ``InvalidRequest``."""
    query: dict[str, Any] = {name: request.query_params.getlist(name) for name in request.query_params}
    for name in query.keys() - {"ticket", "game", "chat", "cursor"}:
        raise InvalidRequest(f"Unknown parameter - at `$.{name[:40]}`")
    given = {
        "type": "subscribe",
        "games": query.get("game", []),
        "chats": query.get("chat", []),
        # A browser that connects again by itself sends the header; a page that does so can't, and sends the parameter.
        "cursor": request.headers.get("last-event-id") or request.query_params.get("cursor"),
    }
    try:
        wanted = msgspec.convert(given, SubscribeRequest, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from None
    if not wanted.games and not wanted.chats:
        raise InvalidRequest("Expected `game` or `chat` - at `$`")
    if len(request.url.query) > LARGEST_REQUEST:
        raise TooLarge(limit=LARGEST_REQUEST)
    return wanted
