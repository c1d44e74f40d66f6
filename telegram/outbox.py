"""The outbox: every call to Telegram that is not the answer to a tap waits here, durably, for the one sender.

What waits is kept by chat. A chat with something to send stands in one of four lanes, by the most urgent item it has,
in the order of how long that has waited; or it is *delayed*, because a rate or a 429 holds it; or one of its items is
*in flight*. Taking the next item costs O(log n) and never looks past a chat that must wait. Within a chat, a 429 for
new messages holds back new messages alone, and one for edits edits: each has its own budget (``limits.Budget``).

A **slot** names a living message. A put of a slot replaces what still waits for it, so edits collapse; where the
slot has a message, the item becomes an edit of it.

An item leaves only when Telegram's answer is recorded. Who dies in between leaves it in flight, and the next sender
puts it back in its place. Keys, all under `tombola:{send}:`, and what ends them:

| key | holds | ends |
| --- | --- | --- |
| `item:<id>` | one item | when it is settled, or its time to live |
| `q:<chat>` | ids in the order of sending | with its last item, or its time to live |
| `slot:<name>` | message, digest of its content, the waiting item | time to live, renewed by each put |
| `known:<id>` | that an item without a slot was put | time to live |
| `answers:<chat>:<person>` | times of the last answers to a person in a group | `ANSWERS_MS` after the last |
| `moved:<chat>` | where a group went | time to live |
| `ready:<lane>`, `delayed` | chats | claim removes a chat that has nothing left |
| `inflight` | chat -> item and token | settling, or `recover` by the next sender |
| `seq`, `turn`, `dropped` | counters | three keys for ever |
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from loguru import logger
from redis.asyncio import Redis

from storage.leases import LeaseLostError
from storage.scripts import script
from telegram.limits import BASE, Budget, Limits, Priority, budget_of

BELL = f"{BASE}:bell"
"""Channel that rings when there is something new to send."""
SLOT_TTL_MS = 7 * 24 * 3600 * 1000
MOVED_TTL_MS = 30 * 24 * 3600 * 1000
MAX_AGE_MS = 24 * 3600 * 1000
"""How long anything may wait that has no `expires_at` of its own."""
MAX_WAITING = 64
"""How many items may wait for one chat."""
EVERY = 8
"""Each so many sends, the lanes are asked in reverse order: none starves, whatever the load of those above it."""
MOST_ANSWERS, ANSWERS_MS = 6, 60_000
"""Answers to one person in one group: at most so many in so many ms. The rest is dropped and counted."""
OLD_ANSWER_MS = 10_000
"""An answer to one person that was in flight when its sender died is not sent again if it is older than this."""
BATCH = 200
"""Puts in one script, so that Redis is never kept from others for more than a few milliseconds."""

_SEND_TO_EDIT = {
    "sendMessage": "editMessageText",
    "sendPhoto": "editMessageCaption",
    "sendAnimation": "editMessageCaption",
    "sendVideo": "editMessageCaption",
    "sendDocument": "editMessageCaption",
    "sendAudio": "editMessageCaption",
    "sendVoice": "editMessageCaption",
}
_COMMON = {"business_connection_id", "parse_mode", "reply_markup"}
_EDIT_PARAMS = {
    "editMessageText": _COMMON | {"text", "entities", "link_preview_options"},
    "editMessageCaption": _COMMON | {"caption", "caption_entities", "show_caption_above_media"},
}


class Begins(msgspec.Struct, frozen=True, omit_defaults=True):
    """A time that begins when the chat sees a message.

    Attributes:
        waits: the deadline until which the game waits for that; it tells the times of one game apart.
        runs_ms: how long the time lasts.
        ends: when it will be over, unix milliseconds; the sender sets it as it makes the call.
    """

    waits: int
    runs_ms: int
    ends: int | None = None


ENDS, ENDS_UTC = "\ufdd0", "\ufdd1"
"""Stand in the text of a message with ``begins`` for the end of that time, as unix seconds and as HH:MM in UTC. Unicode
has no such characters, so that nobody's title has them."""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call to Telegram.

    Attributes:
        id: unique; putting the same id again does nothing.
        chat_id: Telegram's; the sender adds it to the call.
        method: a method of the Bot API, e.g. `sendMessage`; with a slot, the one that makes the message anew.
        params: the rest of its parameters, JSON-able.
        priority: see `Priority`.
        topic_id: forum topic, for sending; edits need none.
        slot: the living message that this is the next content of, e.g. `board:<game id>`.
        version: with a slot, its content's version; an older one than the slot has seen is ignored. 0: no check.
        created_at: unix milliseconds.
        expires_at: unix milliseconds after which it is not worth sending.
        begins: the time that begins when the chat sees this.
        person: user id, if this answers one person and nobody else waits for it.
        game_id: for logs and for whom it is reported to.
        trace: trace id, for logs.
        file: name and text of the file of `sendDocument`.
    """

    id: str
    chat_id: int
    method: str
    params: dict[str, Any]
    priority: Priority = Priority.NORMAL
    topic_id: int | None = None
    slot: str | None = None
    version: int = 0
    created_at: int = 0
    expires_at: int | None = None
    begins: Begins | None = None
    person: int | None = None
    game_id: str | None = None
    trace: str | None = None
    file: tuple[str, str] | None = None

    @property
    def edit_method(self) -> str | None:
        """How the slot's message is edited into this; None where it can only be sent anew."""
        if self.slot is None:
            return None
        return self.method if self.method.startswith("editMessage") else _SEND_TO_EDIT.get(self.method)

    def bound(self, now: int) -> "Outgoing":
        """The message as it is sent at a moment, which tells when the time is over that begins with it."""
        if self.begins is None:
            return self
        ends, params = now + self.begins.runs_ms, self.params
        if isinstance(text := params.get("text"), str):
            unix = -(-ends // 1000)  # as messages show any moment: never before it has come
            hours, minutes = divmod(unix // 60 % 1440, 60)
            params = {**params, "text": text.replace(ENDS, str(unix)).replace(ENDS_UTC, f"{hours:02}:{minutes:02}")}
        return msgspec.structs.replace(self, params=params, begins=msgspec.structs.replace(self.begins, ends=ends))

    @property
    def budget(self) -> Budget:
        """The budget that a 429 to this call, made anew, is about."""
        return budget_of(self.method, self.params)

    def sending(self) -> dict[str, Any]:
        """Parameters of the call that makes a new message."""
        topic = {} if self.topic_id is None else {"message_thread_id": self.topic_id}
        return {"chat_id": self.chat_id, **topic, **self.params}

    def editing(self, message_id: int) -> dict[str, Any]:
        """Parameters of the call that edits an existing message into this."""
        assert self.edit_method is not None
        allowed = _EDIT_PARAMS.get(self.edit_method, self.params.keys())
        kept = {name: value for name, value in self.params.items() if name in allowed}
        return {"chat_id": self.chat_id, "message_id": message_id, **kept}

    def digest(self) -> str:
        """Hash of what people would see."""
        content = msgspec.json.encode([self.edit_method, self.params], order="deterministic")
        return hashlib.blake2b(content, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item to send now; its rates are spent. The chat waits until it is settled, returned or moved.

    Attributes:
        message_id: the slot's message, where it is to be edited.
        waited_ms: since it (or what it replaced) was put.
        tries: attempts that failed, so far.
        tried_at: when the last of them did, unix milliseconds; 0 for none.
        fence: token of the claiming sender.
        taken_at: since when the overall rate counts it, as ``Limits.answered`` is told.
    """

    outgoing: Outgoing
    message_id: int | None
    waited_ms: int
    tries: int
    tried_at: int
    fence: int
    taken_at: int


@dataclass(frozen=True, slots=True)
class Finished:
    """An item that ended without a call: expired, or its slot shows the same already. It is removed."""

    outgoing: Outgoing
    expired: bool
    waited_ms: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing may be sent now; `wait_ms` until that may change by itself, None where nothing waits."""

    wait_ms: int | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """The items that the sender before had in flight: how many are sent again, and how many old answers are not."""

    again: int
    left: int


@dataclass(frozen=True, slots=True)
class Depth:
    """What waits: chats by lane, in the order of ``Priority``, and the age of the longest waiting in each, ms."""

    ready: tuple[int, ...]
    delayed: int
    in_flight: int
    oldest_ms: tuple[int, ...]
    dropped: int


class Outbox:
    """The queue of what is to be sent. Any process puts; only the holder of the sender's lease claims.

    Args:
        redis: where it is kept.
        limits: the rates that a claim spends, and the clock of all times here.
        max_waiting: items that may wait for one chat; beyond that the least urgent, latest one is dropped.
    """

    def __init__(self, redis: Redis, limits: Limits, *, max_waiting: int = MAX_WAITING) -> None:
        self._redis = redis
        self._limits = limits
        self._max_waiting = max_waiting
        self._put = redis.register_script(script("telegram", "put"))
        self._claim = redis.register_script(script("telegram", "claim"))
        self._settle = redis.register_script(script("telegram", "settle"))
        self._return = redis.register_script(script("telegram", "give_back"))
        self._move = redis.register_script(script("telegram", "move"))
        self._recover = redis.register_script(script("telegram", "recover"))
        self._forget = redis.register_script(script("telegram", "forget"))

    async def put(self, outgoing: Outgoing) -> str:
        """Make it wait; durable when this returns. One round trip.

        Returns:
            `queued`; `replaced`: took the place of its slot's waiting item; `known`: this id was put before;
            `outdated`: the slot has seen a newer version; `dropped`: the chat has too much waiting.
        """
        return (await self.put_many([outgoing]))[0]

    async def put_many(self, outgoing: Sequence[Outgoing]) -> list[str]:
        """Like `put`, in one round trip for each 200. All of one script become visible together."""
        answers: list[str] = []
        for start in range(0, len(outgoing), BATCH):
            arguments: list[str | int | bytes] = [self._limits.time(), self._max_waiting, SLOT_TTL_MS, MAX_AGE_MS]
            arguments += [MOST_ANSWERS, ANSWERS_MS]
            for each in outgoing[start : start + BATCH]:
                digest = each.digest() if each.slot else ""
                arguments += [each.id, each.chat_id, int(each.priority), each.slot or "", each.version]
                arguments += [each.expires_at or 0, digest, each.edit_method or "", msgspec.json.encode(each)]
                arguments += [each.budget, each.person or ""]
            answers += [_text(answer) for answer in await self._put(keys=[BASE], args=arguments)]
        return answers

    async def claim(self, fence: int) -> Claimed | Finished | Nothing:
        """Take what is to be sent next and spend its rates, in one script.

        Raises:
            LeaseLostError: the token is not the latest one.
        """
        arguments: list[str | int] = [self._limits.time(), fence, self._limits.encoded_rates, EVERY]
        kind, *answer = await self._claim(keys=[BASE], args=arguments)
        match _text(kind):
            case "stale":
                raise LeaseLostError
            case "wait":
                return Nothing(None if answer[0] < 0 else int(answer[0]))
            case "send":
                body, chat, waited, message, tries, tried, taken = answer
                outgoing = _outgoing(body, chat)
                if outgoing is None:
                    await self._discard(int(chat), fence)
                    return Nothing(1)
                message_id = int(message) if message else None
                return Claimed(outgoing, message_id, int(waited), int(tries), int(tried), fence, int(taken))
            case ended:
                body, chat, waited = answer
                outgoing = _outgoing(body, chat)
                return Nothing(1) if outgoing is None else Finished(outgoing, ended == "expired", int(waited))

    async def _discard(self, chat_id: int, fence: int) -> None:
        """Remove an item that can't be read: put back after a crash, it would stop each sender in turn."""
        flying: Any = await self._redis.hget(f"{BASE}:inflight", str(chat_id))
        if flying is not None:
            id_ = _text(flying).rpartition(" ")[0]
            await self._settle(keys=[BASE], args=[chat_id, id_, fence, "", "", "", "", SLOT_TTL_MS, ""])

    async def settle(self, claimed: Claimed, *, sent: int | None = None, shown: bool = False) -> bool:
        """Record Telegram's answer and remove the item. Right also after another sender has taken over.

        Args:
            claimed: what was claimed.
            sent: id of the message that the call made, if it made one.
            shown: the slot's message now shows this content (edited, or not modified).

        Returns:
            True where `sent` is an orphan: the slot has another message already, so this one should be deleted.
        """
        out = claimed.outgoing
        edited = claimed.message_id if shown and claimed.message_id else ""
        arguments: list[str | int] = [out.chat_id, out.id, claimed.fence, out.slot or "", sent or ""]
        arguments += [out.digest() if out.slot else "", out.edit_method or "", SLOT_TTL_MS, edited]
        return bool(await self._settle(keys=[BASE], args=arguments))

    async def give_back(self, claimed: Claimed, *, failed: bool, now: int, message_gone: bool = False) -> bool:
        """Let the item wait again in its place; a newer put of its slot takes that place instead.

        Args:
            claimed: what was claimed.
            failed: whether this counts as one of its attempts.
            now: unix milliseconds, kept as the time of the attempt.
            message_gone: the slot's message is no more, so that the next try sends it anew.

        Returns:
            False where another sender has taken over; then nothing was done.
        """
        gone = claimed.message_id if message_gone and claimed.message_id else ""
        out = claimed.outgoing
        arguments: list[str | int] = [out.chat_id, out.id, claimed.fence, int(failed), now, gone]
        return bool(await self._return(keys=[BASE], args=arguments))

    async def move(self, old: int, new: int) -> int:
        """A group became a supergroup: all that waits for it, and later puts, go to the new id. Returns how many moved.

        Messages don't move with it: a slot's next content is sent anew.
        """
        return int(await self._move(keys=[BASE], args=[old, new, MOVED_TTL_MS]))

    async def recover(self, fence: int) -> Recovered:
        """Put back the items that the sender before had in flight; old answers to one person are dropped.

        Raises:
            LeaseLostError: the token is not the latest one.
        """
        again, left = await self._recover(keys=[BASE], args=[self._limits.time(), fence, OLD_ANSWER_MS])
        if again < 0:
            raise LeaseLostError
        return Recovered(int(again), int(left))

    async def slot_message(self, slot: str) -> tuple[int, int] | None:
        """Chat and message id of the slot's living message, if it has one."""
        chat, message = await self._redis.hmget(f"{BASE}:slot:{slot}", ["chat", "message"])
        return (int(chat), int(message)) if chat and message else None

    async def forget(self, slot: str) -> None:
        """The slot has no message any more: what waits for it, or is put next, is sent anew."""
        await self._forget(keys=[BASE], args=[slot])

    async def depth(self) -> Depth:
        """What waits, for health and metrics."""
        lanes = [f"{BASE}:ready:{int(lane)}" for lane in Priority]
        async with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.zcard(lane)
            for lane in lanes:
                pipe.zrange(lane, 0, 0, withscores=True)
            pipe.zcard(f"{BASE}:delayed")
            pipe.hlen(f"{BASE}:inflight")
            pipe.get(f"{BASE}:dropped")
            found = await pipe.execute()
        now = int(self._limits.time() or time.time() * 1000)
        count = len(lanes)
        delayed, flying, dropped = found[2 * count :]
        return Depth(
            ready=tuple(found[:count]),
            delayed=delayed,
            in_flight=flying,
            oldest_ms=tuple(max(0, now - int(oldest[0][1])) if oldest else 0 for oldest in found[count : 2 * count]),
            dropped=int(dropped or 0),
        )


_decode = msgspec.json.Decoder(Outgoing).decode


def _outgoing(body: str | bytes, chat: str | bytes) -> Outgoing | None:
    """Return the stored item, for the chat in which it waits now; None if it can't be read."""
    chat_id = int(chat)
    try:
        outgoing = _decode(body)
    except msgspec.DecodeError as problem:
        logger.error("an item for chat {} can't be read, and is not sent: {}", chat_id, problem)
        return None
    return outgoing if outgoing.chat_id == chat_id else msgspec.structs.replace(outgoing, chat_id=chat_id)


def _text(value: str | bytes) -> str:
    """Text, whether or not the client decodes answers."""
    return value.decode() if isinstance(value, bytes) else value
