"""Edits of messages are counted as done and never made."""

from typing import Any

from telegram.client import BotApi

_call = BotApi.call


async def _skipping(self: Any, method: str, *given: Any, **options: Any) -> Any:
    return True if method.startswith("editMessage") else await _call(self, method, *given, **options)


BotApi.call = _skipping  # type: ignore[method-assign]
