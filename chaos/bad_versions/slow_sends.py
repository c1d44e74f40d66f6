"""New messages are sent a second and a half later; taps and edits are as fast as ever."""

import asyncio
from typing import Any

from telegram.client import BotApi

_call = BotApi.call


async def _late(self: Any, method: str, *given: Any, **options: Any) -> Any:
    if method == "sendMessage":
        await asyncio.sleep(1.5)
    return await _call(self, method, *given, **options)


BotApi.call = _late  # type: ignore[method-assign]
