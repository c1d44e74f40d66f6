"""Profiles on demand: the part in each process that makes them. `bot/profile_command.py` asks for them."""

import asyncio
import contextlib
from typing import Final

from bot.observe.profiler import SUPPORTED, Profiler
from storage.leases import STORE_GONE
from storage.profiles import Profiles
from storage.ticks import next_tick

LOOK_SECONDS: Final = 5.0
"""Time between two looks for a request."""


async def keep_profiling(profiles: Profiles, process: str) -> None:
    """Make the profiles that are asked for of this process, one after the other, until cancelled."""
    while True:
        with contextlib.suppress(*STORE_GONE):
            if (request := await profiles.asked(process)) is not None:
                await profiles.store(process, request, await profiled(request.seconds))
        await next_tick(LOOK_SECONDS)


async def profiled(seconds: float) -> str:
    """Sample this process for a time. Return the stacks; none where the system has no timer of processor time."""
    if not SUPPORTED:
        return ""
    profiler = Profiler()
    profiler.start()
    try:
        await asyncio.sleep(seconds)
    finally:
        stacks = profiler.stop()
    return stacks
