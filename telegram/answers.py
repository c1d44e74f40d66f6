"""Answers to taps: a call that fails is made again while the tap is young."""

import asyncio
from collections.abc import Mapping
from typing import Any

import stamina

from storage.leases import jitter
from telegram.client import BotApi, CircuitOpen, RetryAfter, ServerDown

YOUNG_SECONDS = 12.0
"""How long an answer is tried again: Telegram forgets a tap after 15 s."""
TRY_SECONDS = 4.0
"""How long one try may take."""
TRIES = 6
TELLING = (RetryAfter, CircuitOpen)
"""Errors that tell when the next try is welcome."""


def try_again(problem: Exception) -> bool | float:
    """Return whether a call that failed is worth another try, or the seconds until then."""
    return problem.seconds if isinstance(problem, TELLING) else isinstance(problem, ServerDown)


async def call_again(api: BotApi, method: str, params: Mapping[str, Any]) -> None:
    """Make a call that does no harm when made twice, again and again while its tap is young.

    A call whose answer was lost may have been carried out: Telegram then says that the query is too old, which ends it.
    Raises what the client raises.
    """
    try:
        await api.call(method, params, seconds=TRY_SECONDS)
    except (ServerDown, RetryAfter) as problem:
        await asyncio.sleep(min(problem.seconds, YOUNG_SECONDS) if isinstance(problem, TELLING) else jitter(0.3))
    else:
        return  # nearly always; stamina's loop alone costs a tenth of a millisecond
    async for attempt in stamina.retry_context(
        on=try_again, attempts=TRIES, timeout=YOUNG_SECONDS, wait_initial=0.2, wait_jitter=0.2, wait_max=2
    ):
        with attempt:
            await api.call(method, params, seconds=TRY_SECONDS)
