"""The owner of every detached task of a process."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from loguru import logger

ASK_AGAIN_SECONDS = 6.0
"""Longer than any task takes to end in good order."""


class Tasks:
    """Starts tasks, notices their unexpected end, and cancels and awaits them all at shutdown.

    Nothing is restarted here: what may fail and go on handles that itself, and an end that nobody foresaw is for the
    process to decide about.

    Args:
        on_death: called with the task's name and its error, once for each task that failed.
    """

    def __init__(self, on_death: Callable[[str, BaseException], None]) -> None:
        self._on_death = on_death
        self._running: set[asyncio.Task[Any]] = set()
        self._brief: set[asyncio.Task[Any]] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, name: str, work: Coroutine[Any, Any, Any], *, brief: bool = False) -> asyncio.Task[Any]:
        """Run `work` in a task of its own. Raises RuntimeError once `close` has begun.

        `brief`: it ends soon by itself, and somebody waits for what it does: `settle` lets it.
        """
        if self._closing:
            work.close()
            raise RuntimeError(f"{name} can't start: the process is stopping")
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        if brief:
            self._brief.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self, *names: str) -> None:
        """Cancel the tasks of these names and wait until they have ended."""
        stopping = {task for task in self._running if task.get_name() in names}
        for task in stopping:
            task.cancel()
        if stopping:
            await asyncio.wait(stopping, timeout=ASK_AGAIN_SECONDS)

    async def settle(self, seconds: float) -> None:
        """Let brief tasks come to their end, those that they start included; so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._brief:
                    await asyncio.wait(self._brief)
                    await asyncio.sleep(0)  # it leaves the set a turn of the loop later

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended. New ones are refused from now on."""
        self._closing = True
        while self._running:
            for task in self._running:
                task.cancel()
            # Asked again after a while: up to Python 3.11 a cancellation can be swallowed (see `heed_cancellation`).
            await asyncio.wait(self._running, timeout=ASK_AGAIN_SECONDS)
            # A task leaves the set in its done callback, which runs a turn of the loop later.
            await asyncio.sleep(0)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._brief.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            logger.opt(exception=error).error("task {} died", task.get_name())
            self._on_death(task.get_name(), error)
