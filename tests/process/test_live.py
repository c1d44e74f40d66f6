"""Live updates while processes and stores die: a client that comes back with its cursor misses nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.exceptions import WebSocketException

from bot.clock import SystemClock
from play.access import Role
from play.tokens import Tokens
from storage.api_tokens import ApiTokens
from storage.connections import postgres_pool
from tests.api.live_clients import Socket, Watcher, socket
from tests.process.conftest import LONG, Room

OVER = {"completed", "cancelled"}
pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def following(room: Room, token: str, told: Watcher) -> AsyncIterator[None]:
    """Watch the group's games. After a break, continue from the cursor at the next process that answers."""

    async def follow() -> None:
        for turn in range(10_000):
            url = f"http://127.0.0.1:{room.act.replicas[turn % 2].port}"
            with contextlib.suppress(OSError, WebSocketException, TimeoutError):
                async with socket(url, token) as watcher:
                    await _continue(watcher, told, room.group.id)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _continue(watcher: Socket, told: Watcher, chat_id: int) -> None:
    """Subscribe from the cursor of an earlier connection, and add to the messages of that one."""
    watcher.games, watcher.versions, watcher.told = told.games, told.versions, told.told
    await watcher.ask(type="subscribe", chats=[chat_id], **({"cursor": told.cursor} if told.cursor else {}))
    while True:
        batch = await watcher.read_batch()
        told.cursor = watcher.cursor or told.cursor
        if any(message["type"] in {"closing", "refused"} for message in batch["messages"]):
            return


async def test_no_client_misses_an_event_or_gets_one_twice_whatever_is_killed(room: Room) -> None:
    act = room.act
    async with postgres_pool(act.postgres.dsn, pool_min=1, pool_max=2) as pool:
        token, _ = await Tokens(ApiTokens(pool, act.redis), SystemClock()).issue(
            Role.VIEWER, frozenset({room.group.id})
        )
    clients = [Watcher() for _ in range(3)]
    async with contextlib.AsyncExitStack() as stack:
        for client in clients:
            await stack.enter_async_context(following(room, token, client))
        async with asyncio.timeout(LONG):
            while any(client.cursor is None for client in clients):  # noqa: ASYNC110 -- other tasks read
                await asyncio.sleep(0.05)
        game_id = await room.open()
        await room.join(game_id, room.people[1])
        await act.replicas[0].kill()
        await room.join(game_id, room.people[2])
        # From here on the game goes on by its deadlines.
        await act.replicas[0].start()
        await act.replicas[0].ready(act.session)
        await act.replicas[1].kill()
        await act.redis_store.kill()
        await act.redis_store.start()
        await act.replicas[1].start()
        async with asyncio.timeout(LONG):
            while not all(client.games.get(game_id, {}).get("phase") in OVER for client in clients):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    for client in clients:
        version = client.games[game_id]["version"]
        assert client.versions[game_id] == list(range(1, version + 1))
        assert {message["type"] for message in client.told} <= {"events", "closing", "refused"}
