"""Undecoded updates: the chat and the person that they belong to, and the errors that they may cause."""

import re
from typing import Any, TypeAlias

import msgspec

Reply: TypeAlias = dict[str, Any] | None
"""The call of the Bot API that answers an update, with its ``method``; None means no answer."""


class MalformedUpdate(ValueError):
    """The body is not an update of Telegram."""


UNREADABLE = (ValueError, RecursionError)
"""Errors of msgspec for bytes that are no JSON, of another shape, not UTF-8, or nested too deeply."""


class RetryLater(Exception):
    """The update cannot be handled now and should be delivered again."""


class _Id(msgspec.Struct):
    id: int


class _InChat(msgspec.Struct):
    chat: _Id | None = None
    sender: _Id | None = msgspec.field(default=None, name="from")
    message: "_InChat | None" = None


CHAT = re.compile(rb'"chat":\{"id":(-?\d+)')
"""Pattern of the chat's id. Users' texts cannot match it, because JSON escapes their quotation marks."""

SENDER = re.compile(rb'"from":\{"id":(\d+)')
"""Pattern of the sender's id, safe for the same reason."""

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_in_chat = msgspec.json.Decoder(_InChat).decode


def chat_of(raw: bytes) -> int:
    """Return the id of an update's chat, else of its sender, else 0."""
    found_at_once = CHAT.search(raw)
    if found_at_once is not None:
        return int(found_at_once[1])
    try:
        for name, value in _decode_members(raw).items():
            if name != "update_id":
                found = _decode_in_chat(value)
                inner = found.message or found
                if inner.chat is not None:
                    return inner.chat.id
                return found.sender.id if found.sender is not None else 0
    except UNREADABLE:
        pass
    return 0


def sender_of(raw: bytes) -> int:
    """Return the id of an update's sender, or 0 if a quick search does not find it."""
    found = SENDER.search(raw)
    return int(found[1]) if found is not None else 0
