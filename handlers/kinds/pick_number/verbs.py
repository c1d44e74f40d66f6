"""The verbs of Pick Your Number."""

from collections.abc import Mapping
from types import MappingProxyType

from fsm.kind import Command
from fsm.pick_number import PickNumber, PickNumberGame
from handlers.kinds.pick_number.view import page_of
from handlers.kinds.verb import Tap, Verb, Words, whole


def _pick(tap: Tap, arg: str) -> Command | None:
    number = whole(arg)
    return PickNumber(tap.user_id, number) if number is not None else None


def _picked(game: PickNumberGame, tap: Tap) -> Words:
    """Confirm a pick from the state, not from the event, so that a repeated update gets the same text."""
    number = game.picks.get(tap.user_id)
    return ("tap-picked", {"number": number}) if number is not None else ("tap-done", {})


def _page(game: PickNumberGame, arg: str) -> int | None:
    number = whole(arg)
    return page_of(game, number) if number else None


def moves(labels: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Return the free numbers as moves, or else the button that opens the player's own board.

    A player picks twice, to change their mind or after losing a race.
    """
    found = [(data, data.split(":")) for data in labels if data.startswith("p:")]
    numbers = [(data, f"{parts[1]}:pick", 2) for data, parts in found if labels[data] == parts[2]]
    return numbers or [(data, f"{data.split(':')[1]}:own", 1) for data in labels if data.endswith(":pick")]


VERBS: Mapping[str, Verb] = MappingProxyType({"p": Verb(command=_pick, done=_picked, page=_page)})
