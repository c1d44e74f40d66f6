"""The outbox on a real Redis: collapsing, order, lanes, recovery, bounds."""

import itertools
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from redis.asyncio import Redis

from storage.keys import send_base
from storage.leases import LeaseLostError
from telegram.limits import Budget, Limits, Priority, Rates
from telegram.outbox import (
    ANSWERS_MS,
    EVERY,
    MAX_AGE_MS,
    MOST_ANSWERS,
    OLD_ANSWER_MS,
    Claimed,
    Finished,
    Nothing,
    Outbox,
    Outgoing,
    Recovered,
)
from tests.support.clock import TurnedClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

START = 1_800_000_000_000
FREE = Rates(overall=(), chat=(), group=())
A, B, C = 11, 22, 33
FENCE = 1
ids = itertools.count()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def outbox(redis: Redis, clock: TurnedClock) -> Outbox:
    """Return an outbox without rates, led by token 1."""
    await redis.set(f"{send_base()}:fence", FENCE)
    return Outbox(redis, Limits(redis, FREE, now=clock.now), max_waiting=5)


def message(text: str, chat: int = A, priority: Priority = Priority.NORMAL, **fields: Any) -> Outgoing:
    given = {"id": f"id-{next(ids)}", "method": "sendMessage", "params": {"text": text}} | fields
    return Outgoing(chat_id=chat, priority=priority, **given)


async def claimed(outbox: Outbox, fence: int = FENCE) -> Claimed:
    found = await outbox.claim(fence)
    assert isinstance(found, Claimed), found
    return found


async def send(outbox: Outbox, sent: int | None = None) -> str:
    """Claim a call and settle it as successful. Returns its text."""
    found = await claimed(outbox)
    await outbox.settle(found, sent=sent, shown=found.message_id is not None)
    return str(found.outgoing.params["text"])


async def drained(outbox: Outbox) -> list[str]:
    texts = []
    while not isinstance(found := await outbox.claim(FENCE), Nothing):
        assert isinstance(found, Claimed)
        await outbox.settle(found)
        texts.append(found.outgoing.params["text"])
    return texts


async def test_what_was_put_comes_out_whole(outbox: Outbox) -> None:
    out = message("hi", topic_id=5, slot="board:g", game_id="g", trace="t", created_at=START, expires_at=START + 9)
    assert await outbox.put(out) == "queued"

    assert (await claimed(outbox)).outgoing == out


@pytest.mark.parametrize("expired", [False, True])
async def test_an_item_that_cant_be_read_stops_no_other(
    outbox: Outbox,
    redis: Redis,
    clock: TurnedClock,
    expired: bool,  # noqa: FBT001
) -> None:
    await outbox.put(message("bad", id="bad", expires_at=START + 9))
    await outbox.put_many([message("next"), message("elsewhere", chat=B)])
    await redis.hset("tombola:{send}:item:bad", "body", b'{"of": "another version"}')
    if expired:
        clock.at += 10
    texts = []
    for _ in range(3):
        found = await outbox.claim(FENCE)
        if isinstance(found, Claimed):
            await outbox.settle(found)
            texts.append(found.outgoing.params["text"])
    assert sorted(texts) == ["elsewhere", "next"]
    assert (await outbox.depth()).in_flight == 0
    assert not await redis.exists("tombola:{send}:item:bad")


async def test_nothing_waits_in_an_empty_outbox(outbox: Outbox) -> None:
    assert await outbox.claim(FENCE) == Nothing(None)


async def test_messages_of_a_chat_keep_their_order_and_progress_comes_after_them(outbox: Outbox) -> None:
    await outbox.put_many(
        [
            message("progress", priority=Priority.COSMETIC),
            message("1", priority=Priority.NORMAL),
            message("2", priority=Priority.URGENT),
            message("3", priority=Priority.NORMAL),
        ]
    )

    assert await drained(outbox) == ["1", "2", "3", "progress"]


async def test_the_urgent_chat_goes_first_and_within_a_lane_the_longest_waiting(
    outbox: Outbox, clock: TurnedClock
) -> None:
    puts = [
        ("cosmetic", 1, 3),
        ("answer", 5, 2),
        ("normal", 2, 1),
        ("late", 3, 0),
        ("urgent", 4, 0),
    ]
    for text, chat, priority in puts:
        clock.at += -1 if text == "urgent" else 1
        await outbox.put(message(text, chat, Priority(priority)))

    assert await drained(outbox) == ["urgent", "late", "normal", "answer", "cosmetic"]


