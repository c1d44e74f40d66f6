"""What becomes of what handlers raise: refusals are told, trouble with a store is told, bugs are logged and counted."""

from aiogram import Router
from aiogram.dispatcher.event.bases import UNHANDLED
from aiogram.exceptions import (
    RestartingTelegram,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramServerError,
)
from aiogram.types import ErrorEvent
from aiogram_dialog.api.exceptions import OutdatedIntent, UnknownIntent, UnknownState
from loguru import logger

from fsm.engine import Unavailable
from fsm.kind import Rejected
from handlers.context import UpdateContext
from handlers.deps import Deps
from storage.connections import POSTGRES_GONE, REDIS_GONE

REDIS_DOWN = (Unavailable, *(error for error in REDIS_GONE if error is not OSError))
"""Nothing was done and nothing can be: the update is to come again. (An OSError may as well be PostgreSQL's.)"""
TELEGRAM_DOWN = (TelegramNetworkError, TelegramServerError, RestartingTelegram)
NOT_ALLOWED = (TelegramForbiddenError, TelegramMigrateToChat)
"""The chat is closed to the bot, or has moved: whoever might be told can't be reached there."""
STALE_DIALOG = (OutdatedIntent, UnknownIntent, UnknownState)


async def failed(event: ErrorEvent, deps: Deps, context: UpdateContext | None = None, trace: str = "") -> object:
    """Tell the person what happened to their update. Returns ``UNHANDLED`` where the update should come again."""
    error = event.exception
    match error:
        case Rejected():
            if context is not None:
                await _tell(context, deps.texts.refusal_html(context.locale, error), _toast(deps, context, error))
            return True
        case _ if isinstance(error, STALE_DIALOG):
            return await _simply(context, "dlg-stale")
        case _ if isinstance(error, REDIS_DOWN):
            if context is None or context.query is None:
                return UNHANDLED
            return await _simply(context, "cmd-try-again")
        case _ if isinstance(error, NOT_ALLOWED):
            logger.info("a dialog can't be shown: {}", error)
            return True
        case _ if isinstance(error, TELEGRAM_DOWN):
            logger.warning("Telegram is away: {}", error)
            return await _simply(context, "cmd-try-again")
        case _ if isinstance(error, POSTGRES_GONE):
            logger.warning("PostgreSQL is away: {}", error)
            return await _simply(context, "cmd-try-later")
        case _:
            logger.opt(exception=error).error("update {} failed", event.update.update_id)
            deps.count_error(type(error).__name__)
            return await _simply(context, "cmd-our-mistake", trace=trace)


def _toast(deps: Deps, context: UpdateContext, refusal: Rejected) -> str:
    return deps.texts.refusal(context.own_locale, refusal)


async def _simply(context: UpdateContext | None, text_id: str, **arguments: str) -> bool:
    if context is not None:
        await _tell(context, context.text(text_id, **arguments), context.word(text_id, **arguments))
    return True


async def _tell(context: UpdateContext, html: str, toast: str) -> None:
    """By a toast who has tapped, by a message who has written."""
    if context.query is not None:
        await context.toast(toast, alert=True)
    else:
        await context.answer(html)


def errors_router() -> Router:
    """The router of everything that is raised."""
    router = Router(name="errors")
    router.errors.register(failed)
    return router
