"""Writes of one turn of the event loop, sent together.

The loop sends whatever is written at once: a system call, a packet, and the other side wakes up. What comes in pieces
(uvicorn writes a response's head and its body apart) or in numbers (updates that one worker passes to another) is
better gathered until the turn is over.
"""

import asyncio
from typing import Any, cast

AT_MOST = 1 << 16
"""Bytes that wait; more are sent at once, so that the transport can say that it is too much."""


def gathering(transport: asyncio.BaseTransport, loop: asyncio.AbstractEventLoop) -> asyncio.Transport:
    """A transport that sends what is written in one turn of the loop together."""
    inner = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
    return cast("asyncio.Transport", _Gathering(inner, loop))


class _Gathering:
    """The transport; what is not about writing goes to the one within."""

    __slots__ = ("_loop", "_size", "_transport", "_written", "is_closing")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send at the end of the turn."""
        if not self._written:
            self._loop.call_soon(self.flush)
        self._written.append(data)
        self._size += len(data)
        if self._size > AT_MOST:
            self.flush()

    def flush(self) -> None:
        """Send what is waiting, if anybody is there to read it."""
        data = b"".join(self._written)
        self._written.clear()
        self._size = 0
        if data and not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what is waiting, and close."""
        self.flush()
        self._transport.close()
