"""The workers of one machine: updates of a chat go to the same one, which then keeps its games in memory.

All workers take connections on one port, so an update may come in anywhere. The worker that has it finds whose chat it
is and passes it on over a Unix socket; where that worker is away, it does the work itself. A wrong guess is slow, never
wrong: the store compares versions and knows command ids.
"""

import asyncio
import os
import struct
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec
from loguru import logger

from bot.gathering import gathering
from bot.tasks import Tasks
from bot.updates import Again, NotAnUpdate, chat_of

Reply = dict[str, Any] | None
Here = Callable[[bytes], Awaitable[Reply]]
"""Handles an update in this process."""

FRAME = struct.Struct("<IIB")
"""Length of what follows, number of the update on this link, kind."""
LOOK_SECONDS = 0.25
"""Between two looks for siblings that are not linked."""


class LinkLost(Exception):
    """A sibling has gone, and nobody knows whether it has handled the update."""


class Kind(IntEnum):
    """Of a frame."""

    UPDATE = 0
    REPLY = 1
    NOT_AN_UPDATE = 2
    AGAIN = 3


@dataclass(frozen=True, slots=True)
class Seat:
    """Which of how many workers this one is, and the directory of their sockets."""

    index: int
    count: int
    folder: Path

    def socket(self, index: int) -> str:
        """The path of a worker's socket."""
        return str(self.folder / f"{index}.socket")

    @property
    def ready(self) -> Path:
        """A file that is there when the worker has started."""
        return self.folder / f"{self.index}.ready"


class Siblings:
    """The other workers, seen from one of them."""

    def __init__(self, seat: Seat, tasks: Tasks) -> None:
        self._seat = seat
        self._tasks = tasks
        self._links: dict[int, _Link] = {}
        self.passed_on = 0
        """Updates that another worker has handled for this one."""

    async def deliver(self, raw: bytes, here: Here) -> Reply:
        """Handle an update where its chat is at home. Raises ``NotAnUpdate`` and ``Again``."""
        link = self._links.get(self.home(raw))
        if link is None:
            return await here(raw)
        try:
            reply = await link.ask(raw)
        except LinkLost:
            return await here(raw)
        self.passed_on += 1
        return reply

    def home(self, raw: bytes) -> int:
        """The worker where an update's chat is at home."""
        return zlib.crc32(b"%d" % chat_of(raw)) % self._seat.count

    @property
    def linked(self) -> bool:
        """Whether every other worker can be reached."""
        return len(self._links) == self._seat.count - 1

    async def run(self, here: Here) -> None:
        """Serve the others, and keep links to them, until cancelled."""
        path = self._seat.socket(self._seat.index)
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 -- of a worker that has died
        loop = asyncio.get_running_loop()
        served: set[_Served] = set()
        server = await loop.create_unix_server(lambda: _Served(here, self._tasks, served), path)
        try:
            while True:
                for index in range(self._seat.count):
                    if index != self._seat.index and index not in self._links:
                        await self._link(index)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            server.close()
            for end in (*self._links.values(), *served):
                end.close()

    async def _link(self, index: int) -> None:
        loop, path = asyncio.get_running_loop(), self._seat.socket(index)
        with suppress(OSError):
            _, link = await loop.create_unix_connection(lambda: _Link(lambda: self._links.pop(index, None)), path)
            self._links[index] = link
            logger.debug("linked to worker {}", index)


class _Frames(asyncio.Protocol):
    """Reads frames."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = gathering(transport, asyncio.get_running_loop())

    def data_received(self, data: bytes) -> None:
        """Take out every whole frame."""
        buffer, at = self._buffer + data if self._buffer else data, 0
        while len(buffer) - at >= FRAME.size:
            length, number, kind = FRAME.unpack_from(buffer, at)
            end = at + FRAME.size + length
            if len(buffer) < end:
                break
            self.received(number, Kind(kind), buffer[at + FRAME.size : end])
            at = end
        self._buffer = buffer[at:]

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Handle one frame."""
        raise NotImplementedError

    def send(self, number: int, kind: Kind, body: bytes) -> None:
        """Send one frame. Raises ``LinkLost``."""
        if self._transport is None or self._transport.is_closing():
            raise LinkLost
        self._transport.write(FRAME.pack(len(body), number, kind) + body)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class _Link(_Frames):
    """To a sibling: asks it to handle updates."""

    def __init__(self, lost: Callable[[], object]) -> None:
        super().__init__()
        self._lost = lost
        self._asked: dict[int, asyncio.Future[Reply]] = {}
        self._number = 0

    async def ask(self, raw: bytes) -> Reply:
        """The sibling's reply. Raises ``LinkLost``, and what the sibling raises."""
        number = self._number = (self._number + 1) & 0xFFFFFFFF
        self.send(number, Kind.UPDATE, raw)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            return await answer
        finally:
            self._asked.pop(number, None)

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Give the reply to whoever asked."""
        answer = self._asked.get(number)
        if answer is None or answer.done():
            return
        match kind:
            case Kind.REPLY:
                answer.set_result(msgspec.json.decode(body) if body else None)
            case Kind.NOT_AN_UPDATE:
                answer.set_exception(NotAnUpdate(body.decode()))
            case _:
                answer.set_exception(Again(body.decode()))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever waits handles the update."""
        del exc
        self._lost()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(LinkLost())


class _Served(_Frames):
    """From a sibling: handles the updates that it passes on."""

    def __init__(self, here: Here, tasks: Tasks, served: "set[_Served]") -> None:
        super().__init__()
        self._here = here
        self._tasks = tasks
        self._served = served
        served.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The sibling has gone, or we go."""
        del exc
        self._served.discard(self)

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Handle an update."""
        del kind
        self._tasks.spawn("update of a sibling", self._handle(number, body), brief=True)

    async def _handle(self, number: int, raw: bytes) -> None:
        kind, body = Kind.REPLY, b""
        try:
            reply = await self._here(raw)
            body = msgspec.json.encode(reply) if reply is not None else b""
        except NotAnUpdate as problem:
            kind, body = Kind.NOT_AN_UPDATE, str(problem).encode()
        except Again as why:
            kind, body = Kind.AGAIN, str(why).encode()
        except Exception as bug:  # noqa: BLE001 -- whoever asked must hear of it
            logger.opt(exception=bug).error("an update of a sibling failed")
            kind, body = Kind.AGAIN, type(bug).__name__.encode()
        with suppress(LinkLost):
            self.send(number, kind, body)
