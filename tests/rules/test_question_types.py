"""Questions of every type: which answers are right, taps that draft an answer, and people who join a running quiz."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fsm.kind import NotNow, Rejected
from fsm.lobby import AlreadyJoined, DeadlinePassed, GameFull, Join, Leave, PlayerJoined, Remove
from fsm.question import MAX_EXPLANATION, TYPES, Choice, Question
from fsm.quiz import (
    KIND,
    Answer,
    AnswerDrafted,
    AnswerGiven,
    AnswerIncomplete,
    Confirm,
    Draft,
    FromNextQuestion,
    LastQuestion,
    NoSuchAnswer,
    QuestionRevealed,
    QuizGame,
)
from tests.rules.quizzes import ASKED, DUE, asking, given, opening, play, right_answer, some_questions, wrong_answer
from tests.support.spec import SEED

HOST_ID = 900


def asked(type_: str, players: int = 2, **rules: Any) -> QuizGame:
    """Return a quiz whose first question, of this type, is open."""
    return given(asking(players, types=(type_,), **rules)).state


def taps(state: QuizGame, player: int, keys: str) -> QuizGame:
    """Return the quiz after a player has tapped these keys."""
    for key in keys:
        state = play(state, Draft(player, state.index, key), ASKED + 10)
    return state


@pytest.mark.parametrize("type_", [*TYPES, "closest"])
def test_the_right_answer_earns_points_and_a_wrong_one_none(type_: str) -> None:
    state = asked(type_)
    question = state.questions[0]
    state = play(state, Answer(1, 0, right_answer(question)), ASKED)
    state = play(state, Answer(2, 0, wrong_answer(question)), ASKED)
    assert state.phase == "question_reveal"
    assert state.gained == {1: 300}
    assert state.score(1).hits == (0,)
    assert state.score(2).choices == (wrong_answer(question),)


@pytest.mark.parametrize(
    ("type_", "choices"),
    [
        ("choice", [4, -1, (0,), Decimal(0), (), True]),
        ("true_false", [2, (0, 1), Decimal(1)]),
        ("several", [0, (), (4,), (0, 0), (0, -1), Decimal(1)]),
        ("order", [0, (0, 1, 2), (0, 1, 2, 2), (0, 1, 2, 4)]),
        ("number", [(1,), Decimal("NaN"), Decimal("Infinity"), Decimal("1e13"), Decimal("1e-7"), Decimal("1e999999")]),
    ],
)
def test_an_answer_that_does_not_fit_the_type_is_refused(type_: str, choices: list[Any]) -> None:
    for choice in choices:
        given(asking(2, types=(type_,))).when(Answer(1, 0, choice), ASKED).refused(NoSuchAnswer())


def test_all_right_answers_and_no_other_must_be_chosen_in_any_order() -> None:
    state = asked("several", 4)
    for player, choice in enumerate([(1, 0), (0,), (0, 1, 2), (2, 3)], start=1):
        state = play(state, Answer(player, 0, choice), ASKED)
    assert set(state.gained) == {1}
    assert state.tally == (3, 2, 2, 1)


def test_a_number_is_right_within_its_tolerance() -> None:
    state = asked("number", 4)
    choices: list[Choice] = [Decimal(95), 105, Decimal("105.1"), Decimal("94.999")]
    for player, choice in enumerate(choices, start=1):
        state = play(state, Answer(player, 0, choice), ASKED)
    assert set(state.gained) == {1, 2}
    assert state.tally == (2, 2)


def test_without_a_tolerance_the_closest_numbers_are_right_however_far_off() -> None:
    state = asked("closest", 4)
    for player, choice in enumerate([Decimal(90), Decimal(110), Decimal(89), Decimal("110.5")], start=1):
        state = play(state, Answer(player, 0, choice), ASKED)
    assert set(state.gained) == {1, 2}


def test_taps_draft_an_answer_that_a_confirmation_makes_final() -> None:
    state = taps(asked("several"), 1, "20")
    assert state.drafts == {1: "20"}
    assert not state.replies
    state = taps(state, 1, "21")
    assert state.drafts == {1: "01"}
    state = play(state, Confirm(1, 0), ASKED + 10)
    assert state.replies[1].choice == (0, 1)
    assert KIND.view(state, None).drafts == {}
    assert KIND.view(state, 1).drafts == {1: "01"}


def test_the_last_item_of_an_order_makes_it_final_and_a_second_tap_takes_items_back() -> None:
    state = taps(asked("order"), 1, "013")
    assert taps(state, 1, "1").drafts == {1: "0"}
    events = KIND.decide(state, Draft(1, 0, "2"), ASKED + 10, SEED)
    assert isinstance(events[0], AnswerGiven)
    assert events[0].choice == (0, 1, 3, 2)


@pytest.mark.parametrize(
    ("keys", "number"),
    [("100", "100"), ("1-00", "-100"), ("12<.5", "1.5"), ("0.25", "0.25"), ("--7", "7"), ("5.", "5")],
)
def test_a_number_is_typed_key_by_key(keys: str, number: str) -> None:
    state = play(taps(asked("number"), 1, keys), Confirm(1, 0), ASKED + 10)
    assert state.replies[1].choice == Decimal(number)


@pytest.mark.parametrize("keys", ["00", "1..", ".", "0.1234567", "9999999999999", "x"])
def test_a_key_that_makes_no_number_is_refused(keys: str) -> None:
    state = taps(asked("number"), 1, keys[:-1])
    with pytest.raises(NoSuchAnswer):
        play(state, Draft(1, 0, keys[-1]), ASKED)


@pytest.mark.parametrize(("type_", "keys"), [("several", ""), ("order", "01"), ("number", "-"), ("number", "")])
def test_an_incomplete_draft_is_no_answer(type_: str, keys: str) -> None:
    with pytest.raises(AnswerIncomplete):
        play(taps(asked(type_), 1, keys), Confirm(1, 0), ASKED + 10)


def test_a_draft_that_was_not_confirmed_counts_as_no_answer() -> None:
    state = play(taps(asked("several"), 1, "01"), DeadlinePassed(DUE), DUE)
    assert (state.gained, state.drafts) == ({}, {})
    assert state.score(1).choices == (-1,)


def test_the_seed_shuffles_choices_and_items_but_not_true_and_false() -> None:
    questions = some_questions(5, types=("choice", "true_false", "several", "number", "order"))
    for number in range(20):
        command = replace(opening(), rules=replace(opening().rules, questions=5), content=questions)
        state = given().when(command, ASKED, seed=f"{number:064x}").state
        choice, truth, several, amount, order = state.questions
        assert choice.answers[choice.right or 0] == "right 0"
        assert truth == questions[1]
        assert {several.answers[index] for index in several.rights} == {"right 2", "wrong 2a"}
        assert list(several.rights) == sorted(several.rights)
        assert amount == questions[3]
        assert tuple(order.answers[index] for index in order.rights) == questions[4].answers


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "several", "right": None, "rights": ()},
        {"type": "several", "right": None, "rights": (1, 0)},
        {"type": "several", "right": None, "rights": (0, 4)},
        {"type": "order", "right": None, "rights": (0, 1, 2)},
        {"type": "number", "right": None, "number": Decimal(1)},
        {"type": "number", "right": None, "answers": ()},
        {"type": "number", "right": None, "answers": (), "number": Decimal(1), "tolerance": Decimal(-1)},
        {"type": "true_false"},
        {"type": "riddle"},
        {"explanation": "x" * (MAX_EXPLANATION + 1)},
    ],
)
def test_a_question_whose_answers_do_not_fit_its_type_cannot_be_asked(fields: dict[str, Any]) -> None:
    assert some_questions(1)[0].sound
    assert not replace(some_questions(1)[0], **fields).sound


# -- joining a running quiz -------------------------------------------------------------------------------------


def test_a_latecomer_answers_from_the_next_question_on_and_nobody_waits_for_them() -> None:
    then = given(asking(2)).when(Join(3, "P3"), ASKED + 5)
    state = then.then(PlayerJoined(3, "P3", ASKED + 5))
    assert state.late == (3,)
    with pytest.raises(FromNextQuestion):
        play(state, Answer(3, 0, 0), ASKED + 6)
    state = play(play(state, Answer(1, 0, 0), ASKED + 7), Answer(2, 0, 1), ASKED + 8)
    assert state.phase == "question_reveal"
    assert state.score(3).points == 0
    state = play(state, DeadlinePassed(state.deadline or 0), state.deadline or 0)
    now = (state.deadline or 0) - 15_000
    for player in (1, 2):
        state = play(state, Answer(player, 1, 0), now)
    assert state.phase == "question_open", "the latecomer is waited for now"
    state = play(state, Answer(3, 1, 0), now)
    assert state.gained == {1: 320, 2: 300, 3: 300}, "a latecomer has no streak from earlier questions"
    assert state.score(3).choices == (-1, 0)


def test_whoever_joins_while_the_answer_is_shown_takes_part_in_the_next_question() -> None:
    state = play(given(asking(2)).state, DeadlinePassed(DUE), DUE)
    state = play(state, Join(3, "P3"), DUE + 1)
    assert state.late == ()
    state = play(state, DeadlinePassed(state.deadline or 0), state.deadline or 0)
    assert 3 in state.active


def test_a_player_who_left_comes_back_with_their_points() -> None:
    state = play(given(asking(3)).state, Answer(1, 0, 0), ASKED)
    state = play(play(state, Leave(1), ASKED), Join(1, "P1"), ASKED + 1)
    assert (state.gone, state.late) == ((), ()), "the answer given before still counts"
    state = play(state, DeadlinePassed(DUE), DUE)
    assert state.score(1).points == 300
    state = play(play(state, Leave(2), DUE), Join(2, "P2"), DUE)
    assert state.players[2].joined_at < ASKED


def refused(state: QuizGame, player: int) -> Rejected:
    with pytest.raises(Rejected) as caught:
        play(state, Join(player, f"P{player}"), state.deadline or 0)
    return caught.value


def test_a_quiz_that_is_full_or_closed_or_at_its_last_question_takes_nobody() -> None:
    assert refused(asked("choice"), 1) == AlreadyJoined()
    assert refused(asked("choice", max_players=2), 3) == GameFull(limit=2)
    assert refused(asked("choice", late_join=False), 3) == NotNow(command="join", phase="question_open")
    assert refused(asked("choice", questions=1), 3) == LastQuestion()


def test_a_latecomer_who_is_removed_or_leaves_is_not_late_any_more() -> None:
    state = play(asked("choice"), Join(3, "P3"), ASKED)
    assert play(state, Leave(3), ASKED).late == ()
    assert play(state, Remove(3, HOST_ID), ASKED).late == ()


def test_answers_of_every_type_survive_being_stored() -> None:
    from storage.codec import Codec  # noqa: PLC0415 -- the rules themselves know no storage

    codec = Codec({KIND.name: KIND})
    choices: list[Choice] = [2, (0, 2), Decimal("-12.50"), -1]
    for choice in choices:
        event = AnswerGiven(1, 0, choice, 5, 6)
        assert codec.decode_event(KIND, "answer_given", codec_bytes(event)) == event
    drafted = AnswerDrafted(1, 0, "-1.")
    assert codec.decode_event(KIND, "answer_drafted", codec_bytes(drafted)) == drafted


def codec_bytes(event: Any) -> bytes:
    import msgspec  # noqa: PLC0415

    return msgspec.json.encode(event)


def test_a_quiz_of_a_version_without_question_types_goes_on() -> None:
    """The fields are those that older versions stored."""
    import msgspec  # noqa: PLC0415

    state = msgspec.to_builtins(asked("choice"))
    for question in state["questions"]:
        for name in ("type", "rights", "number", "tolerance", "explanation", "source"):
            del question[name]
    del state["late"], state["drafts"], state["rules"]["late_join"]
    old = msgspec.convert(state, QuizGame, strict=False)
    assert isinstance(old.questions[0], Question)
    new = play(play(old, Answer(1, 0, 0), ASKED), Answer(2, 0, 1), ASKED)
    assert isinstance(KIND.decide(old, DeadlinePassed(DUE), DUE, SEED)[0], QuestionRevealed)
    assert new.gained == {1: 300}
