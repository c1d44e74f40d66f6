"""Registration of the webhook with Telegram: once for all processes, and again if Telegram has lost it."""

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from loguru import logger
from redis.asyncio import Redis

from storage.connections import REDIS_GONE
from storage.keys import webhook_key
from storage.leases import jitter
from telegram.client import ApiError, BadCall, BotApi, RetryAfter, Unauthorized

SET_SECONDS = 86_400
LONGEST_PAUSE = 10.0


async def set_webhook(api: BotApi, redis: Redis, webhook: Mapping[str, Any]) -> None:
    """Register the webhook unless Telegram has it already. Retries for as long as Telegram is away.

    Raises:
        BadCall: the configuration is wrong.
        Unauthorized: the token is refused.
    """
    digest = hashlib.sha256(msgspec.json.encode(webhook, order="sorted")).hexdigest()
    pause = 0.5
    while True:
        try:
            # A process that starts must not interrupt deliveries by a needless repeat.
            if not await _is_set(api, redis, webhook["url"], digest):
                await api.call("setWebhook", webhook)
                with contextlib.suppress(*REDIS_GONE):
                    await redis.set(webhook_key(), digest, ex=SET_SECONDS)
                logger.info("the webhook is set: {}", webhook["url"])
        except (BadCall, Unauthorized):
            raise
        except ApiError as problem:
            wait = problem.seconds if isinstance(problem, RetryAfter) else jitter(pause)
            logger.warning("the webhook is not set yet: {}", problem)
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return


async def _is_set(api: BotApi, redis: Redis, url: str, digest: str) -> bool:
    """Return whether Telegram calls this URL and the last registration had the same parameters."""
    with contextlib.suppress(*REDIS_GONE):
        if await redis.get(webhook_key()) != digest.encode():
            return False
        known = await api.call("getWebhookInfo")
        return bool(known.get("url") == url)
    return False
