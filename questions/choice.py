"""Choice of a chat's next questions: never asked ones first, then the least recently asked; no two similar ones."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from fsm.question import Question
from questions.similarity import Gist, Seen, gist

Shuffle = Callable[[list[Any]], None]
"""Function that puts a list in a random order."""
MOST_COMPARED = 100
"""Maximum number of questions with the same answer to compare one with. A chat may know thousands, all "True"."""


def choose(
    pool: Sequence[Question], asked: Mapping[str, tuple[int, Gist]], count: int, shuffle: Shuffle
) -> tuple[Question, ...]:
    """Return up to ``count`` questions of the pool, in random order.

    A question is repeated only after all others of the pool have been asked. Among those never asked, questions similar
    to an asked one come last. Two similar questions are chosen together only if their tier has nothing else.

    Args:
        pool: the questions to choose from.
        asked: the questions that the chat has had: id -> time, gist.
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
    """Yield the tiers: never asked, similar to an asked question, then asked questions, least recent first.

    The first tier is lazy: only few questions of a large pool are needed.
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
