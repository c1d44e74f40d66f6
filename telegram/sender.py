"""The sender: makes all calls to Telegram except answers to taps.

Every process may run it, and the one that holds the lease sends. It claims the next item from the outbox, whose script
also spends the rates, and makes the call. Calls to different chats overlap; calls to the same chat never do. Only
`_answered` decides the consequence of each answer.
"""

import asyncio
import contextlib
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
from loguru import logger

from fsm.engine import Clock
from storage.leases import STORE_GONE, Bell, Lease, LeaseLostError, heed_cancellation, jitter
from storage.set_aside import SetAside
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
"""Name of the sender's lease. Its token is stored beside the outbox, so that every claim can compare it."""
CALLS_AT_ONCE = 32
"""Maximum number of calls in flight: one second of Telegram's rate, so that answers that take a second still keep up.
"""
MAX_TRIES = 10
"""Maximum number of failed attempts of one item. Only failures while other calls succeed count, so outages do not."""
PATIENCE_SECONDS = 30.0
"""Seconds without an answer after which a process gives up the lease: perhaps only this process cannot reach Telegram.
"""
GRACE_SECONDS = 3.0
"""Seconds that calls in flight get to end when the sender stops."""
LOOK_SECONDS = 5.0
"""Longest delay if the bell misses a ring because its connection was lost."""
REFUSED_CHATS = 3
"""Number of chats that must answer 429, with no accepted call between them, to suspect a limit on the bot as a whole.
"""

LAST_MESSAGES: Final = 4
"""Number of a chat's last messages with which a new one is compared."""
MOST_CHATS: Final = 10_000
"""Number of chats whose last messages are known."""


class Settled(StrEnum):
    """The ways in which an item ends."""

    SENT = "sent"
    EDITED = "edited"
    DONE = "done"
    """A call other than sending and editing succeeded."""
    UNCHANGED = "unchanged"
    """The message already had this content."""
    EXPIRED = "expired"
    CHAT_GONE = "chat_gone"
    NO_RIGHTS = "no_rights"
    TOPIC_GONE = "topic_gone"
    MESSAGE_GONE = "message_gone"
    """The message to delete, pin, reply to, or edit without a slot's new content no longer exists."""
    REFUSED = "refused"
    """A wrong call, which is a bug here and is logged as an error."""
    GAVE_UP = "gave_up"
    """Too many failed attempts while other calls succeeded."""
    MIGRATED = "migrated"
    """Not an end: the group has a new id (`Outcome.chat_id`), and the item moves there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an item.

    Attributes:
        settled: the way in which it ended.
        message_id: id of the message sent or edited.
        chat_id: the new id, if the group migrated.
        result: Telegram's result, if the call succeeded.
        error: Telegram's text, if it refused the call.
    """

    settled: Settled
    message_id: int | None = None
    chat_id: int | None = None
    result: Any = None
    error: str = ""


WAIT_BUCKETS_MS = (50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 60_000, 120_000, 300_000)
"""Upper bounds of the buckets of waits. One more bucket takes longer waits."""


