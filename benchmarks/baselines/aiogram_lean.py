"""Baseline: the leanest bot that aiogram allows (uvloop, msgspec for JSON, no FSM, one router, no middlewares).

python -m benchmarks.baselines.aiogram_lean PORT REDIS_DSN API_BASE

The reply to the webhook is plain JSON instead of aiogram's multipart form.
"""

import asyncio
import sys
from typing import Any

import msgspec
import uvloop
from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import Command
from aiogram.methods import TelegramMethod
from aiogram.types import CallbackQuery, Message, Update
from aiohttp import web
from redis.asyncio import BlockingConnectionPool, Redis

from benchmarks.baselines.pick import Picks, toast
from benchmarks.world import PATH, SECRET, TOKEN


class Server:
    """Webhook handler that feeds updates to the dispatcher."""

    def __init__(self, redis_dsn: str, api_base: str) -> None:
        redis = Redis.from_pool(BlockingConnectionPool.from_url(redis_dsn, max_connections=32, timeout=30))
        self._picks = Picks(redis)
        self._bot = Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(api_base)))
        self._dispatcher = Dispatcher(disable_fsm=True)
        router = Router()
        router.callback_query.register(self._pick, F.data.startswith("p:"))
        router.message.register(self._start, Command("start"))
        self._dispatcher.include_router(router)

    async def serve(self, request: web.Request) -> web.Response:
        """Handle one update and reply with the resulting method as JSON."""
        if request.headers.get("X-Telegram-Bot-Api-Secret-Token") != SECRET:
            return web.Response(status=401)
        raw = msgspec.json.decode(await request.read())
        update = Update.model_validate(raw, context={"bot": self._bot})
        method = await self._dispatcher.feed_update(self._bot, update)
        if not isinstance(method, TelegramMethod):
            return web.Response()
        body: dict[str, Any] = {"method": method.__api_method__, **method.model_dump(exclude_none=True)}
        return web.Response(body=msgspec.json.encode(body), content_type="application/json")

    async def _pick(self, query: CallbackQuery) -> TelegramMethod[Any]:
        _, game_id, number = (query.data or "").split(":")
        outcome = await self._picks.pick(game_id, query.from_user.id, int(number), query.id)
        return query.answer(toast(outcome, int(number)))

    async def _start(self, message: Message) -> TelegramMethod[Any]:
        return message.answer("Hello.", parse_mode=None, disable_notification=None, protect_content=None)


async def main(port: int, redis_dsn: str, api_base: str) -> None:
    """Serve until the process is killed."""
    app = web.Application()
    app.router.add_post(PATH, Server(redis_dsn, api_base).serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=2048).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
