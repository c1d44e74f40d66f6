"""A bot with the HTTP API, a group of people in the sandbox, and tokens of every role."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest_asyncio

from api.client import Client
from api.endpoint import Endpoint
from api.views import GameSummary
from play.access import Role
from storage.people import People
from tests.api.documented import breaches
from tests.e2e.conftest import Table, seated


@dataclass
class Served:
    """A running API."""

    table: Table
    url: str

    @property
    def chat_id(self) -> int:
        """The group's id."""
        return self.table.group.id

    @property
    def people(self) -> People:
        """The repository of people of the running bot."""
        return self.table.bot.stores.people

    async def token(self, role: Role, *chats: int, days: float | None = None) -> str:
        """Make a token."""
        token, _ = await self.table.bot.play.tokens.issue(role, frozenset(chats) or None, days=days)
        return token

    async def strangers(self) -> tuple[str | None, ...]:
        """Return no token, a wrong one, a revoked one and an expired one."""
        revoked, expired = await self.token(Role.OPERATOR), await self.token(Role.OPERATOR, days=-0.001)
        await self.table.bot.play.tokens.revoke(revoked.split("_")[1])
        valid = await self.token(Role.OPERATOR)
        return None, f"{valid[:-1]}{'0' if valid[-1] != '0' else '1'}", revoked, expired

    async def projected(self, game_id: str, version: int) -> None:
        """Wait until PostgreSQL has a version of a game."""
        async with asyncio.timeout(60):
            archive = self.table.bot.stores.archive
            while (row := await archive.game(game_id)) is None or row.version < version:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # PostgreSQL tells nobody of its rows

    async def met(self) -> None:
        """Wait until the bot has handled that it was added to the group, and so has chosen the group's language."""
        async with asyncio.timeout(60):
            while (chat := await self.people.chat_now(self.chat_id)) is None or chat.locale is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def listed(self, client: Client) -> tuple[list[GameSummary], str | None]:
        """Return the group's live games, as soon as PostgreSQL has one."""
        async with asyncio.timeout(60):
            while not (found := await client.list_games(chat=self.chat_id, live=True))[0]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return found

    async def client(self, role: Role, *chats: int) -> Client:
        """Return a client with a new token. A response that the document does not have fails the test."""
        client = Client(self.url, await self.token(role, *chats))
        client._http.event_hooks["response"].append(check_documented)
        return client


async def check_documented(response: httpx.Response) -> None:
    """Fail unless the OpenAPI document has the status, the headers, the content type and the code of a response."""
    if response.request.url.path.startswith("/api/"):
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            await response.aread()  # a stream has no end
        assert breaches(response) == [], (response.request.method, response.request.url.path)


def address(endpoint: Endpoint, served: Served, game_id: str) -> str:
    """Return the address of an endpoint, about the group and its game."""
    values = {"chat": served.chat_id, "game": game_id, "player": 4242, "pack": 1, "token": "a" * 10, "flag": "none"}
    return re.sub(r"{(\w+)}", lambda found: str(values.get(found[1], 1)), endpoint.path)


def body(endpoint: Endpoint, served: Served) -> Any:
    """Return a body that an endpoint takes; about the group, if it names a chat."""
    if endpoint.body is None or endpoint.body is bytes:
        return endpoint.body and b"question,answer\n"
    assert endpoint.example is not None, "a body needs an example in the reference"
    given = {**endpoint.example, **({"chat_id": served.chat_id} if "chat_id" in endpoint.example else {})}
    msgspec.convert(given, endpoint.body)
    return given


def query(endpoint: Endpoint, served: Served) -> dict[str, Any]:
    """Return parameters with which an endpoint is about the group, as far as it has them."""
    names = endpoint.query.__struct_fields__
    filled = {"chat": served.chat_id, "filename": "pack.csv", "name": "pack", "old": 0, "new": 0}
    return {name: filled[name] for name in names if name in filled}


@pytest_asyncio.fixture
async def served(postgres_dsn: str, redis_dsn: str) -> AsyncIterator[Served]:
    """Run a bot with the API."""
    async with seated(postgres_dsn, redis_dsn, "polling") as table:
        yield Served(table, f"http://127.0.0.1:{table.bot.port}")
