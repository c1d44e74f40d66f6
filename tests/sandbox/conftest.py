"""A sandbox on a free port, a simulated clock, and two clients: aiogram's and a bare one."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from sandbox import app
from sandbox.state import Chat, Message, User
from tests.support.clock import TurnedClock

Call = Callable[..., Coroutine[Any, Any, Any]]


@dataclass
class Scene:
    """A running sandbox with a group of two and the bot in it."""

    box: app.Box
    clock: TurnedClock
    ann: User
    boris: User
    group: Chat

    def posted(self, result: dict[str, Any]) -> Message:
        """Return the record of a message that a call has sent."""
        return self.box.world.chats[result["chat"]["id"]].messages[result["message_id"]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def scene(clock: TurnedClock) -> AsyncIterator[Scene]:
    """Run a sandbox without sending limits."""
    async with app.serve(now=clock.seconds, limits=False, webhook_backoff=0.02) as box:
        ann = box.control.add_user("Ann")
        boris = box.control.add_user("Борис", language="ru")
        group = box.control.add_group("Friday <games>", ann, [boris])
        box.world.updates.drop_all()
        yield Scene(box, clock, ann, boris, group)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def call(scene: Scene, http: aiohttp.ClientSession) -> Call:
    """Return a function that calls the Bot API and returns the whole answer."""

    async def call(method: str, **params: Any) -> Any:
        url = f"{scene.box.url}/bot{scene.box.token}/{method}"
        async with http.post(url, json=params) as response:
            return await response.json()

    return call


@pytest.fixture
def refusal(call: Call) -> Call:
    """Return a function that calls the Bot API, expects a refusal, and returns its description."""

    async def refusal(method: str, **params: Any) -> str:
        answer = await call(method, **params)
        assert answer["ok"] is False, answer
        return str(answer["description"])

    return refusal


@pytest.fixture
async def bot(scene: Scene) -> AsyncIterator[Bot]:
    """Yield aiogram's client of the sandbox."""
    bot = Bot(scene.box.token, session=AiohttpSession(api=TelegramAPIServer.from_base(scene.box.url)))
    yield bot
    await bot.session.close()
