"""The role ``web``: serves the HTTP API. Its modules are imported for this role alone, when the process has started."""

import asyncio
import re
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Mount

from bot import VERSION
from bot.importing import imported
from bot.ingest.webhook import Receive, Scope, Send
from bot.observe.health import Health
from bot.runtime import Runtime

if TYPE_CHECKING:
    from bot.ingest.webhook import App

PATH = "/api"


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

    @property
    def route(self) -> BaseRoute:
        """The route of everything below ``/api``."""
        mount = Mount(PATH, app=self)
        # Starlette's pattern lets no line break into a path; the API answers for those addresses too.
        mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
        return mount

    def start(self) -> None:
        """Begin to import the API, so that the first request does not wait for it, and hear of changes."""
        self._runtime.tasks.spawn("api tokens", self._runtime.play.tokens.run())
        cache = self._runtime.stores.archive.cache
        if cache is not None:
            self._runtime.tasks.spawn("query cache", cache.run())
        self._made = self._runtime.tasks.spawn("api", self._make(), vital=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as soon as the API is imported."""
        assert self._made is not None, "started before the server"
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)

    async def _make(self) -> "App":
        module, services = await imported("api.app"), await imported("api.services")
        isolation = await imported("questions.isolation")
        runtime, settings = self._runtime, self._runtime.settings.api
        app: App = module.application(
            services.Services(
                play=runtime.play,
                stores=runtime.stores,
                telegram=runtime.telegram,
                tokens=runtime.play.tokens,
                requests=runtime.stores.api_requests,
                files=isolation.FileReader(),
                health=self._report,
                observe=runtime.metrics.api_request,
                limits=services.Limits(a_second=settings.requests_per_second, burst=settings.burst),
                proxies=runtime.settings.web.proxies,
                origins=settings.cors_origins,
                graphql=settings.graphql,
                version=VERSION,
            )
        )
        return app if runtime.tracing is None else runtime.tracing.api(app)

    async def _report(self) -> dict[str, object]:
        return dict((await self._health.report()).as_dict())
