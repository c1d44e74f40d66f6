"""A server that accepts connections and never answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Silent:
    """The connections of the server, which stay open until it ends."""

    def __init__(self) -> None:
        self.port = 0
        self.called = asyncio.Event()
        """Set once somebody has connected."""
        self._writers = list[asyncio.StreamWriter]()

    def accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a connection open."""
        self._writers.append(writer)
        self.called.set()

    def close(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()


@contextlib.asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    """Run the server on a free port."""
    found = Silent()
    server = await asyncio.start_server(found.accept, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        found.close()
