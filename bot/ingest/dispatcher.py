"""The entry of all updates: one engine, two paths.

Most updates are taps. They are recognised by their first bytes, decoded into a typed struct and answered by
``handlers.taps``. All other updates, and taps that belong to a dialog, take aiogram's path. Both paths serve webhook
and polling alike; only the way back of the answer differs.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from loguru import logger
from redis.asyncio import Redis

from bot.ingest.fair_queue import WAITING, FairQueue
from bot.ingest.peers import PeerWorkers
from bot.ingest.updates import UNREADABLE, MalformedUpdate, Reply, RetryLater, chat_of, sender_of
from bot.observe.logs import TRACE
from bot.observe.metrics import Metrics
from bot.tasks import Tasks
from fsm.engine import Clock, Promise, Unavailable
from handlers.flood_control import Floods, Verdict
from handlers.tap_calls import TapCalls
from handlers.taps import Answer, Call, Tap, Taps
from storage.connections import REDIS_GONE
from storage.feed import trace_of
from storage.keys import update_deaths_key, update_key
from storage.set_aside import SetAside

if TYPE_CHECKING:
    from handlers.routing import AiogramPath  # imported on first use, because it imports aiogram

TAP = b'"callback_query":'
COMMAND = b'"text":"/'
"""Part of every update with a command. A user's text cannot contain it, because JSON escapes quotation marks."""
PEEK = 64
"""Number of bytes at the start of an update within which a tap has ``callback_query``."""
SLOW_DOOR_SECONDS = 3.0
"""Time for which an update waits for aiogram's import.

Then Telegram must deliver it again, perhaps to another process.
"""
DONE_SECONDS = 86_400
"""Lifetime of the mark of a handled update: Telegram redelivers an update for at most a day."""
DEADLY = 2
"""Number of processes that may die while handling an update. After that it is not handled again."""
MOST_OUTLIVED = 1000
DOING_SECONDS = 5
"""Lifetime of a claim on an update. A live handler renews it; a dead handler's claim expires."""


class _User(msgspec.Struct, gc=False):
    id: int
    first_name: str
    last_name: str = ""
    username: str | None = None
    language_code: str | None = None
    is_premium: bool = False


class _Chat(msgspec.Struct, gc=False):
    id: int
    type: str


class _Message(msgspec.Struct, gc=False):
    message_id: int
    chat: _Chat
    message_thread_id: int = 0
    is_topic_message: bool = False
    ephemeral_message_id: int | None = None
    reply_markup: msgspec.Raw = msgspec.Raw()
    """Not decoded: only taps whose message is edited or deleted need it."""


class _Query(msgspec.Struct, rename={"sender": "from"}, gc=False):
    id: str
    sender: _User
    message: _Message | None = None
    data: str | None = None


class _TapUpdate(msgspec.Struct, gc=False):
    update_id: int
    callback_query: _Query


class _AnyUpdate(msgspec.Struct):
    update_id: int


class HandlersDied(Exception):
    """The processes that handled an update died while they handled it."""


T = TypeVar("T")

_decode_tap = msgspec.json.Decoder(_TapUpdate).decode
_decode_any = msgspec.json.Decoder(_AnyUpdate).decode


def peek(raw: bytes, received: int, knows: Callable[[str], bool]) -> Tap | None:
    """Return the tap of an update, or None if the update takes aiogram's path.

    This is the admission to the fast path, so it is strict: ``callback_query`` must be within the first bytes, the
    update must decode into the typed struct, and its data must start with a verb of ``handlers.taps``. In any doubt
    aiogram handles the update.
    """
    if TAP not in raw[:PEEK]:
        return None
    try:
        update = _decode_tap(raw)
    except UNREADABLE:
        return None
    query = update.callback_query
    message, sender = query.message, query.sender
    if message is None or query.data is None or not knows(query.data):
        return None
    return Tap(
        update_id=update.update_id,
        query_id=query.id,
        user_id=sender.id,
        user_name=f"{sender.first_name} {sender.last_name}".strip(),
        username=sender.username,
        language=sender.language_code,
        premium=sender.is_premium,
        chat_id=message.chat.id,
        chat_type=message.chat.type,
        topic_id=message.message_thread_id if message.is_topic_message else 0,
        message_id=message.message_id,
        ephemeral_message_id=message.ephemeral_message_id,
        data=query.data,
        keyboard=message.reply_markup,
        received=received,
    )


