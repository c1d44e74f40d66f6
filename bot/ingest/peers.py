"""The workers of one machine. Each chat is assigned to one worker, which keeps the chat's games in memory.

All workers accept connections on one port, so any of them may receive an update. The receiver determines the update's
chat and forwards the update over a Unix socket. If the assigned worker is away, the receiver handles it itself. A wrong
assignment is slow but never wrong, because the store compares versions and knows command ids.
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
"""Function that handles an update in this process and fulfils its promise."""

FRAME = struct.Struct("<IIB")
"""Header of a frame: length of the body, number of the update on this link, kind."""
LOOK_SECONDS = 0.25
"""Interval of the attempts to connect to peers that are not linked."""


class Kind(IntEnum):
    """Kinds of frames."""

    UPDATE = 0
    REPLY = 1
    NOT_AN_UPDATE = 2
    AGAIN = 3


@dataclass(frozen=True, slots=True)
class WorkerSlot:
    """Position of a worker among the workers of a machine, and the directory of their sockets."""

    index: int
    count: int
    folder: Path

    def socket(self, index: int) -> str:
        """Return the path of a worker's socket."""
        return str(self.folder / f"{index}.socket")

    @property
    def ready(self) -> Path:
        """Path of a file that exists once the worker has started."""
        return self.folder / f"{self.index}.ready"


class PeerWorkers:
    """The other workers, from the view of one of them."""

    def __init__(self, slot: WorkerSlot) -> None:
        self._slot = slot
        self._links: dict[int, _Link] = {}

    def take(self, raw: bytes, sender: Promise[Reply], here: Here) -> None:
        """Let the worker of the update's chat handle it. Errors: ``MalformedUpdate`` and ``RetryLater``."""
        link = self._links.get(self.home(raw))
        if link is None or not link.ask(_ForwardedUpdate(self, raw, sender, here)):
            here(raw, sender)

    def home(self, raw: bytes) -> int:
        """Return the index of the worker that an update's chat is assigned to."""
        return zlib.crc32(b"%d" % chat_of(raw)) % self._slot.count

    @property
    def linked(self) -> bool:
        """True if every other worker is connected."""
        return len(self._links) == self._slot.count - 1

    async def run(self, here: Here) -> None:
        """Serve the other workers and keep connections to them, until cancelled."""
        path = self._slot.socket(self._slot.index)
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 -- left by a worker that died
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
    """A protocol that reads frames."""

    def __init__(self, turn: WriteCoalescer) -> None:
        self._turn = turn
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._turn.gathering(transport)

    def data_received(self, data: bytes) -> None:
        """Handle every complete frame."""
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
        """Send one frame. Return False if the peer has gone."""
        if self._transport is None or self._transport.is_closing():
            return False
        self._transport.write(FRAME.pack(len(body), number, kind) + body)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True, slots=True)
class _ForwardedUpdate:
    """An update that was forwarded to a peer."""

    peers: PeerWorkers
    raw: bytes
    sender: Promise[Reply]
    here: Here

    def told(self, kind: Kind, body: bytes) -> None:
        """Pass the peer's answer to the sender."""
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
        """Handle the update here. The peer may have handled it already; command ids make that harmless."""
        self.here(self.raw, self.sender)


class _Link(_Frames):
    """A connection to a peer that handles updates for this worker."""

    def __init__(self, turn: WriteCoalescer, lost: Callable[[], object]) -> None:
        super().__init__(turn)
        self._lost = lost
        self._asked: dict[int, _ForwardedUpdate] = {}
        self._number = 0

    def ask(self, passed: _ForwardedUpdate) -> bool:
        """Forward an update. Return False if the peer has gone."""
        number = self._number = (self._number + 1) & 0xFFFFFFFF
        if not self.send(number, Kind.UPDATE, passed.raw):
            return False
        self._asked[number] = passed
        return True

    def received(self, number: int, kind: Kind, body: bytes) -> None:
        """Pass a reply to the sender of its update."""
        passed = self._asked.pop(number, None)
        if passed is not None:
            passed.told(kind, body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the updates here that the peer has not answered."""
        del exc
        self._lost()
        asked, self._asked = self._asked, {}
        for passed in asked.values():
            passed.lost()


class _Served(_Frames):
    """A connection from a peer whose updates are handled here."""

    def __init__(self, turn: WriteCoalescer, here: Here, served: "set[_Served]") -> None:
        super().__init__(turn)
        self._here = here
        self._served = served
        served.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._served.discard(self)

    def received(self, number: int, kind: Kind, body: bytes) -> None:
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
