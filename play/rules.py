"""Conversion of settings, which are text, to the rules of a kind, and back.

A setting has the name of its key in config.toml and a text as its value: ``{"join_seconds": "30"}``. The type of the
field in the kind's rules determines the parser. Dialogs, the stored settings of a chat, and one-line commands all use
this module.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

from fsm import prizes
from fsm.lobby import CHANNEL, BadRule
from play.numbers import Unreadable, amount, written
from play.prizes import Prize

AUTO, ANY, NONE = "auto", "any", "none"
YES, NO = "yes", "no"
BANK = "bank"
LONGEST = 100
"""Longest value that is parsed, in characters; lists of categories may be longer."""
SEPARATOR = "|"
"""Separator of the categories in a list."""


class UnreadableSetting(Unreadable):
    """A setting whose text cannot be read; its `args` are the name and the text."""


CONDITION = re.compile(
    r"\+(?:(?P<channel>@[A-Za-z]\w{3,31})|(?P<days>[0-9]{1,4})d|(?P<flag>boost|premium))", re.ASCII | re.IGNORECASE
)
"""A word of a one-line command that sets a condition to join."""

R = TypeVar("R", bound=Any)
"""The rules of a kind, a frozen dataclass with the method ``check``."""


def _whole(text: str, locale: str | None) -> int:
    number = amount(text, locale)
    if number != number.to_integral_value():
        raise Unreadable(text)
    return int(number)


def _milliseconds(text: str, locale: str | None) -> int:
    return int(amount(text, locale) * 1000)


def _percentages(text: str, locale: str | None) -> tuple[Decimal, ...]:
    parts = re.split(r"(?:[\s;/%]|,(?=\s))+", text.strip(" %"))
    return tuple(amount(part, locale, highest=100) for part in parts)


_SHARES: Mapping[str, Callable[[str, str | None], dict[str, Any]]] = {
    "prize_pool": lambda text, locale: _pool(amount(text, locale)),
    "split": lambda text, _: {"split": text, "percentages": ()},
    "percentages": lambda text, locale: {
        "split": prizes.PERCENTAGES,
        "percentages": _percentages(text, locale),
    },
    "amounts": lambda text, locale: _by_place(tuple(amount(part, locale) for part in text.split())),
    "prizes": lambda text, _: {**_pool(Decimal(0)), "prizes": tuple(text.split(SEPARATOR))},
}
"""Setting -> function from its text and locale to the fields of the rules that it changes; each changes several.

