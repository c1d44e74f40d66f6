"""Telling whoever looks on that the world changed: the page's streams and waiting tests."""

# ruff: noqa: ASYNC109  a waiting test reads best with the time it has written beside it

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from sandbox.state import Json

BACKLOG = 1000
T = TypeVar("T")


class Changes:
    """Fans every change out to streams, and wakes those who wait for a condition. Nobody polls."""

    def __init__(self) -> None:
        self.closed = False
        self._streams: set[asyncio.Queue[Json | None]] = set()
        self._waiters: set[asyncio.Future[None]] = set()

    def tell(self, kind: str, **details: object) -> None:
        """Announces one change. A stream too slow to follow loses changes, never memory."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()
        for stream in self._streams:
            if not stream.full():
                stream.put_nowait({"kind": kind, **details})

    async def until(self, condition: Callable[[], T | None], timeout: float = 10.0) -> T:
        """Waits until `condition()` is true and returns its value. Raises TimeoutError after that many seconds."""
        async with asyncio.timeout(timeout):
            while not (value := condition()):
                await self.next()
        return value

    async def next(self) -> None:
        """Waits for the next change, whatever it is."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    async def stream(self, pause: float = 0.0) -> AsyncIterator[list[Json]]:
        """Every change from now on in batches, gathered for `pause` seconds, until `close`."""
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
        """Waits for `timeout` seconds, or less where the sandbox closes."""
        try:
            await self.until(lambda: self.closed, timeout)
        except TimeoutError:
            return

    def close(self) -> None:
        """Ends all streams and waits."""
        self.closed = True
        self.tell("closed")
        for stream in self._streams:
            while stream.full():
                stream.get_nowait()
            stream.put_nowait(None)