class UpdateDispatcher:
    """Handles updates from webhook and polling. With peers, each chat's updates go to one worker of the machine."""

    def __init__(  # noqa: PLR0913 -- wired once, by name
        self,
        *,
        taps: Taps,
        floods: Floods,
        slow: "Callable[[], Awaitable[AiogramPath]]",
        tap_calls: TapCalls,
        redis: Redis,
        clock: Clock,
        tasks: Tasks,
        metrics: Metrics,
        peers: PeerWorkers | None = None,
        aside: SetAside | None = None,
        detailed: bool = False,
        traced: dict[str, str] | None = None,
        waiting: int = WAITING,
    ) -> None:
        self._taps = taps
        self._floods = floods
        self._slow = slow
        self._tap_calls = tap_calls
        self._redis = redis
        self._clock = clock
        self._tasks = tasks
        self._metrics = metrics
        self._peers = peers
        self._queue = FairQueue(waiting=waiting)
        """Queue of the updates on aiogram's path. Taps need no queue, because they are faster than one."""
        self._aside = aside or SetAside()
        self._outlived: set[int] = set()
        """Updates whose handler ended in order in this process while Redis could not be told."""
        self._traced = {} if traced is None else traced
        """Ids of recorded traces by the ids of their commands. An answered tap removes its own."""
        self._detailed = detailed
        """True if each tap is logged. Otherwise the line is not even formatted."""

    def narrow(self, at_once: int | None) -> None:
        """Limit the number of updates handled at the same time on aiogram's path; None lifts the limit."""
        self._queue.narrow(at_once)

    def deliver(self, raw: bytes) -> Awaitable[Reply]:
        """Handle one update to its end and return its reply. Raises ``MalformedUpdate`` and ``RetryLater``."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.take(raw, reply)
        return reply

    def take(self, raw: bytes, sender: Promise[Reply]) -> None:
        """Handle one update to its end in the worker that its chat is assigned to.

        ``sender`` receives the result or the error of ``deliver``. This variant creates no future, because it is the
        hot path.
        """
        if self._peers is None:
            self.handle(raw, sender)
        else:
            self._peers.take(raw, sender, self.handle)

    def handle(self, raw: bytes, sender: Promise[Reply]) -> None:
        """Handle one update in this process, whichever worker its chat is assigned to."""
        try:
            self._handle(raw, sender)
        except Exception as bug:  # noqa: BLE001 -- the sender receives the error and logs it
            _tell(sender, bug)

    def _handle(self, raw: bytes, sender: Promise[Reply]) -> None:
        began = time.perf_counter()
        tap = peek(raw, self._clock.now(), self._taps.knows)
        if tap is None:
            self._spawn("update", lambda: self._deliver_slowly(raw), sender)
            return
        answering = _UpdatePromise(self, tap, began, sender)
        if self._floods.judge(tap.user_id, tap.received) is not Verdict.PASS:
            # Answer every tap of a flood: without an answer the button would look as if it had worked.
            self._spawn("tap of a flood", lambda: self._taps.too_fast(tap), answering, tap.trace)
        elif not self._taps.begin(tap, answering):
            self._spawn("tap", lambda: self._taps.answer(tap), answering, tap.trace)

    def answered(self, tap: Tap, answer: Answer, began: float) -> Reply:
        """Count an answer and start its further calls. Return the call that answers the tap, or None."""
        self._metrics.updates["fast", answer.outcome] += 1
        seconds = time.perf_counter() - began
        self._metrics.taps.add(seconds)
        if self._traced and (whole := self._traced.pop(tap.command_id, "")):
            self._metrics.taps.show(seconds, whole)
        if self._detailed:
            logger.debug("tap {data}: {outcome}", data=tap.data, outcome=answer.outcome, **_about(tap))
        if answer.error is not None:
            self._metrics.errors["tap"] += 1
            logger.bind(**_about(tap)).opt(exception=answer.error).error("a tap failed")
        if answer.calls:
            with suppress(RuntimeError):  # the process is stopping: the tap is committed, only its display is missing
                self._tasks.spawn("calls of a tap", self._carry_out(tap, answer.calls), brief=True)
        return None if answer.answered_by_calls else {"method": "answerCallbackQuery", **answering(tap, answer)}

    async def _carry_out(self, tap: Tap, calls: Sequence[Call]) -> None:
        TRACE.set(tap.trace)
        await self._tap_calls.carry_out(tap, calls)

    def _spawn(self, name: str, do: Callable[[], Awaitable[T]], asker: Promise[T], trace: str = "") -> None:
        """Run work in a new task and give ``asker`` its result or error."""

        async def told() -> None:
            if trace:
                TRACE.set(trace)
            try:
                result = await do()
            except asyncio.CancelledError:
                _tell(asker, RetryLater("the process is stopping"))
                raise
            except Exception as error:  # noqa: BLE001 -- the asker receives the error
                _tell(asker, error)
            else:
                _tell(asker, result)

        try:
            self._tasks.spawn(name, told(), brief=True)
        except RuntimeError as stopping:
            _tell(asker, RetryLater(str(stopping)))

    async def deliver_polled(self, raw: bytes) -> None:
        """Handle a polled update and send its answer as a call. Raises ``RetryLater``."""
        try:
            reply = await self.deliver(raw)
        except RetryLater:
            raise
        except MalformedUpdate as problem:
            logger.error("dropped an update that cannot be parsed: {}", problem)
        except Exception as bug:  # noqa: BLE001 -- a bug in one update must not stop the updates after it
            self._metrics.errors["update"] += 1
            logger.opt(exception=bug).error("an update failed")
        else:
            if reply is not None:
                self._tasks.spawn("answer of a tap", self._tap_calls.answer(reply), brief=True)

    async def _deliver_slowly(self, raw: bytes) -> None:
        """Handle an update by aiogram exactly once, even if it is delivered to several processes."""
        try:
            update_id = _decode_any(raw).update_id
        except UNREADABLE as error:
            raise MalformedUpdate(str(error)) from error
        if COMMAND in raw and self._floods.drops(sender_of(raw), self._clock.now()):
            self._metrics.updates["slow", "flood"] += 1
            return
        began = time.perf_counter()
        try:
            async with self._queue.turn(chat_of(raw), sender_of(raw)):
                await self._deliver_in_turn(update_id, raw)
        finally:
            self._metrics.slow_updates.add(time.perf_counter() - began)

    async def _deliver_in_turn(self, update_id: int, raw: bytes) -> None:
        key = update_key(update_id)
        try:
            claimed = await self._redis.set(key, b"doing", nx=True, ex=DOING_SECONDS)
            if not claimed:
                if await self._redis.get(key) == b"done":
                    self._metrics.updates["slow", "duplicate"] += 1
                    return
                raise RetryLater("another replica is at it")
            TRACE.set(trace_of(f"tg:{update_id}"))
            deaths = await self._deaths(update_id)
            with self._claimed(key):
                if deaths < DEADLY:
                    await self._handled(update_id, raw)
                else:
                    await self._leave_alone(update_id, raw)
        except REDIS_GONE as error:
            self._metrics.updates["slow", "unavailable"] += 1
            raise RetryLater(str(error)) from error

    async def _deaths(self, update_id: int) -> int:
        """Return the number of processes that died while handling an update, and count the attempt that begins now."""
        key = update_deaths_key(update_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            if update_id in self._outlived:
                self._outlived.discard(update_id)
                pipe.delete(key)
            pipe.incr(key)
            pipe.expire(key, DONE_SECONDS)
            begun = (await pipe.execute())[-2]
        return int(begun) - 1

    async def _leave_alone(self, update_id: int, raw: bytes) -> None:
        """Give up an update that has killed its handlers: count it, and report it to health, the log and the person."""
        # Mark it as handled first. If even the report kills the process, the update must not be delivered again.
        await self._redis.set(update_key(update_id), b"done", ex=DONE_SECONDS)
        self._metrics.updates["slow", "set-aside"] += 1
        self._aside.add("updates", str(update_id), HandlersDied(f"{DEADLY} handlers died at it"))
        path = await self._aiogram()
        await path.tell_left_alone(raw)

    async def _come_again(self, update_id: int) -> None:
        """Release a claim after the handler has ended in order."""
        try:
            await self._redis.delete(update_key(update_id), update_deaths_key(update_id))
        except REDIS_GONE:
            if len(self._outlived) < MOST_OUTLIVED:
                self._outlived.add(update_id)

    @contextmanager
    def _claimed(self, key: str) -> Iterator[None]:
        """Renew the claim on an update until the end of the block. Most blocks end before the first renewal."""
        every, saying = DOING_SECONDS / 3, list[asyncio.Task[None]]()

        async def say_so() -> None:
            while True:
                with suppress(*REDIS_GONE):
                    await self._redis.expire(key, DOING_SECONDS)
                await asyncio.sleep(every)

        def begin() -> None:
            with suppress(RuntimeError):  # the process is stopping
                saying.append(self._tasks.spawn("claim of an update", say_so(), vital=False))

        timer = asyncio.get_running_loop().call_later(every, begin)
        try:
            yield
        finally:
            timer.cancel()
            for task in saying:
                task.cancel()

    async def _aiogram(self) -> "AiogramPath":
        """Return aiogram's path. Raises ``Unavailable`` if it is not yet imported; another process may have it."""
        try:
            async with asyncio.timeout(SLOW_DOOR_SECONDS):
                return await self._slow()
        except TimeoutError:
            raise Unavailable("aiogram is still being imported") from None
        except Exception as error:
            self._metrics.errors["aiogram"] += 1
            raise Unavailable(f"aiogram can't be had: {error}") from error

    async def _handled(self, update_id: int, raw: bytes) -> None:
        try:
            handle = await self._aiogram()
            await handle(raw)
        except (Unavailable, *REDIS_GONE) as error:
            await self._come_again(update_id)
            self._metrics.updates["slow", "unavailable"] += 1
            raise RetryLater(str(error)) from error
        except asyncio.CancelledError:
            await self._come_again(update_id)
            raise
        except Exception as error:  # noqa: BLE001 -- logged and counted
            # The error handler has already told the person. Another delivery would fail in the same way.
            self._metrics.updates["slow", "failed"] += 1
            self._metrics.errors["update"] += 1
            logger.opt(exception=error).error("an update failed")
        else:
            self._metrics.updates["slow", "done"] += 1
            logger.debug("update {update}: done", update=update_id, chat=chat_of(raw))
        await self._redis.set(update_key(update_id), b"done", ex=DONE_SECONDS)


