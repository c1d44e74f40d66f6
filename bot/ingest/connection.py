"""A client's connection: requests to the webhook are answered here, and any other request hands it to uvicorn.

The first request that is not a plain one to the webhook decides: from its first byte on the connection is uvicorn's
until it ends. A proxy that mixes both on one connection is served correctly, by the webhook's ASGI endpoint, at
ASGI's cost.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.updates import Reply
from bot.ingest.webhook import FastHeads, Head, MalformedRequest, Webhook, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HEAD = 16 * 1024
"""Bytes of a request's head, here and at uvicorn."""
MAX_BUFFERED = 64 * 1024
"""Bytes of pipelined requests that wait; more are left in the socket until the request before them is answered."""
HEAD_SECONDS = 10
"""From the first byte of a request to the end of its head."""
REQUEST_SECONDS = 30
"""From the first byte of a request to its last."""
IDLE_SECONDS = 75
"""Between two requests. Longer than proxies keep their connections (60 s), so that they never send into our close."""
RESPONSES = {
    200: b"HTTP/1.1 200 OK\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n",
}
"""The beginning of a response without a body."""
REPLY = RESPONSES[200] + b"content-type: application/json\r\n"


class Served(Protocol):
    """A connection in the server's list: one of ours, or one that uvicorn has."""

    trusted: bool
    """Whether it has brought an update with the right secret."""

    def is_over(self) -> bool:
        """Return whether the connection is closed."""

    def is_busy(self) -> bool:
        """Return whether a request is being answered."""

    def waiting_since(self) -> float:
        """Return the server's time since which the client has sent no whole request."""

    def expire(self, now: float) -> None:
        """Cut the connection if its client has used up its time."""

    def abort(self) -> None:
        """Cut the connection."""


class Services(msgspec.Struct):
    """What connections share."""

    webhook: Webhook | None
    heads: FastHeads
    coalescer: WriteCoalescer
    hand_over: "Callable[[WebhookConnection, asyncio.Transport, bytes], None]"
    """Gives a connection to uvicorn, with the bytes that are not yet read."""
    opened: "Callable[[WebhookConnection], None]"
    closed: "Callable[[WebhookConnection], None]"
    now: float = 0.0
    """The server's time, coarse: a timer of the server advances it, so that no request asks the clock."""


