"""Socket proxies between one process of the bot and its stores, so that this process alone can be cut off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

CHUNK = 1 << 16
POSTGRES = ".s.PGSQL.5432"
"""File name of PostgreSQL's socket, in the directory that a DSN names."""


class StoreProxy:
    """Unix socket proxy that can be cut, or drop all traffic silently."""

    def __init__(self, path: Path, target: Path) -> None:
        self.path = path
        self._target = target
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._whole = True

    async def open(self) -> None:
        """Start listening."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def close(self) -> None:
        """Close the proxy and its connections."""
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._whole = False
        await self._drop()

    def go_silent(self) -> None:
        """Stop forwarding silently, like a network that loses packets."""
        self._flows.clear()

    async def mend(self) -> None:
        """Accept new connections. Earlier ones are broken, because their traffic was lost."""
        silent = not self._flows.is_set()
        self._whole = True
        self._flows.set()
        if silent:
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
class StoreProxies:
    """Proxies of one process, with the DSNs that point to them."""

    postgres: StoreProxy
    redis: StoreProxy
    postgres_dsn: str
    redis_dsn: str


@contextlib.asynccontextmanager
async def store_proxies(folder: Path, postgres_dsn: str, redis_dsn: str) -> AsyncIterator[StoreProxies]:
    """Start proxies to the embedded stores."""
    host = parse_qs(urlsplit(postgres_dsn).query)["host"][0]
    postgres = StoreProxy(folder / POSTGRES, Path(host) / POSTGRES)
    redis = StoreProxy(folder / "redis", Path(unquote(urlsplit(redis_dsn).path)))
    await postgres.open()
    await redis.open()
    try:
        yield StoreProxies(
            postgres, redis, postgres_dsn.replace(quote(host), quote(str(folder))), f"unix://{quote(str(redis.path))}"
        )
    finally:
        await asyncio.gather(postgres.close(), redis.close())
