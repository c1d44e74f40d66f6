"""The wires from one process of the bot to its stores, so that it alone can be cut off from them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

CHUNK = 1 << 16
POSTGRES = ".s.PGSQL.5432"
"""How PostgreSQL calls its socket, in the directory that a DSN names."""


class Wire:
    """A Unix socket that leads to another one, until it is cut, or goes dead."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._whole = True

    async def open(self) -> None:
        """Listen."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        """Take it away."""
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def cut(self) -> None:
        """Break every connection, and take no other one."""
        self._whole = False
        await self._drop()

    def deaden(self) -> None:
        """Let nothing through any more, and say nothing of it, as a network does that swallows packets."""
        self._flows.clear()

    async def mend(self) -> None:
        """Let new connections through; those from before are broken, as what they carried is lost."""
        dead = not self._flows.is_set()
        self._whole = True
        self._flows.set()
        if dead:
            await self._drop()

    async def _drop(self) -> None:
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            if self._whole:
                there_reader, there_writer = await asyncio.open_unix_connection(self._target)
                try:
                    await self._both_ways(reader, writer, there_reader, there_writer)
                finally:
                    there_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._carrying.discard(task)
            writer.transport.abort()

    async def _both_ways(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there_reader: asyncio.StreamReader,
        there_writer: asyncio.StreamWriter,
    ) -> None:
        ways = {
            asyncio.ensure_future(self._pipe(reader, there_writer)),
            asyncio.ensure_future(self._pipe(there_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()


@dataclass(frozen=True, slots=True)
class Wires:
    """Of one process, with what it is told to connect to."""

    postgres: Wire
    redis: Wire
    postgres_dsn: str
    redis_dsn: str


@contextlib.asynccontextmanager
async def wires(folder: Path, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Wires]:
    """Lay wires to the embedded stores."""
    host = parse_qs(urlsplit(postgres_dsn).query)["host"][0]
    postgres = Wire(folder / POSTGRES, Path(host) / POSTGRES)
    redis = Wire(folder / "redis", Path(unquote(urlsplit(redis_dsn).path)))
    await postgres.open()
    await redis.open()
    try:
        yield Wires(
            postgres, redis, postgres_dsn.replace(quote(host), quote(str(folder))), f"unix://{quote(str(redis.path))}"
        )
    finally:
        await asyncio.gather(postgres.close(), redis.close())
