"""Views of a quiz: valid, within limits, deterministic, and free of secrets."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from fsm.question import Question
from fsm.quiz import QUESTION_OPEN, QUESTION_REVEAL, QuizGame, QuizRules
from handlers.kinds import registry
from handlers.kinds.quiz import view as quiz
from handlers.kinds.quiz.answers import poll_explanation
from handlers.kinds.quiz.pace import pace_of
from handlers.kinds.quiz.verbs import moves
from handlers.views.message import Button, Message, send_params
from play.texts import Texts
from sandbox.entities import automatic_entities, parse_html, utf16_length
from tests.handlers.quizzes import (
    RIGHT,
    all_quizzes,
    answered,
    asking,
    due,
    every_phase,
    of_every_type,
    opened,
    questions,
)
from tests.support.games import CHAT

GAMES = all_quizzes()


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts()


def everything(state: QuizGame, texts: Texts, locale: str) -> Iterator[Message]:
    """Yield every view of a quiz."""
    view = registry.of_state(state)
    yield view.board(state, texts, locale, bot_username="tombola_bot")
    for player in (*list(state.players)[:3], *list(state.players)[-1:], 424242):
        yield view.own_board(state, player, texts, locale)
    yield view.proof_summary(state, texts, locale)
    yield view.rules(texts, locale)
    if state.phase == QUESTION_OPEN:
        yield quiz.instead_of_poll(state, texts, locale)


def buttons(message: Message) -> list[Button]:
    return [button for row in message.keyboard for button in row]


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_telegram_takes_every_message(texts: Texts, locale: str) -> None:
    for state in GAMES:
        for message in everything(state, texts, locale):
            text, entities = parse_html(message.text)
            assert 1 <= utf16_length(text) <= 4096
            found = automatic_entities(text, entities)
            assert len(entities) + len(found) <= 100
            assert not found
            assert all(1 <= len(button.data.encode()) <= 64 for button in buttons(message) if button.data)
            assert all(button.text.strip() for button in buttons(message))
            params = send_params(message, CHAT)
            assert len(json.dumps(params.get("reply_markup", {})).encode()) < 10_240
            assert msgspec.json.decode(msgspec.json.encode(params)) == params
    assert not texts.missing


def test_the_right_answer_and_what_is_to_come_are_nowhere_before_the_reveal(texts: Texts) -> None:
    """The board is the same whichever answer is right, and no question is shown before it is asked."""
    for state in GAMES:
        hidden = state.questions[state.revealed :]
        if state.phase in {"completed", "cancelled"} or not hidden:
            continue
        turned = _otherwise(state)
        assert list(everything(state, texts, "en")) == list(everything(turned, texts, "en"))
        shown = "".join(message.text + str(message.keyboard) for message in everything(state, texts, "en"))
        known = {answer for each in state.questions[: state.index + 1] for answer in each.answers}
        coming = {answer for each in state.questions[state.index + 1 :] for answer in each.answers} - known
        assert not any(answer in shown for answer in coming)
        assert "✅" not in registry.of_state(state).board(state, texts, "en").text or state.phase == QUESTION_REVEAL


def _otherwise(state: QuizGame) -> QuizGame:
    """Return the quiz with other right answers to unrevealed questions."""
    turned = [each if index < state.revealed else _turned(each) for index, each in enumerate(state.questions)]
    return replace(state, questions=tuple(turned))


def _turned(question: Question) -> Question:
    """Return a question with another right answer and explanation."""
    number = None if question.number is None else question.number + 1
    right = None if question.right is None else (question.right + 1) % len(question.answers)
    rights = question.rights[1:] if question.type == "several" else question.rights[::-1]
    return replace(
        question, right=right, rights=rights, number=number, tolerance=None, explanation="another", source="other"
    )


def test_nobody_sees_what_others_have_answered_before_the_reveal(texts: Texts) -> None:
    state = asking(4)
    one, other = answered(state, 1, right=True), answered(state, 1, right=False)
    for viewer in (2, 3, 424242):
        assert quiz.own_board(one, viewer, texts, "en") == quiz.own_board(other, viewer, texts, "en")
    assert quiz.board(one, texts, "en") == quiz.board(other, texts, "en")
    assert quiz.own_board(one, 1, texts, "en") != quiz.own_board(other, 1, texts, "en")


def test_the_same_state_gives_the_same_bytes(texts: Texts) -> None:
    other = Texts()
    for state in GAMES[::3]:
        first = [send_params(message, CHAT) for message in everything(state, texts, "ru")]
        assert first == [send_params(message, CHAT) for message in everything(state, other, "ru")]


@pytest.mark.parametrize("index", range(5))
def test_a_question_of_any_type_is_answered_by_the_buttons_of_its_board(texts: Texts, index: int) -> None:
    state = asking(2, count=5, content=of_every_type())
    while state.index < index:
        state = due(state)
    data = [button.data or "" for button in buttons(quiz.board(state, texts, "en"))]
    keys = {"several": 4, "order": 4, "number": 13}
    assert state.question is not None
    assert len([each for each in data if each.startswith("d:")]) == keys.get(state.question.type, 0)
    assert len([each for each in data if each.startswith("c:")]) == (state.question.type in {"several", "number"})
    assert len([each for each in data if each.startswith("a:")]) == (2 if state.question.type == "true_false" else 0)
    assert {move[0] for move in moves(dict.fromkeys(data, ""))} == {
        each for each in data if each[:2] in {"a:", "c:", "d:"}
    }


def test_the_explanation_is_shown_with_the_answer_and_its_source_is_a_link(texts: Texts) -> None:
    content = of_every_type(source="https://example.org/a?b=<&>")
    state = due(asking(2, count=5, content=content))
    for message in (quiz.board(state, texts, "en"), quiz.own_board(state, 1, texts, "en")):
        text, entities = parse_html(message.text)
        assert "Because of <it> & more." in text.replace("\u2068", "").replace("\u2069", "")
        assert [entity["url"] for entity in entities if entity["type"] == "text_link"] == [
            "https://example.org/a?b=<&>"
        ]


@pytest.mark.parametrize(("locale", "shown"), [("en", "8,849.5 ± 50"), ("ru", "8 849,5 ± 50"), ("es", "8.849,5 ± 50")])
def test_a_right_number_is_written_as_its_language_writes_numbers(texts: Texts, locale: str, shown: str) -> None:
    state = asking(2, count=5, content=of_every_type())
    while state.index < 2:
        state = due(state)
    board = re.sub("[\u2060\u2068\u2069]", "", quiz.board(due(state), texts, locale).text)
    assert shown in board.replace("\N{NO-BREAK SPACE}", " ")


def test_the_reveal_of_a_question_that_nobody_answered_says_so(texts: Texts) -> None:
    shown = quiz.board(due(asking(2, count=2, content=of_every_type()[1:3])), texts, "en").text
    assert "Nobody answered." in shown
    assert "0 of 0" not in shown


@pytest.mark.parametrize("source", ["http://example.org", "javascript:alert(1)", "https://", "https://[", "Book, p. 5"])
def test_a_source_that_is_no_safe_address_is_text(texts: Texts, source: str) -> None:
    state = due(asking(2, count=5, content=of_every_type(source=source)))
    text, entities = parse_html(quiz.board(state, texts, "en").text)
    assert source in re.sub("[\u2060\u2068\u2069]", "", text)
    assert "text_link" not in {entity["type"] for entity in entities}


@pytest.mark.parametrize(
    ("explanation", "source"),
    [("", ""), ("w" * 200, ""), ("w" * 200, "https://example.org/x"), ("<b>&", "A <book>"), ("", "https://a.org")],
)
def test_the_explanation_of_a_poll_keeps_telegrams_limits(texts: Texts, explanation: str, source: str) -> None:
    question = of_every_type(explanation=explanation, source=source)[0]
    found = poll_explanation(question, texts, "en")
    if not explanation and not source:
        assert found is None
        return
    text, _ = parse_html(found or "")
    assert explanation in text
    assert 1 <= utf16_length(text) <= 200


def test_people_may_join_from_the_board_until_the_last_question(texts: Texts) -> None:
    def offered(state: QuizGame) -> bool:
        return any((button.data or "").startswith("j:") for button in buttons(quiz.board(state, texts, "en")))

    assert offered(asking(2))
    assert offered(due(asking(2)))
    assert not offered(asking(2, late_join=False))
    assert not offered(asking(2, count=1, content=questions(1)))
    assert not offered(asking(3, max_players=3))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"polls": True, "question_ms": 10_000}, True),
        ({"polls": True, "question_ms": 15_000}, False),
        ({"question_ms": 3_000}, True),
        ({"question_ms": 10_000}, False),
        ({"polls": True, "question_ms": 1_000, "questions": 3}, False),
    ],
)
def test_a_form_and_a_lobby_say_when_telegram_does_not_allow_the_speed(
    texts: Texts, changes: dict[str, Any], said: object
) -> None:
    rules = QuizRules(**{"questions": 10, **changes})
    told = registry.FACES["quiz"].note(rules, texts, "en")
    assert (told is not None) is said
    board = quiz.board(opened(rules.questions, **{**changes, "pace_ms": pace_of(rules)}), texts, "en")
    assert ("20 messages a minute" in board.text) is said


@pytest.mark.parametrize(
    ("length", "per_row", "listed"), [(12, 2, False), (30, 1, False), (31, 4, True), (100, 4, True)]
)
def test_answers_of_any_length_are_readable_on_a_phone(texts: Texts, length: int, per_row: int, listed: object) -> None:
    message = quiz.board(asking(content=questions(3, length), count=3), texts, "en")
    rows = [row for row in message.keyboard if row[0].data is not None and row[0].data.startswith("a:")]
    assert {len(row) for row in rows} == {per_row}
    assert (RIGHT in message.text) is listed
    assert all(len(button.text) <= 40 for row in rows for button in row)


def test_the_reveal_counts_answers_and_names_the_best(texts: Texts) -> None:
    state = asking(7, names=("Ann", "Bob", "Cy", "Dee", "Eve", "Fay", "Gus"))
    for player in range(1, 7):
        state = answered(state, player, right=player != 2, after=player * 100)
    text = quiz.board(due(state), texts, "en").text
    assert text.count("▇") > 0
    assert "Ann" in text
    assert "Fay" in text
    assert "Bob" not in text
    assert "Gus" not in text


def test_the_standings_name_the_winners_first_and_fold_everybody_else_once(texts: Texts) -> None:
    names = [f"Player-{number:03}." for number in range(1, 101)]
    *_, state = every_phase(100, names, count=2, max_players=100)
    message = quiz.board(state, texts, "en")
    found = re.findall(r"Player-\d+", message.text)
    by_id = {player.id: player.name.rstrip(".") for player in state.players.values()}
    expected = [by_id[standing.player_id] for standing in state.standings]
    assert found == expected[: len(found)], "the best come first"
    assert len(found) == 100
    shown, _, _ = message.text.partition("<blockquote expandable>")
    assert len(re.findall(r"Player-\d+", shown)) <= 10


def test_a_result_offers_a_rematch_to_share_it_and_the_own_result(texts: Texts) -> None:
    *_, state = every_phase(30, count=1, max_players=30)
    message = quiz.board(state, texts, "en", bot_username="tombola_bot")
    assert [(b.data or b.url or "").split(":")[0] for b in buttons(message)] == ["r", "https", "o"]


def test_a_summary_tells_place_points_and_what_was_missed(texts: Texts) -> None:
    state = asking(2)
    while state.deadline is not None:
        open_ = state.phase == QUESTION_OPEN
        state = answered(answered(state, 1), 2, right=state.index == 1) if open_ else due(state)
    first = quiz.own_board(state, 1, texts, "en").text
    assert "🥇" in first
    assert "✅✅✅" in first
    second = quiz.own_board(state, 2, texts, "en").text
    assert "❌✅❌" in second
    assert second.count(RIGHT) == 2


def test_the_lobby_says_what_is_played(texts: Texts) -> None:
    text = quiz.board(opened(mode="accuracy", categories=("geography",), difficulty="hard"), texts, "ru").text
    assert "География" in text
    assert "Вопросы: сложные" in text
    assert text.startswith("🧠 <b>")
    assert "только верные" in text


def test_the_rules_hold_the_formula(texts: Texts) -> None:
    text = quiz.rules(texts, "en").text
    for number in ("100", "200", "300", "50", "20"):
        assert number in text
