"""The API as an ASGI application: its routes, and the headers that every response has."""

import secrets
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dispatch import KEY_HEADER, TRACE, Resource, failure
from api.endpoint import Endpoint
from api.problems import NotFound
from api.services import Services
from api.table import ENDPOINTS, ROUTES

ROOT: Final = "/v1"
SMALLEST_COMPRESSED: Final = 1024
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
"""Headers of every response that does not set them itself."""


def application(services: Services) -> ASGIApp:
    """Return the application for all requests below ``/api``."""
    routes = [*_resources(services, ENDPOINTS), *(route for make in ROUTES for route in make(services))]
    router = Router(routes, redirect_slashes=False, default=_nowhere(services))
    app: ASGIApp = GZipMiddleware(router, minimum_size=SMALLEST_COMPRESSED)
    if services.origins:
        app = CORSMiddleware(
            app,
            allow_origins=services.origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", KEY_HEADER, "If-Match", "If-None-Match"),
            expose_headers=("ETag", "Link", "Location", "Retry-After", "X-Trace-Id"),
        )
    return Enveloped(app, router)


def _resources(services: Services, endpoints: Sequence[Endpoint]) -> list[BaseRoute]:
    ordered = sorted(endpoints, key=lambda endpoint: ("{" in endpoint.path, endpoint.path))
    return [
        Route(ROOT + path, Resource(services, list(of_path)))
        for path, of_path in groupby(ordered, key=lambda endpoint: endpoint.path)
    ]


def _nowhere(services: Services) -> ASGIApp:
    """Return the application for addresses that are not in the table."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4404})
            return
        response = failure(NotFound(), services, Request(scope), scope["state"][TRACE])
        await response(scope, receive, send)

    return respond


class Enveloped:
    """An application whose requests have a trace id, and whose responses have the headers of ``HEADERS``.

    WebSockets go to `websockets`, past the layers for responses.
    """

    def __init__(self, app: ASGIApp, websockets: ASGIApp) -> None:
        self._app = app
        self._websockets = websockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        trace = secrets.token_hex(4)
        scope.setdefault("state", {})[TRACE] = trace
        if scope["type"] == "websocket":  # each layer would be memory of every connection, and does nothing for it
            await self._websockets(scope, receive, send)
            return

        async def enveloped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-trace-id"] = trace
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, enveloped)
