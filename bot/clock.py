"""The real time and the real random, as the engine's ports want them."""

import asyncio
import os
import time


class SystemClock:
    """Wall-clock time."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""
        await asyncio.sleep(seconds)


class SystemEntropy:
    """The operating system's random."""

    def seed(self) -> str:
        """32 fresh random bytes, hex."""
        return os.urandom(32).hex()
