"""Delivery to a webhook: the secret, order, repetition, and calls in the reply."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.conftest import Call, Scene

Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


class Hook:
    """A bot's webhook on a free port; `answer` decides the response to each update."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[dict[str, Any]] = []
        self.secrets: list[str | None] = []
        self.answer: Answer = self.accept

    @staticmethod
    async def accept(_: dict[str, Any]) -> web.Response:
        return web.Response()

    async def handle(self, request: web.Request) -> web.Response:
        """Record the update and answer it."""
        update = await request.json()
        self.seen.append(update)
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return await self.answer(update)

    def texts(self) -> list[str]:
        """Return the texts of the messages received, in order."""
        return [update["message"]["text"] for update in self.seen if "message" in update]


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    application = web.Application()
    application.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.url = f"http://{host}:{port}/hook"
    yield hook
    await runner.cleanup()


async def delivered(scene: Scene) -> None:
    """Wait until no update is pending."""
    await scene.box.control.until(lambda: not scene.box.world.updates.pending)


async def test_updates_come_in_order_with_the_secret(scene: Scene, call: Call, hook: Hook) -> None:
    scene.box.control.say(scene.ann, scene.group, "/early")
    assert (await call("setWebhook", url=hook.url, secret_token="s3cret", max_connections=7))["result"] is True
    for number in range(10):
        scene.box.control.say(scene.ann, scene.group, f"/n{number}")
    await delivered(scene)
    assert hook.texts() == ["/early", *[f"/n{number}" for number in range(10)]]
    assert set(hook.secrets) == {"s3cret"}
    info = (await call("getWebhookInfo"))["result"]
    assert (info["url"], info["max_connections"], info["pending_update_count"]) == (hook.url, 7, 0)


async def test_a_refused_update_is_repeated_before_the_next_of_its_chat(scene: Scene, call: Call, hook: Hook) -> None:
    statuses = iter([500, 502, 404])

    async def grudging(_: dict[str, Any]) -> web.Response:
        return web.Response(status=next(statuses, 200))

    hook.answer = grudging
    await call("setWebhook", url=hook.url)
    scene.box.control.say(scene.ann, scene.group, "/a")
    scene.box.control.say(scene.ann, scene.group, "/b")
    await delivered(scene)
    assert hook.texts() == ["/a", "/a", "/a", "/a", "/b"]
    info = (await call("getWebhookInfo"))["result"]
    assert info["last_error_message"] == "Wrong response from the webhook: 404 Not Found"


async def test_chats_do_not_wait_for_each_other(scene: Scene, call: Call, hook: Hook) -> None:
    release = asyncio.Event()

    async def slow_for_the_group(update: dict[str, Any]) -> web.Response:
        if update["message"]["chat"]["id"] == scene.group.id:
            await release.wait()
        return web.Response()

    hook.answer = slow_for_the_group
    await call("setWebhook", url=hook.url)
    scene.box.control.say(scene.ann, scene.group, "/group")
    scene.box.control.start(scene.ann)
    await scene.box.control.until(lambda: len(scene.box.world.updates.pending) == 1)
    release.set()
    await delivered(scene)


async def test_a_reply_may_carry_one_call(scene: Scene, call: Call, hook: Hook) -> None:
    replies = iter(
        [
            {"method": "sendMessage", "chat_id": scene.group.id, "text": "from the reply"},
            {"method": "getMe"},
            {"method": "sendMessage", "chat_id": scene.group.id},
        ]
    )

    async def replying(_: dict[str, Any]) -> web.Response:
        return web.json_response(next(replies))

    hook.answer = replying
    await call("setWebhook", url=hook.url)
    for text in ("/a", "/b", "/c"):
        scene.box.control.say(scene.ann, scene.group, text)
    await delivered(scene)
    assert [m.content["text"] for m in scene.box.control.bot_messages(scene.group)] == ["from the reply"]
    assert [violation.description for violation in scene.box.control.violations()] == [
        "Bad Request: message text is empty"
    ]


async def test_updates_can_be_delivered_twice_by_webhook(scene: Scene, call: Call, hook: Hook) -> None:
    scene.box.control.duplicate_updates(1)
    await call("setWebhook", url=hook.url)
    scene.box.control.say(scene.ann, scene.group, "/a")
    await delivered(scene)
    assert hook.texts() == ["/a", "/a"]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"url": "ftp://x"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://a.b", "secret_token": "x" * 257}, "Bad Request: secret token is too long"),
        ({"url": "https://a.b", "secret_token": "ы"}, "Bad Request: secret token contains unallowed characters"),
    ],
)
async def test_a_wrong_webhook_is_refused(refusal: Call, params: dict[str, str], description: str) -> None:
    assert await refusal("setWebhook", **params) == description


async def test_the_webhook_is_set_once_a_second(call: Call, refusal: Call, hook: Hook) -> None:
    await call("setWebhook", url=hook.url)
    assert await refusal("setWebhook", url=hook.url + "2") == "Too Many Requests: retry after 1"


async def test_what_was_not_accepted_stays_for_polling(scene: Scene, call: Call, hook: Hook) -> None:
    async def refusing(_: dict[str, Any]) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "60"})

    hook.answer = refusing
    await call("setWebhook", url=hook.url)
    scene.box.control.say(scene.ann, scene.group, "/a")
    await scene.box.control.until(lambda: hook.seen)
    await call("deleteWebhook")
    assert [u["message"]["text"] for u in (await call("getUpdates"))["result"]] == ["/a"]
