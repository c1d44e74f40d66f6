"""A receiver of webhooks on a loopback port, which answers as a test tells it."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from play.guarded_http import AddressGuard

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """Records calls.

    Attributes:
        calls: headers and body of each call, in order.
        respond: makes the answer; None for 204.
    """

    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    respond: Respond | None = None
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=204) if self.respond is None else await self.respond(request)

    async def serve(self) -> web.AppRunner:
        """Listen on a free port."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        assert site._server is not None
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{port}/hook"
        return runner

    @staticmethod
    def guard() -> AddressGuard:
        """Return a guard that lets the loopback network be called."""
        return AddressGuard((ipaddress.ip_network("127.0.0.0/8"),))

    def answers(self, status: int, **headers: str) -> None:
        """Answer every call with a status."""

        async def respond(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

        self.respond = respond


async def never(_: web.Request) -> web.StreamResponse:
    """Give no answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def for_ever(request: web.Request) -> web.StreamResponse:
    """Give an answer without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)
