"""Error handling: refusals and outages are reported to the person; bugs are logged and counted as well."""

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
"""Errors after which nothing was done, so that the update has to come again. OSError is left out, because it can come
from PostgreSQL as well."""
TELEGRAM_DOWN = (TelegramNetworkError, TelegramServerError, RestartingTelegram)
NOT_ALLOWED = (TelegramForbiddenError, TelegramMigrateToChat)
"""Errors of a chat that is closed to the bot or has moved, so that no message reaches the person there."""
STALE_DIALOG = (OutdatedIntent, UnknownIntent, UnknownState)


async def failed(event: ErrorEvent, deps: Deps, context: UpdateContext | None = None, trace: str = "") -> object:
    """Report an error to the person. Returns ``UNHANDLED`` if the update should be delivered again."""
    error = event.exception
    match error:
        case Rejected():
            if context is not None:
                context.note_refusal(error)
                await _tell(context, deps.play.texts.refusal_html(context.locale, error), _toast(deps, context, error))
            return True
        case _ if isinstance(error, STALE_DIALOG):
            return await _simply(context, "dlg-stale")
        case _ if isinstance(error, REDIS_DOWN):
            # A message comes again when Redis is back. A tap would be too old by then, so its author taps again.
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
    return deps.play.texts.refusal(context.own_locale, refusal)


async def _simply(context: UpdateContext | None, text_id: str, **arguments: str) -> bool:
    if context is not None:
        await _tell(context, context.text(text_id, **arguments), context.word(text_id, **arguments))
    return True


async def _tell(context: UpdateContext, html: str, toast: str) -> None:
    """Answer a tap with a toast, a message with a message."""
    if context.query is not None:
        await context.toast(toast, alert=True)
    else:
        await context.answer(html)


def errors_router() -> Router:
    """Return the router that handles the errors of all others."""
    router = Router(name="errors")
    router.errors.register(failed)
    return router
