"""Whether two questions ask the same thing: told from their texts and their right answers."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from fsm.quiz import Question

NEAR_LETTERS = 0.65
"""From this share of common letter triples on, two questions with one answer are the same in other words."""
NEAR_WORDS = 0.7
"""The same for common words, where each has at least ``FEWEST_WORDS``."""
FEWEST_WORDS = 3
GRAMMAR = 3
"""Words of so many letters are mostly grammar."""


class Gist(NamedTuple):
    """What makes a question the one it is."""

    text: str
    answer: str
    """The right one."""
    photo: str | None = None


def gist(question: Question) -> Gist:
    """The gist of a question whose right answer is known."""
    assert question.right is not None
    return Gist(question.text, question.answers[question.right], question.photo)


def plain(text: str) -> str:
    """The text as two people would call it the same: whatever its case, its spaces, its way of writing accents."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def fingerprint(of: Gist) -> str:
    """The id of a question that brings none: the same for the same question, whichever pack it is in."""
    told = "\n".join((plain(of.text), plain(of.answer), of.photo or ""))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def near(one: Gist, other: Gist) -> bool:
    """Whether both ask the same thing: the same text, or the same right answer to nearly the same text.

    The answer tells a rewording from another question of one pattern ("What is the capital of ...?").
    """
    if one.photo != other.photo:
        return False
    if plain(one.text) == plain(other.text):
        return True
    if plain(one.answer) != plain(other.answer):
        return False
    if _share(_triples(one.text), _triples(other.text)) >= NEAR_LETTERS:
        return True
    first, second = _words(one.text), _words(other.text)
    return min(len(first), len(second)) >= FEWEST_WORDS and _share(first, second) >= NEAR_WORDS


class Seen:
    """Questions that have been; asked quickly for one that is near to another."""

    def __init__(self, gists: Iterable[Gist] = ()) -> None:
        self._by_answer: dict[str, list[tuple[int, Gist]]] = {}
        self._by_text: dict[str, list[tuple[int, Gist]]] = {}
        self._count = 0
        for each in gists:
            self.add(each)

    def add(self, new: Gist) -> None:
        """Take another one in."""
        for index, key in ((self._by_answer, plain(new.answer)), (self._by_text, plain(new.text))):
            index.setdefault(key, []).append((self._count, new))
        self._count += 1

    def near(self, new: Gist) -> int | None:
        """Which of them, counted from 0 as they came, is near to ``new``; None where none is."""
        alike = (*self._by_text.get(plain(new.text), ()), *self._by_answer.get(plain(new.answer), ()))
        return next((number for number, other in alike if near(new, other)), None)


def near_pairs(questions: Sequence[Question]) -> Iterator[tuple[int, int]]:
    """Positions of questions that are near to an earlier one: ``(earlier, later)``, from 0."""
    seen = Seen()
    for later, question in enumerate(questions):
        earlier = seen.near(gist(question))
        if earlier is not None:
            yield earlier, later
        seen.add(gist(question))


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    """How much two sets have in common, 0 to 1."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0


@lru_cache(maxsize=16_384)
def _triples(text: str) -> frozenset[str]:
    letters = " " + " ".join(re.findall(r"\w+", plain(text))) + " "
    return frozenset(letters[start : start + 3] for start in range(len(letters) - 2))


@lru_cache(maxsize=16_384)
def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", plain(text)) if len(word) > GRAMMAR)
