"""Subscriptions of GraphQL by WebSocket (graphql-transport-ws): the live updates of ``api.live``, and nothing else.

The schema of WebSockets has one subscription and no reads, so the limits on queries need not be repeated here.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.extensions import MaxTokensLimiter
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import Info

from api.addresses import client_address, rate_group
from api.dispatch import STRANGERS_A_SECOND, STRANGERS_BURST, TRACE, bearer, count, problem_of
from api.graphql.limits import MOST_TOKENS
from api.graphql.schema import Long, long_scalar
from api.live.principals import NOT_AUTHENTICATED, OF_TOKEN, UNAVAILABLE, Principal
from api.live.server import CLOSE_CODES, GONE, POLICY_VIOLATION, as_request, record_refusal
from api.live.subscription import Subscription as Watched
from api.problems import InvalidRequest, WrongOrigin
from api.services import Services
from fsm.engine import Unavailable
from fsm.kind import UnknownGame
from play.tokens import NotAuthenticated, actor_of
from storage.keys import is_game_id

INIT_SECONDS: Final = 10
"""Time in which a client names its token or ticket."""
MOST_AT_ONCE: Final = 10
"""Subscriptions of one connection."""
HIGHEST_CHAT: Final = 2**52
LONGEST_TICKET: Final = 100
FORBIDDEN: Final = 4403
"""Close code of the protocol for a client without a valid token or ticket."""
WATCHER: Final = "watcher"
"""Key of the `Watcher` in the state of a connection's scope."""


class Watcher:
    """A connection and its client.

    Once the client is known, the connection itself is a subscription to nothing. So it counts against the limits of
    live updates, and ends as they do: when its token is revoked, after its lifetime, and when the process stops.
    """

    def __init__(self, services: Services, scope: Scope, receive: Receive, send: Send) -> None:
        self.services = services
        self.connection_params: Mapping[str, Any] | None = None
        """Payload of ``connection_init``, which Strawberry sets."""
        self._request = as_request(scope)
        self._trace: str = scope["state"][TRACE]
        self._receive = receive
        self._send = send
        self._presence: Watched | None = None
        self._closed = False
        self._known = asyncio.Event()

    # -- the connection -----------------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next message. Each counts against the rate of the client, which is cut off beyond it."""
        message = await self._receive()
        if message["type"] != "websocket.receive" or self._presence is None:
            return message
        limits = self.services.limits
        try:
            await count(self.services, self._presence.principal.name, limits.a_second, limits.burst)
        except Exception as error:  # noqa: BLE001 -- every error has a close code; a bug is logged there
            await self.close(error)
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
        return message

    async def send(self, message: Message) -> None:
        """Send a message, unless the connection was closed meanwhile."""
        if not self._closed:
            self._closed = message["type"] == "websocket.close"
            await self._send(message)

    async def close(self, error: Exception) -> None:
        """Close the connection because of an error."""
        code, reason = self.refusal(error)
        await self.send({"type": "websocket.close", "code": code, "reason": reason.extensions["code"]})

    async def close_when_ended(self) -> None:
        """Wait for the end of the connection's time, and close it with the code of live updates."""
        await self._known.wait()
        if self._presence is None:
            return
        async for _ in self._presence:
            pass
        closing = self._presence.closing
        if closing is not None and closing is not GONE:
            code = CLOSE_CODES.get(closing.code, POLICY_VIOLATION)
            await self.send({"type": "websocket.close", "code": code, "reason": closing.code})

    def leave(self) -> None:
        """Forget the client, which has gone."""
        self._closed = True
        if self._presence is not None:
            self._presence.end(GONE)
            self.services.hub.unsubscribe(self._presence)
        self._known.set()

    # -- the client ---------------------------------------------------------------------------------------------

    async def enter(self) -> None:
        """Identify the client of a new connection. Raises refusals."""
        try:
            principal = await self._identified()
        except NotAuthenticated:
            address = rate_group(client_address(self._request, self.services.proxies))
            await count(self.services, f"@{address}", STRANGERS_A_SECOND, STRANGERS_BURST)
            raise
        self._presence = self.services.hub.open(principal)
        self._known.set()

    async def _identified(self) -> Principal:
        """Return the client, by a ticket or a token."""
        given, services = self.connection_params or {}, self.services
        ticket, named = given.get("ticket"), given.get("authorization")
        if isinstance(ticket, str):
            holder = await services.tickets.take(ticket[:LONGEST_TICKET])
            principal = None if holder is None else await services.hub.principal(holder.kind, holder.name)
            if principal is None:
                raise NotAuthenticated
            return principal
        headers = {"authorization": named} if isinstance(named, str) else self._request.headers
        token = await services.tokens.check(bearer(headers))
        return Principal(OF_TOKEN, token.prefix, actor_of(token))

    async def subscribe(self, games: Collection[str], chats: Collection[int], cursor: str | None) -> Watched:
        """Watch games and chats. Raises the refusals of ``Hub.subscribe``."""
        assert self._presence is not None, "nobody subscribes before the connection is acknowledged"
        known, hub = self._presence.principal, self.services.hub
        principal = await hub.principal(known.kind, known.name)
        if principal is None:  # the token was revoked, and this process has not heard of it yet
            raise NotAuthenticated
        if not all(map(is_game_id, games)):
            raise UnknownGame
        if any(abs(chat_id) > HIGHEST_CHAT for chat_id in chats):
            raise InvalidRequest("Expected an id of a chat - at `$.chats`")
        if not games and not chats:
            raise InvalidRequest("Expected `games` or `chats` - at `$`")
        return await hub.subscribe(principal, games=games, chats=chats, cursor=cursor)

    # -- refusals -----------------------------------------------------------------------------------------------

    def refusal(self, error: Exception) -> tuple[int, "_Refusal"]:
        """Return the close code and the description of an error. Record a refused access; log a bug."""
        principal = None if self._presence is None else self._presence.principal
        record_refusal(self.services, self._request, principal, error)
        problem, _ = problem_of(error, self.services, self._request, self._trace)
        code = POLICY_VIOLATION
        if isinstance(error, NotAuthenticated):
            code = FORBIDDEN if self._presence is None else CLOSE_CODES[NOT_AUTHENTICATED]
        elif isinstance(error, Unavailable):
            code = CLOSE_CODES[UNAVAILABLE]
        extensions = {name: value for name, value in msgspec.to_builtins(problem).items() if name != "detail"}
        return code, _Refusal(problem.detail, extensions)


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The text of a refusal, and the other fields of its problem."""

    detail: str
    extensions: dict[str, Any]


async def live(
    info: Info[Watcher, None],
    games: list[str] | None = None,
    chats: list[Long] | None = None,
    cursor: str | None = None,
) -> AsyncGenerator[JSON, None]:
    """Watch games and chats. The batches are those of `/api/v1/live`.

    First come the snapshots, or with a cursor the events since then.
    """
    watcher = info.context
    hub = watcher.services.hub
    try:
        subscription = await watcher.subscribe(games or (), chats or (), cursor)
    except Exception as error:  # noqa: BLE001 -- every error has a problem; a bug is logged there
        _, refusal = watcher.refusal(error)
        raise GraphQLError(refusal.detail, extensions=refusal.extensions) from None
    hub.figures.open["graphql"] += 1
    try:
        async for frame in subscription:
            yield JSON(msgspec.json.decode(frame.json))
        if subscription.closing is not None:
            yield JSON({"cursor": None, "messages": [msgspec.to_builtins(subscription.closing)]})
    finally:
        hub.figures.open["graphql"] -= 1
        hub.unsubscribe(subscription)


@strawberry.type
class Query:
    """WebSockets have no reads."""

    @strawberry.field
    def reads(self) -> str:
        """Return the address of the reads."""
        return "/api/graphql"


@strawberry.type
class Subscription:
    """All that can be watched."""

    live: AsyncGenerator[JSON, None] = strawberry.subscription(resolver=live)


class QuietSchema(strawberry.Schema):
    """A schema that logs no errors: `Watcher.refusal` does."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Do nothing."""


