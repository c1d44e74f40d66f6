"""The choice of a chat's next questions: those never asked, then those asked longest ago; none near another."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from fsm.quiz import Question
from questions.likeness import Gist, Seen, gist

Shuffle = Callable[[list[Any]], None]
"""Puts a list in a random order."""
MOST_COMPARED = 100
"""Questions of one answer that another is compared with: a chat may have had thousands, all "True"."""


def choose(
    pool: Sequence[Question], asked: Mapping[str, tuple[int, Gist]], count: int, shuffle: Shuffle
) -> tuple[Question, ...]:
    """Return up to ``count`` questions of the pool, in random order.

    A question comes again only after all the others of the pool have been; of those never asked, the ones near to
    something asked come last. Two that are near each other are taken together only if there is nothing else of their
    standing.

    Args:
        pool: the questions to choose from.
        asked: the questions that the chat has had, by id: when, and the gist of each.
        count: the number of questions wanted.
        shuffle: puts a list in a random order.
    """
    mixed = list(pool)
    shuffle(mixed)
    chosen: list[Question] = []
    together = Seen(most=MOST_COMPARED)
    for tier in _tiers(mixed, asked):
        spare: list[Question] = []
        for question in tier:
            if len(chosen) >= count:
                break
            if together.near(gist(question)) is None:
                together.add(gist(question))
                chosen.append(question)
            else:
                spare.append(question)
        chosen += spare[: count - len(chosen)]
        if len(chosen) >= count:
            break
    shuffle(chosen)
    return tuple(chosen)


def _tiers(mixed: Sequence[Question], asked: Mapping[str, tuple[int, Gist]]) -> Iterator[Iterable[Question]]:
    """Yield the questions by standing: never asked, similar to something asked, then asked, the longest ago first.

    The first are found one by one, as they are needed: few of a large pool are.
    """
    seen = Seen((of for _, of in sorted(asked.values(), key=lambda each: each[0])), most=MOST_COMPARED)
    similar: list[Question] = []

    def never() -> Iterator[Question]:
        for question in mixed:
            if question.id in asked:
                continue
            if seen.near(gist(question)) is None:
                yield question
            else:
                similar.append(question)

    yield never()
    yield similar
    again = sorted((question for question in mixed if question.id in asked), key=lambda each: asked[each.id][0])
    for _, tier in groupby(again, key=lambda each: asked[each.id][0]):
        yield tier
