"""The sender on real Redis and real HTTP: reactions to each answer, order, rates, outages, takeovers."""

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from storage.leases import heed_cancellation
from storage.set_aside import SetAside
from telegram import sender as sender_module
from telegram.client import BotApi
from telegram.limits import Priority
from telegram.outbox import Outgoing
from telegram.sender import MAX_TRIES, Outcome, Settled
from tests.sender.conftest import Pipeline
from tests.support.clock import START
from tests.support.telegram import TOKEN, Call, Garbage, Refusal

NOT_MODIFIED = "Bad Request: message is not modified: specified new message content and reply markup are the same"


def texts(pipeline: Pipeline, chat: int | None = None) -> list[str]:
    return [call.params["text"] for call in pipeline.telegram.calls if chat in (None, call.params["chat_id"])]


async def test_a_put_is_sent_at_once_without_any_polling(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("first"))
    await pipeline.settled(1)
    await pipeline.outbox.put(pipeline.message("second"))

    assert await pipeline.settled(2) == [Settled.SENT, Settled.SENT]
    assert pipeline.clock.at == START


async def test_a_slot_is_sent_then_edited_and_identical_content_costs_nothing(pipeline: Pipeline) -> None:
    sender = pipeline.start()
    for n, text in enumerate(["board", "board 2", "board 2"], start=1):
        await pipeline.outbox.put(pipeline.message(text, slot="s", topic_id=7))
        await pipeline.settled(n)

    assert pipeline.ends == [Settled.SENT, Settled.EDITED, Settled.UNCHANGED]
    assert [call.method for call in pipeline.telegram.calls] == ["sendMessage", "editMessageText"]
    assert pipeline.telegram.calls[0].params["message_thread_id"] == 7
    assert "message_thread_id" not in pipeline.telegram.calls[1].params
    assert pipeline.reports[0][1].message_id == pipeline.reports[1][1].message_id
    assert sender.stats.settled[Settled.EDITED, Priority.NORMAL] == 1


async def test_not_modified_is_a_success(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("1", slot="s"))
    await pipeline.settled(1)
    pipeline.telegram.script.append(Refusal(NOT_MODIFIED))
    await pipeline.outbox.put(pipeline.message("2", slot="s"))

    assert (await pipeline.settled(2))[-1] == Settled.UNCHANGED
    await pipeline.outbox.put(pipeline.message("2", slot="s"))
    await pipeline.settled(3)
    assert len(pipeline.telegram.calls) == 2


@pytest.mark.parametrize("text", ["Bad Request: message to edit not found", "Bad Request: message can't be edited"])
async def test_a_message_that_is_gone_is_sent_anew(pipeline: Pipeline, text: str) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("1", slot="s"))
    await pipeline.settled(1)
    pipeline.telegram.script.append(Refusal(text))
    await pipeline.outbox.put(pipeline.message("2", slot="s"))
    await pipeline.settled(2)

    assert pipeline.ends == [Settled.SENT, Settled.SENT]
    assert await pipeline.outbox.slot_message("s") == (11, pipeline.reports[-1][1].message_id)


async def test_an_edit_of_a_slot_without_a_message_is_told_and_dropped(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("", slot="s", method="editMessageReplyMarkup", params={}))

    assert await pipeline.settled(1) == [Settled.MESSAGE_GONE]
    assert pipeline.telegram.calls == []


@pytest.mark.parametrize(
    ("text", "status", "settled"),
    [
        ("Forbidden: bot was blocked by the user", 403, Settled.CHAT_GONE),
        ("Bad Request: not enough rights to send text messages to the chat", 400, Settled.NO_RIGHTS),
        ("Bad Request: TOPIC_CLOSED", 400, Settled.TOPIC_GONE),
        ("Bad Request: message to be replied not found", 400, Settled.MESSAGE_GONE),
        ("Bad Request: can't parse entities: unexpected end tag at byte offset 3", 400, Settled.REFUSED),
    ],
)
async def test_what_telegram_will_never_take_is_told_dropped_and_holds_up_nothing(
    pipeline: Pipeline, text: str, status: int, settled: Settled
) -> None:
    pipeline.telegram.script.append(Refusal(text, status))
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message("bad"), pipeline.message("good")])

    assert await pipeline.settled(2) == [settled, Settled.SENT]
    assert text in pipeline.reports[0][1].error


