"""Clients of live updates on real sockets: the public `websockets` client, and a plain reader of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from api.live.messages import merged

PATIENCE = 60


class Watcher:
    """A client that keeps the games it watches, by the rules of the documentation.

    Attributes:
        games: the games, by id, as snapshots and patches make them.
        versions: the versions of all events, by game, in the order of receipt.
        told: all messages.
        cursor: the last cursor.
    """

    def __init__(self) -> None:
        self.games: dict[str, Any] = {}
        self.versions: dict[str, list[int]] = {}
        self.told: list[dict[str, Any]] = []
        self.cursor: str | None = None

    def take(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """Take in a batch. Returns its messages."""
        for message in batch["messages"]:
            self.told.append(message)
            if message["type"] == "snapshot":
                self.games[message["game_id"]] = message["game"]
            elif message["type"] == "events":
                game_id = message["game_id"]
                if "game" in message:
                    self.games[game_id] = message["game"]
                else:
                    assert self.games[game_id]["version"] == message["since"]
                    self.games[game_id] = merged(self.games[game_id], message["patch"])
                self.versions.setdefault(game_id, []).extend(event["version"] for event in message["events"])
        self.cursor = batch["cursor"] or self.cursor
        messages: list[dict[str, Any]] = batch["messages"]
        return messages


class Socket(Watcher):
    """A WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        super().__init__()
        self.connection = connection

    async def ask(self, **request: Any) -> None:
        """Send a request."""
        await self.connection.send(json.dumps(request))

    async def read(self) -> list[dict[str, Any]]:
        """Read one batch. Returns its messages."""
        messages: list[dict[str, Any]] = (await self.read_batch())["messages"]
        return messages

    async def read_batch(self) -> dict[str, Any]:
        """Read one batch."""
        async with asyncio.timeout(PATIENCE):
            batch: dict[str, Any] = json.loads(await self.connection.recv())
        self.take(batch)
        return batch

    async def subscribe(self, **request: Any) -> None:
        """Subscribe, and read up to the cursor."""
        await self.ask(type="subscribe", **request)
        while True:
            batch = await self.read_batch()
            if batch["cursor"] is not None or any(each["type"] == "refused" for each in batch["messages"]):
                return

    async def until(self, game_id: str, version: int) -> None:
        """Read until a game has a version."""
        while self.games.get(game_id, {}).get("version", 0) < version:
            await self.read()


@asynccontextmanager
async def socket(url: str, token: str = "", ticket: str = "", **options: Any) -> AsyncIterator[Socket]:
    """Connect by a token in the header, or by a ticket in the address."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/live" + (f"?ticket={ticket}" if ticket else "")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with connect(address, additional_headers=headers, compression=None, **options) as connection:
        yield Socket(connection)


class Stream(Watcher):
    """Server-sent events, read line by line."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        super().__init__()
        self._lines = lines
        self.last_event_id = ""

    async def read(self) -> list[dict[str, Any]]:
        """Read one event. Returns the messages of its batch."""
        data = ""
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    self.last_event_id = value
                elif name == "data":
                    data += value
                elif not line and data:
                    return self.take(json.loads(data))
        raise EOFError

    async def until(self, game_id: str, version: int) -> None:
        """Read until a game has a version."""
        while self.games.get(game_id, {}).get("version", 0) < version:
            await self.read()


@asynccontextmanager
async def stream(url: str, token: str, headers: dict[str, str] | None = None, **query: Any) -> AsyncIterator[Stream]:
    """Open a stream by a token in the header."""
    sent = {**({"authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as http,
        http.stream("GET", f"{url}/api/v1/live", params=query, headers=sent) as response,
    ):
        if response.status_code != 200:
            await response.aread()
            raise httpx.HTTPStatusError(response.text, request=response.request, response=response)
        yield Stream(response.aiter_lines())
