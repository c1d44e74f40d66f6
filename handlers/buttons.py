"""Handlers of taps on buttons that belong to no game: their permission, and the answer to buttons that have gone."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram.types import CallbackQuery
from aiogram_dialog.context.intent_middleware import FORBIDDEN_STACK_KEY

from handlers.context import UpdateContext
from handlers.dialogs.stack_validator import REFUSAL
from handlers.filters import has_its_button
from play.access import Needs, NotYours


def on_data(handler: Callable[[UpdateContext, str], Awaitable[None]], needs: Needs) -> Callable[..., Awaitable[None]]:
    """Return a handler that authorises the person and edits the tapped message.

    If the message lacks the button, the tap is forged or stale, and must not replace a message that shows other things.
    """

    async def handle(query: CallbackQuery, context: UpdateContext) -> None:
        if has_its_button(query):
            await context.authorise(needs)
            await handler(context, query.data or "")
        else:
            await left_over(query, context)

    return handle


async def left_over(query: CallbackQuery, context: UpdateContext, **data: Any) -> None:
    """Answer a tap on a dialog that the person may not use, or on a button that no handler knows any more."""
    if REFUSAL in data:
        raise data[REFUSAL]
    if data.get(FORBIDDEN_STACK_KEY) and has_its_button(query):
        raise NotYours
    await context.toast(context.word("dlg-stale"))
