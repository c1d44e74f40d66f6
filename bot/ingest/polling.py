"""Long polling. One process polls at a time; another takes over if it fails."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Mapping

import msgspec
from loguru import logger

from bot.ingest.dispatcher import UpdateDispatcher
from bot.ingest.updates import RetryLater, chat_of
from storage.connections import REDIS_GONE
from storage.leases import LeaseLostError, jitter
from storage.unhandled_updates import UnhandledUpdates
from telegram.client import ApiError, BotApi, CircuitOpen, Conflict, RetryAfter, ServerDown, Unauthorized

WAIT_SECONDS = 25
BATCH = 100
MOST_STORED = 10_000
"""Maximum number of updates that are confirmed and not yet handled. Beyond it the later ones wait at Telegram."""
LONGEST_PAUSE = 4.0
"""Longest pause between polls while Telegram is away. Taps wait there and cannot be answered after about 15 s."""
AGAIN_PAUSE = 1.0
"""Pause between polls while an update cannot be handled.

Telegram answers a quick repeat of an offset with one update.
"""
SLOW_SECONDS = 0.6
"""Time after which the poller stops waiting for slow updates and polls again.

A repeat of the same offset within half a second would return a single update.
"""
CROWD_AT_ONCE = 4
"""Number of updates handled at the same time while a crowd is fetched: the fetching comes first."""
CROWD_SECONDS = 0.05
"""Time for which the poller waits for a full batch to be handled before it stores the rest and polls for later updates.
"""
PATIENCE_SECONDS = 30.0
"""Time without an answer after which a process gives up the lease: perhaps only this process cannot reach Telegram."""
FINISH_SECONDS = 3.0
"""Time that the current batch gets to end when the process stops."""
WEBHOOK_SET = "webhook"


class Poller:
    """Polls while this process holds the lease.

    Updates of a chat are handled in order, different chats concurrently. An update is confirmed to Telegram only after
    it was handled or stored. While a slow update is unconfirmed, later ones are still fetched and handled. Telegram
    shows only a hundred unconfirmed updates: if a batch is full, the poller stores those that are not handled yet, so
    that nobody waits for a crowd that came earlier.
    """

    def __init__(
        self, *, api: BotApi, dispatcher: UpdateDispatcher, unhandled: UnhandledUpdates, allowed_updates: list[str]
    ) -> None:
        self._api = api
        self._dispatcher = dispatcher
        self._unhandled = unhandled
        self._allowed = allowed_updates
        self._begin()

    def _begin(self) -> None:
        self._last = -1
        """Highest update id seen; -1 if there is none."""
        self._queues: dict[int, deque[tuple[int, bytes]]] = {}
        """Chat -> its current updates, in order."""
        self._workers: set[asyncio.Task[None]] = set()
        """Tasks, one for each chat that has current updates."""
        self._in_hand: dict[int, bytes] = {}
        """Updates that are being handled and must not be confirmed yet."""
        self._calm = asyncio.Event()
        """Set while no update is in hand."""
        self._stored: set[int] = set()
        """Updates that are being handled and may be confirmed, because they are stored."""
        self._erasable: set[int] = set()
        """Stored updates that have been handled."""
        self._left: set[int] = set()
        """Updates that cannot be handled now. Telegram delivers them again."""
        self._handled: set[int] = set()
        """Updates that were handled but cannot be confirmed yet, because an earlier one is not handled."""

    async def lead(self, _fence: int = 0) -> None:
        """Poll until cancelled.

        Raises:
            LeaseLostError: Telegram has not been reachable for long.
            Unauthorized: the token is refused.
        """
        self._begin()
        try:
            # Telegram may still have some of these, so they say nothing about the offset.
            for id_, raw in (await self._unhandled.read()).items():
                self._stored.add(id_)
                self._queue(id_, raw)
            await self._keep_polling()
        except asyncio.CancelledError:
            await self._finish()
            raise
        finally:
            for worker in self._workers:
                worker.cancel()
            if self._workers:
                await asyncio.wait(self._workers)

    async def _keep_polling(self) -> None:
        failures, answered = 0, time.monotonic()
        while True:
            try:
                pause = await self._once()
                failures, answered = 0, time.monotonic()
            except Unauthorized:
                raise
            except (RetryAfter, CircuitOpen) as told:
                self._give_up(told, answered)
                pause = told.seconds
            except ApiError as problem:
                self._give_up(problem, answered)
                failures += 1
                pause = jitter(min(LONGEST_PAUSE, 0.25 * 2.0**failures))
                await self._refused(problem, failures, pause)
            if pause:
                await asyncio.sleep(pause)

    def _give_up(self, problem: ApiError, answered: float) -> None:
        """Raise ``LeaseLostError`` if Telegram has not been reachable for long."""
        if isinstance(problem, ServerDown) and time.monotonic() - answered > PATIENCE_SECONDS:
            raise LeaseLostError from problem

    async def _once(self) -> float:
        """Poll once and let the updates be handled. Return the seconds to wait before the next poll."""
        updates = {_update_id(raw): raw for raw in await self._poll(self._offset())}
        newest = max(updates, default=None)
        # An update that is missing although later ones are delivered has expired at Telegram.
        self._left = set() if newest is None else {id_ for id_ in self._left if id_ in updates or id_ > newest}
        for id_, raw in updates.items():
            if id_ not in self._in_hand and id_ not in self._stored and id_ not in self._handled:
                self._take(id_, raw)
        crowd = len(updates) >= BATCH and len(self._stored) < MOST_STORED
        self._dispatcher.narrow(CROWD_AT_ONCE if crowd else None)
        await self._settle((0.0 if self._stored else CROWD_SECONDS) if crowd else SLOW_SECONDS)
        await self._store(self._in_hand if crowd else {})
        return AGAIN_PAUSE if self._left else 0.0

    async def _settle(self, seconds: float) -> None:
        """Wait until no update is in hand, for a limited time."""
        if not self._in_hand:
            self._calm.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._calm.wait()

    async def _store(self, crowd: Mapping[int, bytes]) -> None:
        """Store updates, so that they can be confirmed before they are handled, and erase those that were handled."""
        room = MOST_STORED - len(self._stored)
        added = dict(list(crowd.items())[: max(0, room)])
        erased = set(self._erasable)
        if not added and not erased:
            return
        try:
            await self._unhandled.change(added, erased)
        except REDIS_GONE as problem:  # the updates stay unconfirmed
            logger.debug("no updates can be stored: {}", type(problem).__name__)
            return
        self._erasable -= erased
        for id_ in added:
            if self._in_hand.pop(id_, None) is None:
                self._erasable.add(id_)  # handled meanwhile
            else:
                self._stored.add(id_)

    def _offset(self) -> int:
        """Return the first update id that is neither handled nor stored; 0 means any.

        Polling with it confirms all earlier updates.
        """
        offset = min(self._in_hand.keys() | self._left, default=self._last + 1)
        self._handled = {id_ for id_ in self._handled if id_ > offset}
        return offset

    def _take(self, id_: int, raw: bytes) -> None:
        """Begin to handle an update that Telegram has given."""
        self._last = max(self._last, id_)
        self._left.discard(id_)
        self._in_hand[id_] = raw
        self._calm.clear()
        self._queue(id_, raw)

    def _queue(self, id_: int, raw: bytes) -> None:
        """Queue an update behind the current updates of its chat."""
        chat_id = chat_of(raw)
        queue = self._queues.get(chat_id)
        if queue is not None:
            queue.append((id_, raw))
            return
        queue = self._queues[chat_id] = deque([(id_, raw)])
        worker = asyncio.get_running_loop().create_task(self._work(chat_id, queue))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, chat_id: int, queue: deque[tuple[int, bytes]]) -> None:
        """Handle a chat's updates in order. If one must be delivered again, so must those after it."""
        try:
            while queue:
                id_, raw = queue[0]
                try:
                    await self._dispatcher.deliver_polled(raw)
                except RetryLater:
                    if id_ not in self._stored:
                        raise
                    await asyncio.sleep(jitter(AGAIN_PAUSE))  # Telegram will not deliver it again
                    continue
                queue.popleft()
                self._done(id_)
        except RetryLater as why:
            logger.debug("an update will be delivered again: {}", why)
        finally:
            del self._queues[chat_id]
            left = {id_ for id_, _ in queue if id_ in self._in_hand}
            for id_ in left:
                del self._in_hand[id_]
            self._left |= left
            if not self._in_hand:
                self._calm.set()

    def _done(self, id_: int) -> None:
        self._handled.add(id_)
        if id_ in self._stored:
            self._stored.remove(id_)
            self._erasable.add(id_)
        else:
            del self._in_hand[id_]

    async def _finish(self) -> None:
        """Let current updates end and confirm them, so that no other process handles them again."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=FINISH_SECONDS)
        await self._store({})
        if self._last >= 0:
            params = {"offset": self._offset(), "limit": 1, "timeout": 0}
            with contextlib.suppress(ApiError):
                await self._api.call_raw("getUpdates", params, seconds=1.0)

    async def _refused(self, problem: ApiError, failures: int, pause: float) -> None:
        if isinstance(problem, Conflict) and WEBHOOK_SET in problem.text:
            logger.warning("removing the webhook, because telegram.mode is polling")
            await self._api.call_raw("deleteWebhook", {}, seconds=10)
        elif isinstance(problem, Conflict):
            logger.warning("another process polls with this token: {}", problem)
        elif failures > 1:
            logger.warning("cannot fetch updates; next try in {:.1f} s: {}", pause, problem)

    async def _poll(self, offset: int) -> list[bytes]:
        params = {
            "offset": offset,
            "limit": BATCH,
            "timeout": WAIT_SECONDS,
            "allowed_updates": self._allowed,
        }
        raw = await self._api.call_raw("getUpdates", params, seconds=WAIT_SECONDS + 10)
        return [bytes(update) for update in _decode_list(raw)]


class _Numbered(msgspec.Struct):
    update_id: int


_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_id = msgspec.json.Decoder(_Numbered).decode


def _update_id(raw: bytes) -> int:
    return _decode_id(raw).update_id
