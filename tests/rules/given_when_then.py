"""Stories of Pick Your Number: its usual rules, and games in each phase to begin with."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fsm import pick_number
from fsm.kind import ChatTopic, Event, Instant, PlayerId, Rejected
from fsm.lobby import JoiningStarted, OpenGame, PlayerJoined, StartNow
from fsm.pick_number import (
    KIND,
    GameOpened,
    NumberPicked,
    PickNumberGame,
    SelectionOpened,
)
from tests.support.games import GAME, HOST, PICK_NUMBER
from tests.support.spec import SEED, spec

PLACE = ChatTopic(-1001, 5)
OPENED = 1_700_000_000_000
LOBBY, JOINING, SELECTION, REVEAL = 900_000, 60_000, 300_000, 2_000
SELECTING = OPENED + 70_000
"""Time when selection opens in ``selecting``."""
CLOSING = SELECTING + SELECTION


some_rules = PICK_NUMBER.rules


def opening(**changes: Any) -> OpenGame:
    """Return the command that opens the game of these tests."""
    return replace(PICK_NUMBER.opening(chat_topic=PLACE), **changes)


def opened(**rules: Any) -> tuple[Event, ...]:
    """Return the events of a game that waits for players, opened at ``OPENED``.

    ``first_format``: by a version before the second format.
    """
    format_ = 1 if rules.pop("first_format", False) else pick_number.FORMAT
    return (GameOpened(GAME, PLACE, HOST, "Friday", some_rules(**rules), OPENED, format_),)


def joined(*players: PlayerId) -> tuple[Event, ...]:
    """Return the events of these players' joining, one millisecond apart, player 1 first."""
    return tuple(PlayerJoined(player, f"P{player}", OPENED + player) for player in players)


def waiting(*players: PlayerId, **rules: Any) -> tuple[Event, ...]:
    """Return the events of a lobby with too few players."""
    return (*opened(**rules), *joined(*players))


def last_call(*players: PlayerId, **rules: Any) -> tuple[Event, ...]:
    """Return the events of a lobby with enough players: its last call runs until ``OPENED + JOINING``."""
    return (*waiting(*players, **rules), JoiningStarted(OPENED + JOINING))


def selecting(players: int, picks: dict[PlayerId, int] | None = None, **rules: Any) -> tuple[Event, ...]:
    """Return the events of a selection by players 1 to ``players``.

    It lasts from ``SELECTING`` until ``CLOSING``, and ``picks`` have been made.
    """
    joining = last_call(*range(1, players + 1), **rules)
    return (
        *joining,
        selection_of(KIND.fold(None, joining)),
        *(NumberPicked(player, number) for player, number in (picks or {}).items()),
    )


def selection_of(game: PickNumberGame, at: Instant = SELECTING) -> SelectionOpened:
    """Return the event that opens selection in a game whose joining is over."""
    (event,) = KIND.decide(game, StartNow(HOST.id), at, SEED)
    assert isinstance(event, SelectionOpened)
    return event


given = spec(KIND).given
play = spec(KIND).play


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum of amounts."""
    return sum(amounts, Decimal(0))


def refused_rules(**rules: Any) -> Rejected:
    """Return the refusal of a game with these rules; fails if they are accepted."""
    with pytest.raises(Rejected) as caught:
        KIND.decide(None, opening(rules=some_rules(**rules)), OPENED, SEED)
    return caught.value
