"""The route of GraphQL. Strawberry and the modules that use it are imported at the first request, in a thread."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from loguru import logger
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.endpoint import Endpoint
from api.services import Services

PATH: Final = "/graphql"


def routes(endpoints: Sequence[Endpoint], services: Services) -> Sequence[BaseRoute]:
    """Return the route of GraphQL; none if it is switched off or its library is not installed."""
    if not services.graphql:
        return ()
    if find_spec("strawberry") is None:
        logger.warning("no GraphQL: the optional dependency `tombola[graphql]` is not installed")
        return ()
    entry = Entry(endpoints, services)
    return (Route(PATH, entry), WebSocketRoute(PATH, entry))


class Entry:
    """The application of GraphQL, which is imported when it is first asked."""

    def __init__(self, endpoints: Sequence[Endpoint], services: Services) -> None:
        self._endpoints = endpoints
        self._services = services
        self._apps: Mapping[str, ASGIApp] | None = None
        """Type of a connection -> its application."""
        self._importing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        async with self._importing:
            if self._apps is None:
                self._apps = await asyncio.to_thread(self._made)
        await self._apps[scope["type"]](scope, receive, send)

    def _made(self) -> Mapping[str, ASGIApp]:
        reads, live = import_module("api.graphql.server"), import_module("api.graphql.subscriptions")
        return {
            "http": reads.Server(self._endpoints, self._services),
            "websocket": live.Subscriptions(self._services),
        }
