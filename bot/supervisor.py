"""Several worker processes on one machine: starts, watches, restarts and stops them together.

The parent runs the embedded stores, if any, and reserves the port. The children do the work.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

from loguru import logger

from bot.ingest.peers import WorkerSlot
from bot.settings import Settings, SettingsError
from storage.embedded import stores

SHORT = "/tmp"  # noqa: S108 -- the folder in it gets a random name and is private
"""The parent of the workers' sockets. Their paths may have about a hundred bytes, which a long TMPDIR would use up."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Pauses in seconds before a dead worker is restarted; each doubles the previous one."""
SOUND_SECONDS = 60.0
"""Running time after which a worker that dies restarts with the shortest pause."""
STOP_SECONDS = 7.0
"""Time limit of a worker's stop. The stores must stop too before the service manager kills everything after 10 s."""
PARENT = 0
"""File descriptor on which a worker notices the end of its parent: standard input."""


async def supervise(settings: Settings, roles: frozenset[str], count: int, stop: asyncio.Event) -> int:
    """Keep `count` workers running until `stop` is set. Return the exit status.

    If a worker dies before it has ever become ready, all stop and its status is returned.

    Raises:
        SettingsError: the port is taken.
    """
    dsns = settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value()
    with tempfile.TemporaryDirectory(prefix="tombola-", dir=SHORT) as folder, _reserved(settings) as port:
        async with stores(settings.data_dir, *dsns) as (postgres, redis):
            environment = {
                **os.environ,
                "TOMBOLA_DATABASE__DSN": postgres,
                "TOMBOLA_REDIS__DSN": redis,
                "TOMBOLA_WEB__PORT": str(port),
            }
            workers = [
                ChildProcess(WorkerSlot(index, count, Path(folder)), roles, environment) for index in range(count)
            ]
            logger.info("{} workers share port {}", count, port)
            return await _together(workers, stop)


async def _together(workers: "list[ChildProcess]", stop: asyncio.Event) -> int:
    keeping = [asyncio.ensure_future(worker.keep()) for worker in workers]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([stopping, *keeping], return_when=asyncio.FIRST_COMPLETED)
        return next((task.result() for task in keeping if task.done()), 0)
    finally:
        for task in (stopping, *keeping):
            task.cancel()
        await asyncio.wait([stopping, *keeping])


@contextlib.contextmanager
def _reserved(settings: Settings) -> Iterator[int]:
    """Reserve the port for the workers by binding it without listening. Yields its number."""
    host, port = settings.web.host, settings.web.port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            with socket.socket(kept.family) as alone:  # SO_REUSEPORT alone would not reveal a foreign listener
                alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                alone.bind((host, port))
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            kept.bind((host, port))
        except OSError as error:
            raise SettingsError(f"web.port: {host}:{port} can't be listened on: {error.strerror}") from None
        yield int(kept.getsockname()[1])


class ChildProcess:
    """A worker process and its restarts."""

    def __init__(self, slot: WorkerSlot, roles: frozenset[str], environment: Mapping[str, str]) -> None:
        self._slot = slot
        self._environment = environment
        given = [part for role in sorted(roles) for part in ("--role", role)]
        place = ["--slot", f"{slot.index}/{slot.count}", "--folder", str(slot.folder)]
        self._command = [sys.executable, "-m", "bot", "run", *given, *place]

    async def keep(self) -> int:
        """Run the worker and restart it until cancelled. Return its exit status if it has never become ready."""
        pause, has_run = FIRST_PAUSE, False
        while True:
            began = time.monotonic()
            self._slot.ready.unlink(missing_ok=True)
            async with self._running() as process:
                status = await process.wait()
            has_run = has_run or self._slot.ready.exists()
            if not has_run:
                return status or 1
            if time.monotonic() - began > SOUND_SECONDS:
                pause = FIRST_PAUSE
            logger.error("worker {} exited with status {}; restarting it in {:.1f} s", self._slot.index, status, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Start the process and stop it at the end of the block."""
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, env=self._environment, start_new_session=True
        )
        try:
            yield process
        finally:
            await _stopped(process)


async def _stopped(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def stop_with_parent(stop: Callable[[], object]) -> None:
    """Call `stop` when the parent has ended without a signal to this worker."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(PARENT, 1024):
            loop.remove_reader(PARENT)
            stop()

    loop.add_reader(PARENT, readable)
