"""An HTTP server that answers every request in a hostile way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Hostile:
    """The server's log.

    Attributes:
        port: its port.
        asked: the first lines of the requests.
        left: number of answers whose reader closed the connection before their end.
    """

    port: int = 0
    asked: list[str] = field(default_factory=list)
    left: int = 0

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def hostile(way: str) -> AsyncIterator[Hostile]:
    """Serve for the block.

    ``redirect``: another path of the same server is the place. ``endless``: the body has no end. ``slow``: the headers
    have none, and come byte by byte. ``error``: 500 with a large body.
    """
    log, answering = Hostile(), set[asyncio.Task[None]]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        log.asked.append(head.partition(b"\r\n")[0].decode())
        match way:
            case "redirect":
                writer.write(
                    b"HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            case "error":
                writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" + b"x" * 100_000)
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            case _:
                writer.write(b"HTTP/1.1 200 OK\r\nX: ")
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.2)
        await writer.drain()
        await reader.read()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering.add(task)
        try:
            await answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            log.left += 1
        finally:
            answering.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    log.port = server.sockets[0].getsockname()[1]
    try:
        yield log
    finally:
        server.close()
        for task in [*answering]:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        await server.wait_closed()
