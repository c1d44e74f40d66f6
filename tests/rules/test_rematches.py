"""Rematches without the earlier winners: in every kind of game, over a whole series, and bound by the proof."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fsm.lobby import (
    MAX_EARLIER_WINNERS,
    BadRule,
    GameCancelled,
    GameCompleted,
    Join,
    PlayerJoined,
    Standing,
    WonBefore,
    barred,
    rematch_rules,
    winners_so_far,
)
from fsm.pick_number import GameOpened, PickNumberGame
from fsm.quiz import KIND as QUIZ
from fsm.quiz import GameOpened as QuizOpened
from tests.rules.given_when_then import OPENED, PLACE, given, opening, selecting, some_rules, waiting
from tests.support.games import HOST


def won(*players: int, **rules: Any) -> PickNumberGame:
    """Return an ended game that these players have won."""
    standings = tuple(Standing(player, f"P{player}", place) for place, player in enumerate(players, start=1))
    loser = Standing(99, "Loser")
    state = given(selecting(3, winners=max(1, len(players)), **rules), GameCompleted((*standings, loser), OPENED)).state
    assert state is not None
    return state


def test_a_rematch_without_the_winners_refuses_those_of_the_whole_series_and_nobody_else() -> None:
    first = won(1, 2)
    second = won(3, earlier_winners=rematch_rules(first, without_winners=False).earlier_winners)
    rules = rematch_rules(second, without_winners=True)
    assert (rules.earlier_winners, rules.without_winners) == ((1, 2, 3), True)
    lobby = given().when(opening(rules=rules), OPENED).then_these(GameOpened)
    assert lobby.rules.without_winners
    series = given(waiting(earlier_winners=(1, 2, 3), without_winners=True))
    for winner in (1, 2, 3):
        assert isinstance(series.when(Join(winner, "W"), OPENED + 1).refusal, WonBefore)
    series.when(Join(99, "Loser"), OPENED + 1).then_these(PlayerJoined)


def test_a_rematch_for_everyone_remembers_the_winners_and_refuses_nobody() -> None:
    rules = rematch_rules(won(1), without_winners=False)
    assert (rules.earlier_winners, barred(rules)) == ((1,), ())
    given(waiting(earlier_winners=(1,))).when(Join(1, "W"), OPENED + 1).then_these(PlayerJoined)


def test_only_winners_are_remembered_the_oldest_are_forgotten_first_and_a_game_without_a_result_has_none() -> None:
    ended = given(waiting(1), GameCancelled("host", 900, OPENED + 1)).state
    assert ended is not None
    assert winners_so_far(ended) == ()
    assert not rematch_rules(ended, without_winners=True).without_winners
    many = won(1, earlier_winners=tuple(range(1000, 1000 + MAX_EARLIER_WINNERS)))
    remembered = winners_so_far(many)
    assert (len(remembered), remembered[-1], remembered[0]) == (MAX_EARLIER_WINNERS, 1, 1001)
    with pytest.raises(BadRule):
        some_rules(earlier_winners=tuple(range(1, MAX_EARLIER_WINNERS + 2))).check()


def test_a_quiz_has_rematches_without_its_winners_too() -> None:
    standings = tuple(Standing(player, f"P{player}", player) for player in (1, 2, 3))
    ended = replace(
        QUIZ.state(id="07quizquizquizq", phase="completed", place=PLACE, host=HOST, title="", opened_at=OPENED,
                   deadline=None, players={}, rules=QUIZ.rules(winners=2)), standings=standings,
    )  # fmt: skip
    rules = rematch_rules(ended, without_winners=True)
    assert barred(rules) == (1, 2)
    state = QUIZ.fold(None, [QuizOpened("07quizquizquizq", PLACE, HOST, "", rules, OPENED)])
    with pytest.raises(WonBefore):
        QUIZ.decide(state, Join(2, "W"), OPENED + 1, "")
    assert QUIZ.decide(state, Join(3, "Third"), OPENED + 1, "")


def test_the_opening_statement_binds_the_excluded_and_says_nothing_of_them_in_a_game_for_everyone() -> None:
    def statement(**rules: Any) -> dict[str, Any]:
        state = given(selecting(2, **rules)).state
        assert state is not None
        found: dict[str, Any] = json.loads(state.statement)
        return found

    assert statement(earlier_winners=(9, 7), without_winners=True)["excluded"] == [7, 9]
    assert "excluded" not in statement(earlier_winners=(9, 7))
