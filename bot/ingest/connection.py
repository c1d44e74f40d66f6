"""A client's connection: it answers webhook requests and plain reads itself and hands any other connection to uvicorn.

The first request that is neither decides. From its first byte on, uvicorn serves the connection
until it closes. A proxy that mixes both kinds on one connection is served correctly by the webhook's ASGI endpoint, at
the higher cost of ASGI.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from bot.ingest.coalescing import WriteCoalescer
from bot.ingest.heads import FastHeads, Head, MalformedRequest
from bot.ingest.reads import PlainRead
from bot.ingest.updates import Reply
from bot.ingest.webhook import Webhook, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HEAD = 16 * 1024
"""Maximum size of a request's head in bytes, here and in uvicorn."""
MAX_BUFFERED = 64 * 1024
"""Maximum size of waiting pipelined requests in bytes. Further ones stay in the socket until a response is sent."""
HEAD_SECONDS = 10
"""Time limit from the first byte of a request to the end of its head."""
REQUEST_SECONDS = 30
"""Time limit from the first byte of a request to its last."""
IDLE_SECONDS = 75
"""Time limit between requests. Proxies close idle connections after 60 s, so they never send into our close."""
RESPONSES = {
    200: b"HTTP/1.1 200 OK\r\n",
    400: b"HTTP/1.1 400 Bad Request\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
    500: b"HTTP/1.1 500 Internal Server Error\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n",
}
"""Status lines of responses without a body."""
REPLY = RESPONSES[200] + b"content-type: application/json\r\n"


class Served(Protocol):
    """A connection in the server's list, served here or by uvicorn."""

    trusted: bool
    """True if it has brought an update with the right secret."""

    def is_over(self) -> bool:
        """Return whether the connection is closed."""

    def is_busy(self) -> bool:
        """Return whether a request is being answered."""

    def waiting_since(self) -> float:
        """Return the server's time since which the client has sent no complete request."""

    def expire(self, now: float) -> None:
        """Cut the connection if its client has used up its time."""

    def abort(self) -> None:
        """Close the connection at once, without flushing."""


class Services(msgspec.Struct):
    """Objects that all connections share."""

    webhook: Webhook | None
    heads: FastHeads
    coalescer: WriteCoalescer
    answer: "Callable[[PlainRead, ReadReply, asyncio.Transport], None]"
    """Function that begins to answer a plain read."""
    hand_over: "Callable[[WebhookConnection, asyncio.Transport, bytes], None]"
    """Function that hands a connection to uvicorn, with the bytes that are not yet read."""
    opened: "Callable[[WebhookConnection], None]"
    closed: "Callable[[WebhookConnection], None]"
    now: float = 0.0
    """The server's time in seconds, advanced by a timer so that no request has to read the clock."""


