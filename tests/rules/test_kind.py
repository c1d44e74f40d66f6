"""Common to all kinds of game: a state is immutable; changes create a copy."""

from dataclasses import fields, replace

import pytest

from fsm.kind import ChatTopic, Game, Host, Player, changed
from fsm.registry import KINDS

GAME = Game(
    id="07abcdefghijkl",
    phase="waiting_for_players",
    place=ChatTopic(-100),
    host=Host(1, "Ann"),
    title="",
    opened_at=1000,
    deadline=2000,
    players={1: Player(1, "Ann", 1000)},
)


def test_a_changed_state_is_what_a_replaced_one_is() -> None:
    after = changed(GAME, deadline=None, title="Friday")
    assert after == replace(GAME, deadline=None, title="Friday")
    assert list(after.__dict__) == [field.name for field in fields(GAME)]
    assert (GAME.deadline, GAME.title) == (2000, "")


def test_what_a_state_has_not_can_t_be_changed() -> None:
    with pytest.raises(TypeError, match="Game has not all of deadlines"):
        changed(GAME, deadlines=1)


def test_states_have_no_slots_which_a_copy_would_leave_out() -> None:
    for kind in KINDS.values():
        assert not [base for base in kind.state.__mro__ if getattr(base, "__slots__", ())]
