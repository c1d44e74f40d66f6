"""A quiz's messages beside its board, on real stores: polls, photos, generated questions, returned questions."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.clock import SystemEntropy
from fsm.engine import Engine
from fsm.kind import ChatTopic, Host
from fsm.lobby import Cancel, DeadlinePassed, Join, OpenGame, StartNow
from fsm.question import Question
from fsm.quiz import QuizGame, QuizRules
from fsm.registry import KINDS
from handlers.kinds.consumer import ConsumerContext
from handlers.kinds.quiz.consumer import QuizConsumer
from handlers.kinds.quiz.content import QuizContent, preparation_of
from handlers.kinds.quiz.preparation import Preparation
from handlers.kinds.quiz.settings import QuizSection
from questions.language_model import Order, QuestionWriter, Written
from storage import keys
from storage.polls import Polls
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled
from tests.handlers.quizzes import questions
from tests.handlers.room import ANN, BEN, GROUP, HOST, Room, _entry, plain, text
from tests.support.deaths import Deaths

GAME = "00quizquizquiz"


@dataclass
class ByHand(QuestionWriter):
    """A writer that writes a number of questions when the test permits."""

    count: int
    reason: str | None = None
    orders: list[Order] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, order: Order, avoid: Any = ()) -> Written:  # noqa: ARG002
        self.orders.append(order)
        self.begun.set()
        await self.may.wait()
        fresh = tuple(
            Question(id=f"m{n}", text=f"By hand, {n}?", answers=("Yes", "No", "So", "Mo"), pack="model")
            for n in range(self.count)
        )
        return Written(fresh, self.reason)


class Stand:
    """A show that reads a room's events."""

    def __init__(self, room: Room, writer: ByHand | None = None) -> None:
        self.room, self.tasks, self.after = room, list[asyncio.Task[None]](), "-"
        deps = room.deps
        context = ConsumerContext(
            engine=deps.play.engine,
            outbox=deps.telegram.outbox,
            texts=deps.play.texts,
            people=deps.stores.people,
            questions=deps.stores.questions,
            jobs=deps.stores.jobs,
            polls=Polls(room.redis),
            clock=room.clock,
            spawn=self._spawn,
            settings=QuizSection(),
        )
        self.context = context
        self.consumer = QuizConsumer(context, writes=writer is not None)
        self.preparation = Preparation(context, writer)

    def _spawn(self, _name: str, work: Coroutine[Any, Any, None]) -> object:
        self.tasks.append(asyncio.ensure_future(work))
        return self.tasks[-1]

    async def prepared(self) -> None:
        """Let a worker do the saga that was enqueued with the quiz."""
        await self.room.work(self.preparation.saga.kind)

    async def sees(self) -> list[Outgoing]:
        """Let the show read new events. Returns its messages."""
        rows: Any = await self.room.redis.xrange(keys.feed_key(GAME[:2]), self.after)
        entries = [_entry(GAME[:2], id_, fields) for id_, fields in rows]
        if entries:
            await self.consumer.handle(entries)
            self.after = f"({entries[-1].id}"
        return await self.room.sent()

    async def fared(self, outgoing: Outgoing, outcome: Outcome) -> list[Outgoing]:
        """Report a message's outcome to the show. Returns the messages that follow."""
        await self.consumer.settled(outgoing, outcome)
        return await self.room.sent()

    async def quiz(self, content: tuple[Question, ...] | None = None, **rules: Any) -> QuizGame:
        """Open a quiz in its lobby, with two players."""
        chosen = QuizRules(**{"questions": 2, **rules})
        opening = OpenGame("quiz", GAME, ChatTopic(GROUP), Host(HOST, "Hana"), "", chosen, 1, content or questions(2))
        await self.room.deps.stores.jobs.enqueue(preparation_of(GROUP, GAME))
        await self.do(opening)
        for player in (ANN, BEN):
            await self.do(Join(player, f"P{player}"))
        return await self.state()

    async def do(self, command: Any) -> None:
        id_ = f"c{next(self.room.ids)}"
        await self.room.deps.play.engine.execute(GAME, command, command_id=id_)

    async def due(self) -> None:
        state = await self.state()
        assert state.deadline is not None
        self.room.clock.at = state.deadline
        await self.do(DeadlinePassed(state.deadline))

    async def state(self) -> QuizGame:
        state = await self.room.state(GAME)
        assert isinstance(state, QuizGame)
        return state


# -- polls ------------------------------------------------------------------------------------------------------