async def test_an_answer_to_one_person_waits_for_one_turn_of_each_person_of_a_crowd(pipeline: Pipeline) -> None:
    crowd = [pipeline.message(f"{n}", chat, Priority.ANSWER) for n in range(20) for chat in range(100, 150)]
    await pipeline.outbox.put_many(crowd)
    pipeline.clock.at += 10
    await pipeline.outbox.put(pipeline.message("newcomer", 7, Priority.ANSWER))
    pipeline.start()
    await pipeline.until(lambda: any(out.chat_id == 7 for out, _ in pipeline.reports))
    assert len(pipeline.reports) < 150, "the crowd is owed a thousand"


async def test_a_bug_in_one_call_stops_no_other_and_is_counted_and_told(pipeline: Pipeline, api: BotApi) -> None:
    class Buggy(BotApi):
        async def call(self, method: str, params: Any = None, files: Any = None, *, seconds: Any = None) -> Any:
            if params["text"] == "bad":
                raise KeyError("a bug")
            return await api.call(method, params, files, seconds=seconds)

    counted = list[str]()
    aside = SetAside(counted.append)
    sender = pipeline.start(api=Buggy(TOKEN), aside=aside)
    bad = pipeline.message("bad")
    await pipeline.outbox.put_many([bad, pipeline.message("good"), pipeline.message("x", 22)])

    await pipeline.settled(3)
    assert {out.params["text"]: outcome.settled for out, outcome in pipeline.reports} == {
        "bad": Settled.REFUSED, "good": Settled.SENT, "x": Settled.SENT,
    }  # fmt: skip
    assert counted == ["sender"]
    assert f"sender: {bad.id}" in (await aside.check())["latest"]
    assert sender.stats.leading
    assert (await pipeline.outbox.depth()).in_flight == 0


async def test_a_429_holds_that_chat_as_long_as_asked_and_no_other(pipeline: Pipeline) -> None:
    pipeline.telegram.script.append(Refusal("Too Many Requests: retry after 30", 429, chat=11, retry_after=30))
    pipeline.start()
    await pipeline.outbox.put_many(
        [pipeline.message("1", 11, Priority.URGENT), pipeline.message("2", 11), pipeline.message("x", 22)]
    )
    await pipeline.settled(3)

    times = {call.params["text"]: call.at - START for call in pipeline.telegram.calls}
    assert times["x"] < 1_000
    assert times["1"] >= 30_000
    assert texts(pipeline, 11) == ["1", "1", "2"]


async def test_two_groups_told_to_wait_for_minutes_hold_up_nobody_else(pipeline: Pipeline) -> None:
    for chat in (11, 22):
        pipeline.telegram.script.append(Refusal("Too Many Requests: retry after 300", 429, chat=chat, retry_after=300))
    pipeline.start()
    await pipeline.outbox.put_many(
        [pipeline.message("1", 11, Priority.URGENT), pipeline.message("2", 22, Priority.URGENT)]
    )
    await pipeline.until(lambda: len(pipeline.telegram.calls) == 2)
    await pipeline.until(lambda: not pipeline.senders[0][0].stats.in_flight)
    await pipeline.outbox.put(pipeline.message("lobby", 33))
    await pipeline.called(3)
    await pipeline.settled(3)

    at = {call.params["text"]: call.at - START for call in pipeline.telegram.calls}
    assert at["lobby"] == 0
    assert min(at["1"], at["2"]) >= 300_000


