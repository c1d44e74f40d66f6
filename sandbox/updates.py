"""The bot's queue of updates: numbering, allowed kinds, expiry, long polling and its conflicts."""

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.errors import OTHER_POLLER, WEBHOOK_ACTIVE, ApiError
from sandbox.state import Json

LIFETIME = 24 * 3600.0
QUERY_LIFETIME = 150.0
KEPT = 100_000
LONGEST_POLL = 50
REPEAT_SECONDS = 0.5
"""Time within which a repeated poll with the same offset gets a single update."""
REPEATED_POLL_SECONDS = 3.0
"""Shortest wait of a poll with the same offset within this time."""
UNASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
MESSAGES = {"message", "edited_message", "callback_query", "inline_query", "chosen_inline_result"}
KINDS = UNASKED | MESSAGES | {"poll", "poll_answer", "my_chat_member", "chat_join_request"}


@dataclass(slots=True, eq=False)
class Update:
    """One update on its way to the bot. Updates with the same `key`, a chat or user, stay in order."""

    id: int
    kind: str
    key: int
    body: Json
    expires_at: float


class Updates:
    """Updates that the bot has not confirmed. Expiry uses the injected clock, waiting the event loop's.

    `tell` is called at every poll: when it confirms updates, and when it waits.
    """

    def __init__(self, now: Callable[[], float], rng: random.Random, tell: Callable[[str], None]) -> None:
        self.now = now
        self.tell = tell
        self.rng = rng
        self.pending: OrderedDict[int, Update] = OrderedDict()
        self.allowed = KINDS - UNASKED
        self.webhook_active = False
        self.duplicates = 0
        self.reorder = 0
        self.on_new: Callable[[Update], None] | None = None
        self.next_id = rng.randrange(100_000_000, 900_000_000)
        self._poller: asyncio.Future[None] | None = None
        self._last_poll = (-1, -10.0)
        self._again: deque[Update] = deque()

    @property
    def polled(self) -> bool:
        """Return whether a getUpdates call is waiting."""
        return self._poller is not None

    def add(self, kind: str, key: int, content: Json) -> Update | None:
        """Queue an update if the bot has asked for its kind. If the queue is full, the oldest update is dropped."""
        if kind not in self.allowed:
            return None
        lifetime = QUERY_LIFETIME if kind == "callback_query" else LIFETIME
        body: Json = {"update_id": self.next_id, kind: content}
        update = Update(self.next_id, kind, key, body, self.now() + lifetime)
        self.next_id += 1
        self.pending[update.id] = update
        if len(self.pending) > KEPT:
            self.pending.popitem(last=False)
        if self.on_new:
            self.on_new(update)
        self._wake()
        return update

    def allow(self, kinds: list[str] | None) -> None:
        """Set `allowed_updates`: None keeps it, an empty list restores the default, unknown names are ignored."""
        if kinds is not None:
            self.allowed = frozenset(kinds) & KINDS or KINDS - UNASKED

    def drop_all(self) -> None:
        """Drop all pending updates."""
        self.pending.clear()

    def expire(self) -> None:
        """Drop updates that are too old."""
        now = self.now()
        for update in [update for update in self.pending.values() if update.expires_at <= now]:
            del self.pending[update.id]

    def discard(self, update: Update) -> None:
        """Drop a delivered update."""
        self.pending.pop(update.id, None)

    def interrupt(self, reason: str = "terminated by setWebhook request") -> None:
        """End a waiting getUpdates with 409 and `reason`."""
        if self._poller and not self._poller.done():
            self._poller.set_exception(ApiError(409, reason))

    def release(self) -> None:
        """Let a waiting getUpdates return the pending updates at once (at shutdown)."""
        self._wake()

    async def poll(self, offset: int, limit: int, wait: float) -> list[Json]:
        """Carry out getUpdates. Raises ApiError 409 while a webhook is set, or when a later poll takes over."""
        if self.webhook_active:
            raise ApiError(409, WEBHOOK_ACTIVE)
        # As on Telegram, a new poll ends a waiting one.
        self.interrupt(OTHER_POLLER)
        self._confirm(offset)
        self.tell("polled")
        limit, wait = self._paced(offset, limit, min(wait, LONGEST_POLL))
        self.expire()
        if not self.pending and not self._again and wait > 0:
            await self._wait(wait)
        return self._batch(limit)

    def _confirm(self, offset: int) -> None:
        # A negative offset counts from the end of the queue: everything before it is forgotten.
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popitem(last=False)
        while offset > 0 and self.pending and next(iter(self.pending)) < offset:
            self.pending.popitem(last=False)

    def _paced(self, offset: int, limit: int, wait: float) -> tuple[int, float]:
        """Slow down a client that asks for the same offset repeatedly, as the server does."""
        now = asyncio.get_running_loop().time()
        last_offset, last_at = self._last_poll
        self._last_poll = (offset, now)
        if offset != last_offset:
            return limit, wait
        if now < last_at + REPEAT_SECONDS:
            limit = 1
        if now < last_at + REPEATED_POLL_SECONDS:
            wait = max(wait, REPEATED_POLL_SECONDS)
        return limit, wait

    async def _wait(self, seconds: float) -> None:
        poller: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poller = poller
        self.tell("polling")
        try:
            async with asyncio.timeout(seconds):
                await poller
        except TimeoutError:
            pass
        finally:
            # A later poll may have taken its place.
            if self._poller is poller:
                self._poller = None

    def _wake(self) -> None:
        if self._poller and not self._poller.done():
            self._poller.set_result(None)

    def _batch(self, limit: int) -> list[Json]:
        batch = [update for _, update in zip(range(limit), self.pending.values(), strict=False)]
        fresh = list(batch)
        while self._again and len(batch) < limit:
            batch.insert(0, self._again.popleft())
        for update in fresh[: self.duplicates]:
            self._again.append(update)
        self.duplicates = max(0, self.duplicates - len(fresh))
        if self.reorder and len(batch) > 1:
            self.reorder -= 1
            self.rng.shuffle(batch)
        return [update.body for update in batch]
