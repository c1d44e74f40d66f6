"""Common wake-ups: periodic tasks of a process run at the same instants, so that an idle process mostly sleeps."""

import asyncio
import random
import time

_PHASE = random.random()  # noqa: S311 -- no secret: processes of one machine should not ask Redis at the same instant


async def next_tick(seconds: float) -> None:
    """Sleep until the next multiple of an interval, on a time scale that the tasks of this process share.

    Ten tasks that each sleep for a second wake a process ten times a second. On common instants they wake it once.
    """
    await asyncio.sleep(until_tick(seconds))


def until_tick(seconds: float) -> float:
    """Return the seconds until the next multiple of an interval, on that time scale."""
    return seconds - (time.monotonic() + _PHASE) % seconds
