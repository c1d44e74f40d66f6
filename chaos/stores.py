"""The two stores as victims: real embedded servers that are killed, paused, stopped and restarted."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from storage.embedded import embedded_postgres, embedded_redis

LAST_BREATH_SECONDS = 5.0


class Store:
    """One server, across restarts. Its address stays the same."""

    def __init__(self, name: str, directory: Path, make: Callable[[], AbstractAsyncContextManager[str]]) -> None:
        self.name = name
        self.dsn = ""
        self.kills = 0
        self._lock = directory / "run" / f"{name}.lock"
        self._make = make
        self._running: AbstractAsyncContextManager[str] | None = None

    async def start(self) -> None:
        """Start the server and wait until it answers."""
        if self._running is None:
            self._running = self._make()
            self.dsn = await self._running.__aenter__()

    async def stop(self) -> None:
        """Stop the server gracefully."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.__aexit__(None, None, None)

    async def kill(self) -> None:
        """Kill the server (SIGKILL), and keep it down until `start`."""
        pid = self.pid
        if pid and self._running is not None:
            self.kills += 1
            for each in [pid, *_children(pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        await self.stop()

    def pause(self) -> None:
        """Pause all processes of the server (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume all processes of the server (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        for each in [pid, *_children(pid)] if pid else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, number)

    @property
    def pid(self) -> int:
        """Return the server's process id; 0 if there is none."""
        try:
            text = self._lock.read_text()
        except OSError:
            return 0
        pid = int(text) if text.isdigit() else 0
        return pid if pid and Path(f"/proc/{pid}").exists() and self._running is not None else 0


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def redis(directory: Path) -> Store:
    """Return a Redis that syncs at every write."""
    return Store("redis", directory, lambda: embedded_redis(directory))


def postgres(directory: Path) -> Store:
    """Return a PostgreSQL with production durability."""
    return Store("postgres", directory, lambda: embedded_postgres(directory))


async def both(directory: Path) -> tuple[Store, Store]:
    """Return PostgreSQL and Redis, started concurrently."""
    found = postgres(directory), redis(directory)
    await asyncio.gather(*(store.start() for store in found))
    return found
