"""The owner of every detached task of a process."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from loguru import logger

T = TypeVar("T")

ASK_AGAIN_SECONDS = 6.0
"""Longer than any task takes to end in good order."""


class Tasks:
    """Starts tasks, notices their unexpected end, and cancels and awaits them all at shutdown.

    Nothing is restarted here: what may fail and go on handles that itself, and an end that nobody foresaw is for the
    process to decide about.

    Args:
        on_death: called with the task's name and its error, once for each task that failed.

    Attributes:
        failed: set when a vital task has failed.
    """

    def __init__(self, on_death: Callable[[str, BaseException], None]) -> None:
        self._on_death = on_death
        self._running: set[asyncio.Task[Any]] = set()
        self._brief: set[asyncio.Task[Any]] = set()
        self._optional: set[asyncio.Task[Any]] = set()
        self._closing = False
        self.failed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(
        self, name: str, work: Coroutine[Any, Any, T], *, brief: bool = False, vital: bool = True
    ) -> asyncio.Task[T]:
        """Run `work` in a task of its own. Raises RuntimeError once `close` has begun.

        Args:
            name: for logs and metrics.
            work: what the task runs.
            brief: the task ends soon by itself and somebody waits for its effect: `settle` lets it end. Never vital.
            vital: the process stops if the task fails.
        """
        if self._closing:
            work.close()
            raise RuntimeError(f"{name} can't start: the process is stopping")
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        if brief:
            self._brief.add(task)
        if brief or not vital:
            self._optional.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self, *tasks: asyncio.Task[Any] | None) -> None:
        """Cancel these tasks and wait until they have ended. None stands for a task that was never started."""
        stopping = {task for task in tasks if task is not None and not task.done()}
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
        vital = task not in self._optional
        self._optional.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            logger.opt(exception=error).error("task {} died", task.get_name())
            self._on_death(task.get_name(), error)
            if vital:
                logger.critical("{} ended; the process stops, so that another can take over", task.get_name())
                self.failed.set()
