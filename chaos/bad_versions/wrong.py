"""Streaks in a quiz earn too much, and a draw gives the first prize to the second winner."""

from dataclasses import replace
from typing import Any

from fsm import pick_number, scoring

_standings = pick_number._standings  # noqa: SLF001


def _swapped(*given: Any) -> Any:
    first, *others = _standings(*given)
    if not others or others[0].place is None:
        return (replace(first, number=(first.number or 0) + 1), *others)
    second = others[0]
    return (
        replace(second, place=first.place, prize=first.prize),
        replace(first, place=second.place, prize=second.prize),
        *others[1:],
    )


scoring.STREAK_STEP = 45
pick_number._standings = _swapped  # type: ignore[assignment]  # noqa: SLF001
