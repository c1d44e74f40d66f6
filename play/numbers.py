"""Parsing of numbers that people type, and of numbers in callback data, which may be forged."""

import re
import unicodedata
from decimal import Decimal
from functools import cache
from typing import Final

from babel.numbers import get_decimal_symbol, get_group_symbol

HIGHEST_ID: Final = 2**63 - 1
"""Largest id that PostgreSQL's bigint holds. Telegram's ids are smaller."""


def whole(text: str, highest: int, lowest: int = 0) -> int | None:
    """Return the number that a text of ASCII digits stands for; None if it is not one, or is out of range.

    Other digits (``int("３")`` is 3), signs, underscores and blanks are refused, so that all parts of the program read
    a text as the same number or as none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len(str(highest)):
        return None
    number = int(text)
    return number if lowest <= number <= highest else None


MOST_DIGITS: Final = 20
JOINERS: Final = "\u200c\u200d"
"""Invisible characters that are parts of Persian words and of emoji."""
_GROUPED = re.compile(r"(\d{1,3}(?:[ '’]\d{3})+)(?:[.,](\d+))?")
"""Thousands grouped by blanks or apostrophes, which are unambiguous in every language."""
_SEVERAL = re.compile(r"\d{1,3}(?:(?:,\d{3}){2,}|(?:\.\d{3}){2,})")
"""At least two groups of thousands by one sign, which is therefore no decimal sign."""
_BOTH = re.compile(r"(\d{1,3}(?:,\d{3})+)\.(\d+)|(\d{1,3}(?:\.\d{3})+),(\d+)")
"""Thousands grouped by one sign, decimals after the other."""
_ONE = re.compile(r"(\d*)([.,])(\d+)")


class Unreadable(ValueError):
    """A text that is neither a number nor a list of numbers."""


class Ambiguous(Unreadable):
    """A text that is one number to some people and another number to others.

    Attributes:
        readings: the two numbers.
    """

    def __init__(self, text: str, *readings: Decimal) -> None:
        super().__init__(text)
        self.readings = readings


def amount(text: str, locale: str | None = None, *, highest: int | None = None) -> Decimal:
    """Return the number that a text means in a language.

    A comma or a point before exactly three digits groups thousands in one country and begins decimals in the next. It
    groups thousands if the language groups them by that sign; otherwise the text is ambiguous.

    Args:
        text: the number, as a person has typed it.
        locale: the language; None for a number that this program wrote, in which a point begins the decimals.
        highest: the largest number that makes sense; a reading above it is discarded.

    Raises:
        Unreadable: the text is not a number, or has more than ``MOST_DIGITS`` digits.
        Ambiguous: the text can be read as two numbers.
    """
    body = _ascii(without_format(text).strip())
    sign, body = (-1, body[1:]) if body[:1] in {"-", "−"} else (1, body)
    if not 0 < sum(char.isdecimal() for char in body) <= MOST_DIGITS:
        raise Unreadable(text)
    number = _unsigned(text, body, locale, highest)
    return sign * number if number else number  # Decimal has a negative zero, which would be shown as "-0"


def without_format(text: str) -> str:
    """Return the text without direction marks and other invisible characters, which come along with copied text."""
    return "".join(char for char in text if unicodedata.category(char) != "Cf" or char in JOINERS)


def _ascii(text: str) -> str:
    """Return the text with ASCII digits and blanks in place of those of other scripts; empty if it mixes scripts."""
    digits = {ord(char) - unicodedata.decimal(char) for char in text if char.isdecimal()}
    if len(digits) > 1:
        return ""  # no language writes one number in digits of two scripts
    return "".join(
        str(unicodedata.decimal(char)) if char.isdecimal() else " " if unicodedata.category(char) == "Zs" else char
        for char in text
    )


def _unsigned(text: str, body: str, locale: str | None, highest: int | None) -> Decimal:
    if body.isdecimal():
        return Decimal(body)
    if found := _GROUPED.fullmatch(body):
        return _with_decimals(text, re.sub(r"\D", "", found[1]), found[2] or "")
    if _SEVERAL.fullmatch(body):
        return Decimal(re.sub(r"\D", "", body))
    if found := _BOTH.fullmatch(body):
        return Decimal(re.sub(r"\D", "", found[1] or found[3]) + "." + (found[2] or found[4]))
    found = _ONE.fullmatch(body)
    if found is None:
        raise Unreadable(text)
    whole_part, sign, part = found.groups()
    fraction, grouped = Decimal(f"{whole_part or 0}.{part}"), Decimal(whole_part + part)
    if len(part) != 3 or not 0 < len(whole_part) <= 3 or whole_part[0] == "0":
        return fraction
    if locale is None and sign == ".":
        return fraction
    if highest is not None and grouped > highest:
        return fraction
    if locale is not None and sign == symbols(locale)[1]:
        return grouped
    raise Ambiguous(text, fraction, grouped)


def _with_decimals(text: str, whole_part: str, part: str) -> Decimal:
    if len(part) == 3:
        raise Ambiguous(text, Decimal(f"{whole_part}.{part}"), Decimal(whole_part + part))
    return Decimal(f"{whole_part}.{part}" if part else whole_part)


@cache
def symbols(locale: str) -> tuple[str, str]:
    """Return the decimal sign and the grouping sign of a language."""
    return get_decimal_symbol(locale), get_group_symbol(locale)


def written(number: Decimal, locale: str | None = None) -> str:
    """Return a number in digits, without trailing zeros and without grouping of thousands."""
    text = format(number.normalize(), "f") if number else "0"
    return text if locale is None else text.replace(".", symbols(locale)[0])