class Subscriptions:
    """WebSockets of GraphQL as an ASGI application.

    Args:
        services: the services of the process.
    """

    def __init__(self, services: Services) -> None:
        schema = QuietSchema(
            Query,
            subscription=Subscription,
            config=StrawberryConfig(scalar_map={Long: long_scalar()}),
            extensions=[lambda: MaxTokensLimiter(MOST_TOKENS)],
        )
        self._services = services
        self._app = _Protocol(schema, services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        watcher = scope["state"][WATCHER] = Watcher(self._services, scope, receive, send)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watcher.close_when_ended())
            try:
                await self._app(scope, watcher.receive, watcher.send)
            finally:
                watcher.leave()


class _Protocol(GraphQL[Watcher, None]):
    """Strawberry's implementation of the protocol, with our tokens and tickets."""

    def __init__(self, schema: strawberry.Schema, services: Services) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=MOST_AT_ONCE,
            allowed_origins=services.origins,
        )
        self._services = services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Watcher:
        del response
        watcher: Watcher = request.scope["state"][WATCHER]
        return watcher

    async def reject_websocket(self, request: WebSocket) -> WebSocket:
        record_refusal(self._services, as_request(request.scope), None, WrongOrigin())
        return await super().reject_websocket(request)

    async def on_ws_connect(self, context: Watcher) -> None:
        try:
            await context.enter()
        except Exception as error:  # noqa: BLE001 -- every error has a close code; a bug is logged there
            await context.close(error)
            raise ConnectionRejectionError from None
