"""Similarity of questions, by their texts and right answers."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from fsm.question import NUMBER, ONE_TAP, Question

NEAR_LETTERS = 0.65
"""Share of common letter triples at which two questions with one answer count as rewordings of each other."""
NEAR_WORDS = 0.7
"""Share of common words with the same effect, if each question has at least ``FEWEST_WORDS``."""
FEWEST_WORDS = 3
GRAMMAR = 3
"""Length up to which words are mostly grammar."""
BITS = 4096
MOST_COMPARED = 1000
"""Maximum number of questions with the same answer to compare one with: the size of a pack, which takes 1 ms."""


class Gist(NamedTuple):
    """Identity of a question: its text and right answer."""

    text: str
    answer: str
    """The right answer."""
    photo: str | None = None


def gist(question: Question) -> Gist:
    """Return the gist of a question whose right answer is known."""
    answer = str(question.number) if question.type == NUMBER else " | ".join(rights_of(question))
    return Gist(question.text, answer, question.photo)


def rights_of(question: Question) -> tuple[str, ...]:
    """Return the right answers of a question; items in their right order. Empty if it asks for a number."""
    if question.type in ONE_TAP:
        assert question.right is not None
        return (question.answers[question.right],)
    return tuple(question.answers[index] for index in question.rights)


def plain(text: str) -> str:
    """Normalize a text for comparison: case, white space, and the encoding of accents don't matter."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def fingerprint(of: Gist) -> str:
    """Return the id of a question without one. Equal questions get the same id in every pack."""
    told = "\n".join((plain(of.text), plain(of.answer), of.photo or ""))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Shape(NamedTuple):
    """A question's text as sets of small parts, one bit for each part: comparing two takes constant time.

    Two parts may share a bit. For a text of the greatest length, this changes a share by a few hundredths.
    """

    text: str
    answer: str
    photo: str | None
    letters: int
    letters_count: int
    words: int
    words_count: int


@lru_cache(maxsize=8192)
def _shape(of: Gist) -> _Shape:
    text = plain(of.text)
    found = re.findall(r"\w+", text)
    joined = f" {' '.join(found)} "
    letters = _bits(joined[start : start + 3] for start in range(len(joined) - 2))
    words = _bits(word for word in found if len(word) > GRAMMAR)
    return _Shape(text, plain(of.answer), of.photo, letters, letters.bit_count(), words, words.bit_count())


def _bits(parts: Iterable[str]) -> int:
    """Return a set of parts as bits, the same in every process."""
    bits = 0
    for part in set(parts):
        # Python's own hash of a text differs between processes.
        bits |= 1 << (crc32(part.encode("utf-8", "surrogatepass")) % BITS)
    return bits


def near(one: Gist, other: Gist) -> bool:
    """Return whether both ask the same thing: the same text, or the same right answer to a similar text.

    The answer separates a rewording from another question of one pattern ("What is the capital of ...?").
    """
    return _near(_shape(one), _shape(other))


def _near(one: _Shape, other: _Shape) -> bool:
    if one.photo != other.photo:
        return False
    if one.text == other.text:
        return True
    if one.answer != other.answer:
        return False
    if _share(one.letters, one.letters_count, other.letters, other.letters_count) >= NEAR_LETTERS:
        return True
    fewest = min(one.words_count, other.words_count)
    return fewest >= FEWEST_WORDS and _share(one.words, one.words_count, other.words, other.words_count) >= NEAR_WORDS


class Seen:
    """Index of questions that finds a similar one quickly.

    Among those with the same answer, possibly all ("True"), the newest ``most`` are compared.
    """

    def __init__(self, gists: Iterable[Gist] = (), *, most: int = MOST_COMPARED) -> None:
        self._most = most
        self._by_answer: dict[str, list[tuple[int, _Shape]]] = {}
        self._by_text: dict[str, list[tuple[int, _Shape]]] = {}
        self._count = 0
        for each in gists:
            self.add(each)

    def add(self, new: Gist) -> None:
        """Add a question."""
        shape = _shape(new)
        for index, key in ((self._by_answer, shape.answer), (self._by_text, shape.text)):
            index.setdefault(key, []).append((self._count, shape))
        self._count += 1

    def near(self, new: Gist) -> int | None:
        """Return the index, in the order of adding, of a question similar to ``new``, or None."""
        shape = _shape(new)
        alike = (*self._by_text.get(shape.text, ()), *self._by_answer.get(shape.answer, ())[-self._most :])
        return next((number for number, other in alike if _near(shape, other)), None)


def near_pairs(questions: Sequence[Question]) -> Iterator[tuple[int, int]]:
    """Yield the indexes of each question that is similar to an earlier one, as ``(earlier, later)``."""
    seen = Seen()
    for later, question in enumerate(questions):
        earlier = seen.near(gist(question))
        if earlier is not None:
            yield earlier, later
        seen.add(gist(question))


def _share(one: int, one_count: int, other: int, other_count: int) -> float:
    """Return the share that two sets have in common, 0 to 1."""
    fewer, more = (one_count, other_count) if one_count < other_count else (other_count, one_count)
    if fewer < more * NEAR_LETTERS:
        return 0.0  # sets of such different sizes cannot be similar
    common = (one & other).bit_count()
    return common / (one_count + other_count - common) if common else 0.0
