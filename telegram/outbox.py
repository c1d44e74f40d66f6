"""The outbox: every call to Telegram that is not the answer to a tap waits here, durably, for the one sender.

What waits is kept by chat. A chat with something to send stands in one of three lanes, by the most urgent thing it has,
in the order of how long that has waited; or it is *delayed*, because a rate or a 429 holds it; or one of its items is
*in flight*. Taking the next item costs O(log n) and never looks past a chat that must wait.

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
from redis.asyncio import Redis

from storage.leases import LeaseLostError
from telegram.limits import BASE, RATES_LUA, Limits, Priority

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
        game_id: for logs and for whom it is reported to.
        trace: trace id, for logs.
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
    game_id: str | None = None
    trace: str | None = None

    @property
    def edit_method(self) -> str | None:
        """How the slot's message is edited into this; None where it can only be sent anew."""
        if self.slot is None:
            return None
        return self.method if self.method.startswith("editMessage") else _SEND_TO_EDIT.get(self.method)

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
class Depth:
    """What waits: chats by lane (urgent, normal, cosmetic), and the age of the longest waiting in each, ms."""

    ready: tuple[int, int, int]
    delayed: int
    in_flight: int
    oldest_ms: tuple[int, int, int]
    dropped: int


_QUEUE = """
local B = KEYS[1]
local COSMETIC_LAST = 1e12

local function leave_lanes(chat)
  for lane = 0, 2 do redis.call('ZREM', B .. ':ready:' .. lane, chat) end
  redis.call('ZREM', B .. ':delayed', chat)
end

-- Where a chat stands follows from what waits for it, and from nothing else.
local function place(chat)
  leave_lanes(chat)
  if redis.call('HEXISTS', B .. ':inflight', chat) == 1 then return false end
  local best, since
  for _, id in ipairs(redis.call('ZRANGE', B .. ':q:' .. chat, 0, -1)) do
    local item = redis.call('HMGET', B .. ':item:' .. id, 'prio', 'at')
    local prio, at = tonumber(item[1]), tonumber(item[2])
    if not prio then
      redis.call('ZREM', B .. ':q:' .. chat, id)
    elseif not best or prio < best or (prio == best and at < since) then
      best, since = prio, at
    end
  end
  if not best then return false end
  redis.call('ZADD', B .. ':ready:' .. best, since, chat)
  return true
end

local function drop(chat, id)
  redis.call('ZREM', B .. ':q:' .. chat, id)
  redis.call('DEL', B .. ':item:' .. id)
end

-- A newer put of a slot takes the place in the queue and the urgency of the older one. Its age too, unless it is the
-- more urgent of the two: then the urgent wait begins with it.
local function inherit(chat, newer, older)
  local rank = tonumber(redis.call('ZSCORE', B .. ':q:' .. chat, older))
  local was = redis.call('HMGET', B .. ':item:' .. older, 'prio', 'at')
  local prio = tonumber(redis.call('HGET', B .. ':item:' .. newer, 'prio'))
  local urgent = math.min(prio, tonumber(was[1]))
  if rank >= COSMETIC_LAST then rank = rank - COSMETIC_LAST end
  if urgent == 2 then rank = rank + COSMETIC_LAST end
  if prio >= tonumber(was[1]) then redis.call('HSET', B .. ':item:' .. newer, 'prio', urgent, 'at', was[2]) end
  redis.call('ZADD', B .. ':q:' .. chat, rank, newer)
  drop(chat, older)
  return urgent < tonumber(was[1])
end

local function waiting_of(slot)
  local id = redis.call('HGET', B .. ':slot:' .. slot, 'waiting')
  if not id then return nil end
  local chat = redis.call('HGET', B .. ':item:' .. id, 'chat')
  if not chat or not redis.call('ZSCORE', B .. ':q:' .. chat, id) then return nil end
  return id, chat
end

-- An item that was in flight waits again, or gives its place to a newer put of its slot.
local function restore(chat, id)
  local slot = redis.call('HGET', B .. ':item:' .. id, 'slot')
  if not slot or slot == '' then return end
  local newer, newer_chat = waiting_of(slot)
  if not newer or newer == id then
    redis.call('HSET', B .. ':slot:' .. slot, 'waiting', id)
  elseif newer_chat == chat then
    inherit(chat, newer, id)
  else
    drop(chat, id)
  end
end
"""

