"""The rules of the quiz raise an error at every third answer. Other kinds of games are as they were."""

from itertools import count
from typing import Any

from fsm import quiz

_answer = quiz._answer  # noqa: SLF001
_turn = count(1)


def _raising(*given: Any) -> Any:
    if next(_turn) % 3 == 0:
        raise ZeroDivisionError
    return _answer(*given)


quiz._answer = _raising  # type: ignore[assignment]  # noqa: SLF001
