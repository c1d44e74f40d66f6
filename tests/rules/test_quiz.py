"""The quiz by given, when, then: questions, answers, points, pauses, leaving, the result, and the views."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest

from fsm import scoring
from fsm.kind import Command, Event, NotNow, Rejected, TooLate, UnknownGame
from fsm.lobby import (
    BadRule,
    Cancel,
    DeadlinePassed,
    GameCancelled,
    GameCompleted,
    Join,
    Leave,
    NotInGame,
    PlayerJoined,
    PlayerLeft,
    PlayerRemoved,
    Remove,
    StartNow,
)
from fsm.question import Question
from fsm.quiz import (
    KIND,
    AlreadyAnswered,
    Answer,
    AnswerGiven,
    BadQuestion,
    GameOpened,
    NoSuchAnswer,
    NotPaused,
    Pause,
    Paused,
    PollRuns,
    QuestionClosed,
    QuestionOpened,
    QuestionRevealed,
    QuestionsSet,
    QuizGame,
    QuizPaused,
    QuizResumed,
    Reply,
    Resume,
    SetQuestions,
    WrongQuestionCount,
    view,
)
from tests.rules.given_when_then import JOINING, OPENED, PLACE
from tests.rules.quizzes import (
    ASKED,
    DUE,
    QUESTION,
    REVEAL,
    asking,
    given,
    lobby,
    opened,
    opening,
    play,
    recompute,
    some_questions,
    some_rules,
)
from tests.support.games import GAME, HOST
from tests.support.spec import SEED, Given

PAUSE = 900_000


def revealed(state: QuizGame, at: int = DUE) -> QuizGame:
    """Return the quiz after its timer has closed the current question."""
    return play(state, DeadlinePassed(at), at)


def next_asked(state: QuizGame) -> QuizGame:
    """Return the quiz after its timer has ended the reveal."""
    assert state.deadline is not None
    return play(state, DeadlinePassed(state.deadline), state.deadline)


def finished(answers: dict[int, list[int]], **rules: Any) -> QuizGame:
    """Return a finished quiz.

    ``answers``: each player's choices, question by question (0 is right, -1 none), all made at the asking.
    """
    chosen = some_rules(**rules)
    state = given(asking(len(answers), **rules)).state
    for question in range(chosen.questions):
        asked = (state.deadline or 0) - chosen.question_ms
        for player, choices in answers.items():
            if choices[question] >= 0:
                state = play(state, Answer(player, question, choices[question]), asked)
        if state.phase == "question_open":
            state = next_asked(state)
        state = next_asked(state)
    assert state.phase == "completed"
    return state


# -- opening ----------------------------------------------------------------------------------------------------


def test_a_quiz_opens_with_its_questions() -> None:
    then = given().when(opening(), OPENED)
    state = then.then_these(GameOpened, QuestionsSet)
    assert then.events[0] == GameOpened(GAME, PLACE, HOST, "Friday", some_rules(), OPENED)
    assert (state.phase, state.deadline) == ("waiting_for_players", OPENED + 900_000)
    assert [question.id for question in state.questions] == ["q0", "q1", "q2"]


def test_only_the_opening_command_opens_a_quiz() -> None:
    given().when(Join(1, "P1"), OPENED).refused(UnknownGame())


def test_the_seed_alone_orders_the_answers_and_the_right_one_stays_right() -> None:
    def order(seed: str) -> tuple[Question, ...]:
        return given().when(opening(rules=some_rules(questions=20)), OPENED, seed=seed).state.questions

    one, other = order("aa" * 32), order("bb" * 32)
    assert one == order("aa" * 32)
    assert one != other
    for question in one:
        assert question.right is not None
        assert question.answers[question.right].startswith("right")
        assert sorted(question.answers) == sorted(some_questions(20)[int(question.id[1:])].answers)
    assert {question.right for question in one} == {0, 1, 2, 3}


def test_the_right_answer_is_as_likely_in_each_position() -> None:
    counts = [0, 0, 0, 0]
    for number in range(100):
        state = given().when(opening(rules=some_rules(questions=20)), OPENED, seed=f"{number:064x}").state
        for question in state.questions:
            counts[question.right or 0] += 1
    assert all(430 < count < 570 for count in counts), counts


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_quiz_needs_exactly_the_questions_that_its_rules_say(count: int) -> None:
    given().when(opening(content=some_questions(count)), OPENED).refused(WrongQuestionCount(have=count, need=3))


@pytest.mark.parametrize(
    "flaw",
    [
        {"text": ""},
        {"text": " padded"},
        {"text": "x" * 301},
        {"answers": ("only",)},
        {"answers": ("a", "b", "c", "d", "e")},
        {"answers": ("same", "same")},
        {"answers": ("a", "x" * 101)},
        {"answers": ("a", "")},
        {"right": 4},
        {"right": -1},
        {"right": None},
        {"difficulty": "brutal"},
        {"id": "q0"},
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_with_its_number(flaw: dict[str, Any]) -> None:
    first, second, third = some_questions()
    given().when(opening(content=(first, replace(second, **flaw), third)), OPENED).refused(BadQuestion(number=2))


def test_the_longest_question_that_telegram_takes_can_be_asked() -> None:
    long = Question(id="long", text="x" * 300, answers=("a" * 100, "b" * 100), difficulty="hard")
    given().when(opening(rules=some_rules(questions=1), content=(long,)), OPENED).then_these(GameOpened, QuestionsSet)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("mode", "lucky"),
        ("questions", 0),
        ("questions", 101),
        ("question_ms", 0),
        ("question_ms", 86_400_001),
        ("reveal_ms", 60_001),
        ("winners", 0),
        ("winners", 11),
        ("min_players", 0),
        ("max_players", 1),
        ("max_players", 1001),
        ("split", "unfair"),
        ("prize_pool", Decimal(-1)),
        ("prize_pool", Decimal("NaN")),
        ("lobby_ms", 0),
        ("join_ms", 0),
    ],
)
def test_a_rule_outside_its_bounds_is_refused_by_its_name(rule: str, value: Any) -> None:
    then = given().when(opening(rules=some_rules(**{rule: value}), content=()), OPENED)
    assert isinstance(then.refusal, BadRule)
    assert then.refusal.rule == rule.replace("_ms", "_seconds")


def test_percentages_are_checked_where_they_are_the_split() -> None:
    rules = some_rules(split="percentages", percentages=(Decimal(60), Decimal(30)), winners=2)
    assert isinstance(given().when(opening(rules=rules), OPENED).refusal, BadRule)


@pytest.mark.parametrize("players", [1, 3])
def test_other_questions_may_take_the_place_while_the_lobby_is_open(players: int) -> None:
    new = tuple(replace(question, id=f"new-{question.id}") for question in some_questions())
    past = given(opened(), PlayerJoined(1, "P1", OPENED)) if players == 1 else given(lobby(players))
    state = past.when(SetQuestions(new), OPENED + 5).then_these(QuestionsSet)
    assert [question.id for question in state.questions] == ["new-q0", "new-q1", "new-q2"]
    assert state.phase == past.state.phase


def test_questions_stay_once_the_quiz_has_begun_and_when_its_lobby_is_over() -> None:
    command = SetQuestions(some_questions())
    given(asking(2)).when(command, ASKED).refused(NotNow(command="set-questions", phase="question_open"))
    given(lobby(2)).when(command, OPENED + JOINING).refused(TooLate())


def test_other_questions_are_checked_like_the_first() -> None:
    given(lobby(2)).when(SetQuestions(some_questions(2)), OPENED + 5).refused(WrongQuestionCount(have=2, need=3))


# -- asking and answering ---------------------------------------------------------------------------------------


def test_the_first_question_is_asked_when_joining_is_over() -> None:
    over = OPENED + JOINING
    state = given(lobby(2)).when(DeadlinePassed(over), over + 7).then(QuestionOpened(0, over + 7, over + 7 + QUESTION))
    assert (state.phase, state.index) == ("question_open", 0)


def test_the_host_and_a_full_lobby_start_at_once() -> None:
    given(lobby(2)).when(StartNow(900), OPENED + 9).then(QuestionOpened(0, OPENED + 9, OPENED + 9 + QUESTION))
    joined = PlayerJoined(3, "P3", OPENED + 9)
    full = given(lobby(2, max_players=3)).when(Join(3, "P3"), OPENED + 9)
    full.then(joined, QuestionOpened(0, OPENED + 9, OPENED + 9 + QUESTION))


def test_an_answer_is_noted_with_the_time_left() -> None:
    state = given(asking(2)).when(Answer(1, 0, 2), ASKED + 4_000).then(AnswerGiven(1, 0, 2, 11_000, ASKED + 4_000))
    assert state.replies == {1: Reply(2, 11_000)}
    assert state.scores == {}


def test_an_answer_is_final() -> None:
    past = given(asking(3), AnswerGiven(1, 0, 2, 11_000, ASKED + 4_000))
    past.when(Answer(1, 0, 0), ASKED + 5_000).refused(AlreadyAnswered(choice=2))
    past.when(Answer(1, 0, 2), DUE).refused(AlreadyAnswered(choice=2))


def test_who_never_joined_cannot_answer() -> None:
    given(asking(2)).when(Answer(77, 0, 0), ASKED).refused(NotInGame())


def test_an_answer_counts_until_the_last_millisecond_even_where_the_timer_is_late() -> None:
    given(asking(2)).when(Answer(1, 0, 0), DUE - 1).then(AnswerGiven(1, 0, 0, 1, DUE - 1))
    given(asking(2)).when(Answer(1, 0, 0), DUE).refused(TooLate())


def test_an_answer_to_a_question_that_is_closed_is_refused_with_its_number() -> None:
    shown = given(revealed(given(asking(2)).state))
    shown.when(Answer(1, 0, 0), DUE + 1).refused(QuestionClosed(number=1))
    asked = given(next_asked(shown.state))
    asked.when(Answer(1, 0, 0), DUE + REVEAL + 1).refused(QuestionClosed(number=1))
    asked.when(Answer(1, 2, 0), DUE + REVEAL + 1).refused(QuestionClosed(number=3))


@pytest.mark.parametrize("choice", [-1, 4, 99])
def test_an_answer_that_the_question_does_not_have_is_refused(choice: int) -> None:
    given(asking(2)).when(Answer(1, 0, choice), ASKED).refused(NoSuchAnswer())


@pytest.mark.parametrize("phase", ["lobby", "over"])
def test_nobody_answers_before_or_after_the_quiz(phase: str) -> None:
    past = given(lobby(2)) if phase == "lobby" else given(finished({1: [0], 2: [1]}, questions=1))
    past.when(Answer(1, 0, 0), OPENED + 9).refused(NotNow(command="answer", phase=past.state.phase))


def test_the_question_closes_when_everybody_has_answered() -> None:
    past = given(asking(2), AnswerGiven(1, 0, 0, 11_000, ASKED + 4_000))
    then = past.when(Answer(2, 0, 1), ASKED + 6_000)
    state = then.then(
        AnswerGiven(2, 0, 1, 9_000, ASKED + 6_000),
        QuestionRevealed(0, {1: 200 + 73}, ASKED + 6_000 + REVEAL),
    )
    assert (state.phase, state.tally) == ("question_reveal", (1, 1, 0, 0))


def test_the_question_closes_when_its_time_is_over_whoever_has_answered() -> None:
    past = given(asking(3), AnswerGiven(1, 0, 0, 15_000, ASKED))
    state = past.when(DeadlinePassed(DUE), DUE + 40).then(QuestionRevealed(0, {1: 300}, DUE + 40 + REVEAL))
    assert {player: score.points for player, score in state.scores.items()} == {1: 300, 2: 0, 3: 0}
    assert state.score(1).choices == (0,)
    assert state.score(2).choices == (-1,)


@pytest.mark.parametrize("deadline", [DUE - 1, DUE + 1, ASKED])
def test_a_timer_about_another_deadline_does_nothing(deadline: int) -> None:
    given(asking(2)).when(DeadlinePassed(deadline), DUE + 50).nothing()


def test_an_early_timer_does_nothing_and_so_does_one_that_outlived_the_quiz() -> None:
    given(asking(2)).when(DeadlinePassed(DUE), DUE - 1).nothing()
    given(finished({1: [0], 2: [1]}, questions=1)).when(DeadlinePassed(DUE), DUE + 9_000).nothing()


def test_the_next_question_after_the_reveal_begins_without_replies() -> None:
    state = revealed(given(asking(2), AnswerGiven(1, 0, 0, 15_000, ASKED)).state)
    shown = DUE + REVEAL
    state = given(state).when(DeadlinePassed(shown), shown).then(QuestionOpened(1, shown, shown + QUESTION))
    assert (state.replies, state.gained, state.tally, state.revealed) == ({}, {}, (), 1)


def test_clocks_that_differ_give_nobody_more_than_all_of_the_time() -> None:
    given(asking(2)).when(Answer(1, 0, 0), ASKED - 500).then(AnswerGiven(1, 0, 0, QUESTION, ASKED - 500))


# -- points -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("difficulty", "base"), [("easy", 100), ("medium", 200), ("hard", 300)])
@pytest.mark.parametrize(("used", "share"), [(0, 100), (3_000, 80), (7_500, 50), (14_999, 0)])
def test_the_speed_bonus_falls_linearly_to_zero(difficulty: str, base: int, used: int, share: int) -> None:
    past = given(asking(1, difficulty=difficulty, min_players=1))
    state = past.when(Answer(1, 0, 0), ASKED + used).then_these(AnswerGiven, QuestionRevealed)
    exact = base * (QUESTION - used) // (2 * QUESTION)
    assert state.score(1).points == base + exact
    assert exact == base // 2 * share // 100


def test_accuracy_only_mode_has_no_speed_bonus() -> None:
    for used in (0, 14_999):
        past = given(asking(1, min_players=1, mode="accuracy"))
        assert past.when(Answer(1, 0, 0), ASKED + used).state.score(1).points == 200


def test_a_streak_earns_more_with_each_right_answer_up_to_its_most() -> None:
    state = finished({1: [0] * 8, 2: [-1] * 8}, questions=8, mode="accuracy")
    assert state.score(1).points == sum(200 + bonus for bonus in (0, 20, 40, 60, 80, 100, 100, 100))
    assert (state.score(1).best_streak, state.score(1).right) == (8, 8)


@pytest.mark.parametrize("miss", [1, -1])
def test_a_wrong_answer_and_no_answer_end_a_streak(miss: int) -> None:
    state = finished({1: [0, 0, miss, 0], 2: [1, 1, 1, 1]}, questions=4, mode="accuracy")
    assert state.score(1).points == 200 + 220 + 200
    assert (state.score(1).streak, state.score(1).best_streak) == (1, 2)
    assert state.score(1).choices == (0, 0, miss, 0)


@pytest.mark.parametrize(
    ("points", "places"), [([], ()), ([5], (1,)), ([9, 7, 7, 3], (1, 2, 2, 4)), ([4, 4, 4], (1, 1, 1))]
)
def test_equal_points_share_a_place(points: list[int], places: tuple[int, ...]) -> None:
    assert scoring.places(points) == places


# -- the result -------------------------------------------------------------------------------------------------


def test_the_result_holds_everybody_best_first() -> None:
    state = finished({1: [1, 1, 1], 2: [0, 0, 1], 3: [0, 0, 0], 4: [0, 1, 1]}, mode="accuracy", prize_pool=Decimal(90))
    rows = [(s.player_id, s.place, s.points, s.streak, s.prize) for s in state.standings]
    assert rows == [
        (3, 1, 660, 3, Decimal("45.00")),
        (2, 2, 420, 2, Decimal("30.00")),
        (4, 3, 200, 1, Decimal("15.00")),
        (1, None, 0, 0, Decimal(0)),
    ]


def test_a_tie_shares_its_place_and_splits_what_its_places_have() -> None:
    state = finished({1: [0], 2: [0], 3: [0], 4: [1]}, questions=1, winners=2, prize_pool=Decimal(100), split="equal")
    assert [(s.place, s.prize) for s in state.standings] == [
        (1, Decimal("33.34")),
        (1, Decimal("33.33")),
        (1, Decimal("33.33")),
        (None, Decimal(0)),
    ]


def test_a_tie_beyond_the_last_prize_shares_what_that_prize_has() -> None:
    halves = {1: [0, 0], 2: [0, 1], 3: [0, 1], 4: [1, 1]}
    rules = {"questions": 2, "winners": 2, "prize_pool": Decimal(100), "mode": "accuracy"}
    for split, percentages, first, second in (
        ("equal", (), "50.00", "25.00"),
        ("auto", (), "50.00", "25.00"),
        ("percentages", (Decimal(80), Decimal(20)), "80.00", "10.00"),
    ):
        state = finished(halves, split=split, percentages=percentages, **rules)
        prizes = [(s.place, s.prize) for s in state.standings]
        assert prizes == [(1, Decimal(first)), (2, Decimal(second)), (2, Decimal(second)), (None, Decimal(0))]


def test_a_place_without_a_prize_is_a_place() -> None:
    state = finished({1: [0, 0], 2: [0, 1]}, questions=2, winners=1, prize_pool=Decimal(10), mode="accuracy")
    assert [(s.place, s.prize) for s in state.standings] == [(1, Decimal(10)), (2, Decimal(0))]


def test_who_has_no_points_wins_nothing() -> None:
    state = finished({1: [1], 2: [-1]}, questions=1, prize_pool=Decimal(100))
    assert [(s.place, s.prize) for s in state.standings] == [(None, Decimal(0)), (None, Decimal(0))]


def test_a_host_cancels_in_any_phase() -> None:
    for past in (given(lobby(2)), given(asking(2)), given(revealed(given(asking(2)).state))):
        past.when(Cancel(900, "host"), DUE + 1).then(GameCancelled("host", 900, DUE + 1))


# -- pausing ----------------------------------------------------------------------------------------------------


def paused(remaining: int = 5_000) -> Given[QuizGame]:
    """Return a quiz whose first question is paused with this much time left."""
    return given(asking(2), QuizPaused(remaining, 900, DUE - remaining + PAUSE))


def test_a_pause_keeps_what_is_left_of_the_time() -> None:
    state = given(asking(2)).when(Pause(900), DUE - 5_000).then(QuizPaused(5_000, 900, DUE - 5_000 + PAUSE))
    assert (state.remaining, state.deadline, state.phase) == (5_000, DUE - 5_000 + PAUSE, "question_open")
    later = DUE + 60_000
    state = given(state).when(Resume(901), later).then(QuizResumed(901, later + 5_000))
    assert (state.remaining, state.deadline) == (None, later + 5_000)


def test_nobody_answers_while_the_quiz_is_paused() -> None:
    paused().when(Answer(1, 0, 0), DUE).refused(Paused())


def test_the_time_of_a_pause_is_nobodys() -> None:
    state = play(paused().state, Resume(900), DUE + 60_000)
    given(state).when(Answer(1, 0, 0), DUE + 61_000).then(AnswerGiven(1, 0, 0, 4_000, DUE + 61_000))


def test_an_answer_before_the_pause_keeps_its_speed() -> None:
    state = given(asking(2), AnswerGiven(1, 0, 0, 15_000, ASKED), QuizPaused(5_000, 900, DUE + PAUSE)).state
    state = play(play(state, Resume(900), DUE + 60_000), Answer(2, 0, 1), DUE + 60_001)
    assert state.gained == {1: 300}


def test_a_pause_that_nobody_ends_is_over_by_itself() -> None:
    end = DUE - 5_000 + PAUSE
    state = paused().when(DeadlinePassed(end), end + 3).then(QuizResumed(None, end + 3 + 5_000))
    assert state.remaining is None


def test_a_reveal_can_be_paused_too() -> None:
    shown = revealed(given(asking(2)).state)
    state = given(shown).when(Pause(900), DUE + 1_000).then(QuizPaused(2_000, 900, DUE + 1_000 + PAUSE))
    state = given(state).when(Resume(900), DUE + 9_000).then(QuizResumed(900, DUE + 11_000))
    assert state.phase == "question_reveal"


def test_a_poll_is_not_paused_while_telegram_takes_votes_in_it() -> None:
    given(asking(2, polls=True)).when(Pause(900), ASKED + 10).refused(PollRuns())
    shown = revealed(given(asking(2, polls=True)).state)
    given(shown).when(Pause(900), DUE + 1_000).then(QuizPaused(2_000, 900, DUE + 1_000 + PAUSE))


def test_pausing_twice_and_resuming_what_runs_are_refused() -> None:
    paused().when(Pause(900), DUE).refused(Paused())
    given(asking(2)).when(Resume(900), ASKED).refused(NotPaused())
    given(asking(2)).when(Pause(900), DUE).refused(TooLate())
    given(lobby(2)).when(Pause(900), OPENED).refused(NotNow(command="pause", phase="players_joining"))


# -- leaving ----------------------------------------------------------------------------------------------------


def test_who_leaves_keeps_their_points_and_is_not_waited_for() -> None:
    state = revealed(given(asking(3), AnswerGiven(1, 0, 0, 15_000, ASKED)).state)
    state = next_asked(state)
    state = given(state).when(Leave(1), DUE + REVEAL + 1).then(PlayerLeft(1))
    assert state.active == (2, 3)
    state = play(state, Answer(2, 1, 1), DUE + REVEAL + 2)
    state = play(state, Answer(3, 1, 1), DUE + REVEAL + 3)
    assert state.phase == "question_reveal"
    assert state.score(1).points == 300


def test_who_left_neither_answers_nor_leaves_again_but_can_be_removed() -> None:
    past = given(asking(3), PlayerLeft(1))
    past.when(Answer(1, 0, 0), ASKED).refused(NotInGame())
    past.when(Leave(1), ASKED).refused(NotInGame())
    state = past.when(Remove(1, 900), ASKED).then(PlayerRemoved(1, 900))
    assert (list(state.players), state.gone) == ([2, 3], ())


def test_the_question_closes_when_the_last_one_waited_for_leaves_or_is_removed() -> None:
    past = given(asking(2), AnswerGiven(1, 0, 0, 15_000, ASKED))
    past.when(Leave(2), ASKED + 1).then(PlayerLeft(2), QuestionRevealed(0, {1: 300}, ASKED + 1 + REVEAL))
    past.when(Remove(2, 900), ASKED + 1).then(PlayerRemoved(2, 900), QuestionRevealed(0, {1: 300}, ASKED + 1 + REVEAL))


def test_a_pause_holds_even_when_the_last_one_waited_for_leaves() -> None:
    past = given(asking(2), AnswerGiven(1, 0, 0, 15_000, ASKED), QuizPaused(5_000, 900, DUE + PAUSE))
    state = past.when(Leave(2), DUE).then(PlayerLeft(2))
    given(state).when(Resume(900), DUE + 1).then(
        QuizResumed(900, DUE + 5_001), QuestionRevealed(0, {1: 300}, DUE + 1 + REVEAL)
    )


def test_whom_a_host_removes_is_out_of_the_result() -> None:
    state = revealed(given(asking(3), AnswerGiven(1, 0, 0, 15_000, ASKED)).state)
    state = given(state).when(Remove(1, 900), DUE + 1).then(PlayerRemoved(1, 900))
    assert 1 not in {*state.players, *state.scores, *state.gained}
    given(state).when(Remove(1, 900), DUE + 1).refused(NotInGame())


def test_a_quiz_that_everybody_has_left_ends_with_what_was_earned() -> None:
    past = given(asking(2), AnswerGiven(1, 0, 0, 15_000, ASKED), PlayerLeft(1))
    state = past.when(Leave(2), ASKED + 1).then_these(PlayerLeft, QuestionRevealed)
    state = given(state).when(DeadlinePassed(ASKED + 1 + REVEAL), ASKED + 1 + REVEAL).then_these(GameCompleted)
    assert [(s.player_id, s.points) for s in state.standings] == [(1, 300), (2, 0)]


def test_a_quiz_whose_players_were_all_removed_is_cancelled() -> None:
    state = given(asking(1, min_players=1)).when(Remove(1, 900), ASKED).then_these(PlayerRemoved, QuestionRevealed)
    shown = ASKED + REVEAL
    given(state).when(DeadlinePassed(shown), shown).then(GameCancelled("everybody_removed", None, shown))


# -- views ------------------------------------------------------------------------------------------------------


def texts(value: Any) -> Iterator[str]:
    """Yield every string in a value that was converted to JSON."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def seen(state: QuizGame, viewer: int | None) -> Any:
    """Return everything that a viewer gets, in its serialized form."""
    return msgspec.json.decode(msgspec.json.encode(view(state, viewer)))