_PUT = (
    RATES_LUA
    + _QUEUE
    + """
local now, max_waiting = clock(ARGV[1]), tonumber(ARGV[2])
local slot_ttl, max_age, ring = ARGV[3], tonumber(ARGV[4]), false
local answers = {}

local function outdated(slot, version)
  return version > 0 and version < tonumber(redis.call('HGET', B .. ':slot:' .. slot, 'version') or 0)
end

local function known(id, slot, ttl)
  if slot ~= '' then return redis.call('EXISTS', B .. ':item:' .. id) == 1 end
  return not redis.call('SET', B .. ':known:' .. id, 1, 'NX', 'PX', ttl)
end

local function crowded_out(chat)
  if redis.call('ZCARD', B .. ':q:' .. chat) <= max_waiting then return nil end
  local flying = redis.call('HGET', B .. ':inflight', chat) or ''
  for _, id in ipairs(redis.call('ZREVRANGE', B .. ':q:' .. chat, 0, 1)) do
    if string.sub(flying, 1, #id + 1) ~= id .. ' ' then
      drop(chat, id)
      redis.call('INCR', B .. ':dropped')
      return id
    end
  end
end

for i = 5, #ARGV, 9 do
  local id, chat, prio, slot = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local version, expires = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5])
  local digest, edit, body = ARGV[i + 6], ARGV[i + 7], ARGV[i + 8]
  chat = redis.call('GET', B .. ':moved:' .. chat) or chat
  if expires == 0 then expires = now + max_age end
  local ttl = math.max(expires - now, 0) + 3600000
  if known(id, slot, ttl) then
    answers[#answers + 1] = 'known'
  elseif slot ~= '' and outdated(slot, version) then
    answers[#answers + 1] = 'outdated'
  else
    local older, older_chat, raised, answer
    if slot ~= '' then older, older_chat = waiting_of(slot) end
    local rank = redis.call('INCR', B .. ':seq')
    if prio == 2 then rank = rank + COSMETIC_LAST end
    redis.call('HSET', B .. ':item:' .. id, 'body', body, 'chat', chat, 'prio', prio, 'at', now, 'slot', slot,
      'expires', expires, 'digest', digest, 'edit', edit, 'tries', 0, 'tried', 0)
    redis.call('PEXPIRE', B .. ':item:' .. id, ttl)
    redis.call('ZADD', B .. ':q:' .. chat, rank, id)
    if redis.call('PTTL', B .. ':q:' .. chat) < ttl then redis.call('PEXPIRE', B .. ':q:' .. chat, ttl) end
    if slot ~= '' then
      redis.call('HSET', B .. ':slot:' .. slot, 'waiting', id)
      if version > 0 then redis.call('HSET', B .. ':slot:' .. slot, 'version', version) end
      redis.call('PEXPIRE', B .. ':slot:' .. slot, slot_ttl)
    end
    if older and older_chat == chat then
      raised = inherit(chat, id, older)
      answer = 'replaced'
    else
      if older then
        drop(older_chat, older)
        place(older_chat)
      end
      raised = true
      answer = crowded_out(chat) == id and 'dropped' or 'queued'
    end
    if raised and place(chat) then ring = true end
    answers[#answers + 1] = answer
  end
end
if ring then redis.call('PUBLISH', B .. ':bell', '') end
return answers
"""
)

