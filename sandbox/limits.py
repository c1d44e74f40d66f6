"""Telegram's sending limits: 30 messages a second in all, about one a second in a chat, 20 a minute in a group."""

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.errors import too_many

PER_SECOND = 30
BURST = 5
PER_MINUTE = 20
KEPT_CHATS = 10_000


@dataclass(slots=True)
class Allowance:
    """Remaining allowance of one chat: a bucket that refills by one message a second, and its last minute."""

    tokens: float
    filled_at: float
    minute: deque[float] = field(default_factory=deque)


class Limits:
    """Counter of sends and edits on the injected clock (unix seconds). A refused call costs nothing."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.enabled = True
        self.refused: Counter[str] = Counter()
        self._last_second: deque[float] = deque()
        self._chats: dict[int, Allowance] = {}

    def spend(self, chat_id: int, *, group: bool) -> None:
        """Charge one message to a chat. Raises ApiError 429 with the whole seconds to wait."""
        if not self.enabled:
            return
        now = self.now()
        allowance = self._refilled(chat_id, now)
        waits = {
            "overall": self._window_wait(self._last_second, now, 1.0, PER_SECOND),
            "chat": 0.0 if allowance.tokens >= 1 else 1 - allowance.tokens,
            "group": self._window_wait(allowance.minute, now, 60.0, PER_MINUTE) if group else 0.0,
        }
        reason, wait = max(waits.items(), key=lambda item: item[1])
        if wait > 0:
            self.refused[reason] += 1
            raise too_many(max(1, math.ceil(wait)))
        allowance.tokens -= 1
        self._last_second.append(now)
        if group:
            allowance.minute.append(now)

    @staticmethod
    def _window_wait(window: deque[float], now: float, length: float, most: int) -> float:
        while window and window[0] <= now - length:
            window.popleft()
        return 0.0 if len(window) < most else window[len(window) - most] + length - now

    def _refilled(self, chat_id: int, now: float) -> Allowance:
        allowance = self._chats.pop(chat_id, None) or Allowance(BURST, now)
        self._chats[chat_id] = allowance
        if len(self._chats) > KEPT_CHATS:
            del self._chats[next(iter(self._chats))]
        # the small surplus absorbs rounding errors, which would refuse a call made exactly on the second
        allowance.tokens = min(BURST, allowance.tokens + max(0.0, now - allowance.filled_at) + 1e-9)
        allowance.filled_at = now
        return allowance