async def polled(room: Room) -> tuple[Stand, Outgoing]:
    stand = Stand(room)
    await stand.quiz(polls=True)
    await stand.do(StartNow(HOST))
    (poll,) = await stand.sees()
    return stand, poll


def sent(message_id: int, poll_id: str = "777") -> Outcome:
    return Outcome(Settled.SENT, message_id, result={"message_id": message_id, "poll": {"id": poll_id}})


async def test_a_poll_asks_the_question_in_hand_and_hides_its_results(room: Room) -> None:
    stand, poll = await polled(room)
    asked = (await stand.state()).question
    assert asked is not None
    assert (poll.method, poll.chat_id) == ("sendPoll", GROUP)
    assert asked.text in poll.params["question"]
    assert [option["text"] for option in poll.params["options"]] == list(asked.answers)
    assert poll.params["correct_option_ids"] == [asked.right]
    assert (poll.params["type"], poll.params["is_anonymous"], poll.params["hide_results_until_closes"]) == (
        "quiz", False, True,
    )  # fmt: skip
    assert poll.expires_at == (await stand.state()).deadline


async def test_a_vote_is_the_voters_answer_at_the_moment_of_its_receipt(room: Room) -> None:
    stand, poll = await polled(room)
    await stand.fared(poll, sent(50))
    room.clock.at += 2_000
    vote = {"poll_id": "777", "user": {"id": ANN, "is_bot": False, "first_name": "Ann"}, "option_ids": [1]}
    await room.update(poll_answer={**vote, "option_persistent_ids": ["1"]})
    reply = (await stand.state()).replies[ANN]
    assert (reply.choice, reply.remaining) == (1, 13_000)
    others: list[dict[str, Any]] = [{"option_ids": [2]}, {"option_ids": []}, {"poll_id": "1", "option_ids": [0]}]
    for more in others:
        await room.update(poll_answer={**vote, "option_persistent_ids": [], **more})
    await room.deps.stores.people.ban(GROUP, BEN, HOST, "", None)
    banned = {**vote, "user": {"id": BEN, "is_bot": False, "first_name": "Ben"}, "option_persistent_ids": []}
    await room.update(poll_answer=banned)
    assert (await stand.state()).replies.keys() == {ANN}
    assert room.errors == []


async def test_a_poll_is_stopped_when_its_question_is_over(room: Room) -> None:
    stand, poll = await polled(room)
    assert await stand.fared(poll, sent(50)) == []
    await stand.due()
    (stop,) = await stand.sees()
    assert (stop.method, stop.params) == ("stopPoll", {"message_id": 50})


async def test_a_poll_that_is_sent_too_late_is_stopped_at_once(room: Room) -> None:
    stand, poll = await polled(room)
    await stand.due()
    assert await stand.sees() == []
    (stop,) = await stand.fared(poll, sent(50))
    assert stop.method == "stopPoll"


async def test_a_poll_that_is_sent_after_another_process_has_closed_its_question_is_stopped_at_once(room: Room) -> None:
    stand, poll = await polled(room)
    deadline = (await stand.state()).deadline or 0
    room.clock.at = deadline
    other = Engine(KINDS, room.deps.stores.games, room.clock, SystemEntropy())
    await other.execute(GAME, DeadlinePassed(deadline), command_id="elsewhere")
    (stop,) = await stand.fared(poll, sent(50))
    assert stop.method == "stopPoll"


async def test_what_comes_twice_is_sent_once(room: Room) -> None:
    stand, poll = await polled(room)
    again = Stand(room)
    assert await again.sees() == []
    await stand.fared(poll, sent(50))
    await stand.due()
    assert len(await stand.sees()) == 1
    assert await Stand(room).sees() == []


async def test_where_telegram_takes_no_poll_the_question_comes_with_buttons(room: Room) -> None:
    stand, poll = await polled(room)
    (instead,) = await stand.fared(poll, Outcome(Settled.NO_RIGHTS))
    assert text("quiz-polls-refused") in plain(instead.params["text"])
    assert f"a:{GAME}:0:3" in str(instead.params["reply_markup"])
    assert "correct" not in str(instead.params)


# -- photos -----------------------------------------------------------------------------------------------------


