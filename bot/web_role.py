"""The role ``web``: serves the HTTP API. Its modules are imported for this role alone, when the process has started."""

import asyncio
import re
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.routing import BaseRoute, Mount

from bot import VERSION
from bot.importing import imported
from bot.ingest.reads import PlainReads
from bot.ingest.webhook import Receive, Scope, Send
from bot.observe.health import Health
from bot.observe.metric_families import live_families
from bot.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.app import Enveloped
    from api.live.hub import Hub
    from api.live.principals import LiveLimits
    from bot.ingest.webhook import App

PATH = "/api"
GOODBYE_SECONDS = 1.0
"""Time that the clients of live updates get to be told that the process stops."""


class WebRole:
    """The API of a process.

    Args:
        runtime: the shared services.
        health: the state of the dependencies.
    """

    def __init__(self, runtime: Runtime, health: Health) -> None:
        self._runtime = runtime
        self._health = health
        self._made: asyncio.Task[App] | None = None
        self._hub: Hub | None = None
        self._is_plain_read: Callable[[str], bool] | None = None
        """Tells whether a path is answered with one body; None until the API is imported."""

    @property
    def route(self) -> BaseRoute:
        """The route of everything below ``/api``."""
        mount = Mount(PATH, app=self)
        # Starlette's pattern lets no line break into a path; the API answers for those addresses too.
        mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
        return mount

    @property
    def reads(self) -> PlainReads:
        """The reads that the server answers without uvicorn."""
        return PlainReads(self, PATH, self._takes)

    def _takes(self, path: str) -> bool:
        return self._is_plain_read is not None and self._is_plain_read(path.removeprefix(PATH))

    def start(self) -> None:
        """Begin to import the API, so that the first request does not wait for it, and hear of changes."""
        self._runtime.tasks.spawn("api tokens", self._runtime.play.tokens.run())
        cache = self._runtime.stores.archive.cache
        if cache is not None:
            self._runtime.tasks.spawn("query cache", cache.run())
        self._made = self._runtime.tasks.spawn("api", self._make(), vital=False)

    async def stop(self) -> None:
        """End the live connections, with the advice to connect to another process."""
        if self._hub is not None:
            await self._hub.close(GOODBYE_SECONDS)

    async def wait_ms(self, request: Request) -> int:
        """Count a request without a token against the rate of its address. Returns the time until it may be repeated.

        Pages and the API share that rate.
        """
        addresses, dispatch = await imported("api.addresses"), await imported("api.dispatch")
        address = addresses.rate_group(addresses.client_address(request, self._runtime.settings.web.proxies))
        wait: int = await self._runtime.stores.api_requests.wait_ms(
            f"@{address}", a_second=dispatch.STRANGERS_A_SECOND, burst=dispatch.STRANGERS_BURST
        )
        return wait

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as soon as the API is imported."""
        assert self._made is not None, "started before the server"
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)

    async def _make(self) -> "App":
        module, services = await imported("api.app"), await imported("api.services")
        isolation, live = await imported("questions.isolation"), await imported("api.live.hub")
        tickets = await imported("storage.live_tickets")
        await imported("uvicorn.protocols.websockets.websockets_sansio_impl")  # else the first WebSocket waits for it
        runtime, settings = self._runtime, self._runtime.settings.api
        hub = self._hub = live.make_hub(
            runtime.play, runtime.stores, self._limits(await imported("api.live.principals"))
        )
        runtime.play.tokens.on_revoked.append(hub.revoked)
        runtime.tasks.spawn("live", hub.run())
        hub.figures.lag = runtime.metrics.live_lag.add
        runtime.metrics.sources.append(lambda: live_families(hub))
        app: Enveloped = module.application(
            services.Services(
                play=runtime.play,
                stores=runtime.stores,
                telegram=runtime.telegram,
                tokens=runtime.play.tokens,
                requests=runtime.stores.api_requests,
                files=isolation.FileReader(),
                hub=hub,
                tickets=tickets.LiveTickets(runtime.stores.redis),
                health=self._report,
                observe=runtime.metrics.api_request,
                limits=services.Limits(
                    a_second=settings.requests_per_second, burst=settings.burst, reads=settings.reads_at_once
                ),
                proxies=runtime.settings.web.proxies,
                origins=settings.cors_origins,
                graphql=settings.graphql,
                version=VERSION,
                dashboard_url=runtime.settings.dashboard.url,
            )
        )
        self._is_plain_read = app.is_plain_read
        return app if runtime.tracing is None else runtime.tracing.api(app)

    def _limits(self, principals: Any) -> "LiveLimits":
        settings = self._runtime.settings.live
        limits: LiveLimits = principals.LiveLimits(
            connections=settings.max_connections,
            connections_of_one=settings.max_connections_per_token,
            subscriptions=settings.max_subscriptions,
            waiting=settings.waiting_messages,
            heartbeat_seconds=settings.heartbeat_seconds,
            lifetime_seconds=settings.lifetime_seconds,
        )
        return limits

    async def _report(self) -> dict[str, object]:
        return dict((await self._health.report()).as_dict())
