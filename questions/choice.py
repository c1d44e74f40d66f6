"""The choice of a chat's next questions: those never asked, then those asked longest ago; none near another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from fsm.quiz import Question
from questions.likeness import Gist, Seen, gist

Shuffle = Callable[[list[Any]], None]
"""Puts a list in a random order."""
NEVER, SIMILAR = -2, -1


def choose(
    pool: Sequence[Question], asked: Mapping[str, tuple[int, Gist]], count: int, shuffle: Shuffle
) -> tuple[Question, ...]:
    """Up to ``count`` questions of the pool, in random order.

    ``asked``: what the chat has been asked, by question id: when, and the gist of it. A question comes again only
    after all the others of the pool have been; of those never asked, the ones near to something asked come last. Two
    that are near each other are taken together only where there is nothing else of their standing.
    """
    mixed = list(pool)
    shuffle(mixed)
    seen = Seen(each for _, each in asked.values())

    def standing(question: Question) -> int:
        if question.id in asked:
            return asked[question.id][0]
        return NEVER if seen.near(gist(question)) is None else SIMILAR

    ranked = sorted(((standing(question), question) for question in mixed), key=lambda pair: pair[0])
    together = Seen()
    chosen: list[Question] = []
    for _, tier in groupby(ranked, key=lambda pair: pair[0]):
        for question in _apart([question for _, question in tier], together):
            if len(chosen) < count:
                chosen.append(question)
    shuffle(chosen)
    return tuple(chosen)


def _apart(tier: list[Question], together: Seen) -> Iterator[Question]:
    """The questions of a tier, those near to one before at the end."""
    spare: list[Question] = []
    for question in tier:
        if together.near(gist(question)) is None:
            together.add(gist(question))
            yield question
        else:
            spare.append(question)
    yield from spare