async def test_an_urgent_item_pulls_forward_what_must_come_before_it_in_its_chat(outbox: Outbox) -> None:
    await outbox.put_many([message("other", B), message("first", A), message("result", A, Priority.URGENT)])

    assert await drained(outbox) == ["first", "result", "other"]


async def test_no_lane_starves_under_a_flood_of_more_urgent_ones(outbox: Outbox) -> None:
    await outbox.put(message("cosmetic", 1, Priority.COSMETIC))
    texts = []
    for n in range(EVERY):
        await outbox.put(message("urgent", 100 + n, Priority.URGENT))
        texts.append(await send(outbox))

    assert texts.count("cosmetic") == 1


async def test_edits_of_a_slot_collapse_into_the_latest(outbox: Outbox) -> None:
    answers = await outbox.put_many([message(str(n), slot="s", priority=Priority.COSMETIC) for n in range(10)])

    assert answers == ["queued"] + ["replaced"] * 9
    assert await drained(outbox) == ["9"]


async def test_a_replacement_keeps_the_older_place_age_and_urgency(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put(message("old", slot="s", priority=Priority.URGENT))
    await outbox.put(message("between", priority=Priority.URGENT))
    clock.at += 500
    await outbox.put(message("new", slot="s", priority=Priority.COSMETIC))

    found = await claimed(outbox)
    assert found.outgoing.params["text"] == "new"
    assert found.waited_ms == 500


async def test_a_more_urgent_replacement_begins_its_own_wait(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put(message("old", slot="s", priority=Priority.COSMETIC))
    clock.at += 500
    await outbox.put(message("new", slot="s", priority=Priority.URGENT))
    clock.at += 20

    assert (await claimed(outbox)).waited_ms == 20


async def test_a_more_urgent_replacement_raises_its_chat(outbox: Outbox) -> None:
    await outbox.put(message("progress", A, Priority.COSMETIC, slot="s"))
    await outbox.put(message("normal", B))
    await outbox.put(message("result", A, Priority.URGENT, slot="s"))

    assert await drained(outbox) == ["result", "normal"]


async def test_a_slot_is_sent_once_and_edited_from_then_on(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s"))
    first = await claimed(outbox)
    assert first.message_id is None
    await outbox.settle(first, sent=500)
    assert await outbox.slot_message("s") == (A, 500)

    await outbox.put(message("2", slot="s"))
    assert (await claimed(outbox)).message_id == 500


async def test_the_same_content_again_costs_no_call(outbox: Outbox) -> None:
    await outbox.put(message("same", slot="s"))
    await send(outbox, sent=500)
    await outbox.put(message("same", slot="s"))

    found = await outbox.claim(FENCE)
    assert isinstance(found, Finished)
    assert not found.expired
    assert await outbox.claim(FENCE) == Nothing(None)


async def test_a_put_during_the_call_waits_behind_it_and_is_not_lost(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s"))
    flying = await claimed(outbox)
    assert await outbox.put(message("2", slot="s")) == "queued"
    assert await outbox.put(message("3", slot="s")) == "replaced"
    assert await outbox.claim(FENCE) == Nothing(None)

    await outbox.settle(flying, sent=500)
    after = await claimed(outbox)
    assert (after.outgoing.params["text"], after.message_id) == ("3", 500)


async def test_an_item_given_back_yields_its_place_to_a_newer_put_of_its_slot(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s", priority=Priority.URGENT))
    flying = await claimed(outbox)
    await outbox.put(message("behind"))
    await outbox.put(message("2", slot="s", priority=Priority.COSMETIC))

    assert await outbox.give_back(flying, failed=True, now=START)
    assert await drained(outbox) == ["2", "behind"]


async def test_an_item_given_back_remembers_its_attempts(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put(message("1"))
    clock.at += 70
    await outbox.give_back(await claimed(outbox), failed=True, now=clock.at)

    found = await claimed(outbox)
    assert (found.tries, found.tried_at, found.waited_ms) == (1, clock.at, 70)


async def test_a_message_deleted_under_it_is_sent_anew(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s"))
    await send(outbox, sent=500)
    await outbox.put(message("2", slot="s"))
    await outbox.give_back(await claimed(outbox), failed=True, now=START, message_gone=True)

    assert (await claimed(outbox)).message_id is None


async def test_a_forgotten_message_is_sent_anew_even_with_the_same_content(outbox: Outbox, redis: Redis) -> None:
    await outbox.put(message("same", slot="s"))
    await send(outbox, sent=500)
    await outbox.forget("s")
    assert await outbox.slot_message("s") is None
    assert not await redis.exists(f"{send_base()}:slot:s")
    await outbox.put(message("same", slot="s"))

    assert (await claimed(outbox)).message_id is None


async def test_an_older_version_never_replaces_a_newer_one(outbox: Outbox) -> None:
    assert await outbox.put(message("7", slot="s", version=7)) == "queued"
    assert await outbox.put(message("6", slot="s", version=6)) == "outdated"
    assert await send(outbox, sent=1) == "7"
    assert await outbox.put(message("5", slot="s", version=5)) == "outdated"
    assert await outbox.put(message("8", slot="s", version=8)) == "queued"


async def test_an_id_is_put_once_also_after_it_was_sent(outbox: Outbox) -> None:
    out = message("once")
    assert await outbox.put(out) == "queued"
    assert await outbox.put(out) == "known"
    await send(outbox)
    assert await outbox.put(out) == "known"
    assert await outbox.claim(FENCE) == Nothing(None)


async def test_a_text_never_becomes_a_caption_but_a_new_message(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s"))
    await send(outbox, sent=500)
    await outbox.put(message("2", slot="s", method="sendPhoto", params={"photo": "f", "caption": "c", "text": "2"}))
    found = await claimed(outbox)
    assert found.message_id is None
    await outbox.settle(found, sent=501)
    await outbox.put(message("3", slot="s", method="sendPhoto", params={"photo": "f", "caption": "d", "text": "3"}))

    found = await claimed(outbox)
    assert found.outgoing.edit_method == "editMessageCaption"
    assert found.outgoing.editing(501) == {"chat_id": A, "message_id": 501, "caption": "d"}


async def test_a_keyboard_alone_can_be_edited(outbox: Outbox) -> None:
    await outbox.put(message("1", slot="s"))
    await send(outbox, sent=500)
    await outbox.put(message("2", slot="s", method="editMessageReplyMarkup", params={"reply_markup": {}}))

    found = await claimed(outbox)
    assert found.outgoing.edit_method == "editMessageReplyMarkup"
    assert found.outgoing.editing(500) == {"chat_id": A, "message_id": 500, "reply_markup": {}}


def test_an_edit_carries_only_what_an_edit_may() -> None:
    params = {"text": "t", "parse_mode": "HTML", "disable_notification": True, "reply_parameters": {}, "entities": []}
    out = message("", slot="s", topic_id=9, params=params)

    assert out.sending() == {"chat_id": A, "message_thread_id": 9, **params}
    assert out.editing(5) == {"chat_id": A, "message_id": 5, "text": "t", "parse_mode": "HTML", "entities": []}


async def test_what_expired_is_not_sent_but_told(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put(message("late", expires_at=START + 1000))
    await outbox.put(message("kept"))
    clock.at += 1000

    found = await outbox.claim(FENCE)
    assert isinstance(found, Finished)
    assert (found.outgoing.params["text"], found.expired) == ("late", True)
    assert await drained(outbox) == ["kept"]


async def test_nothing_waits_longer_than_a_day(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put(message("old"))
    clock.at += MAX_AGE_MS

    assert isinstance(await outbox.claim(FENCE), Finished)


async def test_too_much_for_one_chat_drops_the_latest_progress_first_and_counts(outbox: Outbox) -> None:
    await outbox.put_many([message("p", priority=Priority.COSMETIC), *(message(str(n)) for n in range(4))])

    assert await outbox.put(message("4")) == "queued"
    assert await outbox.put(message("5")) == "dropped"
    assert await drained(outbox) == ["0", "1", "2", "3", "4"]
    assert (await outbox.depth()).dropped == 2


async def test_what_is_in_flight_is_never_crowded_out(outbox: Outbox) -> None:
    await outbox.put(message("flying", priority=Priority.COSMETIC))
    flying = await claimed(outbox)
    await outbox.put_many([message(str(n)) for n in range(6)])
    await outbox.give_back(flying, failed=False, now=START)

    assert await drained(outbox) == ["0", "1", "2", "3", "flying"]


async def test_the_next_sender_takes_over_what_the_last_one_had_in_flight(outbox: Outbox, redis: Redis) -> None:
    await outbox.put_many([message("1", A), message("2", A), message("3", B)])
    await claimed(outbox)
    await claimed(outbox)
    await redis.set(f"{send_base()}:fence", 2)

    assert await outbox.recover(2) == Recovered(again=2, left=0)
    texts = [(await claimed(outbox, 2)).outgoing.params["text"] for _ in range(2)]
    assert sorted(texts) == ["1", "3"]


async def test_an_old_answer_to_one_person_is_not_sent_again_by_the_next_sender(
    outbox: Outbox, redis: Redis, clock: TurnedClock
) -> None:
    await outbox.put(message("old answer", A, Priority.ANSWER, person=7))
    clock.at += OLD_ANSWER_MS
    await outbox.put_many([message("answer", B, Priority.ANSWER, person=7), message("result", C)])
    for _ in range(3):
        await claimed(outbox)
    clock.at += 1
    await redis.set(f"{send_base()}:fence", 2)

    assert await outbox.recover(2) == Recovered(again=2, left=1)
    texts = [(await claimed(outbox, 2)).outgoing.params["text"] for _ in range(2)]
    assert sorted(texts) == ["answer", "result"]


async def test_one_person_gets_few_answers_a_minute_in_a_group_and_others_get_theirs(
    outbox: Outbox, clock: TurnedClock
) -> None:
    async def ask(person: int, chat: int) -> str:
        clock.at += 2_500
        answer = await outbox.put(message("status", chat, Priority.ANSWER, person=person))
        await drained(outbox)
        return answer

    told = [await ask(7, -1001) for _ in range(24)]
    assert told == ["queued"] * MOST_ANSWERS + ["dropped"] * (24 - MOST_ANSWERS)
    assert await ask(8, -1001) == await ask(7, -1002) == await ask(7, 7) == "queued"
    assert (await outbox.depth()).dropped == 24 - MOST_ANSWERS
    clock.at += ANSWERS_MS
    assert await ask(7, -1001) == "queued"


async def test_answers_stand_behind_the_phases_of_a_game_that_are_put_after_them(outbox: Outbox) -> None:
    await outbox.put_many([message("progress", A, Priority.COSMETIC), message("answer", A, Priority.ANSWER)])
    await outbox.put_many([message("phase", A), message("result", A, Priority.URGENT)])

    assert await drained(outbox) == ["phase", "result", "answer", "progress"]


async def test_a_message_that_a_429_holds_back_holds_back_no_edit_and_nothing_ephemeral(
    outbox: Outbox, redis: Redis, clock: TurnedClock
) -> None:
    await outbox.put(message("board", A, slot="s"))
    await send(outbox, sent=500)
    await Limits(redis, FREE, now=clock.now).penalise(A, 120, Budget.SEND)
    private: dict[str, Any] = {"params": {"text": "own", "ephemeral_message_parameters": {"receiver_user_id": 7}}}
    await outbox.put_many([message("answer", A), message("board 2", A, slot="s"), message("own", A, **private)])

    assert [await send(outbox) for _ in range(2)] == ["board 2", "own"]
    assert await outbox.claim(FENCE) == Nothing(120_000)
    clock.at += 120_000
    assert await send(outbox) == "answer"


async def test_a_429_for_edits_holds_back_edits_alone(outbox: Outbox, redis: Redis, clock: TurnedClock) -> None:
    await outbox.put(message("board", A, slot="s"))
    await send(outbox, sent=500)
    await Limits(redis, FREE, now=clock.now).penalise(A, 9, Budget.EDIT)
    await outbox.put_many([message("board 2", A, slot="s"), message("poll", A)])

    assert await send(outbox) == "poll"
    assert await outbox.claim(FENCE) == Nothing(9_000)


async def test_a_sender_with_an_old_token_gets_nothing(outbox: Outbox, redis: Redis) -> None:
    await outbox.put(message("1"))
    await redis.set(f"{send_base()}:fence", 2)

    with pytest.raises(LeaseLostError):
        await outbox.claim(FENCE)
    with pytest.raises(LeaseLostError):
        await outbox.recover(FENCE)


async def test_of_two_first_messages_of_a_slot_the_later_recorded_is_the_orphan(outbox: Outbox, redis: Redis) -> None:
    await outbox.put(message("1", slot="s"))
    paused = await claimed(outbox)
    await redis.set(f"{send_base()}:fence", 2)
    await outbox.recover(2)
    again = await claimed(outbox, 2)

    assert not await outbox.settle(again, sent=501)
    assert await outbox.settle(paused, sent=500)
    assert await outbox.slot_message("s") == (A, 501)
    assert await outbox.claim(2) == Nothing(None)


async def test_a_late_answer_does_not_disturb_the_call_of_the_next_sender(outbox: Outbox, redis: Redis) -> None:
    await outbox.put_many([message("1", A), message("2", A)])
    paused = await claimed(outbox)
    await redis.set(f"{send_base()}:fence", 2)
    await outbox.recover(2)
    await claimed(outbox, 2)

    await outbox.settle(paused)
    assert not await outbox.give_back(paused, failed=True, now=START)
    assert await outbox.claim(2) == Nothing(None)


async def test_a_migrated_group_takes_its_queue_along_in_order(outbox: Outbox) -> None:
    await outbox.put(message("board", -5, slot="s"))
    await send(outbox, sent=500)
    await outbox.put_many([message("1", -5), message("2", -5, slot="s"), message("3", -5)])
    await claimed(outbox)

    assert await outbox.move(-5, -1005) == 3
    assert await outbox.put(message("4", -5)) == "queued"
    found = []
    while not isinstance(each := await outbox.claim(FENCE), Nothing):
        assert isinstance(each, Claimed)
        found.append((each.outgoing.chat_id, each.outgoing.params["text"], each.message_id))
        await outbox.settle(each)
    assert found == [(-1005, str(n), None) for n in range(1, 5)]


async def test_a_chat_held_by_its_rate_holds_up_no_other_and_says_when(redis: Redis, clock: TurnedClock) -> None:
    await redis.set(f"{send_base()}:fence", FENCE)
    limits = Limits(redis, now=clock.now)
    outbox = Outbox(redis, limits)
    await outbox.put_many([message(str(n), A, Priority.URGENT) for n in range(4)] + [message("b", B)])
    await limits.penalise(C, 60)
    await outbox.put(message("c", C, Priority.URGENT))

    assert [await send(outbox) for _ in range(4)] == ["0", "1", "2", "b"]
    assert await outbox.claim(FENCE) == Nothing(3_250)
    clock.at += 3_250
    assert await send(outbox) == "3"
    assert await outbox.claim(FENCE) == Nothing(60_000 - 3_250)
    assert (await outbox.depth()).delayed == 1


async def test_an_urgent_put_is_not_held_by_the_smaller_share_of_progress(redis: Redis, clock: TurnedClock) -> None:
    await redis.set(f"{send_base()}:fence", FENCE)
    outbox = Outbox(redis, Limits(redis, now=clock.now))
    for n in range(2):
        await outbox.put(message(f"p{n}", A, Priority.COSMETIC))
        await send(outbox)
    await outbox.put(message("held", A, Priority.COSMETIC))
    assert isinstance(await outbox.claim(FENCE), Nothing)
    await outbox.put(message("urgent", A, Priority.URGENT))

    assert await send(outbox) == "urgent"


async def test_the_depth_tells_what_waits(outbox: Outbox, clock: TurnedClock) -> None:
    await outbox.put_many([message("u", 1, Priority.URGENT), message("n", 2), message("c", 3, Priority.COSMETIC)])
    clock.at += 250
    await claimed(outbox)

    depth = await outbox.depth()
    assert depth.ready == (0, 1, 0, 1)
    assert depth.in_flight == 1
    assert depth.oldest_ms == (0, 250, 0, 250)


async def test_every_key_expires_or_is_the_senders_own(outbox: Outbox, redis: Redis) -> None:
    for n in range(20):
        await outbox.put(message(str(n), n % 4, slot=f"s{n % 3}" if n % 2 else None))
    await outbox.move(1, 2)
    await claimed(outbox)
    lanes = [f"ready:{int(lane)}" for lane in Priority]
    own = {f"{send_base()}:{name}" for name in (*lanes, "delayed", "inflight", "seq", "turn", "fence")}

    for key in await redis.keys("*"):
        name = key if isinstance(key, str) else key.decode()
        assert name in own or await redis.pttl(name) > 0, name


async def test_an_emptied_outbox_leaves_only_counters_and_what_expires(outbox: Outbox, redis: Redis) -> None:
    await outbox.put_many([message(str(n), n % 7) for n in range(20)])
    await drained(outbox)

    left = {key for key in map(str, await redis.keys("*")) if ":known:" not in key}
    assert left == {str(f"{send_base()}:{name}".encode()) for name in ("seq", "turn", "fence")}


class World:
    """An outbox in use, with a minimal Telegram, a record of the puts, and calls that fail, end late or are lost."""

    def __init__(self, outbox: Outbox, redis: Redis, clock: TurnedClock, random: Random) -> None:
        self.outbox, self.redis, self.clock, self.random = outbox, redis, clock, random
        self.shown: dict[tuple[int, int], str] = {}
        self.latest: dict[str, str] = {}
        self.plain: set[str] = set()
        self.arrived: set[str] = set()
        self.flying: list[Claimed] = []
        self.fence = FENCE

    async def put_content(self, version: int) -> None:
        chat, priority = self.random.randint(1, 4), Priority(self.random.randint(0, 3))
        self.latest[f"s{chat}"] = f"{version}"
        await self.outbox.put(message(f"{version}", chat, priority, slot=f"s{chat}", version=version))

    async def put_plain(self, number: int) -> None:
        if len(self.plain) < 15:
            self.plain.add(f"{number}")
            await self.outbox.put(message(f"{number}", self.random.randint(11, 14)))

    async def claim(self, _number: int = 0) -> bool:
        found = await self.outbox.claim(self.fence)
        self.flying += [found] if isinstance(found, Claimed) else []
        return not isinstance(found, Nothing)

    async def answer(self, _number: int = 0) -> None:
        if not self.flying:
            return
        each = self.flying.pop(self.random.randrange(len(self.flying)))
        text, chat = each.outgoing.params["text"], each.outgoing.chat_id
        if each.message_id is not None:
            self.shown[chat, each.message_id] = text
            await self.outbox.settle(each, shown=True)
        elif each.outgoing.slot:
            sent = len(self.shown) + 1
            self.shown[chat, sent] = text
            await self.outbox.settle(each, sent=sent)
        else:
            self.arrived.add(text)
            await self.outbox.settle(each)

    async def fail(self, _number: int) -> None:
        if self.flying:
            each = self.flying.pop(self.random.randrange(len(self.flying)))
            await self.outbox.give_back(each, failed=True, now=self.clock.at)

    async def die(self, _number: int) -> None:
        self.fence += 1
        await self.redis.set(f"{send_base()}:fence", self.fence)
        await self.outbox.recover(self.fence)
        self.flying.clear()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_each_slot_ends_with_its_latest_content_and_each_message_arrives(
    outbox: Outbox, redis: Redis, clock: TurnedClock, seed: int
) -> None:
    world = World(outbox, redis, clock, Random(seed))
    acts: list[Callable[[int], Awaitable[object]]] = [
        world.put_content,
        world.put_plain,
        world.claim,
        world.answer,
        world.fail,
        world.die,
    ]
    for number in range(1, 401):
        clock.at += world.random.randint(0, 50)
        act = world.random.choices(acts, weights=[45, 5, 25, 17, 5, 3])[0]
        await act(number)
    while world.flying or await world.claim():
        await world.answer()

    assert world.arrived == world.plain
    for slot, text in world.latest.items():
        where = await outbox.slot_message(slot)
        assert where is not None
        assert world.shown[where] == text
    assert not await redis.exists(f"{send_base()}:inflight")
