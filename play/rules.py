"""Rules as people write them: the settings of a chat, over what the configuration says, become a kind's rules.

A setting has the name of its key in config.toml, and text for a value: ``{"join_seconds": "30"}``. The dialogs, the
stored settings of a chat and one-line commands all come through here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from fsm import prizes
from fsm.lobby import BadRule

AUTO, ANY, NONE = "auto", "any", "none"
YES, NO = "yes", "no"
BANK = "bank"
LONGEST = 100
"""Characters of a value that are worth reading."""
SEPARATOR = "|"
"""Between the categories of a list."""
LISTS = frozenset({"categories"})
"""Settings that may be longer."""
MOST_DIGITS = 20
_GROUPED = re.compile(r"(?<=\d)\s(?=\d{3}(\D|$))")
"""Between thousands, as buttons show them."""


R = TypeVar("R", bound=Any)
"""A kind's rules."""


class Unreadable(ValueError):
    """A value that is no number, or no list of numbers."""


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(_GROUPED.sub("", text.strip()).replace(",", "."))
    except InvalidOperation as error:
        raise Unreadable(text) from error
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:  # 1e999999999 would take all memory as an int
        raise Unreadable(text)
    return number


def _whole(text: str) -> int:
    number = _decimal(text)
    if number != number.to_integral_value():
        raise Unreadable(text)
    return int(number)


def _milliseconds(text: str) -> int:
    return int(_decimal(text) * 1000)


def _percentages(text: str) -> tuple[Decimal, ...]:
    parts = re.split(r"[\s;/%]+", text.strip(" %"))
    return tuple(_decimal(part) for part in parts)


def _written(number: Decimal) -> str:
    """Without the zeros that nobody wrote."""
    return format(number.normalize(), "f") if number else "0"


_READ: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "mode": lambda text: {"mode": text},
    "winners": lambda text: {"winners": _whole(text)},
    "prize_pool": lambda text: {"prize_pool": _decimal(text)},
    "split": lambda text: {"split": text, "percentages": ()},
    "percentages": lambda text: {"split": prizes.PERCENTAGES, "percentages": _percentages(text)},
    "absent": lambda text: {"absent": text},
    "min_players": lambda text: {"min_players": _whole(text)},
    "max_players": lambda text: {"max_players": _whole(text)},
    "lobby_seconds": lambda text: {"lobby_ms": _milliseconds(text)},
    "join_seconds": lambda text: {"join_ms": _milliseconds(text)},
    "selection_seconds": lambda text: {"selection_ms": _milliseconds(text)},
    "reveal_seconds": lambda text: {"reveal_ms": _milliseconds(text)},
    "range_multiplier": lambda text: {"range_multiplier": _decimal(text)},
    "max_number": lambda text: {"max_number": _whole(text)},
    "numbers": lambda text: {"numbers": None if text == AUTO else _whole(text)},
    "questions": lambda text: {"questions": _whole(text)},
    "question_seconds": lambda text: {"question_ms": _milliseconds(text)},
    "polls": lambda text: {"polls": text == YES},
    "difficulty": lambda text: {"difficulty": "" if text == ANY else text},
    "categories": lambda text: {"categories": () if text == ANY else tuple(text.split(SEPARATOR))},
    "pack": lambda text: {"pack": None if text == BANK else _whole(text)},
    "topic": lambda text: {"topic": "" if text == NONE else text},
}
_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "percentages": lambda parts: " ".join(_written(part) for part in parts),
    "polls": lambda polls: YES if polls else NO,
    "difficulty": lambda difficulty: difficulty or ANY,
    "categories": lambda names: SEPARATOR.join(names) or ANY,
    "pack": lambda pack: BANK if pack is None else str(pack),
    "topic": lambda topic: topic or NONE,
}
"""What has a way of its own to be written."""


def names_of(rules: Any) -> tuple[str, ...]:
    """What a host may set of a kind's rules, by name."""
    return tuple(name for name in _READ if hasattr(rules, _field(name)))


def _field(name: str) -> str:
    """The field of the rules that a setting is kept in."""
    return f"{name.removesuffix('_seconds')}_ms" if name.endswith("_seconds") else name


def with_setting(rules: R, name: str, text: str) -> R:
    """The rules with one setting changed. Raises ``Unreadable`` and ``BadRule``."""
    changed = _changed(rules, name, text)
    changed.check()
    return changed


def _changed(rules: R, name: str, text: str) -> R:
    if len(text) > LONGEST and name not in LISTS:
        raise Unreadable(text[:LONGEST])
    changed: R = replace(rules, **_READ[name](text))
    if name == "winners" and rules.split == prizes.PERCENTAGES and len(rules.percentages) != changed.winners:
        fitting: R = replace(changed, split=prizes.AUTO, percentages=())  # the old shares fit no more
        return fitting
    return changed


def setting(rules: Any, name: str) -> str:
    """A setting as text: what ``with_setting`` reads."""
    value = getattr(rules, _field(name))
    if name.endswith("_seconds"):
        return _written(Decimal(value) / 1000)
    if name in _WRITTEN:
        return _WRITTEN[name](value)
    if value is None:
        return AUTO
    return _written(value) if isinstance(value, Decimal) else str(value)


def change(settings: Mapping[str, str], defaults: R, name: str, text: str) -> dict[str, str]:
    """The settings with one changed. Raises ``Unreadable`` and ``BadRule``."""
    rules = with_setting(rules_for(settings, defaults), name, text)
    changed = {**settings, name: text}
    if name == "split" or rules.split != prizes.PERCENTAGES:
        changed.pop("percentages", None)
    if name == "percentages":
        changed.pop("split", None)
    return changed


def rules_for(settings: Mapping[str, str], defaults: R) -> R:
    """The rules that a chat's settings make of the defaults.

    A setting that does not fit any more (the operator has changed the defaults, an older version wrote it) is passed
    over: a game can always be opened. They are checked together, as one may need another.
    """
    wanted = {name: str(text) for name, text in settings.items() if name in names_of(defaults)}
    while wanted:
        rules, misfit = defaults, ""
        try:
            for name, text in wanted.items():
                misfit = name
                rules = _changed(rules, name, text)
            rules.check()
        except Unreadable:
            del wanted[misfit]
        except BadRule as error:
            if wanted.pop(error.rule, None) is None:
                return defaults
        else:
            return rules
    return defaults
