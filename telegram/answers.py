"""Answers to taps, retried only while Telegram still accepts them."""

import asyncio
from collections.abc import Mapping
from typing import Any

import stamina

from storage.leases import jitter
from telegram.client import BotApi, CircuitOpen, RetryAfter, ServerDown

YOUNG_SECONDS = 12.0
"""Age, in seconds, after which an answer is given up. Telegram forgets a tap after 15 s."""
TRY_SECONDS = 4.0
"""Time limit of one attempt, in seconds."""
TRIES = 6
TELLING = (RetryAfter, CircuitOpen)
"""Errors that say when to try again."""


def try_again(problem: Exception) -> bool | float:
    """Return False if retrying is pointless, True to retry with backoff, or the seconds to wait first."""
    return problem.seconds if isinstance(problem, TELLING) else isinstance(problem, ServerDown)


async def call_again(api: BotApi, method: str, params: Mapping[str, Any]) -> None:
    """Make an idempotent call and retry it while its tap is young.

    Telegram may have carried out a call whose answer was lost. The retry then fails with "query is too old" and ends.

    Raises:
        ApiError: the last attempt failed, or the error is not worth a retry.
    """
    try:
        await api.call(method, params, seconds=TRY_SECONDS)
    except (ServerDown, RetryAfter) as problem:
        await asyncio.sleep(min(problem.seconds, YOUNG_SECONDS) if isinstance(problem, TELLING) else jitter(0.3))
    else:
        return  # The first attempt skips stamina, whose loop costs about 0.1 ms, because it nearly always succeeds.
    async for attempt in stamina.retry_context(
        on=try_again, attempts=TRIES, timeout=YOUNG_SECONDS, wait_initial=0.2, wait_jitter=0.2, wait_max=2
    ):
        with attempt:
            await api.call(method, params, seconds=TRY_SECONDS)
