"""One tap in four is acknowledged, but not stored."""

from itertools import count
from typing import Any

from fsm import pick_number, quiz

_turn = count(1)


def _forgetting(decide: Any) -> Any:
    def decided(state: Any, command: Any, *given: Any) -> Any:
        events = decide(state, command, *given)
        forgets = state is not None and hasattr(command, "player_id") and next(_turn) % 4 == 0
        return () if forgets else events

    return decided


for _kind in (pick_number.KIND, quiz.KIND):
    object.__setattr__(_kind, "decide", _forgetting(_kind.decide))
