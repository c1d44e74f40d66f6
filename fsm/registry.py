"""The list of all kinds of game. A new kind needs its module, a line here, handlers, views, texts and tests."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fsm.kind import Game, Kind
from fsm.pick_number import KIND as PICK_NUMBER
from fsm.quiz import KIND as QUIZ

_LISTED: tuple[Kind[Any], ...] = (
    PICK_NUMBER,
    QUIZ,
)
KINDS: Mapping[str, Kind[Any]] = MappingProxyType({kind.name: kind for kind in _LISTED})
_BY_STATE: Mapping[type[Game], Kind[Any]] = MappingProxyType({kind.state: kind for kind in KINDS.values()})


def kind_of(game: Game) -> Kind[Any]:
    """Return the kind of a game."""
    return _BY_STATE[type(game)]