In the order in which they apply if they are given together: all rules of a game, given back as they were shown, are the
same rules.
"""
_LISTS = frozenset({"percentages", "amounts", "prizes"})
"""Settings of prizes that are lists. An empty one changes nothing else: it clears no pool."""
PRIZE = "prize"
"""Name of the prize in forms; it stands for the settings in ``PRIZE_SETTINGS``."""
PRIZE_SETTINGS = ("prize_pool", "currency", "amounts", "prizes")
"""The settings that ``give`` changes; a pool also has ``split`` and ``percentages``."""

_INSTEAD: Mapping[str, tuple[str, ...]] = {
    "prize_pool": ("amounts", "prizes"),
    "percentages": ("split",),
    "amounts": ("prize_pool", "prizes", "split", "percentages"),
    "prizes": ("prize_pool", "currency", "amounts", "split", "percentages"),
}
"""Setting of a prize -> the settings that it replaces."""


def _channel(text: str, empty: str | None) -> str:
    """Return a channel as ``@name`` or id, from either, from the name alone or from a link; empty for none."""
    name = re.sub(r"^(https?://)?(t\.me/|@)?", "", text.strip())
    if name in {empty, "", "-"}:
        return ""
    channel = name if name.startswith("-") else f"@{name}"
    if not CHANNEL.fullmatch(channel):
        raise Unreadable(text)
    return channel


def with_words(rules: R, words: Sequence[str]) -> tuple[R, list[str]]:
    """Return the rules with the conditions that words of a command set, and the other words.

    The conditions are ``+@channel``, ``+7d`` (known for seven days), ``+boost`` and ``+premium``.
    """
    given: dict[str, str] = {}
    others = []
    for word in words:
        found = CONDITION.fullmatch(word)
        if found is None:
            others.append(word)
        elif found["days"]:
            given["known_days"] = found["days"]
        else:
            given |= (
                {"channel": found["channel"]}
                if found["channel"]
                else {found["flag"].lower().replace("boost", "booster"): YES}
            )
    return (with_settings(rules, given) if given else rules), others


def _pool(pool: Decimal) -> dict[str, Any]:
    return {"prize_pool": pool, "amounts": (), "prizes": (), **({} if pool else {"currency": ""})}


def _by_place(amounts: tuple[Decimal, ...]) -> dict[str, Any]:
    pool = sum(amounts, Decimal(0))
    return {**_pool(pool), "amounts": amounts, "split": prizes.AUTO, "percentages": ()}


@dataclass(frozen=True, slots=True)
class _Setting:
    """The parser and formatter of one setting, chosen by the type of its field in the rules."""

    field: str
    type: Any
    empty: str | None
    """The word that stands for the empty value; None if the setting has none."""

    def read(self, text: str, locale: str | None) -> Any:
        """Return the value that a text stands for. Raises ``Unreadable`` and ``Ambiguous``."""
        if self.field == "channel":
            return _channel(text, self.empty)
        if text == self.empty:
            return () if self.type == tuple[str, ...] else "" if self.type is str else None
        if self.field.endswith("_ms"):
            return _milliseconds(text, locale)
        if self.type == tuple[str, ...]:
            return tuple(text.split(SEPARATOR))
        if self.type is bool:
            return text == YES
        if self.type is Decimal:
            return amount(text, locale)
        return text if self.type is str else _whole(text, locale)

    def write(self, value: Any) -> str:
        """Return the text that `read` turns back into the value."""
        if self.empty is not None and value in {None, "", ()}:
            return self.empty
        if self.field.endswith("_ms"):
            return written(Decimal(value) / 1000)
        if isinstance(value, bool):
            return YES if value else NO
        if isinstance(value, tuple):
            parts = [written(part) if isinstance(part, Decimal) else part for part in value]
            return (SEPARATOR if self.type == tuple[str, ...] else " ").join(parts)
        return written(value) if isinstance(value, Decimal) else str(value)


@cache
def _settings(rules: Hashable) -> Mapping[str, _Setting]:
    """Return the settings of a class of rules, by name. A field in milliseconds is a setting in seconds."""
    types, declared = get_type_hints(rules), fields(cast("type[Any]", rules))
    return {
        re.sub("_ms$", "_seconds", each.name): _Setting(each.name, types[each.name], each.metadata.get("empty"))
        for each in declared
        if not each.metadata.get("hidden")
    }


def _settings_of(rules: Any) -> Mapping[str, _Setting]:
    kind: Any = type(rules)
    return _settings(kind)


def names_of(rules: Any) -> tuple[str, ...]:
    """Return the names of the settings that hosts may change in these rules."""
    return tuple(_settings_of(rules))


def with_setting(rules: R, name: str, text: str, locale: str | None = None) -> R:
    """Return the rules with one setting changed. Raises ``Unreadable``, ``Ambiguous`` and ``BadRule``.

    ``locale`` is the language of the person who typed the value; None if ``setting`` produced it.
    """
    changed = _changed(rules, name, text, locale)
    changed.check()
    return changed


def with_settings(rules: R, given: Mapping[str, str]) -> R:
    """Return the rules with some settings changed, which are checked together, because one may need another.

    Raises ``UnreadableSetting`` and ``BadRule``.
    """
    for name in _in_order(given):
        rules = _readable(rules, name, given[name])
    rules.check()
    return rules


def _in_order(names: Iterable[str]) -> list[str]:
    """Return names of settings in the order in which they apply if a person changes them together.

    The currency is after the prizes, because a prize pool of zero has none. The number of winners is last: it repeats
    a single prize in words for each winner.
    """
    order = [*_SHARES, "currency"]
    return sorted(names, key=lambda name: (name == "winners", order.index(name) if name in order else -1, name))


def _as_stored(names: Iterable[str]) -> list[str]:
    """Return names of settings in the order in which a chat's stored ones apply.

    The number of winners is first: it adjusts the prizes of the defaults, and the stored ones are adjusted already.
    PostgreSQL does not keep the order in which they were stored.
    """
    return sorted(_in_order(names), key=lambda name: name != "winners")


def _readable(rules: R, name: str, text: str) -> R:
    """Return the rules with one setting changed and unchecked. Raises ``UnreadableSetting``."""
    try:
        return _changed(rules, name, text)
    except Unreadable:
        raise UnreadableSetting(name, text) from None


def _changed(rules: R, name: str, text: str, locale: str | None = None) -> R:
    known = _settings_of(rules)[name]
    if len(text) > LONGEST and known.type != tuple[str, ...]:
        raise Unreadable(text[:LONGEST])
    with_others = name in _SHARES and all(hasattr(rules, field) for field in ("prizes", "split"))
    if with_others and name in _LISTS and not text:
        return replace(rules, **{name: ()})
    read = _SHARES[name](text, locale) if with_others else {known.field: known.read(text, locale)}
    changed: R = replace(rules, **read)
    if name == "winners" and hasattr(rules, "prizes"):
        return replace(changed, **_for_winners(rules, changed.winners))
    return changed


def _for_winners(rules: Any, winners: int) -> dict[str, Any]:
    """Return the fields of the prizes that have to change with the number of winners."""
    if rules.split == prizes.PERCENTAGES and len(rules.percentages) != winners:
        return {"split": prizes.AUTO, "percentages": ()}  # there must be as many shares as winners
    if rules.prizes and rules.prizes == rules.prizes[:1] * rules.winners:
        return {"prizes": rules.prizes[:1] * max(winners, 0)}  # a prize that every winner gets
    amounts = rules.amounts[: max(winners, 0)]
    pool = {"prize_pool": sum(amounts, Decimal(0))} if amounts else {}
    return {"prizes": rules.prizes[: max(winners, 0)], "amounts": amounts, **pool}


def setting(rules: Any, name: str) -> str:
    """Return a setting as the text that ``with_setting`` accepts."""
    known = _settings_of(rules)[name]
    return known.write(getattr(rules, known.field))


def change(settings: Mapping[str, str], defaults: R, name: str, text: str, locale: str | None = None) -> dict[str, str]:
    """Return the settings with one changed. Raises ``Unreadable``, ``Ambiguous`` and ``BadRule``.

    A typed value is stored in the program's own notation, so that it means the same in every language.
    """
    rules = with_setting(rules_for(settings, defaults), name, text, locale)
    return _stored(settings, rules, name)


def change_together(settings: Mapping[str, str], defaults: R, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the settings with some changed, which are checked together; None restores the default.

    Raises ``UnreadableSetting`` and ``BadRule``.
    """
    changed = {name: text for name, text in settings.items() if given.get(name, "") is not None}
    rules = rules_for(changed, defaults)
    for name in _in_order(given):
        if (text := given[name]) is not None:
            rules = _readable(rules, name, text)
            changed = _stored(changed, rules, name)
    rules.check()
    return changed