_CLAIM = (
    RATES_LUA
    + _QUEUE
    + """
local now, fence, rates, every = clock(ARGV[1]), ARGV[2], cjson.decode(ARGV[3]), tonumber(ARGV[4])
if redis.call('GET', B .. ':fence') ~= fence then return {'stale'} end

for _, chat in ipairs(redis.call('ZRANGEBYSCORE', B .. ':delayed', '-inf', now, 'LIMIT', 0, 200)) do place(chat) end

local function finish(what, chat, id, item)
  drop(chat, id)
  if redis.call('HGET', B .. ':slot:' .. item[3], 'waiting') == id then
    redis.call('HDEL', B .. ':slot:' .. item[3], 'waiting')
  end
  place(chat)
  return {what, item[1], chat, now - item[2]}
end

-- The slot's message, if this item can be an edit of it; and whether that message shows the same already.
local function message_of(chat, item)
  if item[3] == '' then return '', false end
  local slot = redis.call('HMGET', B .. ':slot:' .. item[3], 'message', 'chat', 'edit', 'digest')
  if not slot[1] or slot[2] ~= chat or item[6] == '' then return '', false end
  -- Only the keyboard of a message can be changed whatever it is; text never becomes a caption.
  if slot[3] ~= item[6] and item[6] ~= 'editMessageReplyMarkup' then
    redis.call('HDEL', B .. ':slot:' .. item[3], 'message', 'digest')
    return '', false
  end
  return slot[1], slot[4] == item[5]
end

local function try(chat, lane)
  local id = redis.call('ZRANGE', B .. ':q:' .. chat, 0, 0)[1]
  local item = id and redis.call('HMGET', B .. ':item:' .. id,
    'body', 'at', 'slot', 'expires', 'digest', 'edit', 'tries', 'tried')
  if not item or not item[1] then
    place(chat)
    return nil
  end
  if tonumber(item[4]) <= now then return finish('expired', chat, id, item) end
  local message, same = message_of(chat, item)
  if same then return finish('same', chat, id, item) end
  local wait = chat_wait(B, rates, chat, lane, 1, now)
  if wait > 0 then
    leave_lanes(chat)
    redis.call('ZADD', B .. ':delayed', now + wait, chat)
    return nil
  end
  local taken = take(B, rates, chat, 1, now)
  leave_lanes(chat)
  redis.call('HSET', B .. ':inflight', chat, id .. ' ' .. fence)
  if item[3] ~= '' and redis.call('HGET', B .. ':slot:' .. item[3], 'waiting') == id then
    redis.call('HDEL', B .. ':slot:' .. item[3], 'waiting')
  end
  redis.call('INCR', B .. ':turn')
  return {'send', item[1], chat, now - item[2], message, item[7], item[8], taken or 0}
end

local reverse = tonumber(redis.call('GET', B .. ':turn') or 0) % every == every - 1
local soonest
for step = 0, 2 do
  local lane = reverse and 2 - step or step
  local key = B .. ':ready:' .. lane
  -- A lane whose turn it is gets the whole rate, or it would starve on its smaller share after all.
  local wait = overall_wait(B, rates, reverse and 0 or lane, 1, now)
  if wait > 0 then
    if redis.call('EXISTS', key) == 1 then soonest = math.min(soonest or wait, wait) end
  else
    for tried = 0, 100 do
      local chat = redis.call('ZRANGE', key, 0, 0)[1]
      if not chat then break end
      if tried == 100 then return {'wait', 0} end
      local found = try(chat, lane)
      if found then return found end
    end
  end
end
local due = redis.call('ZRANGE', B .. ':delayed', 0, 0, 'WITHSCORES')[2]
if due then soonest = math.min(soonest or due - now, math.max(0, due - now)) end
return {'wait', soonest or -1}
"""
)

_SETTLE = (
    _QUEUE
    + """
local chat, id, fence, slot, sent = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local digest, edit, ttl, edited, orphan = ARGV[6], ARGV[7], ARGV[8], ARGV[9], 0
local flying = redis.call('HGET', B .. ':inflight', chat)
if flying == id .. ' ' .. fence then redis.call('HDEL', B .. ':inflight', chat) end
if slot ~= '' then
  local key = B .. ':slot:' .. slot
  local current = redis.call('HMGET', key, 'message', 'chat')
  if sent ~= '' then
    -- Another sender was here first: its message is the living one, and this one an orphan.
    if current[1] and current[2] == chat and current[1] ~= sent then
      orphan = 1
    else
      redis.call('HSET', key, 'message', sent, 'chat', chat, 'digest', digest, 'edit', edit)
    end
  elseif edited ~= '' and current[1] == edited and current[2] == chat then
    redis.call('HSET', key, 'digest', digest)
  end
  if redis.call('HGET', key, 'waiting') == id then redis.call('HDEL', key, 'waiting') end
  redis.call('PEXPIRE', key, ttl)
end
drop(chat, id)
place(chat)
return orphan
"""
)

_RETURN = (
    _QUEUE
    + """
local chat, id, fence, failed, now, gone = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', B .. ':inflight', chat) ~= id .. ' ' .. fence then return 0 end
redis.call('HDEL', B .. ':inflight', chat)
if redis.call('EXISTS', B .. ':item:' .. id) == 1 then
  redis.call('HINCRBY', B .. ':item:' .. id, 'tries', failed)
  redis.call('HSET', B .. ':item:' .. id, 'tried', now)
  local slot = B .. ':slot:' .. redis.call('HGET', B .. ':item:' .. id, 'slot')
  if gone ~= '' and redis.call('HGET', slot, 'message') == gone then redis.call('HDEL', slot, 'message', 'digest') end
  restore(chat, id)
end
place(chat)
return 1
"""
)