@dataclass(slots=True)
class Waits:
    """A histogram of waits from put to settled, milliseconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(WAIT_BUCKETS_MS) + 1))
    sum_ms: int = 0

    def add(self, wait_ms: int) -> None:
        """Count one wait."""
        self.buckets[bisect_left(WAIT_BUCKETS_MS, wait_ms)] += 1
        self.sum_ms += wait_ms


@dataclass(slots=True)
class SenderStats:
    """Counters of the sender, for export.

    Attributes:
        settled: number of ended items by (outcome, priority).
        errors: Telegram's refusals and failures by kind, including retried ones.
        waits: times from put to settled, by priority.
        in_flight: number of calls being made now.
        leading: True while this process sends.
        orphans: messages that were deleted because two senders had sent one for the same slot.
        repeated: items of a previous sender that were sent again, perhaps for the second time.
        left: old answers to one person among the previous sender's items, which were not sent again.
        alike: new messages with the same content as one of the last in their chat.
        last_success_at: unix milliseconds; 0 if no call has succeeded.
    """

    settled: Counter[tuple[Settled, Priority]] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    waits: dict[Priority, Waits] = field(default_factory=lambda: {priority: Waits() for priority in Priority})
    in_flight: int = 0
    leading: bool = False
    orphans: int = 0
    repeated: int = 0
    left: int = 0
    alike: int = 0
    last_success_at: int = 0


Report = Callable[[Outgoing, Outcome], Awaitable[None]]


class Sender:
    """The sender. It empties the outbox while this process holds the lease.

    Args:
        outbox: the queue of calls.
        limits: records answers and 429s.
        api: the Bot API.
        clock: the clock of all waits.
        on_settled: called with the result of each item: after recording a success, before recording a failure. A crash
            can therefore repeat the report of a failure but not lose it.
        lease: the lease named `SENDER_LEASE`.
        bell: the bell on `telegram.outbox.bell_channel`, whose `listen` another task runs.
        stats: counters to use.
        aside: records the calls that failed because of a bug.
    """

    def __init__(  # noqa: PLR0913 -- wired once, by name
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
        aside: SetAside | None = None,
    ) -> None:
        self.stats = stats or SenderStats()
        self._outbox = outbox
        self._limits = limits
        self._api = api
        self._clock = clock
        self._on_settled = on_settled
        self._lease = lease
        self._bell = bell
        self._aside = aside or SetAside()
        self._calls: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(CALLS_AT_ONCE)
        self._resume_at = 0
        self._refused_chats: set[int] = set()
        """Chats that answered 429 since Telegram last accepted a call."""
        self._broken: BaseException | None = None
        self._in_vain_since: float | None = None
        """Monotonic time since which no call was answered; None if the last one was."""
        self._streaks: Counter[int] = Counter()
        self._contents: dict[int, deque[int]] = {}
        """Hashes of the last new messages by chat, the chat with the latest one last."""

    async def run(self) -> None:
        """Wait for the lease and send while this process holds it, until cancelled. Calls in flight then end first."""
        try:
            await self._lease.run(self.lead)
        finally:
            await self._drain()

    async def lead(self, fence: int) -> None:
        """Send until cancelled.

        Raises:
            LeaseLostError: another sender has taken over, or should try, because Telegram is unreachable from here.
            RedisError, OSError: Redis is unavailable.
        """
        self.stats.leading, self._in_vain_since = True, None
        try:
            # Calls that ended while Redis was away still wait to be recorded. Their results are known in this process,
            # so let it record them before `recover` puts the items back to be sent again.
            if self._calls:
                await asyncio.wait(self._calls, timeout=GRACE_SECONDS)
            recovered = await self._outbox.recover(fence)
            self.stats.repeated += recovered.again
            self.stats.left += recovered.left
            if recovered.again or recovered.left:
                logger.info(
                    "repeating {} calls of the previous sender; {} of its answers are too old to repeat",
                    recovered.again,
                    recovered.left,
                )
            heed_cancellation()
            while self._lease.held and self._broken is None and not self._in_vain():
                await self._step(fence)
            if self._lease.held:
                await self._drain()
        except asyncio.CancelledError:
            # A deliberate stop while this process holds the lease: no other sender may begin before these calls have
            # ended.
            if self._lease.held:
                await self._drain()
            raise
        finally:
            self.stats.leading = False
        raise self._broken or LeaseLostError

    def _suspects_flood(self) -> bool:
        """Return whether Telegram seems to refuse the bot as a whole."""
        return len(self._refused_chats) >= REFUSED_CHATS

    def _in_vain(self) -> bool:
        return self._in_vain_since is not None and time.monotonic() - self._in_vain_since > PATIENCE_SECONDS

    async def _step(self, fence: int) -> None:
        """Start one call, or wait until one is allowed."""
        if self._suspects_flood() and self._calls:
            await asyncio.wait(self._calls)  # one call at a time shows whether Telegram accepts any
        if (pause := self._resume_at - self._clock.now()) > 0:
            await self._clock.sleep(pause / 1000)
        rings = self._bell.rings  # read before the claim: a put between claim and wait must still end the wait
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
        """Wait for the bell, for the end of a call, or until a rate allows another call."""
        # The guard against a lost ring runs in real time: with no item due, a test's clock would never advance.
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
        claimed = replace(claimed, claimed_at=self._clock.now())
        task = asyncio.create_task(self._deliver(claimed), name=f"send {claimed.outgoing.id}")
        self._calls.add(task)
        self.stats.in_flight = len(self._calls)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        self.stats.in_flight = len(self._calls)
        self._room.release()
        # The chat may have more items, and only this call may have blocked its next one.
        self._bell.ring()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Another sender leads, or dropping the item failed too. It stays in flight until the next leader puts it
            # back; other chats' items are sent meanwhile.
            if isinstance(error, LeaseLostError):
                self._broken = error
            else:
                self._aside.add("sender", task.get_name(), error)

    async def _drain(self) -> None:
        """Wait for calls in flight to end and be recorded, then cancel those that take too long."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=GRACE_SECONDS)
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    async def _deliver(self, claimed: Claimed) -> None:
        out = claimed.outgoing
        with logger.contextualize(trace=out.trace, chat=out.chat_id, game=out.game_id):
            try:
                await self._call(claimed)
            except LeaseLostError:
                raise
            except Exception as bug:  # noqa: BLE001 -- a bug in one call must not stop the others
                self._aside.add("sender", out.id, bug)
                await self._drop(claimed, Settled.REFUSED, "a bug")

    async def _call(self, claimed: Claimed) -> None:
        # The period begins now. Replace the placeholders first, because the recorded digest must match the text that is
        # sent.
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
            # The process was paused since the claim and lost the lease. The current leader puts the item back.
            return
        result, error = await self._asked(method, params, out)
        with contextlib.suppress(*STORE_GONE):  # The following steps need Redis too, and they wait for it.
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

    async def _asked(self, method: str, params: Mapping[str, Any], out: Outgoing) -> tuple[Any, ApiError | None]:
        try:
            if out.file is not None:
                return await self._api.call(method, params, {"document": (out.file[0], out.file[1].encode())}), None
            if out.photo is not None:
                return await self._api.call(method, params, {"photo": ("picture.png", out.photo)}), None
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
        await self._report(out, outcome, self._waited_ms(claimed))

    async def _answered(self, claimed: Claimed, error: ApiError) -> None:
        """Apply Telegram's refusal to the item, its chat, and all chats."""
        match error:
            case NotModified():
                await self._surely(lambda: self._outbox.settle(claimed, shown=True))
                await self._report(
                    claimed.outgoing, Outcome(Settled.UNCHANGED, claimed.message_id), self._waited_ms(claimed)
                )
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
                logger.error("Telegram rejects the bot's token, or another bot process uses it: {}", error)
                self._resume_at = self._clock.now() + 10_000
                await self._again(claimed)
            case _:
                await self._refused(claimed, error)

    async def _refused(self, claimed: Claimed, error: ApiError) -> None:
        """Drop an item that Telegram will never accept."""
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
                logger.error(
                    "Telegram rejects the parameters of item {} of game {}: {}",
                    claimed.outgoing.id,
                    claimed.outgoing.game_id,
                    error,
                )
            case _:
                settled = Settled.REFUSED
                logger.error("unexpected answer from Telegram: {}", error)
        await self._drop(claimed, settled, error.text)

    async def _surely(self, step: Callable[[], Awaitable[Answer]]) -> Answer:
        """Record a result, and retry for as long as Redis is away. If it were lost, the call would be made again."""
        while True:
            try:
                return await step()
            except STORE_GONE as problem:
                logger.warning("cannot record an answer from Telegram yet: {}", type(problem).__name__)
                await self._clock.sleep(jitter(0.5))

    async def _drop(self, claimed: Claimed, settled: Settled, text: str) -> None:
        await self._report(claimed.outgoing, Outcome(settled, claimed.message_id, error=text), self._waited_ms(claimed))
        await self._surely(lambda: self._outbox.settle(claimed))

    async def _again(self, claimed: Claimed, *, failed: bool = False, message_gone: bool = False) -> None:
        """Put the item back in its place, or drop it after too many failures."""
        if failed and claimed.tries + 1 >= MAX_TRIES:
            await self._drop(claimed, Settled.GAVE_UP, "too many attempts")
            return
        now = self._clock.now()
        await self._surely(lambda: self._outbox.give_back(claimed, failed=failed, now=now, message_gone=message_gone))

    async def _backed_off(self, claimed: Claimed, error: ServerDown) -> None:
        """Delay the chat longer with each failure, which keeps its order. Others continue until the circuit opens."""
        logger.warning("item {} not delivered: {}", claimed.outgoing.id, error)
        # An attempt counts against an item only if Telegram has answered another call since the item's last attempt.
        failed = 0 < claimed.tried_at <= self.stats.last_success_at
        self._streaks[claimed.outgoing.chat_id] += 1
        delay = jitter(min(30.0, 0.25 * 2 ** min(self._streaks[claimed.outgoing.chat_id], 7)))
        await self._surely(lambda: self._limits.penalise(claimed.outgoing.chat_id, delay))
        await self._again(claimed, failed=failed)

    async def _migrated(self, claimed: Claimed, new: int) -> None:
        out = claimed.outgoing
        await self._report(out, Outcome(Settled.MIGRATED, chat_id=new), claimed.waited_ms)
        moved = await self._surely(lambda: self._outbox.move(out.chat_id, new))
        logger.info("chat {} became {}; moved {} items to it", out.chat_id, new, moved)

    async def _limited(self, claimed: Claimed, seconds: float) -> None:
        """Hold back the calls that a 429 concerns. Telegram does not say whether it means this chat or the whole bot.

        At first only this chat's calls of this kind wait. If several chats are refused and no call between them is
        accepted, the limit may concern the whole bot. Then everything pauses for a second, one call tries, and each
        further refusal doubles the pause. A few chats that must wait for minutes therefore delay the others by a second
        at most.
        """
        out = claimed.outgoing
        budget = out.budget if claimed.message_id is None else Budget.EDIT
        logger.warning("429 for chat {}: holding back its {} for {} s", out.chat_id, budget, seconds)
        await self._surely(lambda: self._limits.penalise(out.chat_id, seconds, budget))
        self._refused_chats.add(out.chat_id)
        if self._suspects_flood():
            pause = min(seconds, 2.0 ** (len(self._refused_chats) - REFUSED_CHATS))
            logger.warning(
                "429 for {} chats in a row: holding back all calls for {} s", len(self._refused_chats), pause
            )
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

    def _waited_ms(self, claimed: Claimed) -> int:
        """Return the time since an item was put, with that of its call."""
        return claimed.waited_ms + max(0, self._clock.now() - claimed.claimed_at)

    async def _report(self, out: Outgoing, outcome: Outcome, waited_ms: int) -> None:
        self.stats.settled[outcome.settled, out.priority] += 1
        logger.debug("{} of item {}: {}", out.method, out.id, outcome.settled)
        if outcome.settled is Settled.SENT:
            self._compare(out)
        if outcome.settled is not Settled.MIGRATED:
            self.stats.waits[out.priority].add(waited_ms)
        try:
            await self._on_settled(out, outcome)
        except Exception:  # noqa: BLE001 - one failing report must not stop the sender
            logger.exception("on_settled failed for item {}", out.id)

    def _compare(self, out: Outgoing) -> None:
        """Count a message that says the same as one of the last in its chat, as a version that sends all twice does."""
        content = hash(msgspec.json.encode((out.method, out.params), order="sorted"))
        last = self._contents.pop(out.chat_id, None) or deque(maxlen=LAST_MESSAGES)
        self.stats.alike += content in last
        last.append(content)
        self._contents[out.chat_id] = last
        if len(self._contents) > MOST_CHATS:
            del self._contents[next(iter(self._contents))]


def _message_id(result: Any) -> int | None:
    """Return the id of the message that a call created, or None."""
    with contextlib.suppress(TypeError, KeyError, ValueError):
        return int(result["message_id"])
    return None
