"""Minimal Bot API in which every call succeeds, for servers under load, which must not wait for Telegram."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import msgspec

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
RESULTS = {
    "getme": {"id": 4242, "is_bot": True, "first_name": "Tombola", "username": "benchmark_bot"},
    "getwebhookinfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
    "sendmessage": {"message_id": 4242, "date": 1_767_225_600, "chat": {"id": 1, "type": "private"}, "text": "."},
}


class _Connection(asyncio.Protocol):
    """Connection that answers one request after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._buffer += data
        while (head := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._buffer, 0, head)
            end = head + 4 + (int(length[1]) if length is not None else 0)
            if length is None and b"chunked" in self._buffer[:head].lower():
                last = self._buffer.find(b"0\r\n\r\n", head)
                end = last + 5 if last >= 0 else len(self._buffer) + 1
            if len(self._buffer) < end:
                return
            method = self._buffer.split(b" ", 2)[1].rpartition(b"/")[2].split(b"?")[0].decode().lower()
            self._buffer = self._buffer[end:]
            self._answer(method)

    def _answer(self, method: str) -> None:
        body = msgspec.json.encode({"ok": True, "result": RESULTS.get(method, True)})
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        if self._transport is not None:
            self._transport.write(head + body)


@asynccontextmanager
async def bot_api() -> AsyncIterator[str]:
    """Serve until the end of the block. Yields the address."""
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=512)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
