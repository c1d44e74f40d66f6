"""Whole numbers as people and forged buttons write them."""

from typing import Final

HIGHEST_ID: Final = 2**63 - 1
"""The largest id that PostgreSQL's bigint holds; Telegram's ids are smaller."""


def whole(text: str, highest: int, lowest: int = 0) -> int | None:
    """Return the number that a text of ASCII digits is; None if it is none, or out of range.

    Other digits (``int("３")`` is 3), signs, underscores and blanks are refused: what one reader takes for a number,
    another must not take for something else.
    """
    if not text.isascii() or not text.isdigit() or len(text) > len(str(highest)):
        return None
    number = int(text)
    return number if lowest <= number <= highest else None
