"""Rules as people write them: the settings of a chat, over what the configuration says, become a kind's rules.

A setting has the name of its key in config.toml, and text for a value: ``{"join_seconds": "30"}``. The dialogs, the
stored settings of a chat and one-line commands all come through here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from fsm import prizes
from fsm.lobby import BadRule
from fsm.pick_number import PickNumberRules

AUTO = "auto"
LONGEST = 60
"""Characters of a value that are worth reading."""
MOST_DIGITS = 20


class Unreadable(ValueError):
    """A value that is no number, or no list of numbers."""


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", "."))
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
}

PICK_NUMBER_SETTINGS = tuple(_READ)
"""What a host may set, by name."""


def with_setting(rules: PickNumberRules, name: str, text: str) -> PickNumberRules:
    """The rules with one setting changed. Raises ``Unreadable`` and ``BadRule``."""
    changed = _changed(rules, name, text)
    changed.check()
    return changed


def _changed(rules: PickNumberRules, name: str, text: str) -> PickNumberRules:
    if len(text) > LONGEST:
        raise Unreadable(text[:LONGEST])
    changed = replace(rules, **_READ[name](text))
    if name == "winners" and rules.split == prizes.PERCENTAGES and len(rules.percentages) != changed.winners:
        return replace(changed, split=prizes.AUTO, percentages=())  # the old shares fit no more
    return changed


def setting(rules: PickNumberRules, name: str) -> str:
    """A setting as text: what ``with_setting`` reads."""
    if name.endswith("_seconds"):
        return _written(Decimal(getattr(rules, f"{name.removesuffix('_seconds')}_ms")) / 1000)
    value = getattr(rules, name)
    if name == "percentages":
        return " ".join(_written(part) for part in value)
    if value is None:
        return AUTO
    return _written(value) if isinstance(value, Decimal) else str(value)


def change(settings: Mapping[str, str], defaults: PickNumberRules, name: str, text: str) -> dict[str, str]:
    """The settings with one changed. Raises ``Unreadable`` and ``BadRule``."""
    rules = with_setting(rules_for(settings, defaults), name, text)
    changed = {**settings, name: text}
    if name == "split" or rules.split != prizes.PERCENTAGES:
        changed.pop("percentages", None)
    if name == "percentages":
        changed.pop("split", None)
    return changed


def rules_for(settings: Mapping[str, str], defaults: PickNumberRules) -> PickNumberRules:
    """The rules that a chat's settings make of the defaults.

    A setting that does not fit any more (the operator has changed the defaults, an older version wrote it) is passed
    over: a game can always be opened. They are checked together, as one may need another.
    """
    wanted = {name: str(text) for name, text in settings.items() if name in _READ}
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
