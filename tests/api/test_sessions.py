"""Sessions of people in the Mini App: their beginning, their rights, and their end."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from api.games import OpenBody
from api.table import ENDPOINTS
from play.access import Role
from play.sessions import LAUNCH_MS, LONGEST_MS
from sandbox.launch import launch_data
from sandbox.state import User
from storage.keys import rate_key
from tests.api.conftest import Served, address, body, check_documented, query
from tests.api.live_clients import socket


@dataclass
class Page:
    """A person's page: calls of the API by its session."""

    served: Served
    http: httpx.AsyncClient
    user: User
    number: int = 0

    @property
    def now(self) -> int:
        return self.served.table.bot.play.clock.now() // 1000

    async def send(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        self.number += 1
        given = {"idempotency-key": f"page-{self.number}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        return await self.http.request(method, f"{self.served.url}/api/v1{path}", json=json, headers=given)

    async def begin(self, launch: str) -> httpx.Response:
        await self.served.table.bot.redis.delete(rate_key("@127.0.0.1"))  # strangers have a small rate
        response = await self.send("POST", "/sessions", {"init_data": launch})
        if response.status_code == 201:
            self.http.headers["authorization"] = f"Bearer {response.json()['token']}"
        return response

    def launch(self, *, token: str | None = None, at: int | None = None) -> str:
        return launch_data(self.user, token or self.served.table.box.token, at or self.now, "start")

    async def code(self, method: str, path: str, json: Any = None, **headers: str) -> str:
        response = await self.send(method, path, json, **headers)
        return "" if response.is_success else str(response.json()["code"])


@pytest_asyncio.fixture
async def page(served: Served) -> Any:
    async with httpx.AsyncClient(timeout=60, event_hooks={"response": [check_documented]}) as http:
        yield Page(served, http, served.table.people[1])


async def test_only_fresh_launch_data_of_this_bot_begins_a_session(page: Page) -> None:
    good = page.launch()
    forged = good.replace(str(page.user.id), str(page.served.table.people[0].id))
    assert forged != good
    wrong = [
        (forged, "bad-launch"),
        (page.launch(token="1:another"), "bad-launch"),
        (good[:-1] + ("0" if good[-1] != "0" else "1"), "bad-launch"),
        (good.split("&hash=")[0], "bad-launch"),
        (good + "&hash=" + "0" * 64, "bad-launch"),
        ("hash=é%ff", "bad-launch"),
        ("nonsense", "bad-launch"),
        (page.launch(at=page.now - LAUNCH_MS // 1000 - 1), "stale-launch"),
        (page.launch(at=page.now + 3600), "stale-launch"),
    ]
    for launch, code in wrong:
        response = await page.begin(launch)
        assert (response.status_code, response.json()["code"]) == (401, code), launch
    response = await page.begin(good)
    assert response.status_code == 201
    assert response.json()["player_id"] == page.user.id
    assert response.headers["cache-control"] == "no-store"
    assert "set-cookie" not in response.headers


async def test_a_session_ends_with_a_ban_by_its_age_and_with_its_secret_altered(page: Page) -> None:
    launch, people, chat = page.launch(), page.served.people, page.served.chat_id
    token = (await page.begin(launch)).json()["token"]
    games = f"/games?chat={chat}"
    assert await page.code("GET", games) == ""
    assert await page.code("GET", games, authorization=f"Bearer {token[:-1]}{'0' if token[-1] != '0' else '1'}") == (
        "not-authenticated"
    )
    await people.ban(0, page.user.id, 1, "")
    assert await page.code("GET", games) == "banned"
    assert (await page.begin(launch)).json()["code"] == "banned", "a replay after the ban"
    await people.unban(0, page.user.id)
    assert await page.code("GET", games) == "not-authenticated", "an unban does not bring it back"
    assert (await page.begin(launch)).status_code == 201
    page.served.table.clock.turn(LONGEST_MS / 1000 + 1)
    assert await page.code("GET", games) == "not-authenticated"


async def test_a_session_calls_only_the_endpoints_for_people_and_moves_only_its_own_person(page: Page) -> None:
    served = page.served
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
    await page.begin(page.launch())
    for endpoint in ENDPOINTS:
        if endpoint.public or endpoint.body is bytes:
            continue
        await served.table.bot.redis.delete(rate_key(f"app:{page.user.id}"))
        response = await page.http.request(
            endpoint.method,
            f"{served.url}/api/v1{address(endpoint, served, game.id)}",
            params=query(endpoint, served),
            json=body(endpoint, served),
            headers={"idempotency-key": endpoint.name},
        )
        code = "" if response.is_success else response.json().get("code", "")
        assert (code == "tokens-only") == (not endpoint.people), (endpoint.name, code)
    other = served.table.people[2]
    mine, others = {"player_id": page.user.id, "name": "Nobody"}, {"player_id": other.id, "name": "Else"}
    assert await page.code("POST", f"/games/{game.id}/players", others) == "needs-a-token"
    assert await page.code("POST", f"/games/{game.id}/start") == "not-a-host"
    joined = await page.send("POST", f"/games/{game.id}/players", mine)
    assert joined.status_code == 200
    players = (await page.send("GET", f"/games/{game.id}/players")).json()
    assert [each["name"] for each in players] == [page.user.name], "the name that Telegram signed"
    await served.table.tap(other, r"^j:")
    assert await page.code("POST", f"/games/{game.id}/players/{other.id}/leave") == "needs-a-token"
    async with await served.client(Role.HOST, served.chat_id) as host:
        await host.start_game(game.id)
        response = await host.send("POST", f"/games/{game.id}/players/{page.user.id}/leave")
        assert response.json()["code"] in {"joined-elsewhere", "not-now"}
        response = await host.send("POST", f"/games/{game.id}/picks", body={"player_id": page.user.id, "number": 3})
        assert response.json()["code"] == "joined-elsewhere", "no token moves a person of the Mini App"
    assert await page.code("POST", f"/games/{game.id}/picks", {"player_id": other.id, "number": 3}) == "needs-a-token"
    key = {"idempotency-key": "once"}
    first = await page.send("POST", f"/games/{game.id}/picks", {"player_id": page.user.id, "number": 3}, **key)
    await page.begin(page.launch())  # the page was loaded again, and has lost the response
    again = await page.send("POST", f"/games/{game.id}/picks", {"player_id": page.user.id, "number": 3}, **key)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"


async def test_who_is_not_in_the_group_sees_nothing_of_it(page: Page) -> None:
    served = page.served
    async with await served.client(Role.HOST, served.chat_id) as host:
        game = await host.open_game(OpenBody(chat_id=served.chat_id, kind="pick_number"))
    page.user = served.table.box.control.add_user("Stranger")
    await page.begin(page.launch())
    chat = served.chat_id
    for path in (f"/games?chat={chat}", "/games", f"/games/{game.id}", f"/chats/{chat}/leaderboard"):
        assert await page.code("GET", path) == "not-a-member", path
    join = {"player_id": page.user.id, "name": "Stranger"}
    assert await page.code("POST", f"/games/{game.id}/players", join) == "not-a-member"


@pytest.mark.parametrize("banned_from", ["everywhere", "the chat"])
async def test_a_ban_ends_the_live_updates_of_an_open_page(page: Page, banned_from: str) -> None:
    served = page.served
    await page.begin(page.launch())
    ticket = (await page.send("POST", "/live/tickets")).json()["ticket"]
    async with socket(served.url, ticket=ticket) as watching:
        await watching.subscribe(chats=[served.chat_id])
        await served.people.ban(0 if banned_from == "everywhere" else served.chat_id, page.user.id, 1, "")
        async with asyncio.timeout(60):
            while not (ends := [each for each in await watching.read() if each["type"] in {"closing", "unsubscribed"}]):
                pass
    assert ends[0]["code"] == ("not-authenticated" if banned_from == "everywhere" else "banned")