_MOVE = (
    _QUEUE
    + """
local old, new = ARGV[1], ARGV[2]
redis.call('SET', B .. ':moved:' .. old, new, 'PX', ARGV[3])
local flying = redis.call('HGET', B .. ':inflight', old)
redis.call('HDEL', B .. ':inflight', old)
if flying then restore(old, string.match(flying, '^(.*) %d+$')) end
local from, to = B .. ':q:' .. old, B .. ':q:' .. new
local ids = redis.call('ZRANGE', from, 0, -1, 'WITHSCORES')
for i = 1, #ids, 2 do
  if redis.call('EXISTS', B .. ':item:' .. ids[i]) == 1 then
    redis.call('HSET', B .. ':item:' .. ids[i], 'chat', new)
    redis.call('ZADD', to, ids[i + 1], ids[i])
  end
end
local ttl = redis.call('PTTL', from)
if ttl > redis.call('PTTL', to) then redis.call('PEXPIRE', to, ttl) end
redis.call('DEL', from)
leave_lanes(old)
place(new)
return #ids / 2
"""
)

_RECOVER = (
    _QUEUE
    + """
if redis.call('GET', B .. ':fence') ~= ARGV[1] then return -1 end
local flying = redis.call('HGETALL', B .. ':inflight')
for i = 1, #flying, 2 do
  redis.call('HDEL', B .. ':inflight', flying[i])
  restore(flying[i], string.match(flying[i + 1], '^(.*) %d+$'))
  place(flying[i])
end
return #flying / 2
"""
)

_FORGET = (
    _QUEUE
    + """
local key = B .. ':slot:' .. ARGV[1]
redis.call('HDEL', key, 'message', 'chat', 'digest', 'edit')
if not waiting_of(ARGV[1]) then redis.call('DEL', key) end
"""
)


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
        self._put = redis.register_script(_PUT)
        self._claim = redis.register_script(_CLAIM)
        self._settle = redis.register_script(_SETTLE)
        self._return = redis.register_script(_RETURN)
        self._move = redis.register_script(_MOVE)
        self._recover = redis.register_script(_RECOVER)
        self._forget = redis.register_script(_FORGET)

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
            for each in outgoing[start : start + BATCH]:
                digest = each.digest() if each.slot else ""
                arguments += [each.id, each.chat_id, int(each.priority), each.slot or "", each.version]
                arguments += [each.expires_at or 0, digest, each.edit_method or "", msgspec.json.encode(each)]
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
                message_id = int(message) if message else None
                return Claimed(
                    _outgoing(body, chat), message_id, int(waited), int(tries), int(tried), fence, int(taken)
                )
            case ended:
                body, chat, waited = answer
                return Finished(_outgoing(body, chat), ended == "expired", int(waited))

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

    async def recover(self, fence: int) -> int:
        """Put back what the sender before had in flight. Returns how many.

        Raises:
            LeaseLostError: the token is not the latest one.
        """
        found = int(await self._recover(keys=[BASE], args=[fence]))
        if found < 0:
            raise LeaseLostError
        return found

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
        urgent, normal, cosmetic = (max(0, now - int(oldest[0][1])) if oldest else 0 for oldest in found[3:6])
        delayed, flying, dropped = found[6:]
        return Depth(
            ready=(found[0], found[1], found[2]),
            delayed=delayed,
            in_flight=flying,
            oldest_ms=(urgent, normal, cosmetic),
            dropped=int(dropped or 0),
        )


_decode = msgspec.json.Decoder(Outgoing).decode


def _outgoing(body: str | bytes, chat: str | bytes) -> Outgoing:
    """The stored item, for the chat where it waits now."""
    outgoing, chat_id = _decode(body), int(chat)
    return outgoing if outgoing.chat_id == chat_id else msgspec.structs.replace(outgoing, chat_id=chat_id)


def _text(value: str | bytes) -> str:
    """Text, whether or not the client decodes answers."""
    return value.decode() if isinstance(value, bytes) else value
