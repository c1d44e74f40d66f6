"""Notifications of changes in the world, for the page's streams and for waiting tests."""

# ruff: noqa: ASYNC109  a waiting test reads best with the time it has written beside it

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from sandbox.state import Json

BACKLOG = 1000
T = TypeVar("T")


class Changes:
    """Broadcast of changes to streams and to waiting conditions, without polling."""

    def __init__(self) -> None:
        self.closed = False
        self._streams: set[asyncio.Queue[Json | None]] = set()
        self._waiters: set[asyncio.Future[None]] = set()

    def tell(self, kind: str, **details: object) -> None:
        """Announce one change. A stream that is too slow loses changes instead of using more memory."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        for stream in self._streams:
            if not stream.full():
                stream.put_nowait({"kind": kind, **details})

    async def until(self, condition: Callable[[], T | None], timeout: float = 10.0) -> T:
        """Wait until `condition()` is true and return its value. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                await self.next()
        return value

    async def next(self) -> None:
        """Wait for the next change of any kind."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def stream(self, pause: float = 0.0) -> AsyncIterator[list[Json]]:
        """Yield all future changes in batches, each gathered for `pause` seconds, until `close`."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue(BACKLOG)
        self._streams.add(queue)
        try:
            while not self.closed and (change := await queue.get()) is not None:
                await asyncio.sleep(pause)
                batch = [change]
                while not queue.empty() and (more := queue.get_nowait()) is not None:
                    if more not in batch:
                        batch.append(more)
                yield batch
        finally:
            self._streams.discard(queue)

    async def closing(self, timeout: float) -> None:
        """Wait for `timeout` seconds, or less if the sandbox closes."""
        try:
            await self.until(lambda: self.closed, timeout)
        except TimeoutError:
            return

    def close(self) -> None:
        """End all streams and waits."""
        self.closed = True
        self.tell("closed")
        for stream in self._streams:
            while stream.full():
                stream.get_nowait()
            stream.put_nowait(None)