async def test_a_photo_comes_with_its_question_and_goes_when_the_next_is_asked(room: Room) -> None:
    stand = Stand(room)
    first, second = questions(2)
    photo = "AgACAgIAAxkBAAIBOWJ" * 2
    await stand.quiz((_with(first, photo), _with(second, photo + "2")))
    await stand.do(StartNow(HOST))
    (shown,) = await stand.sees()
    assert (shown.method, shown.params["photo"]) == ("sendPhoto", photo)
    await stand.fared(shown, Outcome(Settled.SENT, 60, result={"message_id": 60}))
    await stand.due()
    assert await stand.sees() == [], "it stands while the right answer is shown"
    await stand.due()
    away, other = await stand.sees()
    assert (away.method, away.params) == ("deleteMessage", {"message_id": 60})
    assert other.params["photo"] == photo + "2"


async def test_a_photo_that_telegram_does_not_take_is_said_to_be_missing(room: Room) -> None:
    stand = Stand(room)
    first, second = questions(2)
    await stand.quiz((_with(first, "https://example.org/gone.jpg"), second))
    await stand.do(StartNow(HOST))
    (photo,) = await stand.sees()
    (said,) = await stand.fared(photo, Outcome(Settled.REFUSED))
    assert plain(said.params["text"]) == text("quiz-photo-missing")
    await stand.due()
    assert await stand.fared(photo, Outcome(Settled.REFUSED)) == [], "it is over"


def _with(question: Question, photo: str) -> Question:
    return Question(id=question.id, text=question.text, answers=question.answers, photo=photo)


# -- questions by a model ---------------------------------------------------------------------------------------


async def test_a_model_writes_while_people_join_and_its_questions_are_asked(room: Room) -> None:
    writer = ByHand(2)
    stand = Stand(room, writer)
    await stand.quiz(topic="rivers", difficulty="hard")
    assert await stand.sees() == []
    writer.may.set()
    await stand.prepared()
    assert {question.pack for question in (await stand.state()).questions} == {"model"}
    (told,) = await room.sent()
    assert text("quiz-written", topic="rivers") == plain(told.params["text"])
    assert writer.orders == [Order("rivers", "en", 2, "hard")]


@pytest.mark.parametrize(("count", "told"), [(0, "quiz-bank-instead"), (1, "quiz-bank-partly")])
async def test_where_the_model_fails_the_bank_steps_in_and_the_host_is_told(room: Room, count: int, told: str) -> None:
    writer = ByHand(count, "timeout")
    writer.may.set()
    stand = Stand(room, writer)
    await stand.quiz(topic="rivers")
    await stand.sees()
    await stand.prepared()
    packs = [question.pack for question in (await stand.state()).questions]
    assert packs.count("model") == count
    assert len(packs) == 2
    said = [plain(each.params["text"]) for each in await room.sent()]
    assert [each for each in said if "Hana" in each and "took too long" in each], (told, said)


async def test_a_model_that_is_too_slow_changes_nothing_once_they_have_begun(room: Room) -> None:
    writer = ByHand(2)
    stand = Stand(room, writer)
    before = (await stand.quiz(topic="rivers")).questions
    await stand.sees()
    preparing = asyncio.create_task(stand.prepared())
    await asyncio.wait_for(writer.begun.wait(), 60)
    await stand.do(StartNow(HOST))
    writer.may.set()
    await preparing
    assert await room.deps.stores.questions.asked(GROUP) == []
    assert (await stand.state()).questions == before
    assert await room.sent() == []


async def test_without_a_topic_no_model_is_asked(room: Room) -> None:
    writer = ByHand(2)
    stand = Stand(room, writer)
    await stand.quiz()
    await stand.sees()
    await stand.prepared()
    assert writer.orders == []


# -- held questions ---------------------------------------------------------------------------------------------


async def taken(room: Room) -> tuple[Question, ...]:
    """Take the questions of a quiz, as its opening does first."""
    content = QuizContent(room.deps.stores.questions, room.deps.stores.people, room.clock)
    opening = OpenGame("quiz", GAME, ChatTopic(GROUP), Host(HOST, "Hana"), "", QuizRules(questions=2))
    return tuple((await content.take(opening)).content)


async def held(room: Room) -> set[str]:
    return {
        row[0] for row in await room.pool.fetch("SELECT question_id FROM asked_questions WHERE chat_id = $1", GROUP)
    }


async def test_questions_of_a_quiz_that_a_crash_kept_from_opening_are_released(room: Room) -> None:
    stand = Stand(room)
    content = await taken(room)
    assert await held(room) == {question.id for question in content}
    await stand.prepared()  # the process died before it opened the game
    assert await held(room) == set()
    (job,) = await room.deps.stores.jobs.page()
    assert (job.status, job.error) == ("cancelled", "the quiz was not opened")