class _UpdatePromise(msgspec.Struct, gc=False):
    """The promise of an answer to a tap."""

    dispatcher: UpdateDispatcher
    tap: Tap
    began: float
    sender: Promise[Reply]

    def done(self) -> bool:
        return self.sender.done()

    def set_result(self, answer: Answer, /) -> None:
        _tell(self.sender, self.dispatcher.answered(self.tap, answer, self.began))

    def set_exception(self, exception: Exception, /) -> None:
        _tell(self.sender, exception)


def _tell(asker: Promise[T], result: T | Exception) -> None:
    """Give ``asker`` the result or the error, unless it already has one."""
    if asker.done():
        return
    if isinstance(result, Exception):
        asker.set_exception(result)
    else:
        asker.set_result(result)


def _about(tap: Tap) -> dict[str, Any]:
    """Return the fields of a tap for the log."""
    return {"trace": tap.trace, "chat": tap.chat_id, "game": tap.data.partition(":")[2].partition(":")[0]}


def answering(tap: Tap, answer: Answer) -> dict[str, Any]:
    """Return the parameters of ``answerCallbackQuery``."""
    params: dict[str, Any] = {"callback_query_id": tap.query_id}
    if answer.text:
        params["text"] = answer.text
        if answer.alert:
            params["show_alert"] = True
    if answer.url:
        params["url"] = answer.url
    return params