async def test_many_chats_told_to_wait_for_minutes_hold_up_another_for_seconds_at_most(pipeline: Pipeline) -> None:
    for chat in range(1, 6):
        pipeline.telegram.script.append(Refusal("Too Many Requests: retry after 300", 429, chat=chat, retry_after=300))
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message(f"{chat}", chat, Priority.URGENT) for chat in range(1, 6)])
    await pipeline.until(lambda: len(pipeline.telegram.calls) == 5)
    await pipeline.outbox.put(pipeline.message("lobby", 33))
    await pipeline.settled(6)

    at = {call.params["text"]: call.at - START for call in pipeline.telegram.calls}
    assert at["lobby"] <= 8_000


async def test_a_429_for_the_bot_as_a_whole_is_found_out_with_few_calls_and_ends_soon_after_it_is_over(
    pipeline: Pipeline,
) -> None:
    async def flooded(call: Call) -> None:
        over = pipeline.clock.at >= START + 30_000
        pipeline.telegram.down = None if over else Refusal("Too Many Requests: retry after 30", 429, retry_after=30)
        del call

    pipeline.telegram.gate = flooded
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message(f"{chat}", chat) for chat in range(1, 101)])
    await pipeline.settled(100)

    during = [call for call in pipeline.telegram.calls if call.at < START + 30_000]
    assert len(during) <= 12
    assert min(call.at for call in pipeline.telegram.calls if call.at >= START + 30_000) <= START + 50_000


async def test_slow_mode_holds_back_new_messages_and_the_board_is_edited_all_the_same(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("board", -5, slot="s"))
    await pipeline.settled(1)
    pipeline.telegram.script.append(Refusal("Too Many Requests: retry after 120", 429, chat=-5, retry_after=120))
    await pipeline.outbox.put(pipeline.message("answer", -5, Priority.ANSWER, person=7))
    await pipeline.until(lambda: len(pipeline.telegram.calls) == 2)
    for number in range(3):
        await pipeline.outbox.put(pipeline.message(f"board {number}", -5, slot="s"))
        await pipeline.settled(2 + number)
    await pipeline.settled(5)

    at = {call.params["text"]: call.at - START for call in pipeline.telegram.calls}
    assert at["board 2"] < 15_000
    assert at["answer"] >= 120_000


async def test_a_429_during_an_edit_sends_only_the_latest_content_afterwards(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("1", slot="s"))
    await pipeline.settled(1)
    pipeline.telegram.script.append(Refusal("Too Many Requests: retry after 9", 429, retry_after=9))
    await pipeline.outbox.put(pipeline.message("2", slot="s"))
    await pipeline.until(lambda: len(pipeline.telegram.calls) == 2)
    await pipeline.outbox.put_many([pipeline.message(f"{n}", slot="s") for n in range(3, 9)])
    await pipeline.settled(2)

    assert texts(pipeline) == ["1", "2", "8"]


@pytest.mark.parametrize("down", [Refusal("Bad Gateway", 502), Garbage(b"<html>garbage</html>")])
async def test_telegram_down_for_a_minute_loses_nothing_and_keeps_the_order_of_each_chat(
    pipeline: Pipeline, down: Refusal | Garbage
) -> None:
    pipeline.telegram.down = down
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message(f"{chat}/{n}", chat) for n in range(5) for chat in (1, 2, 3)])
    await pipeline.until(lambda: pipeline.clock.at >= START + 60_000)
    assert pipeline.reports == []
    pipeline.telegram.calls.clear()
    pipeline.telegram.down = None

    assert set(await pipeline.settled(15)) == {Settled.SENT}
    for chat in (1, 2, 3):
        assert texts(pipeline, chat) == [f"{chat}/{n}" for n in range(5)]


async def test_an_open_circuit_pauses_the_sender_and_uses_up_no_attempt(pipeline: Pipeline) -> None:
    api = BotApi(TOKEN, pipeline.telegram.base, failures=2, pause=0)
    pipeline.telegram.down = Refusal("Bad Gateway", 502)
    sender = pipeline.start(api=api)
    await pipeline.outbox.put_many([pipeline.message(f"{n}", n) for n in range(1, 9)])
    await pipeline.until(
        lambda: sender.stats.errors["ServerDown"] + sender.stats.errors["CircuitOpen"] >= 3 * MAX_TRIES
    )
    pipeline.telegram.down = None

    assert await pipeline.settled(8) == [Settled.SENT] * 8
    assert api.state == "closed"
    await api.close()