def check_view(state: QuizGame, viewer: int | None) -> None:
    """Check that a viewer gets nothing that must still be secret."""
    shown = seen(state, viewer)
    said = set(texts(shown))
    for question in state.questions[state.index + 1 :]:
        assert not said & {question.id, question.text, *question.answers}
    for question in shown["questions"][state.revealed :]:
        hidden = ("id", "right", "rights", "number", "tolerance", "explanation", "source")
        assert not [question[name] for name in hidden if question[name]], "an id may be a digest of the right answer"
        assert question["right"] is None
    for question in shown["questions"][: state.revealed]:
        assert question["explanation"]
        assert question["rights"] or question["number"] or question["right"] is not None
    assert {int(player) for player in shown["drafts"]} <= {viewer}
    for player, reply in shown["replies"].items():
        if int(player) != viewer:
            assert reply == {"choice": None, "remaining": 0}
    for player, score in shown["scores"].items():
        if int(player) != viewer:
            assert score["choices"] == score["hits"] == []


def test_no_view_tells_anything_early_in_any_phase() -> None:
    commands: list[tuple[Command, int]] = []
    state = given(lobby(3)).state
    for viewer in (None, 1, 2, 77):
        check_view(state, viewer)
    for question in range(3):
        start = state.deadline or 0
        commands = [
            (DeadlinePassed(start), start),
            (Answer(1, question, 0), start + 10),
            (Pause(900), start + 20),
            (Resume(900), start + 30),
            (Answer(2, question, 1), start + 40),
            (Answer(3, question, 0), start + 50),
        ]
        for command, at in commands:
            state = play(state, command, at)
            for viewer in (None, 1, 2, 77):
                check_view(state, viewer)
    state = play(state, DeadlinePassed(state.deadline or 0), state.deadline or 0)
    assert state.phase == "completed"
    check_view(state, None)


