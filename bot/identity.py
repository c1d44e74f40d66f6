"""The bot's own account, read from Telegram and remembered, so that a start does not need Telegram."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import stamina
from loguru import logger

from bot.runtime import Runtime
from bot.settings import SettingsError
from storage.connections import REDIS_GONE
from storage.keys import bot_key
from telegram.client import ApiError, NotTelegram, RetryAfter, ServerDown, Unauthorized

TELEGRAM_SECONDS = 60.0
"""Time for which a first start waits for Telegram."""
KNOWN_SECONDS = 30 * 86_400


async def who_am_i(runtime: Runtime) -> Mapping[str, Any]:
    """Return the bot's own account, a User of the Bot API.

    If an earlier start has stored it, return that and ask Telegram again in the background.

    Raises:
        SettingsError: Telegram refuses the token, or does not answer a first start in time.
    """
    token = runtime.settings.telegram.token.get_secret_value().encode()
    key = bot_key(hashlib.sha256(token).hexdigest()[:16])
    known = None
    with contextlib.suppress(*REDIS_GONE):
        known = await runtime.stores.redis.get(key)
    if known is not None:
        runtime.tasks.spawn("who am I", _ask(runtime, key))
        remembered: Mapping[str, Any] = msgspec.json.decode(known)
        return remembered
    try:
        async with asyncio.timeout(TELEGRAM_SECONDS):
            return await _ask(runtime, key, first=True)
    except Unauthorized:
        raise SettingsError("telegram.token: refused by Telegram; @BotFather shows the right one") from None
    except NotTelegram as error:
        raise SettingsError(f"telegram.api_base: no Bot API answers there ({error})") from None
    except (ApiError, TimeoutError) as error:
        raise SettingsError(f"telegram.api_base: no answer from there ({error})") from None


async def _ask(runtime: Runtime, key: str, *, first: bool = False) -> Mapping[str, Any]:
    """Ask Telegram until it answers, and store the answer.

    Raises the ApiError of a refusal. On a first start this includes ``NotTelegram``: the address is probably wrong.
    """

    def passes(error: Exception) -> bool:
        return isinstance(error, (ServerDown, RetryAfter)) and not (first and isinstance(error, NotTelegram))

    async for attempt in stamina.retry_context(on=passes, attempts=None, timeout=None, wait_max=5):
        with attempt:
            try:
                me: Mapping[str, Any] = await runtime.telegram.api.call("getMe")
            except ServerDown as error:
                if attempt.num == 1 and passes(error):
                    logger.warning("Telegram does not answer yet, trying again: {}", error)
                raise
            with contextlib.suppress(*REDIS_GONE):
                await runtime.stores.redis.set(key, msgspec.json.encode(me), ex=KNOWN_SECONDS)
            return me
    raise AssertionError("stamina raises after the last attempt")
