"""The outbox: a durable queue of all calls to Telegram except answers to taps. One sender empties it.

Items are kept by chat. A chat that has items is in one of three states: *ready*, *delayed* by a rate or a 429, or *in
flight*. Ready chats are queued in four lanes by the priority of their most urgent item, the longest wait first. Taking
the next item therefore costs O(log n) and never scans chats that must wait. Within a chat, a 429 for new messages holds
back new messages only, and one for edits holds back edits: each kind has its own budget (``limits.Budget``).

A **slot** names a living message. A put replaces the item that still waits for the same slot, so edits collapse. If the
slot has a message, the item becomes an edit of it.

An item leaves only when Telegram's answer is recorded. If the sender dies before that, the item stays in flight, and
the next sender puts it back in its place. Keys, all under `tombola:{send}:`, and the event that removes each:

| key | holds | ends |
| --- | --- | --- |
| `item:<id>` | one item | when it is settled, or its time to live |
| `q:<chat>` | ids in the order of sending | with its last item, or its time to live |
| `slot:<name>` | message, digest of its content, the waiting item | time to live, renewed by each put |
| `known:<id>` | marks an item without a slot as put | time to live |
| `answers:<chat>:<person>` | times of the last answers to a person in a group | `ANSWERS_MS` after the last |
| `moved:<chat>` | new id of a group that became a supergroup | time to live |
| `ready:<lane>`, `delayed` | chats | claim removes a chat without items |
| `inflight` | chat -> item and token | settling, or `recover` by the next sender |
| `seq`, `turn`, `dropped` | counters | never: three keys in all |
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from loguru import logger
from redis.asyncio import Redis

from storage.keys import send_base
from storage.leases import LeaseLostError
from storage.scripts import script
from telegram.limits import Budget, Limits, Priority, budget_of

SLOT_TTL_MS = 7 * 24 * 3600 * 1000
MOVED_TTL_MS = 30 * 24 * 3600 * 1000
MAX_AGE_MS = 24 * 3600 * 1000
"""Longest wait of an item without `expires_at`."""
MAX_WAITING = 64
"""Maximum number of waiting items of one chat."""
EVERY = 8
"""Number of sends after which the lanes are read once in reverse order, so that no lane starves under load."""
MOST_ANSWERS, ANSWERS_MS = 6, 60_000
"""Limit of answers to one person in one group: this many in this many milliseconds. Others are dropped and counted."""
OLD_ANSWER_MS = 10_000
"""Age up to which an answer to one person is sent again if its sender died during the call."""
BATCH = 200
"""Puts per script, so that one script blocks Redis for a few milliseconds at most."""

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


def bell_channel() -> str:
    """Return the channel on which a put announces new items."""
    return f"{send_base()}:bell"


class Begins(msgspec.Struct, frozen=True, omit_defaults=True):
    """A period that begins when the chat sees a message.

    Attributes:
        waits: the game's deadline until the period begins, unix milliseconds. It identifies the period.
        runs_ms: duration of the period.
        ends: end of the period, unix milliseconds; the sender sets it when it makes the call.
    """

    waits: int
    runs_ms: int
    ends: int | None = None


ENDS, ENDS_UTC = "\ufdd0", "\ufdd1"
"""Placeholders in the text of a message with ``begins``: the end of the period as unix seconds, and as HH:MM in UTC.