async def test_one_item_that_always_breaks_the_server_is_given_up_while_others_succeed(pipeline: Pipeline) -> None:
    pipeline.telegram.script.extend(Refusal("Internal Server Error", 500, chat=11) for _ in range(100))
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("poison", 11))
    chats = iter(range(100, 200))

    def answering_others() -> bool:
        """Keep other calls succeeding, so that the server is not the cause. Returns whether a call was given up."""
        if len(waiting) <= pipeline.senders[0][0].stats.errors["ServerDown"]:
            waiting.append(asyncio.create_task(pipeline.outbox.put(pipeline.message("fine", next(chats)))))
        return Settled.GAVE_UP in pipeline.ends

    waiting: list[asyncio.Task[str]] = []
    await pipeline.until(answering_others)

    assert sum(call.params["chat_id"] == 11 for call in pipeline.telegram.calls) <= MAX_TRIES + 2


async def test_a_revoked_token_loses_nothing(pipeline: Pipeline) -> None:
    pipeline.telegram.script.extend(Refusal("Unauthorized", 401) for _ in range(3))
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("kept"))

    assert await pipeline.settled(1) == [Settled.SENT]


async def test_a_group_that_migrated_is_followed_and_told(pipeline: Pipeline) -> None:
    pipeline.start()
    await pipeline.outbox.put(pipeline.message("board", -5, slot="s"))
    await pipeline.settled(1)
    pipeline.telegram.script.append(
        Refusal("Bad Request: group chat was upgraded to a supergroup chat", chat=-5, migrate_to=-1005)
    )
    await pipeline.outbox.put_many([pipeline.message("board 2", -5, slot="s"), pipeline.message("plain", -5)])
    await pipeline.settled(4)

    assert sorted(pipeline.ends[1:]) == [Settled.MIGRATED, Settled.SENT, Settled.SENT]
    assert pipeline.reports[1][1].chat_id == -1005
    assert texts(pipeline, -1005) == ["board 2", "plain"]
    assert (await pipeline.outbox.slot_message("s") or (0,))[0] == -1005


async def test_calls_to_different_chats_overlap_and_those_to_one_never_do(pipeline: Pipeline) -> None:
    under_way: dict[int, int] = {}
    seen = {"chats": 0, "same": 0}
    free = asyncio.Event()

    async def hold(call: Call) -> None:
        chat = call.params["chat_id"]
        under_way[chat] = under_way.get(chat, 0) + 1
        seen["same"] = max(seen["same"], under_way[chat])
        seen["chats"] = max(seen["chats"], sum(map(bool, under_way.values())))
        if seen["chats"] == 3:
            free.set()
        await free.wait()
        under_way[chat] -= 1

    pipeline.telegram.gate = hold
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message(f"{n}", chat) for n in range(3) for chat in (1, 2, 3)])
    await pipeline.settled(9)

    assert seen == {"chats": 3, "same": 1}


async def test_a_stop_waits_for_the_answer_of_what_is_in_flight(pipeline: Pipeline) -> None:
    arrived, free = asyncio.Event(), asyncio.Event()

    async def hold(_call: Call) -> None:
        arrived.set()
        await free.wait()

    pipeline.telegram.gate = hold
    sender = pipeline.start()
    await pipeline.outbox.put(pipeline.message("1"))
    await arrived.wait()
    stopping = asyncio.create_task(pipeline.stop(sender))
    await asyncio.sleep(0)
    free.set()
    await stopping

    assert pipeline.ends == [Settled.SENT]
    assert (await pipeline.outbox.depth()).in_flight == 0


async def test_of_two_senders_one_sends_and_the_other_takes_over(pipeline: Pipeline) -> None:
    first, second = pipeline.start("one"), pipeline.start("two")
    await pipeline.outbox.put(pipeline.message("1"))
    await pipeline.settled(1)
    assert [first.stats.leading, second.stats.leading].count(True) == 1
    leader, heir = (first, second) if first.stats.leading else (second, first)
    await pipeline.stop(leader)
    await pipeline.outbox.put(pipeline.message("2"))
    await pipeline.settled(2)

    assert [leader.stats.leading, heir.stats.leading] == [False, True]
    assert texts(pipeline) == ["1", "2"]


