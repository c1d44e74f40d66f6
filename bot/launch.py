"""Starting a process from the command line and stopping it on a signal."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

import uvloop
from loguru import logger
from pydantic import SecretStr

from bot import VERSION, process, runtime
from bot import supervisor as workers
from bot.importing import imported
from bot.ingest.peers import WorkerSlot
from bot.observe import logs
from bot.settings import Settings, SettingsError
from handlers.kinds.registry import FACES
from storage.embedded import EmbeddedStoreError

LAST_SECONDS = 9.0
"""Time limit of a stop. After ten seconds the service manager kills the process."""
SANDBOX_FOLDER = "sandbox"
"""Subfolder of `data_dir`."""
GC_THRESHOLD = 50_000
"""Allocations between collections. aiogram's many models make each collection slow, which shows in tail latency."""


def run(settings: Settings, roles: frozenset[str], slot: WorkerSlot | None = None) -> int:
    """Run the bot until a signal. Return the exit status.

    Args:
        settings: all settings.
        roles: the roles to run, or ``all``.
        slot: position among several workers; None if this is the only process.
    """
    roles = runtime.ALL_ROLES if "all" in roles else roles
    logs.set_up_for(settings, roles)
    with _reporting(settings, roles):
        return _in_loop(_until_signal(lambda stop: _run(stop, settings, roles, slot)))


def run_workers(settings: Settings, roles: frozenset[str], count: int) -> int:
    """Run `count` processes of the bot until a signal. Return the exit status."""
    logs.set_up_for(settings)
    with _reporting(settings, roles):
        return _in_loop(_until_signal(lambda stop: _run_workers(stop, settings, roles, count)))


def sandbox(settings: Settings) -> int:
    """Run the sandbox with the bot connected to it until a signal. Return the exit status."""
    logs.set_up_for(settings)
    with _reporting(settings, ()):
        return _in_loop(_until_signal(lambda stop: _sandbox(stop, settings)))


def _reporting(settings: Settings, roles: Iterable[str]) -> contextlib.AbstractContextManager[None]:
    """Return a block during which errors are reported, if a server for that is configured."""
    dsn = settings.errors.dsn.get_secret_value()
    if not dsn:
        return contextlib.nullcontext()
    try:
        from bot.observe.errors import reporting  # noqa: PLC0415 -- an optional dependency, 0.3 s to import
    except ModuleNotFoundError as missing:
        raise SettingsError(f"errors.dsn: needs {missing.name}: pip install 'tombola[errors]'") from None
    trace_id = logs.recorded_trace(settings)
    return reporting(dsn, version=VERSION, environment=settings.environment, roles=roles, trace_id=trace_id)


def _in_loop(work: "asyncio.Future[int] | object") -> int:
    try:
        return uvloop.run(work)  # type: ignore[arg-type]
    except* (SettingsError, EmbeddedStoreError) as errors:
        for error in _leaves(errors):
            print(f"tombola: {error}", file=sys.stderr)  # noqa: T201 -- the one line that the operator reads
    except* Exception as bugs:  # noqa: BLE001 -- logged here, because Python's own traceback would not hide secrets
        for bug in _leaves(bugs):
            logger.opt(exception=bug).critical("an unexpected error ends the process")
    return 1


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


class _Stop:
    """A request to stop, made by a signal or by the end of the parent process."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._starting = asyncio.current_task()
        """The task that starts the process; None once the process runs."""

    def request(self) -> None:
        """Stop in order within `LAST_SECONDS`. If the process is still starting, cancel the start."""
        if self.event.is_set():
            return
        self.event.set()
        asyncio.get_running_loop().call_later(LAST_SECONDS, _end, 0)
        if self._starting is not None:
            self._starting.cancel()

    def started(self) -> None:
        """Let later requests only set the event: the process runs now and watches it."""
        self._starting = None


async def _until_signal(work: Callable[[_Stop], Awaitable[int]]) -> int:
    """Run the process. Return its exit status; 0 if a signal has ended its start."""
    stop, loop = _Stop(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request)
    try:
        return await work(stop)
    except asyncio.CancelledError:
        if stop.event.is_set():
            return 0
        raise


def _calm_collector() -> None:
    """Exclude the objects of the start from garbage collection, because they live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


