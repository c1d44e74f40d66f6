"""Questions of a quiz: their types, the answers that each type takes, and whether an answer is right."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fsm import scoring

CHOICE, TRUE_FALSE, SEVERAL, NUMBER, ORDER = "choice", "true_false", "several", "number", "order"
TYPES = (CHOICE, TRUE_FALSE, SEVERAL, NUMBER, ORDER)
"""One right answer of several; a statement that is true or false; several right answers, all to be chosen; a number;
items to be put in order."""
ONE_TAP = frozenset({CHOICE, TRUE_FALSE})
"""Types that one tap on an answer answers. The others are drafted, tap by tap."""
POLLED = frozenset({CHOICE, TRUE_FALSE, SEVERAL})
"""Types that Telegram's quiz poll can ask."""

MAX_TEXT = 300
MAX_ANSWER = 100
"""Limits of a question's and an answer's characters, those of Telegram's own quiz poll."""
MAX_EXPLANATION = 200
"""Limit of an explanation's characters, that of Telegram's quiz poll."""
MAX_SOURCE = 300
FEWEST_ANSWERS, MOST_ANSWERS = 2, 4
MOST_OPTIONS = 8
"""Maximum number of answers to choose several of."""
FEWEST_ITEMS, MOST_ITEMS = 3, 6
"""Bounds of the number of items to put in order."""
MAX_NUMBER = Decimal(10) ** 12
MAX_DECIMALS = 6
MAX_TYPED = 20
"""Limit of characters of a number that is typed key by key."""
ERASE = "<"
KEYS = frozenset(f"0123456789.-{ERASE}")
"""Keys by which a number is drafted: digits, the decimal point, the sign, and one that removes the last character."""

