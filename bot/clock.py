"""The real time and the real random, as the engine's ports want them."""

import asyncio
import os
import time

SEED_BYTES = 32


class SystemClock:
    """Wall-clock time."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""
        await asyncio.sleep(seconds)


class SystemEntropy:
    """The operating system's random, asked for a hundred seeds at a time: each decision gets one, and few use it."""

    def __init__(self) -> None:
        self._left = b""

    def seed(self) -> str:
        """32 fresh random bytes, hex."""
        if not self._left:
            self._left = os.urandom(SEED_BYTES * 100)
        seed, self._left = self._left[:SEED_BYTES], self._left[SEED_BYTES:]
        return seed.hex()