def _stored(settings: Mapping[str, str], rules: Any, name: str) -> dict[str, str]:
    """Return the settings to store after one of the rules has changed."""
    value = getattr(rules, _settings_of(rules)[name].field)
    # Keep the zeros of "12.50": a prize is split to as many decimals as its host has typed.
    changed = {**settings, name: format(value, "f") if isinstance(value, Decimal) else setting(rules, name)}
    if name == "split" or getattr(rules, "split", None) != prizes.PERCENTAGES:
        changed.pop("percentages", None)
    if value or name not in _LISTS:
        for other in _INSTEAD.get(name, ()):
            changed.pop(other, None)
    if name == "winners":
        changed |= {each: setting(rules, each) for each in ("amounts", "prizes") if each in settings}
    return changed


def give(settings: Mapping[str, str], defaults: R, prize: Prize) -> dict[str, str]:
    """Return the settings with another prize. Raises ``BadRule``.

    A prize in words that is given once is for every winner; a list sets the number of winners.
    """
    rules = rules_for(settings, defaults)
    places = max(len(prize.amounts), len(prize.texts))
    winners = places if places > 1 else rules.winners
    wanted = {name: text for name, text in settings.items() if name not in PRIZE_SETTINGS}
    if winners != rules.winners:
        wanted["winners"] = str(winners)
    if prize.texts:
        wanted["prizes"] = SEPARATOR.join(prize.texts if places > 1 else prize.texts * winners)
    elif prize.amounts:
        wanted["amounts"] = " ".join(format(each, "f") for each in prize.amounts)
    else:
        wanted["prize_pool"] = format(prize.amount, "f")
    if prize.currency:
        wanted["currency"] = prize.currency
    if prize.texts or prize.amounts or winners != rules.winners:
        wanted.pop("split", None)
        wanted.pop("percentages", None)
    given = defaults
    for name in _as_stored(wanted.keys() & set(names_of(defaults))):
        given = _changed(given, name, wanted[name])
    given.check()
    return wanted


def prize_of(rules: Any) -> Prize:
    """Return the prize of these rules."""
    alone = rules.prizes and rules.prizes == rules.prizes[:1] * rules.winners
    return Prize(rules.prize_pool, rules.currency, rules.amounts, rules.prizes[:1] if alone else rules.prizes)


def rules_for(settings: Mapping[str, str], defaults: R) -> R:
    """Return the default rules with the chat's settings applied.

    A setting that is no longer valid (the operator has changed the defaults, or an older version wrote it) is ignored,
    so that a game can always be opened. All are checked together, because one may be valid only with another.
    """
    wanted = {name: str(text) for name, text in settings.items() if name in names_of(defaults)}
    while wanted:
        rules, misfit = defaults, ""
        try:
            for name in _as_stored(wanted):
                misfit = name
                rules = _changed(rules, name, wanted[name])
            rules.check()
        except Unreadable:
            del wanted[misfit]
        except BadRule as error:
            if wanted.pop(error.rule, None) is None:
                return defaults
        else:
            return rules
    return defaults
