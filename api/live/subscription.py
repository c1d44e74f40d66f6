"""One connection's subscription: the games and chats that it watches, and its queue."""

import asyncio
from collections.abc import AsyncIterator, Callable

from api.live.messages import ClosingMessage, Frame, Reason
from api.live.principals import Principal


class Subscription(AsyncIterator[Frame]):
    """The games and chats that one connection watches, and the batches that wait for it.

    Iteration ends when the hub ends the subscription; ``closing`` has the reason.
    """

    __slots__ = (
        "_frames", "_renew", "_wake", "chats", "closing", "games",
        "is_behind", "on_end", "opened_at", "principal", "pushed_at",
    )  # fmt: skip

    def __init__(self, renew: "Callable[[Subscription, Reason], None]", principal: Principal, opened_at: float) -> None:
        self._renew = renew
        self._frames: list[Frame] = []  # a deque would allocate its first block for every idle client
        self._wake: asyncio.Future[None] | None = None
        self.is_behind = False
        """True if batches were dropped, and the client waits for snapshots."""
        self.principal = principal
        self.games: dict[str, bool] = {}
        """Game -> True if it is watched by itself, False if it is watched because of its chat."""
        self.chats: set[int] = set()
        self.closing: ClosingMessage | None = None
        self.on_end: Callable[[], None] | None = None
        """Called when the subscription ends, so that a connection whose client does not read is cut in time."""
        self.opened_at = self.pushed_at = opened_at

    async def __anext__(self) -> Frame:
        """Return the next batch, as soon as there is one."""
        while True:
            if self.closing is not None:
                raise StopAsyncIteration
            if self.is_behind:
                self.is_behind = False
                self._renew(self, "slow")
            if self._frames:
                return self._frames.pop(0)
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None

    def push(self, frame: Frame, now: float) -> None:
        """Queue a batch."""
        self.pushed_at = now
        self._frames.append(frame)
        self._awake()

    def fall_behind(self) -> None:
        """Drop the batches that wait. The client gets snapshots instead, when it reads again."""
        self._frames.clear()
        self.is_behind = True

    def forget_waiting(self) -> bool:
        """Drop the batches that wait. Returns whether there were any."""
        waited = self.is_behind or bool(self._frames)
        self._frames.clear()
        self.is_behind = False
        return waited

    @property
    def waiting(self) -> int:
        """The number of batches that wait."""
        return len(self._frames)

    def end(self, closing: ClosingMessage) -> None:
        """End the iteration."""
        if self.closing is None:
            self.closing = closing
            self._frames.clear()
            self._awake()
            if self.on_end is not None:
                self.on_end()

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
