"""Coalescing of the writes that one iteration of the event loop makes to a connection.

asyncio sends each write at once, which costs a system call and a packet, and wakes up the peer. uvicorn writes the head
and the body of a response separately, and a flight of commands answers many taps. Sending such writes together at the
end of the iteration wakes the peer once instead of many times.
"""

import asyncio
from typing import Any, cast

AT_MOST = 1 << 16
"""Number of bytes of one transport that may wait. Beyond it they are sent at once, so that flow control works."""


class WriteCoalescer:
    """Collects the writes of one iteration of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[CoalescingTransport] = []

    def gathering(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        """Return a transport whose writes wait for the end of the iteration."""
        inner = cast("asyncio.Transport", transport)  # uvloop's transport has the interface but not the base class
        return cast("asyncio.Transport", CoalescingTransport(inner, self))

    def wait(self, transport: "CoalescingTransport") -> None:
        """Flush a transport at the end of the iteration."""
        if not self._waiting:
            self._loop.call_soon(self._over)
        self._waiting.append(transport)

    def _over(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            try:
                transport.flush()
            except Exception as error:  # noqa: BLE001 -- one client's error must not affect the others
                self._loop.call_exception_handler({"message": "a response could not be sent", "exception": error})


class CoalescingTransport:
    """A transport whose writes wait for the end of the iteration. Everything else goes to the wrapped transport."""

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
        """Queue data for the end of the iteration."""
        if not self._written:
            self._turn.wait(self)
        self._written.append(data)
        self._size += len(data)
        if self._size > AT_MOST:
            self.flush()

    def flush(self) -> None:
        """Send the waiting writes unless the connection is closed."""
        data = b"".join(self._written)
        self._written.clear()
        self._size = 0
        if data and not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send the waiting writes, then close."""
        self.flush()
        self._transport.close()
