"""The owner of every background task of a process."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from loguru import logger

T = TypeVar("T")

ASK_AGAIN_SECONDS = 6.0
"""Interval at which cancellation is repeated; longer than an orderly end of any task."""


class Tasks:
    """Starts tasks, notices their unexpected end, and cancels and awaits them all at shutdown.

    It restarts nothing. A task that can recover does so itself. If a vital task fails unexpectedly, the process stops.

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
        """Run `work` in a new task. Raises RuntimeError once `close` has begun.

        Args:
            name: name of the task in logs and metrics.
            work: the coroutine to run.
            brief: True if the task ends soon by itself and its effect is awaited. `settle` waits for it. Never vital.
            vital: True if the process must stop when the task fails.
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
        """Cancel tasks and wait until they have ended. None stands for a task that was never started."""
        stopping = {task for task in tasks if task is not None and not task.done()}
        for task in stopping:
            task.cancel()
        if stopping:
            await asyncio.wait(stopping, timeout=ASK_AGAIN_SECONDS)

    async def settle(self, seconds: float) -> None:
        """Wait for brief tasks, including those that they start, for at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._brief:
                    await asyncio.wait(self._brief)
                    await asyncio.sleep(0)  # the done callback removes the task one loop iteration later

    async def close(self) -> None:
        """Cancel all tasks and wait until they have ended. `spawn` refuses new ones from now on."""
        self._closing = True
        while self._running:
            for task in self._running:
                task.cancel()
            # Repeated, because up to Python 3.11 a task can swallow a cancellation (see `heed_cancellation`).
            await asyncio.wait(self._running, timeout=ASK_AGAIN_SECONDS)
            # The done callback removes a task from the set one loop iteration later.
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
            logger.opt(exception=error).error("task {} failed", task.get_name())
            self._on_death(task.get_name(), error)
            if vital:
                logger.critical(
                    "vital task {} ended; stopping the process, so that another can take over", task.get_name()
                )
                self.failed.set()