def test_a_viewer_sees_their_own_answer_at_once() -> None:
    state = given(asking(2), AnswerGiven(1, 0, 2, 9_000, DUE - 9_000)).state
    assert view(state, 1).replies == {1: Reply(2, 9_000)}
    assert view(state, 2).replies == {1: Reply(None, 0)}


def test_a_cancelled_quiz_keeps_its_secrets_as_its_questions_may_be_asked_another_day() -> None:
    state = play(given(asking(2)).state, Cancel(900, "host"), ASKED + 1)
    check_view(state, 1)
    assert len(view(state, 1).questions) == 1


def test_how_many_chose_each_answer_is_known_after_the_reveal_alone() -> None:
    past = given(asking(3), AnswerGiven(1, 0, 0, 1, ASKED), AnswerGiven(2, 0, 3, 1, ASKED))
    assert view(past.state, None).tally == ()
    assert view(revealed(past.state), None).tally == (1, 0, 0, 1)


# -- a large one -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_players_get_what_the_facts_say_to_the_point(seed: int) -> None:
    chance = Random(seed)
    rules = some_rules(questions=10, max_players=100, mode=chance.choice(["normal", "accuracy"]))
    log: list[tuple[int, Event]] = []
    state: QuizGame | None = None

    def do(command: Command, at: int) -> QuizGame:
        nonlocal state
        try:
            events = KIND.decide(state, command, at, f"{seed:064x}")
        except Rejected as refusal:
            refusals[refusal.code] = refusals.get(refusal.code, 0) + 1
            events = ()
        log.extend((at, event) for event in events)
        state = KIND.fold(state, events)
        return state

    refusals: dict[str, int] = {}
    now = OPENED
    game = do(opening(rules=rules, content=some_questions(10, chance.choice(["easy", "hard"]))), now)
    for player in range(1, 101):
        game = do(Join(player, f"P{player}"), now)
    while game.phase != "completed":
        if game.phase == "question_open":
            right = game.questions[game.index].right or 0
            taps = [(now + chance.choice([0, 1, chance.randrange(QUESTION), QUESTION - 1, QUESTION]), player)
                    for player in chance.choices(range(1, 103), k=130)]  # fmt: skip
            stops = [chance.randrange(QUESTION), chance.randrange(QUESTION)] if chance.random() < 0.5 else []
            commands: list[tuple[int, Command]] = [
                (at, Answer(player, game.index, chance.choice([0, 1, 2, right]))) for at, player in taps
            ]
            commands += [(now + min(stops), Pause(900)), (now + max(stops), Resume(900))] if stops else []
            commands += [(now + 9, Leave(chance.randrange(1, 101)))] if chance.random() < 0.3 else []
            for at, command in sorted(commands, key=lambda pair: pair[0]):
                game = do(command, at)
        now = game.deadline or 0
        game = do(DeadlinePassed(now), now)
    facts = recompute(log)
    assert {row.player_id: (row.points, row.streak) for row in game.standings} == {
        player: facts.get(player, (0, 0)) for player in range(1, 101)
    }
    assert set(refusals) >= {"already-answered", "not-in-game"}
    assert set(refusals) & {"too-late", "question-closed"}