class WebhookConnection(asyncio.Protocol):
    """Reads requests to the webhook, one after the other, and answers each before it looks at the next.

    So a pipelined request waits in the buffer, answers keep their order without a queue, and nothing is taken twice.
    """

    __slots__ = (
        "_asked", "_buffer", "_head", "_paused", "_reading", "_services", "_since", "_taking", "_transport",
        "stopping", "trusted",
    )  # fmt: skip

    def __init__(self, services: Services) -> None:
        self._services = services
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        """Bytes that belong to no request that was taken."""
        self._head: Head | None = None
        """Of the request whose body is being read."""
        self._asked: _UpdateReply | None = None
        """The update that is being handled."""
        self._taking = False
        self._reading = True
        self._paused = False
        self._since = services.now
        self.trusted = False
        self.stopping = False

    # -- the transport's calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a client."""
        self._transport = self._services.coalescer.gathering(transport)
        self._services.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client. The update in hand is handled to its end, and its reply is dropped."""
        del exc
        self._transport = None
        self._buffer.clear()
        self._services.closed(self)

    def pause_writing(self) -> None:
        """Take no further request while the client does not read its answers."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        self._paused = False
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Take the requests that are whole."""
        buffer = self._buffer
        if not buffer and self._asked is None and self._head is None:
            self._since = self._services.now
            # The common case without a copy: one whole request, of a client that then waits for its answer.
            end = data.find(b"\r\n\r\n") + 4
            head = self._services.heads.get(data[:end])
            if head is not None and len(data) == end + head.length and not self._paused:
                self._take(head, data[end:])
                return
        buffer += data
        if self._may_take():
            self._advance()
        elif len(buffer) > MAX_BUFFERED and self._reading and self._transport is not None:
            self._reading = False
            self._transport.pause_reading()

    # -- requests ---------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Take requests from the buffer, as long as one is whole and none is being answered.

        This loops and does not recurse: hundreds of pipelined requests may be answered at once, and each answer comes
        back here, where `_taking` stops it.
        """
        if self._taking:
            return
        self._taking = True
        try:
            while self._buffer and self._may_take() and not self._is_closing():
                if self._head is None:
                    self._head = self._read_head()
                    if self._head is None:
                        break
                length = self._head.length
                if len(self._buffer) < length:
                    break
                body = bytes(self._buffer[:length])
                del self._buffer[:length]
                self._take(self._head, body)
        finally:
            self._taking = False
        # A request that may be taken must be read to its end, however much of it waits already.
        enough = len(self._buffer) > MAX_BUFFERED and not self._may_take()
        if not self._reading and not enough and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    def _may_take(self) -> bool:
        """Return whether the next request may be taken: none is being answered, and the client reads its answers."""
        return self._asked is None and not self._paused

    def _read_head(self) -> Head | None:
        """Take the head at the beginning of the buffer. Returns None if there is none for us, or not yet."""
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD) + 4
        if end < 4:
            if len(self._buffer) >= MAX_HEAD:
                self._refuse(431)
            elif b"\n\n" in self._buffer:
                self._refuse(400)  # lines that end without CR: no head will ever be complete
            return None
        raw = bytes(self._buffer[:end])
        try:
            head = self._services.heads.get(raw) or self._services.heads.read(raw)
        except MalformedRequest:
            self._refuse(400)
            return None
        if head is None:
            self._hand_over()
            return None
        del self._buffer[:end]
        return head

    def _take(self, head: Head, body: bytes) -> None:
        webhook = self._services.webhook
        assert webhook is not None
        self._head = None
        self.trusted = True
        self._asked = _UpdateReply(self, head.keep_alive)
        webhook.dispatcher.take(body, self._asked)

    def respond(self, head: bytes, body: bytes, *, keep_alive: bool) -> None:
        """Send the response to the update in hand."""
        self._asked = None
        self._since = self._services.now
        transport = self._transport
        if transport is None:
            return
        if keep_alive and not self.stopping:
            transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
            if self._buffer:
                self._advance()
        else:
            transport.write(b"%scontent-length: %d\r\nconnection: close\r\n\r\n%s" % (head, len(body), body))
            self._hang_up()

    def _refuse(self, status: int) -> None:
        """Answer what is no request, and hang up: nobody can tell where the next request would begin."""
        if self._transport is not None:
            self._transport.write(RESPONSES[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self._hang_up()

    def _hang_up(self) -> None:
        """Close the connection when the client has read what was written."""
        self._buffer.clear()
        if self._transport is not None:
            self._transport.close()

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _hand_over(self) -> None:
        """Give the connection to uvicorn. Nothing is being answered, so nothing can be answered out of turn."""
        transport, rest = self._transport, bytes(self._buffer)
        assert transport is not None
        self._transport = None
        self._buffer.clear()
        if not self._reading:
            self._reading = True
            transport.resume_reading()
        self._services.hand_over(self, transport, rest)

    # -- the server's calls -----------------------------------------------------------------------------------------

    def is_over(self) -> bool:
        """Return whether the connection is closed, or uvicorn's."""
        return self._transport is None

    def is_busy(self) -> bool:
        """Return whether an update is being handled."""
        return self._asked is not None

    def waiting_since(self) -> float:
        """Return the server's time at which the last request was answered, or the next one began."""
        return self._since

    def expire(self, now: float) -> None:
        """Cut the connection if its client has used up its time."""
        if self._asked is not None:
            return
        limit = IDLE_SECONDS
        if self._head is not None:
            limit = REQUEST_SECONDS
        elif self._buffer or self._is_closing():
            limit = HEAD_SECONDS
        if now - self._since > limit:
            self.abort()

    def stop(self) -> None:
        """Close the connection, after the response if an update is being handled."""
        self.stopping = True
        if self._asked is None:
            self._hang_up()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()


class _UpdateReply(msgspec.Struct, gc=False, eq=False):
    """The promise of an update's reply. One for each update: a late second answer must not reach the next one."""

    connection: WebhookConnection
    keep_alive: bool
    told: bool = False

    def done(self) -> bool:
        """Return whether the response was sent."""
        return self.told

    def set_result(self, reply: Reply, /) -> None:
        """Send the call that answers the update."""
        if not self.told:
            self.told = True
            head, body = (REPLY, msgspec.json.encode(reply)) if reply else (RESPONSES[200], b"")
            self.connection.respond(head, body, keep_alive=self.keep_alive)

    def set_exception(self, exception: Exception, /) -> None:
        """Send the status that tells why there is no reply."""
        if not self.told:
            self.told = True
            self.connection.respond(RESPONSES[status_of(exception)], b"", keep_alive=self.keep_alive)
