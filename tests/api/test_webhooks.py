"""Webhooks and jobs by the API, on a running bot: a game is opened by a signed call, and its end is reported."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from api.client import Client
from play.access import Role
from tests.api.conftest import Served
from tests.play.receiver import Receiver


async def sent(client: Client, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    response = await client.send(method, path, body=body)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def call(http: httpx.AsyncClient, url: str, secret: str, id_: str, type_: str, **data: Any) -> httpx.Response:
    """Make a call that is signed by the public library."""
    body, now = json.dumps({"type": type_, "data": data}), int(time.time())
    signature = Webhook(secret).sign(id_, datetime.fromtimestamp(now, UTC), body)
    headers = {"webhook-id": id_, "webhook-timestamp": str(now), "webhook-signature": signature}
    return await http.post(url, content=body, headers=headers)


async def test_a_signed_call_opens_a_game_and_its_end_is_reported_to_an_endpoint(served: Served) -> None:
    receiver = Receiver()
    runner = await receiver.serve()
    chat = f"/chats/{served.chat_id}"
    served.table.bot.play.http.guard = receiver.guard()
    async with await served.client(Role.HOST, served.chat_id) as host, httpx.AsyncClient(timeout=60) as http:
        made = await sent(host, "POST", f"{chat}/webhooks", {"url": receiver.url, "types": ["game.completed"]}, 201)
        secret, path = made["secret"], f"{chat}/webhooks/{made['id']}"
        assert "secret" not in await sent(host, "GET", path)
        await sent(host, "PATCH", path, {"types": []})
        await sent(host, "POST", f"{path}/example", status=202)
        source = await sent(host, "POST", f"{chat}/webhook-sources", {"description": "Calendar"}, 201)
        hook = f"{served.url}/api/v1/hooks/{source['id']}"
        opened = await call(http, hook, source["secret"], "one", "game.open", kind="pick_number", title="Friday")
        assert opened.status_code == 200, opened.text
        game = opened.json()
        assert (game["title"], game["chat_id"]) == ("Friday", served.chat_id)
        replayed = await call(http, hook, source["secret"], "one", "game.open", kind="pick_number")
        assert (replayed.status_code, replayed.json()["code"]) == (409, "replayed-call")
        forged = await call(http, hook, secret, "two", "game.end", game_id=game["id"])
        assert (forged.status_code, forged.json()["code"]) == (401, "bad-signature")
        assert (await call(http, hook, source["secret"], "two", "game.end", game_id=game["id"])).status_code == 200

        async with asyncio.timeout(60):
            while len(receiver.calls) < 3:  # noqa: ASYNC110 -- the bot makes the calls
                await asyncio.sleep(0.02)
        events = [Webhook(secret).verify(body, headers) for headers, body in receiver.calls]
        assert {event["type"] for event in events} == {"webhook.example", "game.opened", "game.cancelled"}
        assert {event["data"].get("game_id", game["id"]) for event in events} == {game["id"]}

        async with asyncio.timeout(60):
            while True:
                page = await sent(host, "GET", f"{path}/deliveries")
                if {each["status"] for each in page["items"]} == {"delivered"}:
                    break
                await asyncio.sleep(0.02)
        one = await sent(host, "GET", f"{path}/deliveries/{page['items'][0]['id']}")
        assert [attempt["status"] for attempt in one["tried"]] == [204]
        await sent(host, "POST", f"{path}/deliveries/{one['id']}/resend", status=202)
        rotated = await sent(host, "POST", f"{path}/rotate", {"overlap_seconds": 0})
        assert rotated["secret"] not in {None, secret}
        jobs = await sent(host, "GET", f"{chat}/jobs")
        assert {job["kind"] for job in jobs["items"]} == {"webhooks"}
        await sent(host, "DELETE", path, status=204)
    async with await served.client(Role.OPERATOR) as operator:
        found = (await sent(operator, "GET", "/jobs"))["items"]
        assert (await sent(operator, "GET", f"/jobs/{found[0]['id']}"))["id"] == found[0]["id"]
        assert (await sent(operator, "POST", f"/jobs/{10**9}/repeat", status=404))["code"] == "unknown-job"
    await runner.cleanup()
