"""Updates as they come in, undecoded: whose they are, and what may be wrong with them."""

import re
from typing import Any, TypeAlias

import msgspec

Reply: TypeAlias = dict[str, Any] | None
"""The call of the Bot API that answers an update, with its ``method``; None: nothing is answered."""


class MalformedUpdate(ValueError):
    """The body is not an update of Telegram's."""


UNREADABLE = (ValueError, RecursionError)
"""What msgspec raises at bytes that are no JSON, not of the wanted shape, no UTF-8, or nested without end."""


class RetryLater(Exception):
    """The update can't be handled now; deliver it again."""


class _Id(msgspec.Struct):
    id: int


class _InChat(msgspec.Struct):
    chat: _Id | None = None
    sender: _Id | None = msgspec.field(default=None, name="from")
    message: "_InChat | None" = None


CHAT = re.compile(rb'"chat":\{"id":(-?\d+)')
"""Where the chat's id stands; what people write can't look like it, because JSON escapes their quotation marks."""

SENDER = re.compile(rb'"from":\{"id":(\d+)')
"""Where the sender's id stands, for the same reason."""

_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_in_chat = msgspec.json.Decoder(_InChat).decode


def chat_of(raw: bytes) -> int:
    """The chat that an update belongs to, else its person; 0 where it has neither."""
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
    """Return the person who sent an update, or 0 if its bytes do not show that at once."""
    found = SENDER.search(raw)
    return int(found[1]) if found is not None else 0