async def test_questions_that_were_taken_twice_for_one_quiz_are_held_once(room: Room) -> None:
    stand = Stand(room)
    content, surplus = await taken(room), await taken(room)
    assert len(await held(room)) == 4
    await stand.quiz(content)
    await stand.prepared()
    assert await held(room) == {question.id for question in content}
    assert surplus != content


async def test_a_release_leaves_alone_the_questions_that_another_quiz_has_taken_since(room: Room) -> None:
    questions_ = room.deps.stores.questions
    content = await taken(room)
    await questions_.note_asked(GROUP, content[:1], room.clock.at, "another")
    await questions_.give_back(GROUP, content, GAME)
    assert await held(room) == {content[0].id}
    await Stand(room).prepared()
    assert await held(room) == {content[0].id}


def deaths_of(stand: Stand, patch: pytest.MonkeyPatch) -> Deaths:
    """Let workers die before and after each effect of a preparation."""
    context = stand.context
    effects: list[tuple[Any, list[str]]] = [
        (context.questions, ["note_asked", "release", "knows_game"]), (context.engine, ["execute", "look"]),
        (context.outbox, ["put"]),
    ]  # fmt: skip
    if stand.preparation._writer is not None:
        effects.append((stand.preparation._writer, ["write"]))
    return Deaths(patch, context.jobs, stand.room.pool, effects)


async def test_a_quiz_has_as_asked_what_it_asks_although_its_preparation_dies_at_every_step(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ByHand(1, "too-few")
    writer.may.set()
    stand = Stand(room, writer)
    await taken(room)  # by the same command before, in a process that died
    await stand.quiz(await taken(room), topic="rivers")
    deaths = deaths_of(stand, monkeypatch)
    job = await deaths.attempt(stand.preparation.saga.kind)
    game = await stand.state()
    assert job is not None
    assert job.status == "done"
    assert deaths.count > 30
    assert await held(room) == {question.id for question in game.questions}
    assert [question.pack for question in game.questions].count("model") == 1
    assert len(await room.sent()) == 1
    # Asked again only by the processes that died before its questions were recorded.
    assert len(writer.orders) <= 3


async def test_questions_of_a_quiz_that_was_not_opened_are_released_although_processes_die_at_every_step(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = Stand(room)
    await taken(room)
    job = await deaths_of(stand, monkeypatch).attempt(stand.preparation.saga.kind)
    assert job is not None
    assert (job.status, await held(room)) == ("cancelled", set())


@pytest.mark.parametrize("opened", [False, True])
async def test_a_cancelled_preparation_leaks_nothing_even_if_it_had_not_begun(
    room: Room, monkeypatch: pytest.MonkeyPatch, *, opened: bool
) -> None:
    stand = Stand(room)
    await taken(room)
    content = await taken(room)
    if opened:
        await stand.quiz(content)
    jobs = room.deps.stores.jobs
    (enqueued,) = await jobs.page()
    await jobs.cancel(enqueued.id)
    job = await deaths_of(stand, monkeypatch).attempt(stand.preparation.saga.kind)
    assert job is not None
    assert (job.status, await held(room)) == ("cancelled", {each.id for each in content} if opened else set())


# -- the end ----------------------------------------------------------------------------------------------------


async def test_what_a_cancelled_quiz_has_not_asked_may_be_asked_another_time(room: Room) -> None:
    stand = Stand(room)
    content = questions(2)
    await room.deps.stores.questions.note_asked(GROUP, content, room.clock.at)
    await stand.quiz(content)
    await stand.do(StartNow(HOST))
    await stand.do(Cancel(HOST, "host"))
    await stand.sees()
    asked = (await stand.state()).questions[0].text
    assert [gist.text for gist in await room.deps.stores.questions.asked(GROUP)] == [asked]


async def test_summaries_go_to_those_alone_whom_the_bot_may_write_to(room: Room) -> None:
    await room.deps.stores.people.saw_chat(ANN, "private", "Ann")
    await room.deps.stores.people.set_player_locale(ANN, "ru")
    stand = Stand(room)
    await stand.quiz()
    await stand.do(StartNow(HOST))
    for _ in range(4):
        await stand.due()
    (summary,) = await stand.sees()
    assert (summary.chat_id, summary.priority.name, summary.game_id) == (ANN, "COSMETIC", None)
    assert "без очков" in summary.params["text"]
