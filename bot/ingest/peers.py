"""The workers of one machine: updates of a chat go to the same one, which then keeps its games in memory.

All workers take connections on one port, so an update may come in anywhere. The worker that has it finds whose chat it
is and passes it on over a Unix socket; where that worker is away, it does the work itself. A wrong guess is slow, never
wrong: the store compares versions and knows command ids.
"""

import asyncio
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import msgspec
from loguru import logger

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.updates import MalformedUpdate, Reply, RetryLater, chat_of
from fsm.engine import Promise

Here = Callable[[bytes, Promise[Reply]], None]
"""Handles an update in this process, and tells who waits."""

FRAME = struct.Struct("<IIB")
"""Length of what follows, number of the update on this link, kind."""
LOOK_SECONDS = 0.25
"""Between two looks for peers that are not linked."""


class Kind(IntEnum):
    """Of a frame."""

    UPDATE = 0
    REPLY = 1
    NOT_AN_UPDATE = 2
    AGAIN = 3


@dataclass(frozen=True, slots=True)
class WorkerSlot:
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


class PeerWorkers:
    """The other workers, seen from one of them."""

    def __init__(self, slot: WorkerSlot) -> None:
        self._slot = slot
        self._links: dict[int, _Link] = {}
        self.passed_on = 0
        """Updates that another worker has handled for this one."""

    def take(self, raw: bytes, sender: Promise[Reply], here: Here) -> None:
        """Have the worker that the chat belongs to handle an update. Errors: ``MalformedUpdate`` and ``RetryLater``."""
        link = self._links.get(self.home(raw))
        if link is None or not link.ask(_ForwardedUpdate(self, raw, sender, here)):
            here(raw, sender)

    def home(self, raw: bytes) -> int:
        """Return the index of the worker that an update's chat belongs to."""
        return zlib.crc32(b"%d" % chat_of(raw)) % self._slot.count

    @property
    def linked(self) -> bool:
        """Return whether every other worker can be reached."""
        return len(self._links) == self._slot.count - 1

    async def run(self, here: Here) -> None:
        """Serve the others, and keep links to them, until cancelled."""
        path = self._slot.socket(self._slot.index)
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 -- of a worker that has died
        loop = asyncio.get_running_loop()
        turn, served = WriteCoalescer(loop), set[_Served]()
        server = await loop.create_unix_server(lambda: _Served(turn, here, served), path)
        try:
            while True:
                for index in range(self._slot.count):
                    if index != self._slot.index and index not in self._links:
                        await self._link(index, turn)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            server.close()
            for end in (*self._links.values(), *served):
                end.close()

    async def _link(self, index: int, turn: WriteCoalescer) -> None:
        def lost() -> None:
            self._links.pop(index, None)

        loop, path = asyncio.get_running_loop(), self._slot.socket(index)
        with suppress(OSError):
            _, link = await loop.create_unix_connection(lambda: _Link(turn, lost), path)
            self._links[index] = link
            logger.debug("linked to worker {}", index)


class _Frames(asyncio.Protocol):
    """Reads frames."""

    def __init__(self, turn: WriteCoalescer) -> None:
        self._turn = turn
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = self._turn.gathering(transport)

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

    def send(self, number: int, kind: Kind, body: bytes) -> bool:
        """Send one frame. Returns False if the other side has gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(FRAME.pack(len(body), number, kind) + body)
        return True

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True, slots=True)
class _ForwardedUpdate:
    """An update that a peer is asked to handle."""

    peers: PeerWorkers
    raw: bytes
    sender: Promise[Reply]
    here: Here

    def told(self, kind: Kind, body: bytes) -> None:
        """Pass on the peer's answer."""
        self.peers.passed_on += 1
        if self.sender.done():
            return
        match kind:
            case Kind.REPLY:
                self.sender.set_result(msgspec.json.decode(body) if body else None)
            case Kind.NOT_AN_UPDATE:
                self.sender.set_exception(MalformedUpdate(body.decode()))
            case _:
                self.sender.set_exception(RetryLater(body.decode()))

    def lost(self) -> None:
        """Handle the update here. The peer may have handled it: command ids make that harmless."""
        self.here(self.raw, self.sender)


class _Link(_Frames):
    """A link to a peer, which is asked to handle updates."""

    def __init__(self, turn: WriteCoalescer, lost: Callable[[], object]) -> None:
        super().__init__(turn)
        self._lost = lost
        self._asked: dict[int, _ForwardedUpdate] = {}
        self._number = 0

    def ask(self, passed: _ForwardedUpdate) -> bool:
        """Have an update handled there. Returns False if the peer has gone."""
        number = self._number = (self._number + 1) & 0xFFFFFFFF
        if not self.send(number, Kind.UPDATE, passed.raw):
            return False
        self._asked[number] = passed
        return True

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Pass a reply on to the update's sender."""
        passed = self._asked.pop(number, None)
        if passed is not None:
            passed.told(kind, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle here the updates that still wait for the peer."""
        del exc
        self._lost()
        asked, self._asked = self._asked, {}
        for passed in asked.values():
            passed.lost()


class _Served(_Frames):
    """A link from a peer: its updates are handled here."""

    def __init__(self, turn: WriteCoalescer, here: Here, served: "set[_Served]") -> None:
        super().__init__(turn)
        self._here = here
        self._served = served
        served.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the link."""
        del exc
        self._served.discard(self)

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Handle an update."""
        del kind
        self._here(body, _PeerPromise(self, number))


@dataclass(slots=True)
class _PeerPromise:
    """The promise of a reply to a peer."""

    end: _Served
    number: int
    told: bool = False

    def done(self) -> bool:
        return self.told

    def set_result(self, reply: Reply, /) -> None:
        self._tell(Kind.REPLY, msgspec.json.encode(reply) if reply is not None else b"")

    def set_exception(self, exception: Exception, /) -> None:
        match exception:
            case MalformedUpdate():
                self._tell(Kind.NOT_AN_UPDATE, str(exception).encode())
            case RetryLater():
                self._tell(Kind.AGAIN, str(exception).encode())
            case bug:
                logger.opt(exception=bug).error("an update of a peer failed")
                self._tell(Kind.AGAIN, type(bug).__name__.encode())

    def _tell(self, kind: Kind, body: bytes) -> None:
        self.told = True
        self.end.send(self.number, kind, body)
