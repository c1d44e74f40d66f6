"""Every kind of game. To add one: its file, its line here, its handlers, views, texts and tests."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fsm import pick_number, quiz
from fsm.kind import Game, Kind

KINDS: Mapping[str, Kind[Any]] = MappingProxyType({kind.name: kind for kind in (pick_number.KIND, quiz.KIND)})
_BY_STATE: Mapping[type[Game], Kind[Any]] = MappingProxyType({kind.state: kind for kind in KINDS.values()})


def kind_of(game: Game) -> Kind[Any]:
    """Return the kind of a game."""
    return _BY_STATE[type(game)]