Both are Unicode noncharacters, which no title that a person writes contains.
"""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call to Telegram.

    Attributes:
        id: unique id; putting the same id again does nothing.
        chat_id: id of the chat; the sender adds it to the parameters.
        method: a method of the Bot API, e.g. `sendMessage`; with a slot, the method that creates the message.
        params: the other parameters, JSON-able.
        priority: see `Priority`.
        topic_id: forum topic of a new message; edits need none.
        slot: name of the living message whose next content this is, e.g. `board:<game id>`.
        version: version of the slot's content. One older than the slot's latest is ignored; 0 turns the check off.
        created_at: unix milliseconds.
        expires_at: unix milliseconds after which the call is dropped.
        begins: the period that begins when the chat sees this message.
        person: user id, if this is an answer that only this person waits for.
        game_id: id of the game, for logs and for reporting the outcome.
        trace: trace id, for logs.
        file: name and text of the file of `sendDocument`.
        photo: PNG image of `sendPhoto`; None if the parameters name a photo.
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
    photo: bytes | None = None

    @property
    def edit_method(self) -> str | None:
        """Name of the method that edits the slot's message into this one; None if it can only be sent anew."""
        if self.slot is None:
            return None
        return self.method if self.method.startswith("editMessage") else _SEND_TO_EDIT.get(self.method)

    def bound(self, now: int) -> "Outgoing":
        """Return a copy as sent at `now`, with the end of the period in place of the placeholders."""
        if self.begins is None:
            return self
        ends, params = now + self.begins.runs_ms, self.params
        if isinstance(text := params.get("text"), str):
            # Rounded up, like every time in a message, so that the message never names a moment before the real end.
            unix = -(-ends // 1000)
            hours, minutes = divmod(unix // 60 % 1440, 60)
            params = {**params, "text": text.replace(ENDS, str(unix)).replace(ENDS_UTC, f"{hours:02}:{minutes:02}")}
        return msgspec.structs.replace(self, params=params, begins=msgspec.structs.replace(self.begins, ends=ends))

    @property
    def budget(self) -> Budget:
        """The budget that a 429 concerns if this call creates a message."""
        return budget_of(self.method, self.params)

    def sending(self) -> dict[str, Any]:
        """Return the parameters of the call that creates a message."""
        topic = {} if self.topic_id is None else {"message_thread_id": self.topic_id}
        return {"chat_id": self.chat_id, **topic, **self.params}

    def editing(self, message_id: int) -> dict[str, Any]:
        """Return the parameters of the call that edits an existing message into this one."""
        assert self.edit_method is not None
        allowed = _EDIT_PARAMS.get(self.edit_method, self.params.keys())
        kept = {name: value for name, value in self.params.items() if name in allowed}
        return {"chat_id": self.chat_id, "message_id": message_id, **kept}

    def digest(self) -> str:
        """Return a hash of the visible content."""
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
        claimed_at: the time of the claim by the sender's clock, unix milliseconds.
    """

    outgoing: Outgoing
    message_id: int | None
    waited_ms: int
    tries: int
    tried_at: int
    fence: int
    taken_at: int
    claimed_at: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """An item that was removed without a call, because it expired or its slot already shows the same content."""

    outgoing: Outgoing
    expired: bool
    waited_ms: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """No item may be sent now. That may change after `wait_ms`; None means that no item waits."""

    wait_ms: int | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """The items that the sender before had in flight: how many are sent again, and how many old answers are not."""

    again: int
    left: int


@dataclass(frozen=True, slots=True)
class Depth:
    """Numbers of waiting chats and longest waits in milliseconds. Tuples are by lane, in the order of ``Priority``."""

    ready: tuple[int, ...]
    delayed: int
    in_flight: int
    oldest_ms: tuple[int, ...]
    dropped: int


class Outbox:
    """The queue of calls to Telegram. Any process puts; only the holder of the sender's lease claims.

    Args:
        redis: store of the queue.
        limits: the rates that a claim spends, and the clock of all times here.
        max_waiting: maximum number of waiting items of a chat; beyond it the least urgent, latest item is dropped.
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
        self._withdraw = redis.register_script(script("telegram", "withdraw"))

    async def put(self, outgoing: Outgoing) -> str:
        """Queue a call. It is durable when this returns. Costs one round trip.

        Returns:
            `queued`; `replaced`: took the place of its slot's waiting item; `known`: this id was put before;
            `outdated`: the slot has seen a newer version; `dropped`: the chat has too many waiting items.
        """
        return (await self.put_many([outgoing]))[0]

    async def put_many(self, outgoing: Sequence[Outgoing]) -> list[str]:
        """Queue calls as `put` does, in one round trip for each 200. Calls of one script become visible together."""
        answers: list[str] = []
        for start in range(0, len(outgoing), BATCH):
            arguments: list[str | int | bytes] = [self._limits.time(), self._max_waiting, SLOT_TTL_MS, MAX_AGE_MS]
            arguments += [MOST_ANSWERS, ANSWERS_MS]
            for each in outgoing[start : start + BATCH]:
                digest = each.digest() if each.slot else ""
                arguments += [each.id, each.chat_id, int(each.priority), each.slot or "", each.version]
                arguments += [each.expires_at or 0, digest, each.edit_method or "", msgspec.json.encode(each)]
                arguments += [each.budget, each.person or ""]
            answers += [_text(answer) for answer in await self._put(keys=[send_base()], args=arguments)]
        return answers

    async def claim(self, fence: int) -> Claimed | Finished | Nothing:
        """Take the next item and spend its rates, in one script.

        Raises:
            LeaseLostError: the token is not the latest one.
        """
        arguments: list[str | int] = [self._limits.time(), fence, self._limits.encoded_rates, EVERY]
        kind, *answer = await self._claim(keys=[send_base()], args=arguments)
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
        """Remove an item that cannot be read. Put back after a crash, it would stop each sender in turn."""
        flying: Any = await self._redis.hget(f"{send_base()}:inflight", str(chat_id))
        if flying is not None:
            id_ = _text(flying).rpartition(" ")[0]
            await self._settle(keys=[send_base()], args=[chat_id, id_, fence, "", "", "", "", SLOT_TTL_MS, ""])

    async def settle(self, claimed: Claimed, *, sent: int | None = None, shown: bool = False) -> bool:
        """Record Telegram's answer and remove the item. Also correct after another sender has taken over.

        Args:
            claimed: the item.
            sent: id of the message that the call created; None if it created none.
            shown: True if the slot's message now shows this content (edited, or not modified).

        Returns:
            True if `sent` is an orphan: the slot already has another message, so the caller should delete this one.
        """
        out = claimed.outgoing
        edited = claimed.message_id if shown and claimed.message_id else ""
        arguments: list[str | int] = [out.chat_id, out.id, claimed.fence, out.slot or "", sent or ""]
        arguments += [out.digest() if out.slot else "", out.edit_method or "", SLOT_TTL_MS, edited]
        return bool(await self._settle(keys=[send_base()], args=arguments))

    async def give_back(self, claimed: Claimed, *, failed: bool, now: int, message_gone: bool = False) -> bool:
        """Return the item to its place in the queue. If a newer put of its slot exists, that one takes the place.

        Args:
            claimed: the item.
            failed: True if this counts as one of its attempts.
            now: unix milliseconds, stored as the time of the attempt.
            message_gone: True if the slot's message no longer exists, so that the next attempt sends a new one.

        Returns:
            False if another sender has taken over; then nothing was changed.
        """
        gone = claimed.message_id if message_gone and claimed.message_id else ""
        out = claimed.outgoing
        arguments: list[str | int] = [out.chat_id, out.id, claimed.fence, int(failed), now, gone]
        return bool(await self._return(keys=[send_base()], args=arguments))

    async def move(self, old: int, new: int) -> int:
        """Redirect the waiting items and all later puts of a group to its supergroup. Return the number of items moved.

        Messages do not move with it: the next content of a slot is sent as a new message.
        """
        return int(await self._move(keys=[send_base()], args=[old, new, MOVED_TTL_MS]))

    async def recover(self, fence: int) -> Recovered:
        """Put back the previous sender's items in flight, and drop old answers to one person.

        Raises:
            LeaseLostError: the token is not the latest one.
        """
        again, left = await self._recover(keys=[send_base()], args=[self._limits.time(), fence, OLD_ANSWER_MS])
        if again < 0:
            raise LeaseLostError
        return Recovered(int(again), int(left))

    async def slot_message(self, slot: str) -> tuple[int, int] | None:
        """Return the chat id and message id of the slot's living message, or None if it has none."""
        chat, message = await self._redis.hmget(f"{send_base()}:slot:{slot}", ["chat", "message"])
        return (int(chat), int(message)) if chat and message else None

    async def adopt(self, edit: Outgoing, message_id: int) -> None:
        """Make a message that was sent without a slot the slot's message. ``edit`` has the content that it shows."""
        key = f"{send_base()}:slot:{edit.slot}"
        fields: Mapping[Any, Any] = {
            "message": message_id,
            "chat": edit.chat_id,
            "digest": edit.digest(),
            "edit": edit.edit_method or "",
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.pexpire(key, SLOT_TTL_MS)
            await pipe.execute()

    async def forget(self, slot: str) -> None:
        """Detach the slot from its message: the content that waits, or is put next, is sent as a new message."""
        await self._forget(keys=[send_base()], args=[slot])

    async def withdraw(self, ids: Sequence[str]) -> list[str]:
        """Remove items without a slot that wait, so that they are not sent. A later put of the same id is taken again.

        Returns for each id:
            `withdrawn`; `flying`: the call is being made; `gone`: it was put, and has left the queue; `unknown`: it was
            not put.
        """
        answers: list[str] = []
        for start in range(0, len(ids), BATCH):
            found = await self._withdraw(keys=[send_base()], args=list(ids[start : start + BATCH]))
            answers += [_text(answer) for answer in found]
        return answers

    async def waiting(self, ids: Sequence[str]) -> set[str]:
        """Return those of some items that have not left the queue."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for id_ in ids:
                pipe.exists(f"{send_base()}:item:{id_}")
            return {id_ for id_, found in zip(ids, await pipe.execute(), strict=True) if found}

    async def ready(self, priority: Priority) -> int:
        """Return the number of chats whose next call has this priority and waits only for the overall rate."""
        count: int = await self._redis.zcard(f"{send_base()}:ready:{int(priority)}")
        return count

    async def depth(self) -> Depth:
        """Return the numbers of waiting chats and the longest waits, for health and metrics."""
        lanes = [f"{send_base()}:ready:{int(lane)}" for lane in Priority]
        async with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.zcard(lane)
            for lane in lanes:
                pipe.zrange(lane, 0, 0, withscores=True)
            pipe.zcard(f"{send_base()}:delayed")
            pipe.hlen(f"{send_base()}:inflight")
            pipe.get(f"{send_base()}:dropped")
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
    """Return a stored item, addressed to the chat in whose queue it is now; None if it cannot be read."""
    chat_id = int(chat)
    try:
        outgoing = _decode(body)
    except msgspec.DecodeError as problem:
        logger.error("dropped an unreadable item for chat {}: {}", chat_id, problem)
        return None
    return outgoing if outgoing.chat_id == chat_id else msgspec.structs.replace(outgoing, chat_id=chat_id)


def _text(value: str | bytes) -> str:
    """Return text whether or not the Redis client decodes answers."""
    return value.decode() if isinstance(value, bytes) else value
