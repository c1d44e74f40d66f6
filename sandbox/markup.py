"""Keyboards: Telegram's rules for them, and their form in a stored message."""

import msgspec
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, ReplyKeyboardMarkup
from pydantic import BaseModel

from sandbox.entities import checked_url
from sandbox.errors import bad
from sandbox.state import Chat, Json

INLINE_PER_ROW, INLINE_TOTAL = 8, 100
REPLY_PER_ROW, REPLY_TOTAL = 12, 300
MOST_BYTES = 10 * 1024
CALLBACK_BYTES = 64
STYLES = {"danger", "success", "primary"}
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
    "disabled",
)


def plain(model: BaseModel) -> Json:
    """Return a model as JSON, with only the fields that were given."""
    dumped: Json = model.model_dump(mode="json", exclude_none=True, exclude_unset=True, warnings=False)
    return dumped


def checked_markup(markup: BaseModel | None, chat: Chat) -> Json | None:
    """Return the keyboard to store, None for an empty one. Raises ApiError in Telegram's words."""
    if markup is None:
        return None
    if isinstance(markup, InlineKeyboardMarkup):
        _check_rows([len(row) for row in markup.inline_keyboard], INLINE_PER_ROW, INLINE_TOTAL)
        rows = [[_checked_button(button, chat) for button in row] for row in markup.inline_keyboard if row]
        if len(msgspec.json.encode(rows)) > MOST_BYTES:
            raise bad("reply markup is too long")
        return {"inline_keyboard": rows} if rows else None
    if isinstance(markup, ReplyKeyboardMarkup):
        _check_rows([len(row) for row in markup.keyboard], REPLY_PER_ROW, REPLY_TOTAL)
    return plain(markup)


def _check_rows(lengths: list[int], per_row: int, total: int) -> None:
    if sum(lengths) > total or max(lengths, default=0) > per_row:
        raise bad("reply markup is too long")


def _checked_button(button: InlineKeyboardButton, chat: Chat) -> Json:
    if not button.text.strip():
        raise bad('can\'t parse inline keyboard button: Field "text" must be non-empty')
    actions = [action for action in ACTIONS if getattr(button, action) is not None]
    if not actions:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad("can't parse inline keyboard button: Exactly one of the optional fields must be used")
    if button.style is not None and button.style not in STYLES:
        raise bad("can't parse inline keyboard button: Invalid button style specified")
    _check_action(button, chat)
    kept = plain(button)
    if button.url is not None:
        kept["url"] = checked_url(button.url)
    return kept


def _check_action(button: InlineKeyboardButton, chat: Chat) -> None:
    data, url = button.callback_data, button.url
    if data is not None and not 1 <= len(data.encode()) <= CALLBACK_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    if url is not None and not checked_url(url):
        raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    for link, kind in ((button.web_app, "Web App"), (button.login_url, "login")):
        if link is not None and not link.url.startswith("https://"):
            raise bad(f"inline keyboard button {kind} URL '{link.url}' is invalid: Only HTTPS links are allowed")
    if button.web_app is not None and chat.is_group:
        raise bad("BUTTON_TYPE_INVALID")
    if button.copy_text is not None and not 1 <= len(button.copy_text.text) <= 256:
        raise bad("BUTTON_COPY_TEXT_INVALID")