class WebhookConnection(asyncio.Protocol):
    """Reads webhook requests and plain reads, and answers each before it looks at the next.

    A pipelined request waits in the buffer. Answers therefore keep their order without a queue, and no request is
    handled twice.
    """

    __slots__ = (
        "_asked", "_buffer", "_head", "_paused", "_reading", "_services", "_since", "_taking", "_transport",
        "stopping", "trusted",
    )  # fmt: skip

    def __init__(self, services: Services) -> None:
        self._services = services
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        """Received bytes after the last request that was taken."""
        self._head: Head | PlainRead | None = None
        """Head of the request whose body is being read; None between requests."""
        self._asked: _UpdateReply | ReadReply | None = None
        """The update or read that is being handled; None if there is none."""
        self._taking = False
        self._reading = True
        self._paused = False
        self._since = services.now
        self.trusted = False
        self.stopping = False

    # -- the transport's calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start to serve a client."""
        self._transport = self._services.coalescer.gathering(transport)
        self._services.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client. The current update is still handled to its end, and its reply is dropped."""
        del exc
        self._transport = None
        self._buffer.clear()
        self._services.closed(self)

    def pause_writing(self) -> None:
        """Stop taking requests while the client does not read its answers."""
        self._paused = True

    def resume_writing(self) -> None:
        """Continue after the client has read its answers."""
        self._paused = False
        self._advance()

    def data_received(self, data: bytes) -> None:
        """Take the complete requests."""
        buffer = self._buffer
        if not buffer and self._asked is None and self._head is None:
            self._since = self._services.now
            # The common case, without copying into the buffer: one complete request of a client that waits for its
            # answer.
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
        """Take requests from the buffer while one is complete and none is being answered.

        This loops instead of recursing. Hundreds of pipelined requests may be answered immediately, and each answer
        calls this method again, where `_taking` ends the call.
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
                if isinstance(self._head, PlainRead):
                    self._take_read(self._head)
                else:
                    self._take(self._head, body)
        finally:
            self._taking = False
        # If a request may be taken, read it to its end, even if the buffer is already large.
        enough = len(self._buffer) > MAX_BUFFERED and not self._may_take()
        if not self._reading and not enough and self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    def _may_take(self) -> bool:
        """Return whether the next request may be taken: none is being answered, and the client reads its answers."""
        return self._asked is None and not self._paused

    def _read_head(self) -> Head | PlainRead | None:
        """Take the head at the start of the buffer. Return None if it is incomplete, refused or for uvicorn."""
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD) + 4
        if end < 4:
            if len(self._buffer) >= MAX_HEAD:
                self._refuse(431)
            elif b"\n\n" in self._buffer:
                self._refuse(400)  # lines without CR: the head will never be complete
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

    def _take_read(self, read: PlainRead) -> None:
        assert self._transport is not None
        self._head = None
        self._asked = reply = ReadReply(self, read.keep_alive)
        self._services.answer(read, reply, self._transport)

    def respond(self, head: bytes, body: bytes | None, *, keep_alive: bool) -> None:
        """Send the response to the current request. The body is None if the status allows none."""
        self._asked = None
        self._since = self._services.now
        transport = self._transport
        if transport is None:
            return
        stays = keep_alive and not self.stopping
        if not stays:
            head += b"connection: close\r\n"
        if body is None:
            transport.write(b"%s\r\n" % head)
        else:
            transport.write(b"%scontent-length: %d\r\n\r\n%s" % (head, len(body), body))
        if not stays:
            self._hang_up()
        elif self._buffer:
            self._advance()

    def _refuse(self, status: int) -> None:
        """Refuse a malformed request and close, because the start of the next request is unknown."""
        if self._transport is not None:
            self._transport.write(RESPONSES[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self._hang_up()

    def _hang_up(self) -> None:
        """Close the connection once the written bytes are sent."""
        self._buffer.clear()
        if self._transport is not None:
            self._transport.close()

    def _is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _hand_over(self) -> None:
        """Give the connection to uvicorn. No request is being answered, so no answer can come out of order."""
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
        """Return whether the connection is closed or belongs to uvicorn."""
        return self._transport is None

    def is_busy(self) -> bool:
        """Return whether a request is being handled."""
        return self._asked is not None

    def waiting_since(self) -> float:
        """Return the server's time at which the last request was answered or the next one began."""
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
        """Close the connection, after the response if a request is being handled."""
        self.stopping = True
        if self._asked is None:
            self._hang_up()

    def abort(self) -> None:
        """Close the connection at once, without flushing."""
        if self._transport is not None:
            self._transport.abort()


class ReadReply(msgspec.Struct, gc=False, eq=False):
    """The promise of a read's response, sent at most once."""

    connection: WebhookConnection
    keep_alive: bool
    told: bool = False

    def send(self, head: bytes, body: bytes | None) -> None:
        """Send the response."""
        if not self.told:
            self.told = True
            self.connection.respond(head, body, keep_alive=self.keep_alive)


class _UpdateReply(msgspec.Struct, gc=False, eq=False):
    """The promise of an update's reply.

    Each update has its own, so a late second answer cannot reach the next update.
    """

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
        """Send the status that explains the missing reply."""
        if not self.told:
            self.told = True
            self.connection.respond(RESPONSES[status_of(exception)], b"", keep_alive=self.keep_alive)