async def test_a_sender_that_alone_can_not_reach_telegram_lets_another_process_send(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "PATIENCE_SECONDS", 0.0)
    nowhere = BotApi(TOKEN, "http://127.0.0.1:1", failures=1000)
    cut_off = pipeline.start("one", ttl_ms=300, api=nowhere)
    await pipeline.outbox.put(pipeline.message("1"))
    async with asyncio.timeout(60):
        while not cut_off.stats.errors:  # noqa: ASYNC110 -- the sender sets no event
            await asyncio.sleep(0.01)
        pipeline.start("two", ttl_ms=300)
        while not pipeline.reports:  # the current leader may be waiting for the clock
            if pipeline.clock.asleep:
                pipeline.clock.jump()
            await asyncio.sleep(0.01)
    await nowhere.close()
    assert pipeline.ends == [Settled.SENT]
    assert texts(pipeline) == ["1"]


class Mortal:
    """Proxy of a part of the pipeline, for a process that is killed before or after its n-th call of any part."""

    def __init__(self, part: Any, life: "Life") -> None:
        self._part = part
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **named: Any) -> Any:
            await self._life.step()
            result = await found(*args, **named)
            await self._life.step()
            return result

        return call


class Life:
    """Number of steps that a process has left."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.over = asyncio.Event()

    async def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.over.set()
            heed_cancellation()
            await asyncio.Event().wait()


@pytest.mark.parametrize("steps", range(1, 36))
async def test_killed_at_any_step_all_arrives_and_at_most_one_call_is_repeated(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(sender_module, "GRACE_SECONDS", 0)
    life = Life(steps)
    outbox, limits, api = (Mortal(part, life) for part in (pipeline.outbox, pipeline.limits, pipeline.api))
    await pipeline.outbox.put_many(
        [pipeline.message("board", 1, slot="s"), pipeline.message("a", 1), pipeline.message("b", 1, Priority.URGENT)]
    )
    await pipeline.outbox.put(pipeline.message("board 2", 1, slot="s"))
    dying = pipeline.start("dying", outbox=outbox, limits=limits, api=api)
    while not life.over.is_set() and len(pipeline.reports) < 3:
        pipeline.stir.clear()
        over = asyncio.ensure_future(life.over.wait())
        stirred = asyncio.ensure_future(pipeline.stir.wait())
        await asyncio.wait({over, stirred}, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        stirred.cancel()
    await pipeline.stop(dying)
    pipeline.start("heir")
    await pipeline.outbox.put(pipeline.message("board 3", 1, slot="s"))
    await pipeline.outbox.put(pipeline.message("last", 1))
    await pipeline.until(lambda: "last" in texts(pipeline) and "board 3" in pipeline.telegram.messages().values())
    await pipeline.until(lambda: not pipeline.senders[-1][0].stats.in_flight)

    sent = [call.params["text"] for call in pipeline.telegram.calls if call.method == "sendMessage"]
    plain = [text for text in dict.fromkeys(sent) if not text.startswith("board")]
    assert plain == ["a", "b", "last"]
    assert len(sent) <= 4 + 1
    where = await pipeline.outbox.slot_message("s")
    assert where is not None
    assert pipeline.telegram.messages()[where] == "board 3"


async def test_an_answer_is_remembered_while_redis_is_away(pipeline: Pipeline) -> None:
    refusals = iter([True, True, True])

    class Away(Mortal):
        def __getattr__(self, name: str) -> Any:
            if name == "settle" and next(refusals, False):
                return self.refuse
            return getattr(self._part, name)

        async def refuse(self, *_args: Any, **_named: Any) -> None:
            raise RedisConnectionError("away")

    pipeline.start(outbox=Away(pipeline.outbox, Life(0)))
    await pipeline.outbox.put(pipeline.message("board", slot="s"))

    # the calling task waits on the clock while in flight, so the clock is turned by hand here
    while not pipeline.reports:
        pipeline.stir.clear()
        if pipeline.clock.asleep:
            pipeline.clock.jump()
        else:
            await pipeline.stir.wait()
    assert pipeline.ends == [Settled.SENT]
    assert len(pipeline.telegram.calls) == 1


async def test_an_orphan_of_two_senders_is_deleted(pipeline: Pipeline) -> None:
    """The first sender is paused after its call; the second sends again; then the first resumes."""
    paused, wake = asyncio.Event(), asyncio.Event()

    class Paused(Mortal):
        def __getattr__(self, name: str) -> Any:
            return self.settle if name == "settle" else getattr(self._part, name)

        async def settle(self, *args: Any, **named: Any) -> Any:
            if not paused.is_set():
                paused.set()
                await wake.wait()
            return await self._part.settle(*args, **named)

    first = pipeline.start("first", ttl_ms=100, outbox=Paused(pipeline.outbox, Life(0)))
    await pipeline.outbox.put(pipeline.message("board", slot="s"))
    await paused.wait()
    # as after a pause: the lease expired, and another sender has it
    await pipeline.redis.set("tombola:{send}:lease", "second", px=3000)
    pipeline.start("second")
    await pipeline.until(lambda: len(pipeline.reports) == 1)
    wake.set()
    await pipeline.until(lambda: Settled.DONE in pipeline.ends)

    assert len(pipeline.telegram.messages()) == 1
    assert list(pipeline.telegram.messages()) == [await pipeline.outbox.slot_message("s")]
    assert first.stats.orphans == 1


async def test_a_report_that_fails_stops_nothing(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    told = pipeline.report

    async def fail(out: Outgoing, outcome: Outcome) -> None:
        await told(out, outcome)
        raise ZeroDivisionError

    monkeypatch.setattr(pipeline, "report", fail)
    pipeline.start()
    await pipeline.outbox.put_many([pipeline.message("1"), pipeline.message("2")])

    assert await pipeline.settled(2) == [Settled.SENT, Settled.SENT]


async def test_a_strict_telegram_sees_no_breach(pipeline: Pipeline) -> None:
    pipeline.start()
    items = [
        pipeline.message(f"{n}", chat if chat % 2 else -chat, Priority(n % 3), slot=f"s{chat}" if n % 4 else None)
        for n in range(6)
        for chat in range(1, 41)
    ]
    await pipeline.outbox.put_many(items)
    calls = pipeline.telegram.calls
    await pipeline.until(lambda: len(pipeline.reports) >= 40 * 3)

    assert most([call.at for call in calls], 1_000) <= 30
    for chat in {call.params["chat_id"] for call in calls}:
        times = [call.at for call in calls if call.params["chat_id"] == chat]
        assert most(times, 5_000) <= 5
        assert most(times, 3_000) <= 3


def most(times: list[int], window: int) -> int:
    """Return the greatest number of times within any window of this length."""
    return max(sum(1 for t in times[i:] if t < times[i] + window) for i in range(len(times)))


async def test_the_waits_are_counted_by_priority(pipeline: Pipeline) -> None:
    sender = pipeline.start()
    await pipeline.outbox.put_many([pipeline.message(f"{n}", priority=Priority.URGENT) for n in range(4)])
    await pipeline.settled(4)

    waits = sender.stats.waits[Priority.URGENT]
    assert sum(waits.buckets) == 4
    assert waits.sum_ms == 3_250


async def test_messages_that_say_the_same_as_one_of_the_last_in_their_chat_are_counted(pipeline: Pipeline) -> None:
    texts = ["a", "b", "b", "c", "a", "a"]
    sender = pipeline.start()
    await pipeline.outbox.put_many([*(pipeline.message(text, 11) for text in texts), pipeline.message("a", 22)])
    await pipeline.settled(7)
    assert sender.stats.alike == 3  # the second "b", and "a" after three others and after itself
