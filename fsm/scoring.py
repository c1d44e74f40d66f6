"""Points of a quiz: a base by difficulty, a bonus for speed and one for a streak. Whole numbers throughout.

A right answer earns

    base(difficulty)  +  base(difficulty) * SPEED_PERCENT * remaining / (100 * allowed)  +  streak bonus

rounded down, where ``remaining`` of the ``allowed`` milliseconds were left when the server received it; the middle part
falls linearly to zero and is missing in accuracy-only mode. The streak bonus is ``STREAK_STEP`` for each right answer
in a row before this one, up to ``STREAK_MOST``. A wrong answer, or none, earns nothing and ends the streak.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

EASY, MEDIUM, HARD = "easy", "medium", "hard"
BASE: Mapping[str, int] = MappingProxyType({EASY: 100, MEDIUM: 200, HARD: 300})
"""Points of a right answer by difficulty."""
SPEED_PERCENT = 50
"""Largest speed bonus, for an instant answer, in percent of the base."""
STREAK_STEP = 20
STREAK_MOST = 100


def speed_bonus(difficulty: str, remaining: int, allowed: int) -> int:
    """Return the bonus for an answer with ``remaining`` of ``allowed`` ms left."""
    return BASE[difficulty] * SPEED_PERCENT * remaining // (100 * allowed)


def streak_bonus(streak: int) -> int:
    """Return the bonus for a right answer after ``streak`` others in a row."""
    return min(streak * STREAK_STEP, STREAK_MOST)


def places(points: Sequence[int]) -> tuple[int, ...]:
    """Return the places for points in falling order; equal points share a place, as in 1, 2, 2, 4."""
    result: list[int] = []
    for count, mine in enumerate(points, start=1):
        tied = count > 1 and points[count - 2] == mine
        result.append(result[-1] if tied else count)
    return tuple(result)