Choice = int | tuple[int, ...] | Decimal
"""An answer: the index of a choice; the indices of several choices, or of all items in order; or a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its answers and the right one, or ones."""

    id: str
    """Fingerprint of the content, the same in every source."""
    text: str
    answers: tuple[str, ...]
    """Answers to choose from, or items to put in order; empty if a number is asked for."""
    right: int | None = 0
    """Index of the right answer of ``ONE_TAP`` types; None for others, and in a view for somebody who may not know."""
    difficulty: str = scoring.MEDIUM
    category: str = ""
    photo: str | None = None
    """Photo in the form that Telegram's sendPhoto takes: a file id, or an https URL."""
    pack: str = ""
    """Source: ``bank``, ``model``, or the number of a pack."""
    type: str = CHOICE
    rights: tuple[int, ...] = ()
    """Indices of the right answers, rising; for items, of all of them in the right order. Empty for other types."""
    number: Decimal | None = None
    """The right number."""
    tolerance: Decimal | None = None
    """Distance from the right number up to which an answer is right. If None, the closest of all answers are right."""
    explanation: str = ""
    """Why the answer is right; shown with it."""
    source: str = ""
    """Place to look the answer up: an https URL, or a text."""

    @property
    def sound(self) -> bool:
        """Return True if the question can be asked."""
        texts = (self.text, *self.answers)
        return (
            all(text and text == text.strip() for text in texts)
            and len(self.text) <= MAX_TEXT
            and all(len(answer) <= MAX_ANSWER for answer in self.answers)
            and len(set(self.answers)) == len(self.answers)
            and self.difficulty in scoring.BASE
            and len(self.explanation) <= MAX_EXPLANATION
            and len(self.source) <= MAX_SOURCE
            and self._answerable()
        )

    def _answerable(self) -> bool:
        count, rights = len(self.answers), self.rights
        match self.type:
            case "choice":
                return FEWEST_ANSWERS <= count <= MOST_ANSWERS and self.right in range(count)
            case "true_false":
                return count == FEWEST_ANSWERS and self.right in range(count)
            case "several":
                distinct = bool(rights) and rights == tuple(sorted(set(rights)))
                return FEWEST_ANSWERS <= count <= MOST_OPTIONS and distinct and set(rights) <= set(range(count))
            case "order":
                return FEWEST_ITEMS <= count <= MOST_ITEMS and sorted(rights) == list(range(count))
            case "number":
                positive = self.tolerance is None or (is_number(self.tolerance) and self.tolerance >= 0)
                return not count and self.number is not None and is_number(self.number) and positive
            case _:
                return False

    def read(self, choice: Any) -> Choice | None:
        """Return an answer in its one valid form; None if the question can't be answered like this."""
        count = len(self.answers)
        if self.type in ONE_TAP:
            return choice if type(choice) is int and 0 <= choice < count else None
        if self.type == NUMBER:
            if type(choice) not in {int, Decimal} or not is_number(Decimal(choice)):
                return None
            return Decimal(choice)
        if not isinstance(choice, tuple) or not choice or not all(type(each) is int for each in choice):
            return None
        if len(set(choice)) != len(choice) or not set(choice) <= set(range(count)):
            return None
        if self.type == ORDER:
            return choice if len(choice) == count else None
        return tuple(sorted(choice))

    def judge(self, choice: Choice) -> bool:
        """Return whether an answer is right by itself. The closest number is found by ``who_is_right``."""
        match self.type:
            case "number":
                exact = self.tolerance if self.tolerance is not None else Decimal(0)
                return isinstance(choice, Decimal) and abs(choice - _known(self.number)) <= exact
            case "several" | "order":
                return choice == self.rights
            case _:
                return choice == self.right

    def extended(self, draft: str, key: str) -> str | None:
        """Return a player's draft after a tap on a key, or None if the key does not fit.

        A draft of several choices or an order has a digit for each chosen answer; of a number, its characters.
        """
        if self.type == NUMBER:
            return _typed(draft, key)
        if self.type in ONE_TAP or len(key) != 1 or key not in "01234567"[: len(self.answers)]:
            return None
        if key in draft:  # a second tap takes an answer out; in an order, with those after it
            return draft.partition(key)[0] if self.type == ORDER else draft.replace(key, "")
        return draft + key

    def drafted(self, draft: str) -> Choice | None:
        """Return the answer that a draft has become, or None if it is not complete."""
        if self.type != NUMBER:
            return self.read(tuple(int(key) for key in draft))
        digits = draft.strip("-.")
        return self.read(Decimal(draft.rstrip("."))) if digits else None


def is_number(number: Decimal) -> bool:
    """Return whether a number is finite, not too large, and without too many decimals."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -MAX_DECIMALS <= exponent <= 12 and abs(number) <= MAX_NUMBER


def who_is_right(question: Question, choices: Mapping[int, Choice]) -> Collection[int]:
    """Return the players whose answers are right, given all answers.

    A number without a tolerance has the closest answers right, however far off they are; several if equally close.
    """
    if question.type != NUMBER or question.tolerance is not None:
        return {player for player, choice in choices.items() if question.judge(choice)}
    right = _known(question.number)
    distances = {player: abs(choice - right) for player, choice in choices.items() if isinstance(choice, Decimal)}
    least = min(distances.values(), default=None)
    return {player for player, distance in distances.items() if distance == least}


def _typed(draft: str, key: str) -> str | None:
    if key not in KEYS:
        return None
    if key == ERASE:
        return draft[:-1]
    if key == "-":
        return draft[1:] if draft.startswith("-") else f"-{draft}"
    new = draft + key
    whole, point, decimals = new.lstrip("-").partition(".")
    if new.count(".") > 1 or (point and not whole) or len(new) > MAX_TYPED or len(decimals) > MAX_DECIMALS:
        return None
    if len(whole) > 1 and whole[0] == "0":
        return None
    return new if is_number(Decimal(new.rstrip(".") or 0)) else None


def _known(number: Decimal | None) -> Decimal:
    if number is None:
        raise AssertionError("only a view holds back what a rule needs")
    return number
