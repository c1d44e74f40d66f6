"""Taps are right, but a draw never ends: in place of its end its deadline moves twenty seconds on."""

from typing import Any

from fsm import pick_number
from fsm.lobby import GameCompleted

_decide = pick_number.KIND.decide


def _postponing(state: Any, command: Any, now: Any, seed: Any) -> Any:
    events = _decide(state, command, now, seed)
    if any(isinstance(each, GameCompleted) for each in events):
        return (pick_number.BeaconMissed(now + 20_000),)
    return events


object.__setattr__(pick_number.KIND, "decide", _postponing)
