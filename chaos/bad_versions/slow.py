"""Taps are answered after a third of a second."""

import asyncio
from typing import Any

from handlers.taps import Taps

_answer = Taps.answer


async def _late(self: Taps, tap: Any) -> Any:
    await asyncio.sleep(0.35)
    return await _answer(self, tap)


Taps.begin = lambda *_: False  # type: ignore[method-assign]
Taps.answer = _late  # type: ignore[method-assign]
