"""The sender: the one road to Telegram for everything that is not the answer to a tap.

Any process may run it; the one that holds the lease sends. It takes the next item from the outbox, which has spent the
rates for it in the same script, and calls; calls to different chats overlap, those to one chat never do. What every
answer means is decided in `_answered` and nowhere else.
"""

import asyncio
import contextlib
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from loguru import logger

from storage.leases import STORE_GONE, Bell, Lease, LeaseLostError, heed_cancellation, jitter
from telegram.client import (
    ApiError,
    BadCall,
    BotApi,
    ChatGone,
    CircuitOpen,
    Conflict,
    MessageGone,
    Migrated,
    NoRights,
    NotModified,
    QueryTooOld,
    RetryAfter,
    ServerDown,
    TopicGone,
    Unauthorized,
)
from telegram.limits import Budget, Limits, Priority
from telegram.outbox import Claimed, Finished, Nothing, Outbox, Outgoing

Answer = TypeVar("Answer")

SENDER_LEASE = "{send}"
"""Name of the sender's lease: its token lies beside the outbox, so that every claim can compare it."""
CALLS_AT_ONCE = 32
"""Calls in flight: a second's worth of Telegram's rate, so that answers as slow as a second still keep up with it."""
MAX_TRIES = 10
"""Failed attempts of one item, counted only while other calls succeed: an outage uses up nothing."""
PATIENCE_SECONDS = 30.0
"""How long a process calls in vain before it lets another one try: perhaps it alone can't reach Telegram."""
GRACE_SECONDS = 3.0
"""How long calls in flight may end by themselves when the sender stops."""
LOOK_SECONDS = 5.0
"""The bell may miss a ring while its connection is lost; then this late at most."""
REFUSED_CHATS = 3
"""429s for so many chats, and no call that Telegram takes between them, mean the bot as a whole."""


class Settled(StrEnum):
    """How an item ended."""

    SENT = "sent"
    EDITED = "edited"
    DONE = "done"
    """Any other call succeeded."""
    UNCHANGED = "unchanged"
    """The message showed it already."""
    EXPIRED = "expired"
    CHAT_GONE = "chat_gone"
    NO_RIGHTS = "no_rights"
    TOPIC_GONE = "topic_gone"
    MESSAGE_GONE = "message_gone"
    """What it was about (to delete, to pin, to reply to, to edit without a slot's new content) is no more."""
    REFUSED = "refused"
    """A wrong call: our bug, logged as one."""
    GAVE_UP = "gave_up"
    """Too many attempts, while other calls went well."""
    MIGRATED = "migrated"
    """Not an end: the group has a new id (`Outcome.chat_id`), and the item goes on there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item ended.

    Attributes:
        settled: which end.
        message_id: of the message sent or edited.
        chat_id: the new one, of a group that migrated.
        result: what Telegram answered, where it answered well.
        error: Telegram's own words, where it refused.
    """

    settled: Settled
    message_id: int | None = None
    chat_id: int | None = None
    result: Any = None
    error: str = ""


WAIT_BUCKETS_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 60_000, 120_000, 300_000)
"""Upper bounds of the buckets of waits; a last one takes the rest."""