# -- size -------------------------------------------------------------------------------------------------------


def test_a_hundred_players_and_ten_questions_stay_small() -> None:
    state = finished({player: [player % 4] * 10 for player in range(1, 101)}, questions=10, max_players=101)
    assert len(msgspec.json.encode(state)) < 40_000
    assert sum(len(score.choices) for score in state.scores.values()) == 1000


def test_every_event_and_the_state_survive_being_stored() -> None:
    state = finished({1: [0, 1, -1], 2: [1, 0, 0]}, prize_pool=Decimal("9.99"))
    assert msgspec.json.decode(msgspec.json.encode(state), type=QuizGame) == state
    assert {*KIND.events.values()} >= {QuestionsSet, AnswerGiven, QuestionRevealed, QuizPaused, QuizResumed}
    asked = QuestionsSet(some_questions())
    assert msgspec.json.decode(msgspec.json.encode(asked), type=QuestionsSet) == asked
    shown = QuestionRevealed(0, {1: 300}, 5)
    assert msgspec.json.decode(msgspec.json.encode(shown), type=QuestionRevealed) == shown


def test_the_same_seed_is_asked_for_once_and_no_draw_needs_it_later() -> None:
    assert SEED.encode() not in msgspec.json.encode(given().when(opening(), OPENED).state)
