"""A language model for tests: a real server on a real port, with answers on command."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Reply = Callable[[asyncio.StreamWriter, "Call"], Awaitable[None]]


@dataclass(frozen=True)
class Call:
    """A received request."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def told(self) -> Any:
        """Return the content of the user's message."""
        return json.loads(self.body["messages"][1]["content"])


@dataclass
class Model:
    """The server. ``replies`` are used in order, the last one repeatedly."""

    replies: list[Reply] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    """Event that ends the waiting of replies that never answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = head.split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            body = json.loads(await reader.readexactly(int(headers["content-length"])))
            call = Call(lines[0].split()[1], headers, body)
            self.calls.append(call)
            self.called.set()
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            await reply(writer, call)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the writer has disconnected
        finally:
            writer.close()


@asynccontextmanager
async def running() -> AsyncIterator[Model]:
    """Run a model on a free port."""
    model = Model()
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0)
    model.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield model
        model.hanging.set()


def _http(status: int, body: bytes, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}Connection: close\r\n\r\n".encode() + body


def says(content: Any) -> Reply:
    """Return a completion with that content."""

    async def reply(writer: asyncio.StreamWriter, _call: Call) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        body = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
        writer.write(_http(200, json.dumps(body).encode()))
        await writer.drain()

    return reply


def writes(make: Callable[[int], Any]) -> Reply:
    """Return the requested number of questions, each made from its number, new ones in each call."""
    made = iter(range(10_000))

    async def reply(writer: asyncio.StreamWriter, call: Call) -> None:
        await says({"questions": [make(next(made)) for _ in range(call.told["count"])]})(writer, call)

    return reply


def status(code: int, extra: str = "", body: bytes = b'{"error": {"message": "no"}}') -> Reply:
    """Return an answer of that status."""

    async def reply(writer: asyncio.StreamWriter, _call: Call) -> None:
        writer.write(_http(code, body, extra))
        await writer.drain()

    return reply


def raw(content: bytes) -> Reply:
    """Return these bytes, then close the connection."""

    async def reply(writer: asyncio.StreamWriter, _call: Call) -> None:
        writer.write(content)
        await writer.drain()

    return reply


def never(model: Model, first: bytes = b"") -> Reply:
    """Send no more for as long as the server runs."""

    async def reply(writer: asyncio.StreamWriter, _call: Call) -> None:
        writer.write(first)
        await writer.drain()
        await model.hanging.wait()

    return reply


async def endless(writer: asyncio.StreamWriter, _call: Call) -> None:
    """Send an endless answer."""
    writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
