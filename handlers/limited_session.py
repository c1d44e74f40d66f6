"""Rate limits for the calls that aiogram makes itself, as dialogs do. They share their budget with the outbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import stamina
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.base import BaseSession
from aiogram.client.session.middlewares.base import BaseRequestMiddleware
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.methods import AnswerCallbackQuery, TelegramMethod
from aiogram.types import LinkPreviewOptions

from fsm.kind import Rejected
from telegram.answers import TRIES, YOUNG_SECONDS
from telegram.limits import Limits, Priority, budget_of

WAIT_SECONDS = 3.5
"""Time that a call waits for room within the limits: long enough for a burst in one chat, short enough for a person."""


@dataclass(unsafe_hash=True)
class TooBusy(Rejected):
    """Telegram's rate limits have no room for this message now."""


class WithinLimits(BaseRequestMiddleware):
    """Delays calls to a chat until the limits have room for them; raises ``TooBusy`` after ``wait_seconds``."""

    def __init__(self, limits: Limits, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._limits = limits
        self._wait_seconds = wait_seconds

    async def __call__(
        self, make_request: Callable[[Bot, TelegramMethod[Any]], Awaitable[Any]], bot: Bot, method: TelegramMethod[Any]
    ) -> Any:
        """Make the call within the limits. A 429 that comes nevertheless pauses all processes' calls to that chat.

        The answer to a tap is not limited, and is retried while Telegram still accepts it, as in ``telegram.answers``.
        """
        if isinstance(method, AnswerCallbackQuery):
            async for attempt in stamina.retry_context(
                on=(TelegramServerError, TelegramNetworkError),
                attempts=TRIES, timeout=YOUNG_SECONDS, wait_initial=0.1, wait_jitter=0.2, wait_max=2,
            ):  # fmt: skip
                with attempt:
                    return await make_request(bot, method)
        chat_id = getattr(method, "chat_id", None)
        if not isinstance(chat_id, int):
            return await make_request(bot, method)
        budget = budget_of(method.__api_method__, {})
        try:
            async with self._limits.room(chat_id, self._wait_seconds, priority=Priority.ANSWER, budget=budget) as room:
                if not room:
                    raise TooBusy
                return await make_request(bot, method)
        except TelegramRetryAfter as error:
            await self._limits.penalise(chat_id, error.retry_after, budget)
            raise TooBusy from error


def limited_bot(token: str, limits: Limits, session: BaseSession) -> Bot:
    """Return an aiogram bot that sends HTML without link previews and keeps to the limits."""
    session.middleware(WithinLimits(limits))
    return Bot(
        token,
        session=session,
        default=DefaultBotProperties(parse_mode="HTML", link_preview=LinkPreviewOptions(is_disabled=True)),
    )


def http_session(api_base: str) -> AiohttpSession:
    """Return a session for the Bot API server at ``api_base``."""
    return AiohttpSession(api=TelegramAPIServer.from_base(api_base), timeout=20)
