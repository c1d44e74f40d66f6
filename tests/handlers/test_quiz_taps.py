"""Taps in a quiz: their effects and their answers."""

from dataclasses import replace
from typing import Any

import pytest

from fsm.kind import ChatTopic
from fsm.lobby import DeadlinePassed, OpenGame
from handlers.kinds.quiz import view
from handlers.views.message import Button
from play.texts import Texts
from tests.handlers.quizzes import of_every_type, questions
from tests.handlers.room import plain
from tests.handlers.table import HOST, Table
from tests.support.games import CHAT, QUIZ


class Drawer:
    """Source of questions without delay, which records returned ones."""

    def __init__(self) -> None:
        self.returned: list[Any] = []

    async def take(self, opening: OpenGame) -> OpenGame:
        return replace(opening, content=questions(opening.rules.questions))

    async def give_back(self, opening: OpenGame) -> None:
        self.returned.append(opening.content)


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def table(drawer: Drawer) -> Table:
    return Table(Texts(), content={"quiz": drawer})


async def quiz(table: Table, players: int = 3) -> str:
    """Open a quiz and ask its first question. Returns its id."""
    table.script = QUIZ
    return await table.begin(range(1, players + 1), content=questions(2), questions=2)


async def test_an_answer_is_locked_in_and_said_to_its_player_alone(table: Table) -> None:
    game = await quiz(table)
    answer = await table.tap(1, f"a:{game}:0:2")
    asked = (await table.state(game)).question
    assert plain(answer.text or "") == f"Your answer: C, {asked.answers[2]}. It’s locked in."
    assert (await table.state(game)).replies[1].choice == 2


async def test_the_same_tap_delivered_again_hears_the_same_even_questions_later(table: Table) -> None:
    game = await quiz(table, 2)
    tap = table.tap_of(1, f"a:{game}:0:1")
    first = await table.answer(tap)
    await table.tap(2, f"a:{game}:0:1")
    state = await table.state(game)
    table.clock.at = state.deadline
    await table.engine.execute(game, DeadlinePassed(state.deadline), command_id="d")
    again = await table.answer(tap)
    assert (first.text, first.outcome, again.outcome) == (again.text, "done", "duplicate")


@pytest.mark.parametrize(
    ("user", "data", "outcome"),
    [
        (1, "a:{}:0:1", "already-answered"),
        (9, "a:{}:0:1", "not-in-game"),
        (2, "a:{}:1:1", "question-closed"),
        (2, "a:{}:0:7", "no-such-answer"),
        (2, "a:{}:0", "garbage"),
        (2, "a:{}:0:x", "garbage"),
        (2, "a:{}:-1:0", "garbage"),
        (2, "a:{}:0:1:1", "garbage"),
        (2, "a:{}", "garbage"),
        (2, "p:{}:3", "garbage"),
        (2, "z:{}", "not-a-host"),
        (2, "y:{}", "not-a-host"),
        (HOST, "y:{}", "not-paused"),
        (HOST, "z:{}:1", "garbage"),
    ],
)
async def test_every_other_tap_is_refused_in_words(table: Table, user: int, data: str, outcome: str) -> None:
    game = await quiz(table)
    await table.tap(1, f"a:{game}:0:0")
    answer = await table.tap(user, data.format(game))
    assert answer.outcome == outcome
    assert answer.text
    assert (await table.state(game)).replies.keys() == {1}


@pytest.mark.parametrize(("locale", "sign"), [("en", "."), ("ru", ","), ("es", ",")])
async def test_a_number_is_typed_and_confirmed_with_the_decimal_sign_of_its_reader(
    table: Table, locale: str, sign: str
) -> None:
    table.script = QUIZ
    asked = of_every_type()[2:4]
    game_id = await table.begin((1, 2), content=asked, questions=2)
    state: Any = (await table.engine.look(game_id)).state
    board = view.board(state, Texts(), locale)
    assert Button(sign, f"d:{game_id}:0:.") in [button for row in board.keyboard for button in row]
    typed = [(await table.tap(1, f"d:{game_id}:0:{key}", language=locale)).text or "" for key in "8.5"]
    assert f"8{sign}5" in typed[-1]
    done = await table.tap(1, f"c:{game_id}:0", language=locale)
    assert f"8{sign}5" in (done.text or "")


async def test_too_late_is_too_late_even_if_the_timer_has_not_fired(table: Table) -> None:
    game = await quiz(table)
    state = await table.state(game)
    assert (await table.tap(1, f"a:{game}:0:0", received=state.deadline - 1)).outcome == "done"
    assert (await table.tap(2, f"a:{game}:0:0", received=state.deadline)).outcome == "too-late"


async def test_a_host_pauses_and_nobody_answers_until_it_goes_on(table: Table) -> None:
    game = await quiz(table)
    assert (await table.tap(HOST, f"z:{game}")).outcome == "done"
    assert (await table.tap(1, f"a:{game}:0:0")).outcome == "paused"
    assert (await table.tap(HOST, f"y:{game}")).outcome == "done"
    assert (await table.tap(1, f"a:{game}:0:0")).outcome == "done"


async def test_the_own_board_shows_the_answer_that_was_given_on_it(table: Table) -> None:
    game = await quiz(table)
    private = {"chat_id": 1, "chat_type": "private", "message_id": 7}
    opened = await table.tap(1, f"o:{game}", **private)
    assert f"a:{game}:0:0" in str(opened.calls[0].params)
    answer = await table.tap(1, f"a:{game}:0:1", **private)
    (call,) = answer.calls
    assert call.method == "editMessageText"
    assert "You answered" in call.params["text"]
    assert "reply_markup" not in call.params


async def test_rules_and_fairness_are_shown(table: Table) -> None:
    game = await quiz(table)
    rules = await table.tap(1, "h:quiz")
    assert "300" in rules.calls[0].params["text"]
    fair = await table.tap(1, f"f:{game}")
    assert "points decide" in fair.calls[0].params["text"]


async def test_a_rematch_is_supplied_anew_and_what_it_can_not_use_goes_back(table: Table, drawer: Drawer) -> None:
    game = await quiz(table)
    await table.tap(HOST, f"xx:{game}")
    rematch = table.tap_of(HOST, f"r:{game}")
    assert (await table.answer(rematch)).outcome == "done"
    new = await table.reserved.reserve_id(ChatTopic(CHAT), rematch.command_id)
    assert len((await table.state(new)).questions) == 2
    assert drawer.returned == []
    assert (await table.tap(HOST, f"r:{game}")).outcome == "place-taken"
    assert len(drawer.returned) == 1