@dataclass(slots=True)
class Waits:
    """A histogram of waits from put to settled, milliseconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(WAIT_BUCKETS_MS) + 1))
    sum_ms: int = 0

    def add(self, wait_ms: int) -> None:
        """Count one."""
        self.buckets[bisect_left(WAIT_BUCKETS_MS, wait_ms)] += 1
        self.sum_ms += wait_ms


@dataclass(slots=True)
class SenderStats:
    """What the sender counts; read by whoever exports it.

    Attributes:
        settled: ends by (outcome, priority).
        errors: Telegram's refusals and failures by kind, retried ones included.
        waits: from put to settled, by priority.
        in_flight: calls now.
        leading: whether this process sends.
        orphans: messages that two senders had sent for one slot, deleted again.
        repeated: items that a sender before had in flight when it stopped, sent again: perhaps for the second time.
        left: old answers to one person among them, which were not sent again.
        last_success_at: unix milliseconds; 0 for never.
    """

    settled: Counter[tuple[Settled, Priority]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    waits: dict[Priority, Waits] = field(default_factory=lambda: {priority: Waits() for priority in Priority})
    in_flight: int = 0
    leading: bool = False
    orphans: int = 0
    repeated: int = 0
    left: int = 0
    last_success_at: int = 0


class Clock(Protocol):
    """The time, real or turned by a test."""

    def now(self) -> int:
        """Unix milliseconds."""

    async def sleep(self, seconds: float) -> None:
        """Return that much later."""


Report = Callable[[Outgoing, Outcome], Awaitable[None]]


class Sender:
    """Sends what waits in the outbox, while this process holds the lease.

    Args:
        outbox: what waits.
        limits: told of 429s.
        api: the Bot API.
        clock: for waits.
        on_settled: told how each item ended, after it is recorded for what succeeded, before for what didn't, so that
            a crash can repeat a bad message but not lose it.
        lease: of `SENDER_LEASE`.
        bell: on `telegram.outbox.BELL`; somebody runs its `listen`.
        stats: counters to use.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        limits: Limits,
        api: BotApi,
        clock: Clock,
        on_settled: Report,
        lease: Lease,
        bell: Bell,
        stats: SenderStats | None = None,
    ) -> None:
        self.stats = stats or SenderStats()
        self._outbox = outbox
        self._limits = limits
        self._api = api
        self._clock = clock
        self._on_settled = on_settled
        self._lease = lease
        self._bell = bell
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self._resume_at = 0
        self._refused_chats: set[int] = set()
        """Chats with a 429 since Telegram last took a call."""
        self._broken: BaseException | None = None
        self._in_vain_since: float | None = None
        """Monotonic: since when no call has been answered."""
        self._streaks: Counter[int] = Counter()

    async def run(self) -> None:
        """Stand by for the lease, and send while it is ours; until cancelled. Calls in flight then end first."""
        try:
            await self._lease.run(self.lead)
        finally:
            await self._drain()

    async def lead(self, fence: int) -> None:
        """Send until cancelled.

        Raises:
            LeaseLostError: another sender has taken over, or should try, as Telegram can't be reached from here.
            RedisError, OSError: Redis is away.
        """
        self.stats.leading, self._in_vain_since = True, None
        try:
            # Answers that could not be recorded while Redis was away: known here, so nothing need be sent again.
            if self._calls:
                await asyncio.wait(self._calls, timeout=GRACE_SECONDS)
            recovered = await self._outbox.recover(fence)
            self.stats.repeated += recovered.again
            self.stats.left += recovered.left
            if recovered.again or recovered.left:
                logger.info(
                    "{} calls of the sender before are made again, {} old answers are not",
                    recovered.again,
                    recovered.left,
                )
            heed_cancellation()
            while self._lease.held and self._broken is None and not self._in_vain():
                await self._step(fence)
            if self._lease.held:
                await self._drain()
        except asyncio.CancelledError:
            # Asked to stop while the lease is still ours: nobody else may begin before our calls have ended.
            if self._lease.held:
                await self._drain()
            raise
        finally:
            self.stats.leading = False
        raise self._broken or LeaseLostError

    def _suspects_flood(self) -> bool:
        """Whether Telegram seems to refuse the bot as a whole."""
        return len(self._refused_chats) >= REFUSED_CHATS

    def _in_vain(self) -> bool:
        return self._in_vain_since is not None and time.monotonic() - self._in_vain_since > PATIENCE_SECONDS

    async def _step(self, fence: int) -> None:
        """Start one call, or wait until there may be one."""
        if self._suspects_flood() and self._calls:
            await asyncio.wait(self._calls)  # one call at a time shows whether Telegram takes any
        if (pause := self._resume_at - self._clock.now()) > 0:
            await self._clock.sleep(pause / 1000)
        rings = self._bell.rings
        await self._room.acquire()
        started = False
        try:
            claimed = await self._outbox.claim(fence)
            if isinstance(claimed, Claimed):
                self._start(claimed)
                started = True
        finally:
            if not started:
                self._room.release()
        heed_cancellation()
        if isinstance(claimed, Finished):
            settled = Settled.EXPIRED if claimed.expired else Settled.UNCHANGED
            await self._report(claimed.outgoing, Outcome(settled), claimed.waited_ms)
        elif isinstance(claimed, Nothing):
            await self._idle(claimed.wait_ms, rings)

    async def _idle(self, wait_ms: int | None, rings: int) -> None:
        """Wait for the bell, for the end of a call, or for the time when a rate allows more."""
        # With nothing due there is no time to wait for, so the look that guards against a lost ring is in real time.
        rung = asyncio.ensure_future(self._bell.after(rings, LOOK_SECONDS))
        waits: set[asyncio.Future[None]] = {rung}
        if wait_ms is not None:
            waits.add(asyncio.ensure_future(self._clock.sleep(max(wait_ms, 1) / 1000)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _start(self, claimed: Claimed) -> None:
        task = asyncio.create_task(self._deliver(claimed), name=f"send {claimed.outgoing.id}")
        self._calls.add(task)
        self.stats.in_flight = len(self._calls)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self.stats.in_flight = len(self._calls)
        self._room.release()
        # The chat may have more, and what it sent may have been held up by this call alone.
        self._bell.ring()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug. Its item stays in flight, and whoever leads next puts it back.
            logger.opt(exception=error).error("{} failed", task.get_name())
            self._broken = error

    async def _drain(self) -> None:
        """Let calls in flight end, and be recorded; cut off those that take too long."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=GRACE_SECONDS)
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    async def _deliver(self, claimed: Claimed) -> None:
        """One call, and what follows from its answer."""
        out = claimed.outgoing
        with logger.contextualize(trace=out.trace, chat=out.chat_id, game=out.game_id):
            await self._call(claimed)

    async def _call(self, claimed: Claimed) -> None:
        # Only now is it known when the chat sees a time begin. The digest that is recorded has to be of this text, too.
        claimed = replace(claimed, outgoing=claimed.outgoing.bound(self._clock.now()))
        out, message_id = claimed.outgoing, claimed.message_id
        method = out.method if message_id is None else out.edit_method
        assert method is not None
        params = out.sending() if message_id is None else out.editing(message_id)
        named = out.params.keys() & {"message_id", "ephemeral_message_id"}
        if out.slot and message_id is None and method.startswith("edit") and not named:
            await self._drop(claimed, Settled.MESSAGE_GONE, "the slot has no message")
            return
        if not self._lease.held:
            # Paused since the claim: the item is in flight for whoever leads now to put back.
            return
        result, error = await self._asked(method, params, out.file)
        with contextlib.suppress(*STORE_GONE):  # what follows needs Redis as well, and waits for it
            await self._limits.answered(claimed.taken_at)
        if error is not None:
            self.stats.errors[type(error).__name__] += 1
            if isinstance(error, ServerDown):
                self._in_vain_since = self._in_vain_since or time.monotonic()
            else:
                self._in_vain_since = None
                self._streaks.pop(out.chat_id, None)
                if not isinstance(error, RetryAfter):
                    self._refused_chats.clear()
            await self._answered(claimed, error)
        else:
            await self._succeeded(claimed, result)

    async def _asked(
        self, method: str, params: Mapping[str, Any], file: tuple[str, str] | None
    ) -> tuple[Any, ApiError | None]:
        try:
            if file is not None:
                return await self._api.call(method, params, {"document": (file[0], file[1].encode())}), None
            return await self._api.call(method, params), None
        except ApiError as error:
            return None, error

    async def _succeeded(self, claimed: Claimed, result: Any) -> None:
        out, self._in_vain_since = claimed.outgoing, None
        self._refused_chats.clear()
        self.stats.last_success_at = self._clock.now()
        self._streaks.pop(out.chat_id, None)
        if claimed.message_id is not None:
            await self._surely(lambda: self._outbox.settle(claimed, shown=True))
            outcome = Outcome(Settled.EDITED, claimed.message_id, result=result)
        else:
            sent = _message_id(result)
            orphan = await self._surely(lambda: self._outbox.settle(claimed, sent=sent if out.slot else None))
            if orphan and sent:
                await self._delete_orphan(out, sent)
            outcome = Outcome(Settled.SENT if sent else Settled.DONE, sent, result=result)
        await self._report(out, outcome, claimed.waited_ms)

    async def _answered(self, claimed: Claimed, error: ApiError) -> None:
        """What each refusal means for the item, its chat and all others."""
        match error:
            case NotModified():
                await self._surely(lambda: self._outbox.settle(claimed, shown=True))
                await self._report(claimed.outgoing, Outcome(Settled.UNCHANGED, claimed.message_id), claimed.waited_ms)
            case RetryAfter():
                await self._limited(claimed, error.seconds)
                await self._again(claimed)
            case Migrated():
                await self._migrated(claimed, error.chat_id)
            case MessageGone() if claimed.message_id is not None:
                await self._again(claimed, failed=True, message_gone=True)
            case CircuitOpen():
                self._resume_at = self._clock.now() + round(error.seconds * 1000)
                await self._again(claimed)
            case ServerDown():
                await self._backed_off(claimed, error)
            case Unauthorized() | Conflict():
                logger.error("Telegram refuses the bot itself: {}", error)
                self._resume_at = self._clock.now() + 10_000
                await self._again(claimed)
            case _:
                await self._refused(claimed, error)

    async def _refused(self, claimed: Claimed, error: ApiError) -> None:
        """Telegram will never take this item."""
        match error:
            case ChatGone():
                settled = Settled.CHAT_GONE
            case NoRights():
                settled = Settled.NO_RIGHTS
            case TopicGone():
                settled = Settled.TOPIC_GONE
            case MessageGone() | QueryTooOld():
                settled = Settled.MESSAGE_GONE
            case BadCall():
                settled = Settled.REFUSED
                logger.error("wrong call, item {} of game {}: {}", claimed.outgoing.id, claimed.outgoing.game_id, error)
            case _:
                settled = Settled.REFUSED
                logger.error("an answer that has no meaning here: {}", error)
        await self._drop(claimed, settled, error.text)

    async def _surely(self, step: Callable[[], Awaitable[Answer]]) -> Answer:
        """Record what is known of a call, however long Redis is away: forgetting would mean sending again."""
        while True:
            try:
                return await step()
            except STORE_GONE as problem:
                logger.warning("an answer waits to be recorded: {}", type(problem).__name__)
                await self._clock.sleep(jitter(0.5))

    async def _drop(self, claimed: Claimed, settled: Settled, text: str) -> None:
        await self._report(claimed.outgoing, Outcome(settled, claimed.message_id, error=text), claimed.waited_ms)
        await self._surely(lambda: self._outbox.settle(claimed))

    async def _again(self, claimed: Claimed, *, failed: bool = False, message_gone: bool = False) -> None:
        """Let the item wait in its place, unless it has failed too often."""
        if failed and claimed.tries + 1 >= MAX_TRIES:
            await self._drop(claimed, Settled.GAVE_UP, "too many attempts")
            return
        now = self._clock.now()
        await self._surely(lambda: self._outbox.give_back(claimed, failed=failed, now=now, message_gone=message_gone))

    async def _backed_off(self, claimed: Claimed, error: ServerDown) -> None:
        """The chat waits longer each time, so that order is kept; others go on until the circuit opens."""
        logger.warning("item {} not delivered: {}", claimed.outgoing.id, error)
        # An attempt counts against an item only when Telegram has answered others since its last one.
        failed = 0 < claimed.tried_at <= self.stats.last_success_at
        self._streaks[claimed.outgoing.chat_id] += 1
        delay = jitter(min(30.0, 0.25 * 2 ** min(self._streaks[claimed.outgoing.chat_id], 7)))
        await self._surely(lambda: self._limits.penalise(claimed.outgoing.chat_id, delay))
        await self._again(claimed, failed=failed)

    async def _migrated(self, claimed: Claimed, new: int) -> None:
        out = claimed.outgoing
        await self._report(out, Outcome(Settled.MIGRATED, chat_id=new), claimed.waited_ms)
        moved = await self._surely(lambda: self._outbox.move(out.chat_id, new))
        logger.info("chat {} is {} now; {} items go there", out.chat_id, new, moved)

    async def _limited(self, claimed: Claimed, seconds: float) -> None:
        """Hold back what a 429 is about: this chat's calls of that kind, or everything, as Telegram does not say which.

        If other chats are refused as well and no call is taken between them, it may be about the bot as a whole. Then
        everything pauses for a second, one call tries, and each further refusal doubles the pause: a few chats that
        have to wait for minutes hold up the others for a second at most.
        """
        out = claimed.outgoing
        budget = out.budget if claimed.message_id is None else Budget.EDIT
        logger.warning("429 for chat {}: {} waits {} s", out.chat_id, budget, seconds)
        await self._surely(lambda: self._limits.penalise(out.chat_id, seconds, budget))
        self._refused_chats.add(out.chat_id)
        if self._suspects_flood():
            pause = min(seconds, 2.0 ** (len(self._refused_chats) - REFUSED_CHATS))
            logger.warning("429 for {} chats in a row: everything waits {} s", len(self._refused_chats), pause)
            await self._surely(lambda: self._limits.penalise(None, pause))

    async def _delete_orphan(self, out: Outgoing, message_id: int) -> None:
        self.stats.orphans += 1
        deletion = Outgoing(
            id=f"orphan:{out.chat_id}:{message_id}",
            chat_id=out.chat_id,
            method="deleteMessage",
            params={"message_id": message_id},
            created_at=self._clock.now(),
            game_id=out.game_id,
        )
        await self._surely(lambda: self._outbox.put(deletion))

    async def _report(self, out: Outgoing, outcome: Outcome, waited_ms: int) -> None:
        self.stats.settled[outcome.settled, out.priority] += 1
        logger.debug("{} of item {}: {}", out.method, out.id, outcome.settled)
        if outcome.settled is not Settled.MIGRATED:
            self.stats.waits[out.priority].add(waited_ms)
        try:
            await self._on_settled(out, outcome)
        except Exception:  # noqa: BLE001 - one item's report must not stop the road for all
            logger.exception("on_settled failed for item {}", out.id)


def _message_id(result: Any) -> int | None:
    """Id of the message that a call made, if it made one."""
    with contextlib.suppress(TypeError, KeyError, ValueError):
        return int(result["message_id"])
    return None
