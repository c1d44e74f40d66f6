"""A phase whose board is shown late keeps its full time, in every kind with timed boards."""

from typing import Any

import pytest

from fsm import draw, pick_number, quiz
from fsm.kind import ChatTopic, Event, Host, Kind, NotNow
from fsm.lobby import DeadlineExtended, DeadlinePassed, Extend, Join, OpenGame, StartNow
from fsm.pick_number import NumbersDrawn, NumbersShown, PickNumber, PickNumberRules, SelectionOpened
from fsm.question import Question
from fsm.quiz import (
    Answer,
    AnswerGiven,
    Pause,
    QuestionOpened,
    QuestionRevealed,
    QuizPaused,
    QuizRules,
    Resume,
)
from fsm.showing import BoardShown, TimeBegun

OPENED, WAIT = 1_700_000_000_000, 90_000
SEED = "5eed" * 16
QUESTIONS = tuple(Question(id=f"q{n}", text=f"Question {n}?", answers=("Yes", "No")) for n in range(2))


class Played:
    """A started game of one kind, in which every phase waits to be seen."""

    def __init__(self, kind: Kind[Any], rules: Any, content: Any = None) -> None:
        self.kind, self.now = kind, OPENED
        self.state: Any = None
        self.do(OpenGame(kind.name, "07abcdefghijkl", ChatTopic(-1), Host(9, "H"), "", rules, 1, content))
        for player in (1, 2):
            self.do(Join(player, f"P{player}"))
        self.begun = self.do(StartNow(9))

    def do(self, command: Any, later: int = 0) -> tuple[Event, ...]:
        self.now += later
        events = self.kind.decide(self.state, command, self.now, SEED)
        self.state = self.kind.fold(self.state, events)
        return events

    def seen(self, later: int, ends: int | None = None) -> tuple[Event, ...]:
        """Report the waiting board as shown so much later."""
        self.now += later
        until = self.now + (self.state.to_run or 0) if ends is None else ends
        return self.do(BoardShown(self.state.deadline or 0, until))

    def due(self) -> tuple[Event, ...]:
        self.now = self.state.deadline
        return self.do(DeadlinePassed(self.state.deadline))


@pytest.fixture
def picking() -> Played:
    return Played(pick_number.KIND, PickNumberRules(selection_ms=20_000, show_wait_ms=WAIT, winners=2))


@pytest.fixture
def asked() -> Played:
    return Played(quiz.KIND, QuizRules(questions=2, show_wait_ms=WAIT), QUESTIONS)


def test_selection_begins_when_the_board_is_seen_and_lasts_its_full_time(picking: Played) -> None:
    (opened,) = picking.begun
    assert isinstance(opened, SelectionOpened)
    assert (opened.deadline, opened.to_run) == (OPENED + WAIT, 20_000)
    assert picking.seen(19_500) == (TimeBegun(OPENED + 19_500 + 20_000),)
    assert picking.state.ends_at == OPENED + 39_500


def test_every_frame_of_a_draw_waits_until_the_one_before_it_was_seen(picking: Played) -> None:
    picking.seen(0)
    picking.do(PickNumber(1, 3))
    *_, drawn = picking.do(PickNumber(2, 5))
    assert isinstance(drawn, NumbersDrawn)
    shown: list[int] = []
    while picking.state.phase == "drawing":
        assert picking.seen(30_000) == (TimeBegun(picking.now + 2_000),)
        shown += [event.shown for event in picking.due() if isinstance(event, NumbersShown)]
    assert shown == list(draw.frames(drawn.drawn, picking.state.owners))


def test_a_question_that_comes_late_has_its_full_time_and_so_has_its_reveal(asked: Played) -> None:
    (opened,) = asked.begun
    assert isinstance(opened, QuestionOpened)
    assert asked.seen(40_000) == (TimeBegun(OPENED + 55_000),)
    (revealed,) = asked.due()
    assert isinstance(revealed, QuestionRevealed)
    assert (revealed.deadline, revealed.to_run) == (OPENED + 55_000 + WAIT, 3_000)
    assert asked.seen(10_000) == (TimeBegun(OPENED + 68_000),)


def test_who_sees_a_question_before_the_rules_know_of_it_is_answered_with_its_full_time_left(asked: Played) -> None:
    assert asked.do(Answer(1, 0, 0), 5_000) == (AnswerGiven(1, 0, 0, 15_000, OPENED + 5_000),)
    *_, revealed = asked.do(Answer(2, 0, 0))
    assert isinstance(revealed, QuestionRevealed)


def test_a_board_that_is_never_seen_holds_up_a_game_for_no_longer_than_the_bound(picking: Played) -> None:
    assert picking.due() == (TimeBegun(OPENED + WAIT + 20_000),)
    assert picking.due() != ()
    assert picking.state.phase == "cancelled", "nobody has picked"


def test_word_of_another_phase_or_of_one_that_runs_changes_nothing(asked: Played) -> None:
    first = asked.state.deadline
    assert asked.do(BoardShown(first - 1, OPENED + 1)) == ()
    asked.seen(0)
    assert asked.do(BoardShown(first, OPENED + 15_000)) == ()
    asked.due()
    assert asked.do(BoardShown(first, OPENED + 15_000)) == ()


@pytest.mark.parametrize(("ends", "until"), [(OPENED - 10**9, OPENED + 15_000), (OPENED + 10**9, OPENED + 19_000)])
def test_a_clock_that_is_wrong_gives_a_question_neither_less_nor_more_than_its_time(
    asked: Played, ends: int, until: int
) -> None:
    assert asked.seen(4_000, ends) == (TimeBegun(until),)


def test_a_lobby_has_nothing_to_wait_for() -> None:
    lobby = Played(quiz.KIND, QuizRules(questions=2, show_wait_ms=WAIT, min_players=2), QUESTIONS)
    with pytest.raises(NotNow):
        quiz.KIND.decide(
            quiz.KIND.fold(
                None,
                quiz.KIND.decide(
                    None,
                    OpenGame(
                        "quiz", "07abcdefghijkl", ChatTopic(-1), Host(9, "H"), "", lobby.state.rules, 1, QUESTIONS
                    ),
                    OPENED,
                    SEED,
                ),
            ),
            BoardShown(1, 1),
            OPENED,
            SEED,
        )


def test_whoever_extends_or_pauses_a_phase_that_was_not_seen_yet_begins_its_time(
    picking: Played, asked: Played
) -> None:
    assert picking.do(Extend(9, 60_000), 1_000) == (
        TimeBegun(OPENED + 21_000), DeadlineExtended(OPENED + 81_000, 9),
    )  # fmt: skip
    begun, paused = asked.do(Pause(9), 1_000)
    assert begun == TimeBegun(OPENED + 16_000)
    assert isinstance(paused, QuizPaused)
    assert paused.remaining == 15_000
    asked.do(Resume(9), 5_000)
    assert asked.seen(2_000) == (TimeBegun(OPENED + 8_000 + 15_000),)


def test_without_a_wait_the_time_begins_at_once() -> None:
    at_once = Played(quiz.KIND, QuizRules(questions=2), QUESTIONS)
    assert (at_once.state.deadline, at_once.state.to_run) == (OPENED + 15_000, None)
