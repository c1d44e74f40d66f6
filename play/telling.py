"""The settings of a chat for the messages beside a game's board: their number, the pin, the picture, the season's end.

They are keys of the chat's own settings, like ``play.access.OPENERS``. Each has few values, so a tap chooses the next.
"""

from collections.abc import Mapping
from typing import Any, Final

QUIET, NORMAL, LIVELY = "quiet", "normal", "lively"
YES, NO = "yes", "no"

MESSAGES: Final = "messages"
"""``quiet``: edits only, beside the two receipts of a draw, which come without a sound. ``normal``: the start, a
reminder, the result, a cancellation. ``lively``: also the last call and the beginning of a draw, with a sound."""
PIN: Final = "pin"
"""``yes``: the board is pinned, without a sound, while its game lives."""
PICTURE: Final = "picture"
"""``yes``: the result has a picture, if the server can draw one."""

SEASON: Final = "season"
"""The length of a season: a calendar quarter, or a month; ``no``: seasons end without a podium."""
SEASON_QUARTER, SEASON_MONTH = "quarter", "month"

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    MESSAGES: (NORMAL, LIVELY, QUIET),
    PIN: (NO, YES),
    PICTURE: (NO, YES),
    SEASON: (SEASON_QUARTER, SEASON_MONTH, NO),
}
"""Setting -> its values; the first is the default."""


def told(settings: Mapping[str, Any], name: str) -> str:
    """Return the value of a setting; the default if the chat has none, or one that is unknown."""
    value = settings.get(name)
    return value if isinstance(value, str) and value in CHOICES[name] else CHOICES[name][0]


def following(settings: Mapping[str, Any], name: str) -> str:
    """Return the value after the current one; after the last comes the first."""
    values = CHOICES[name]
    return values[(values.index(told(settings, name)) + 1) % len(values)]
