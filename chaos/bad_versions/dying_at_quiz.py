"""The process dies at every tenth answer to a quiz."""

import os
from itertools import count
from typing import Any

from fsm import quiz

_answer = quiz._answer  # noqa: SLF001
_turn = count(1)


def _dying(*given: Any) -> Any:
    if next(_turn) % 10 == 0:
        os._exit(70)
    return _answer(*given)


quiz._answer = _dying  # type: ignore[assignment]  # noqa: SLF001
