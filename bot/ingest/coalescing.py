"""Writes of one turn of the event loop, sent together.

The loop sends whatever is written at once: a system call, a packet, and the other side wakes up. What comes in pieces
(uvicorn writes a response's head and its body apart) or in numbers (the answers of a flight, updates that one worker
passes to another) is better sent when the turn is over: then who reads it wakes up once for many.
"""

import asyncio
from typing import Any, cast

AT_MOST = 1 << 16
"""Bytes of one transport that wait; more are sent at once, so that it can say that it is too much."""


class WriteCoalescer:
    """Collects the writes of a turn of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[CoalescingTransport] = []

    def gathering(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        """A transport whose writes wait for the end of the turn."""
        inner = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        return cast("asyncio.Transport", CoalescingTransport(inner, self))

    def wait(self, transport: "CoalescingTransport") -> None:
        """Flush a transport at the end of the turn."""
        if not self._waiting:
            self._loop.call_soon(self._over)
        self._waiting.append(transport)

    def _over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            try:
                transport.flush()
            except Exception as error:  # noqa: BLE001 -- one client's trouble is not the others'
                self._loop.call_exception_handler({"message": "a response could not be sent", "exception": error})


class CoalescingTransport:
    """A transport whose writes wait for the end of the turn; all else goes to the transport within."""

    __slots__ = ("_size", "_transport", "_turn", "_written", "is_closing")

    def __init__(self, transport: asyncio.Transport, turn: WriteCoalescer) -> None:
        self._transport = transport
        self._turn = turn
        self._written: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send at the end of the turn."""
        if not self._written:
            self._turn.wait(self)
        self._written.append(data)
        self._size += len(data)
        if self._size > AT_MOST:
            self.flush()

    def flush(self) -> None:
        """Send the waiting writes, unless the connection is closed."""
        data = b"".join(self._written)
        self._written.clear()
        self._size = 0
        if data and not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send the waiting writes, and close."""
        self.flush()
        self._transport.close()
