"""Subscriptions of GraphQL by WebSocket (graphql-transport-ws): the live updates of ``api.live``, and nothing else.

The schema of WebSockets has one subscription and no reads, so the limits on queries need not be repeated here.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import msgspec
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.extensions import MaxTokensLimiter
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import Info

from api.dispatch import (
    ACCESS_REFUSED,
    STRANGERS_A_SECOND,
    STRANGERS_BURST,
    TRACE,
    bearer,
    count,
    problem_of,
    refused,
)
from api.graphql.limits import MOST_TOKENS
from api.graphql.schema import Long, long_scalar
from api.live.hub import OF_TOKEN, Principal
from api.live.hub import Subscription as Watched
from api.problems import InvalidRequest
from api.services import Services
from fsm.kind import UnknownGame
from play.tokens import NotAuthenticated, actor_of
from storage.keys import is_game_id

INIT_SECONDS: Final = 10
"""Time in which a client names its token or ticket."""
MOST_AT_ONCE: Final = 10
"""Subscriptions of one connection."""
ACTION: Final = "watch_live"
HIGHEST_CHAT: Final = 2**52
LONGEST_TICKET: Final = 100


@dataclass(kw_only=True)
class Watcher:
    """A connection.

    Attributes:
        services: the services of the process.
        request: the request that became the WebSocket.
        connection_params: the payload of ``connection_init``, which Strawberry sets.
        principal: the client, once it is known.
    """

    services: Services
    request: Request
    connection_params: Mapping[str, Any] | None = None
    principal: Principal | None = None

    @property
    def trace(self) -> str:
        """The trace id."""
        trace: str = self.request.scope["state"][TRACE]
        return trace

    async def identify(self) -> Principal:
        """Return the client of a new connection, by a ticket or a token. Raises refusals."""
        given = self.connection_params or {}
        if isinstance(given.get("ticket"), str):
            holder = await self.services.tickets.take(given["ticket"][:LONGEST_TICKET])
            principal = None if holder is None else await self.services.hub.principal(holder.kind, holder.name)
            if principal is None:
                raise NotAuthenticated
            return principal
        named = given.get("authorization")
        headers = {"authorization": named} if isinstance(named, str) else self.request.headers
        token = await self.services.tokens.check(bearer(headers))
        return Principal(OF_TOKEN, token.prefix, actor_of(token))

    async def still(self) -> Principal:
        """Return the client as it is now: a token may have been revoked since. Raises ``NotAuthenticated``."""
        assert self.principal is not None, "nobody subscribes before the connection is acknowledged"
        now = await self.services.hub.principal(self.principal.kind, self.principal.name)
        if now is None:
            raise NotAuthenticated
        limits = self.services.limits
        await count(self.services, now.name, limits.a_second, limits.burst)
        return now

    async def subscribe(self, games: Collection[str], chats: Collection[int], cursor: str | None) -> Watched:
        """Watch games and chats. Raises the refusals of ``Hub.subscribe``."""
        principal = await self.still()
        if not all(map(is_game_id, games)):
            raise UnknownGame
        if any(abs(chat_id) > HIGHEST_CHAT for chat_id in chats):
            raise InvalidRequest("Expected an id of a chat - at `$.chats`")
        return await self.services.hub.subscribe(principal, games=games, chats=chats, cursor=cursor)

    def refusal(self, error: Exception) -> GraphQLError:
        """Return the error that tells a client of a refusal; a bug is logged, and shown as such."""
        if isinstance(error, ACCESS_REFUSED):
            self.services.stores.audit.note(refused(ACTION, self.services, self.request, error, self.trace))
        problem, _ = problem_of(error, self.services, self.request, self.trace)
        extensions = {name: value for name, value in msgspec.to_builtins(problem).items() if name != "detail"}
        return GraphQLError(problem.detail, extensions=extensions)


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
        raise watcher.refusal(error) from None
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

    reads: str = "/api/graphql"


@strawberry.type
class Subscription:
    """All that can be watched."""

    live: AsyncGenerator[JSON, None] = strawberry.subscription(resolver=live)


class Quiet(strawberry.Schema):
    """A schema that logs no errors: `Watcher.refusal` does."""

    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Do nothing."""


class Subscriptions:
    """WebSockets of GraphQL as an ASGI application.

    Args:
        services: the services of the process.
    """

    def __init__(self, services: Services) -> None:
        schema = Quiet(
            Query,
            subscription=Subscription,
            config=StrawberryConfig(scalar_map={Long: long_scalar()}),
            extensions=[lambda: MaxTokensLimiter(MOST_TOKENS)],
        )
        self._app = _Protocol(schema, services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._app(scope, receive, send)


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
        )
        self._services = services

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Watcher:
        del response
        return Watcher(services=self._services, request=Request({**request.scope, "type": "http", "method": "GET"}))

    async def on_ws_connect(self, context: Watcher) -> None:
        try:
            context.principal = await context.identify()
        except NotAuthenticated as error:
            client = context.request.client
            address = client.host if client is not None else ""
            context.refusal(error)
            await count(self._services, f"@{address}", STRANGERS_A_SECOND, STRANGERS_BURST)
            raise ConnectionRejectionError from None
