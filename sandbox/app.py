"""Assembly of the sandbox: the ASGI application, and a server for tests and for `python -m bot sandbox`."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.bot_api import BotApi, not_found
from sandbox.control import Control
from sandbox.control_http import control_routes, page
from sandbox.players import Players
from sandbox.state import Chat
from sandbox.webhooks import Delivery
from sandbox.world import World, steady

PAGE = Path(__file__).parent / "page"
STOP_SECONDS = 2


@dataclass(slots=True)
class Box:
    """A running sandbox: its address, the bot's token, and its controls."""

    url: str
    world: World
    control: Control
    players: Players
    group: Chat | None

    @property
    def token(self) -> str:
        """Return the bot's token."""
        return self.world.token


def create_app(world: World, players: Players | None = None, *, webhook_backoff: float = 2.0) -> Starlette:
    """Build the Bot API, the control surface and the page on one world."""
    control = Control(world)
    api = BotApi(world)
    world.delivery = Delivery(world.updates, world.changes, world.now, api.execute, backoff=webhook_backoff)
    methods = ["GET", "POST"]
    app = Starlette(
        routes=[
            Route("/", page),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount("/sandbox", routes=control_routes(control, players or Players(control, world.rng))),
            Route("/bot{token}/{method}", api.endpoint, methods=methods),
            Route("/file/bot{token}/{path:path}", api.file),
            Route("/{path:path}", not_found, methods=methods),
        ]
    )
    app.state.world = world
    return app


def demo_group(control: Control) -> Chat:
    """Create the first group of a new sandbox: Ann (its creator), Boris, Chloé and the bot."""
    ann = control.add_user("Ann", last_name="Archer", username="ann_archer")
    boris = control.add_user("Борис", last_name="Белов", username="boris_b", language="ru")
    chloe = control.add_user("Chloé", last_name="Martin", username="chloe_m")
    return control.add_group("Friday games", ann, [boris, chloe])


class _Server(uvicorn.Server):
    """Uvicorn that leaves the handling of signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    now: Callable[[], float] = steady,
    rng: random.Random | None = None,
    limits: bool = True,
    demo: bool = False,
    token: str | None = None,
    webhook_backoff: float = 2.0,
) -> AsyncIterator[Box]:
    """Run a sandbox during the block. Port 0 takes a free port; `now` returns unix seconds."""
    world = World(now, rng=rng, token=token)
    world.limits.enabled = limits
    control = Control(world)
    players = Players(control, world.rng)
    app = create_app(world, players, webhook_backoff=webhook_backoff)
    group = demo_group(control) if demo else None
    listener = socket.create_server((host, port))
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it every answer waits 40 ms for an ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, ws="none", timeout_graceful_shutdown=STOP_SECONDS
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="sandbox server")
    closing = asyncio.create_task(_close_polls(world), name="sandbox polls")
    try:
        yield Box(f"http://{host}:{listener.getsockname()[1]}", world, control, players, group)
    finally:
        closing.cancel()
        await players.stop()
        if world.delivery:
            await world.delivery.stop()
        world.close()
        server.should_exit = True
        await asyncio.gather(serving, closing, return_exceptions=True)


async def _close_polls(world: World) -> None:
    """Close polls on time by the world's clock. A simulated clock announces its moves as changes."""
    while True:
        due = world.next_deadline()
        # The minimum keeps rounding from turning this into a busy loop.
        wait = None if due is None else max(0.01, due - world.now())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await world.changes.next()
        world.close_due_polls()
