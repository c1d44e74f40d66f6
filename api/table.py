"""The table of all endpoints, and the routes that are no endpoints.

A module of the API has a list ``ENDPOINTS``, and is added here. Routes with a protocol of their own, such as GraphQL
and WebSockets, are made by functions from the services to Starlette's routes, listed in ``ROUTES``.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from starlette.routing import BaseRoute

from api import (
    chats,
    dashboard,
    figures,
    flags,
    games,
    jobs,
    operations,
    packs,
    personal_data,
    public,
    records,
    recurring,
    sessions,
    tokens,
    webhooks,
)
from api.endpoint import Endpoint
from api.graphql.entry import routes as graphql_routes
from api.live import server as live
from api.live import tickets
from api.reference import with_reference
from api.services import Services

ENDPOINTS: Final[Sequence[Endpoint]] = with_reference(
    (
        *games.ENDPOINTS,
        *records.ENDPOINTS,
        *chats.ENDPOINTS,
        *recurring.ENDPOINTS,
        *figures.ENDPOINTS,
        *public.ENDPOINTS,
        *personal_data.ENDPOINTS,
        *packs.ENDPOINTS,
        *operations.ENDPOINTS,
        *jobs.ENDPOINTS,
        *webhooks.ENDPOINTS,
        *sessions.ENDPOINTS,
        *dashboard.ENDPOINTS,
        *tokens.ENDPOINTS,
        *flags.ENDPOINTS,
        *tickets.ENDPOINTS,
    )
)
"""All endpoints."""

ROUTES: Final[Sequence[Callable[[Services], Sequence[BaseRoute]]]] = (
    partial(graphql_routes, ENDPOINTS),
    live.routes,
)
"""Makers of the other routes. Their paths begin below ``/api``."""