async def _until_stopped(stop: _Stop, running: process.RunningBot) -> int:
    stop.started()
    _calm_collector()
    waits = [asyncio.ensure_future(stop.event.wait()), asyncio.ensure_future(running.failed.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    status = 1 if running.failed.is_set() else 0
    logger.info("stopping")
    if not stop.event.is_set():  # a signal has already set this timer
        asyncio.get_running_loop().call_later(LAST_SECONDS, _end, status)
    return status


def _end(status: int) -> None:
    """Exit although stores or Telegram block an orderly stop.

    Unfinished work is durable; other processes continue it.
    """
    logger.warning("the process did not stop in order within {:.0f} s; exiting at once", LAST_SECONDS)
    os._exit(status)


async def _run_workers(stop: _Stop, settings: Settings, roles: frozenset[str], count: int) -> int:
    return await workers.supervise(settings, roles, count, stop.event)


async def _run(stop: _Stop, settings: Settings, roles: frozenset[str], slot: WorkerSlot | None) -> int:
    if slot is not None:
        workers.stop_with_parent(stop.request)
    async with process.running(settings, roles, slot=slot) as running:
        if roles == {"web"}:  # a process with other roles too must be on time
            give_way(settings.api.niceness)
        if slot is not None:
            slot.ready.touch()
        logger.info(
            "@{} runs ({}), health and metrics on http://{}:{}",
            running.bot_username,
            ", ".join(sorted(roles)),
            settings.web.host,
            running.port,
        )
        return await _until_stopped(stop, running)


def give_way(niceness: int) -> None:
    """Lower the priority of this process to a niceness, unless it is as low already."""
    os.nice(max(0, niceness - os.nice(0)))


def free_port(host: str, wanted: int = 0) -> int:
    """Return a port of this machine that is free now: the wanted one, or any."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((host, port)) as listener:
            return int(listener.getsockname()[1])
    raise SettingsError(f"web.host: no port of {host} is free")


FIRST_PERSON: Final = 1001
"""The person of the sandbox that is its operator, unless the settings name others."""


def offline_settings(settings: Settings, token: str, api_base: str) -> Settings:
    """Return the settings of the sandbox's bot, which shares no data with a real bot.

    Its embedded stores are in a separate folder, and configured stores are ignored. The chats and people of the sandbox
    must never appear beside real ones, and a real bot must not edit messages of the sandbox. Its Mini App is shown on
    the sandbox's phones, and has the port after that of the sandbox, so that both can be published from a container.
    """
    telegram, web = settings.telegram, settings.web
    base = urlsplit(api_base)
    port = free_port(web.host, (base.port or -1) + 1)
    by_name = api_base.replace("//127.0.0.1:", "//localhost:")  # another origin to browsers, the same page to people
    # A server on all addresses is opened by any of them, which only the person's browser knows.
    anywhere = web.host in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not listened on
    framed_by = (f"http://*:{base.port}",) if anywhere else (api_base, by_name)
    host = f"[{web.host}]" if ":" in web.host else web.host
    return settings.model_copy(
        update={
            "telegram": telegram.model_copy(
                update={
                    "token": SecretStr(token),
                    "api_base": api_base,
                    "mode": "polling",
                    "operators": telegram.operators or (FIRST_PERSON,),
                }
            ),
            "web": web.model_copy(update={"port": port}),
            "app": settings.app.model_copy(
                update={"url": f"http://{host}:{port}/app/", "short_name": "play", "framed_by": framed_by}
            ),
            "dashboard": settings.dashboard.model_copy(update={"url": f"http://{host}:{port}/dashboard/"}),
            "data_dir": settings.data_dir / SANDBOX_FOLDER,
            "database": settings.database.model_copy(update={"dsn": SecretStr("")}),
            "redis": settings.redis.model_copy(update={"dsn": SecretStr("")}),
        }
    )


async def _sandbox(stop: _Stop, settings: Settings) -> int:
    await imported("bot.lazy_aiogram")
    from sandbox.app import serve  # noqa: PLC0415 -- a real bot does not need it

    web = settings.web
    async with contextlib.AsyncExitStack() as stack:
        try:
            box = await stack.enter_async_context(serve(web.host, web.port, demo=True))
        except OSError as error:
            raise SettingsError(f"web.port: {web.host}:{web.port} can't be listened on: {error.strerror}") from None
        box.players.moves = [face.moves for face in FACES.values()]
        offline = offline_settings(settings, box.token, box.url)
        box.world.app_url = offline.app.url
        running = await stack.enter_async_context(process.running(offline, anew=True))
        print(f"\n  Tombola's sandbox: {box.url}\n", flush=True)  # noqa: T201 -- the address to open
        logger.info("HTTP API, health and metrics of the bot on http://{}:{}", web.host, running.port)
        return await _until_stopped(stop, running)
