"""Live updates: snapshots, events and their effect, cursors, on WebSockets and server-sent events."""

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest

from api.client import Client
from api.games import JoinBody, OpenBody
from api.live.messages import Batch
from play.access import Role
from tests.api.conftest import Served
from tests.api.live_clients import socket, stream


def without_nulls(value: Any) -> Any:
    """Return a value without the members of objects that are null, which a merge patch can't tell from absent ones."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return value


async def rest(client: Client, game_id: str) -> Any:
    """Return a game as REST shows it."""
    return json.loads((await client.send("GET", f"/games/{game_id}")).content)


async def opened(host: Client, served: Served, **rules: str) -> str:
    return (await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number", rules=rules))).id


async def joined(host: Client, served: Served, game_id: str, *people: int) -> int:
    version = 0
    for number in people:
        person = served.table.people[number]
        version = (await host.join_game(game_id, JoinBody(person.id, person.first_name))).version
    return version


async def test_a_snapshot_and_the_patches_after_it_make_the_game_as_rest_shows_it(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with Client(served.url, token) as host, socket(served.url, token) as watcher:
        game_id = await opened(host, served)
        await watcher.subscribe(games=[game_id])
        assert [message["reason"] for message in watcher.told] == ["subscribed"]
        assert watcher.games[game_id] == await rest(host, game_id)
        await joined(host, served, game_id, 1, 2)
        start = await host.start_game(game_id)
        await watcher.until(game_id, start.version)
        assert without_nulls(watcher.games[game_id]) == without_nulls(await rest(host, game_id))
        assert watcher.versions[game_id] == list(range(2, start.version + 1))
        assert {message["type"] for message in watcher.told[1:]} == {"events"}
        for message in watcher.told:
            msgspec.convert({"cursor": None, "messages": [message]}, Batch)


async def test_a_chat_shows_its_games_and_those_that_are_opened_later(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with Client(served.url, token) as host, stream(served.url, token, chat=served.chat_id) as watcher:
        await watcher.read()
        assert watcher.games == {}
        game_id = await opened(host, served)
        await watcher.until(game_id, 1)
        assert watcher.told[0]["since"] == 0
        assert watcher.games[game_id] == await rest(host, game_id)
        version = await joined(host, served, game_id, 1)
        await watcher.until(game_id, version)
        assert watcher.versions[game_id] == list(range(1, version + 1))
        cancelled = await host.cancel_game(game_id)
        await watcher.until(game_id, cancelled.version)
        assert watcher.games[game_id]["phase"] == "cancelled"
        async with stream(served.url, token, chat=served.chat_id) as later:
            assert await later.read() == []


@pytest.mark.parametrize("watched", ["games", "chats"])
async def test_a_cursor_continues_without_gap_and_without_repetition(served: Served, watched: str) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with Client(served.url, token) as host:
        game_id = await opened(host, served)
        wanted = {watched: [game_id if watched == "games" else served.chat_id]}
        async with socket(served.url, token) as first:
            await first.subscribe(**wanted)
            await first.until(game_id, await joined(host, served, game_id, 1))
        await joined(host, served, game_id, 2, 3)
        ended = await host.cancel_game(game_id)
        async with socket(served.url, token) as second:
            second.games, second.versions = first.games, first.versions
            await second.subscribe(**wanted, cursor=first.cursor)
            assert [message["type"] for message in second.told] == ["events"]
            assert second.versions[game_id] == list(range(2, ended.version + 1))
            assert second.games[game_id] == await rest(host, game_id)
        async with stream(served.url, token, {"last-event-id": first.cursor or ""}, game=game_id) as third:
            await third.read()
            assert third.versions[game_id][-1] == ended.version
            async with stream(served.url, token, game=game_id, cursor=third.last_event_id) as fourth:
                assert await fourth.read() == []


async def test_the_time_from_a_commit_to_each_client_is_measured(served: Served) -> None:
    token = await served.token(Role.HOST, served.chat_id)
    async with (
        Client(served.url, token) as host,
        socket(served.url, token) as first,
        socket(served.url, token) as second,
    ):
        game_id = await opened(host, served)
        for watcher in (first, second):
            await watcher.subscribe(games=[game_id])
        version = await joined(host, served, game_id, 1, 2)
        for watcher in (first, second):
            await watcher.until(game_id, version)
        changes = [message for watcher in (first, second) for message in watcher.told if message["type"] == "events"]
        assert len(changes) >= 2
        # A batch is counted when the connection has taken it, so perhaps after its client has read it.
        async with httpx.AsyncClient(base_url=served.url, timeout=60) as http, asyncio.timeout(60):
            while f"tombola_live_lag_seconds_count {len(changes)}.0" not in (await http.get("/metrics")).text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
