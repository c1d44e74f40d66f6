"""The verbs of the lobby, which all kinds of games share."""

from collections.abc import Mapping
from types import MappingProxyType

from fsm.kind import Command, Game
from fsm.lobby import Cancel, Extend, Join, Leave, StartNow
from handlers.kinds.verb import Tap, Verb, Words
from play.access import Needs
from play.texts import tidy

EXTENSION_MS = 60_000
"""Time that one tap on the button adds to the deadline."""


def _join(tap: Tap, arg: str) -> Command | None:
    return Join(tap.user_id, tidy(tap.user_name)) if not arg else None


def _joined(game: Game, _tap: Tap) -> Words:
    return "tap-joined", {"players": len(game.players)}


def _leave(tap: Tap, arg: str) -> Command | None:
    return Leave(tap.user_id) if not arg else None


def _start_now(tap: Tap, arg: str) -> Command | None:
    return StartNow(tap.user_id) if not arg else None


def _extend(tap: Tap, arg: str) -> Command | None:
    return Extend(tap.user_id, EXTENSION_MS) if not arg else None


def _cancel(tap: Tap, arg: str) -> Command | None:
    return Cancel(tap.user_id, "host") if not arg else None


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "j": Verb(command=_join, done=_joined, needs=Needs.JOIN),
        "l": Verb(command=_leave, done=lambda _game, _tap: ("tap-left", {})),
        "s": Verb(command=_start_now, done=lambda _game, _tap: ("tap-started", {}), needs=Needs.HOST),
        "e": Verb(command=_extend, done=lambda _game, _tap: ("tap-extended", {}), needs=Needs.HOST),
        "xx": Verb(command=_cancel, done=lambda _game, _tap: ("tap-cancelled", {}), needs=Needs.HOST, closes=True),
    }
)
