"""The route of GraphQL. Strawberry and the modules that use it are imported at the first request, in a thread."""

import asyncio
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from loguru import logger
from starlette.routing import BaseRoute, Route
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
    return (Route(PATH, Entry(endpoints, services)),)


class Entry:
    """The application of GraphQL, which is imported when it is first asked."""

    def __init__(self, endpoints: Sequence[Endpoint], services: Services) -> None:
        self._endpoints = endpoints
        self._services = services
        self._app: ASGIApp | None = None
        self._importing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        async with self._importing:
            if self._app is None:
                module = await asyncio.to_thread(partial(import_module, "api.graphql.server"))
                self._app = module.Server(self._endpoints, self._services)
        await self._app(scope, receive, send)
