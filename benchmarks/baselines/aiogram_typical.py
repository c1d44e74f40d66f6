"""Baseline: a typical aiogram bot.

python -m benchmarks.baselines.aiogram_typical PORT REDIS_DSN API_BASE

It has thirty routers, three middlewares, FSM storage in Redis and aiohttp's webhook handler. Two settings differ from
aiogram's defaults, because the defaults lose taps: updates are handled before they are answered instead of in the
background, and an exhausted Redis pool waits instead of failing.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.redis import RedisStorage
from aiogram.methods import TelegramMethod
from aiogram.types import CallbackQuery, Message, TelegramObject
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web
from redis.asyncio import BlockingConnectionPool, Redis

from benchmarks.baselines.pick import Picks, toast
from benchmarks.world import PATH, SECRET, TOKEN

ROUTERS = 30
Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class Pick(CallbackData, prefix="p"):
    """Callback data of a number's button."""

    game: str
    number: int


class Form(StatesGroup):
    """States of a dialog, as half of the routers have one."""

    title = State()


class Timed(BaseMiddleware):
    """Middleware that measures the time of handlers."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Call the handler and record its duration."""
        began = time.perf_counter()
        try:
            return await handler(event, data)
        finally:
            data["took"] = time.perf_counter() - began


class Given(BaseMiddleware):
    """Middleware that passes a dependency to handlers."""

    def __init__(self, picks: Picks) -> None:
        self._picks = picks

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Call the handler with the dependency added to its data."""
        data["picks"] = self._picks
        return await handler(event, data)


class Throttled(BaseMiddleware):
    """Middleware that counts each person's updates."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """Count the update and call the handler."""
        user = data.get("event_from_user")
        if user is not None:
            self._counts[user.id] = self._counts.get(user.id, 0) + 1
        return await handler(event, data)


async def other(_event: TelegramObject) -> None:
    """Handle an update of an unrelated feature."""


async def pick(query: CallbackQuery, callback_data: Pick, picks: Picks) -> TelegramMethod[Any]:
    """Handle a tap on a number."""
    outcome = await picks.pick(callback_data.game, query.from_user.id, callback_data.number, query.id)
    return query.answer(toast(outcome, callback_data.number))


def routers() -> list[Router]:
    """Return thirty routers; the one in the middle handles the tap."""
    found = []
    for index in range(ROUTERS):
        router = Router(name=f"router {index}")
        router.message.register(other, Command(f"command_{index}"))
        router.message.register(other, Form.title, F.text)
        if index == ROUTERS // 2:
            router.callback_query.register(pick, Pick.filter())
        else:
            router.callback_query.register(other, F.data.startswith(f"button_{index}:"))
        found.append(router)
    return found


async def start(message: Message) -> TelegramMethod[Any]:
    """Handle a command."""
    return message.answer("Hello.")


async def application(redis_dsn: str, api_base: str) -> web.Application:
    """Build the server application."""
    redis = Redis.from_pool(BlockingConnectionPool.from_url(redis_dsn, max_connections=32, timeout=30))
    bot = Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(api_base)))
    dispatcher = Dispatcher(storage=RedisStorage(redis))
    for middleware in (Timed(), Given(Picks(redis)), Throttled()):
        dispatcher.update.outer_middleware(middleware)
    dispatcher.message.register(start, Command("start"))
    dispatcher.include_routers(*routers())
    app = web.Application()
    SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=SECRET).register(app, PATH)
    setup_application(app, dispatcher, bot=bot)
    return app


async def main(port: int, redis_dsn: str, api_base: str) -> None:
    """Serve until the process is killed."""
    runner = web.AppRunner(await application(redis_dsn, api_base), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
