"""Prizes as people write them, and as texts show them: an amount with a currency, words, or a list by place.

The words for currencies are in the locales (``currency-words``); the words of all languages are understood in each. A
text that is no amount of money for certain is a prize in words, which nobody can misread.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from html import escape

from babel import Locale
from babel.numbers import get_currency_symbol, list_currencies

from fsm import prizes
from fsm.lobby import BadRule
from play.numbers import Unreadable, amount, without_format, written
from play.texts import Markup, Texts, tidy

NOTHING = frozenset({"", "-", "–", "—", "0"})
_LIST = re.compile(r"\s*[;\n]\s*")
_NUMBERS = re.compile(r"\s*/\s*|,\s+")
"""Separators of amounts on one line. A comma without a blank may begin decimals."""
_MARK = re.compile(r"^(?:\d{1,2}[.)]\s+|[🥇🥈🥉]\s*)")
"""Place that people write before a prize in a list: ``1. ``, ``2) ``, or a medal."""
_MONEY = re.compile(r"(?P<before>[^\d\s.,'’+−-]*)\s*(?P<number>\d(?:[\d\s.,'’]*\d)?)\s*(?P<after>\D*)")
_ONLY_NUMBER = re.compile(r"[\d\s.,'’+−-]+")


@dataclass(frozen=True, slots=True)
class Prize:
    """A prize as a host gives it. At most one of ``amount``, ``amounts`` and ``texts`` is not empty.

    Attributes:
        amount: the pool that the winners share.
        currency: the currency of the amounts; empty for none.
        amounts: the amount of each place.
        texts: the prize of each place in words; a single one is the prize of every winner.
    """

    amount: Decimal = Decimal(0)
    currency: str = ""
    amounts: tuple[Decimal, ...] = ()
    texts: tuple[str, ...] = ()


# -- reading ----------------------------------------------------------------------------------------------------


def read(texts: Texts, locale: str, text: str) -> Prize:
    """Return the prize that a person has typed.

    Raises:
        Unreadable: the text is a number that cannot be read, or several without a currency that make no list.
        Ambiguous: an amount can be read as two numbers.
        BadRule: there are more places than a game can have winners, or a prize is too long.
    """
    text = without_format(text).strip()
    if text in NOTHING or text.rstrip(".!").casefold() in _no_prize(texts):
        return Prize()
    lines = [_MARK.sub("", line.strip()).strip() for line in _LIST.split(text) if line.strip()]
    if len(lines) == 1:
        return _alone(texts, locale, lines[0])
    return _amounts(texts, locale, lines) or _in_words(lines)


def _alone(texts: Texts, locale: str, line: str) -> Prize:
    numbers = _NUMBERS.split(line)
    if len(numbers) > 1 and (by_place := _amounts(texts, locale, numbers)):
        # "1, 5" and "1/2" may be one number: a list has a currency or three places, and its amounts do not rise.
        falling = list(by_place.amounts) == sorted(by_place.amounts, reverse=True)
        if falling and (by_place.currency or len(numbers) > 2):
            return by_place
        raise Unreadable(line)
    found = _money(texts, locale, line)
    if found is not None:
        return Prize(*found) if found[0] else Prize()
    if _ONLY_NUMBER.fullmatch(line):
        raise Unreadable(line)
    return _in_words([line])


def _amounts(texts: Texts, locale: str, parts: Sequence[str]) -> Prize | None:
    """Return a list by place if all parts are amounts of one currency. It may be written once, with the last amount."""
    if len(parts) > prizes.MAX_WINNERS:
        return None
    found = [_money(texts, locale, part) for part in parts]
    known = [each for each in found if each is not None and each[0] > 0]
    currencies = {currency for _, currency in known if currency}
    if len(known) < len(parts) or len(currencies) > 1:
        return None
    amounts = tuple(number for number, _ in known)
    return Prize(sum(amounts, Decimal(0)), next(iter(currencies), ""), amounts)


def _in_words(lines: Sequence[str]) -> Prize:
    if len(lines) > prizes.MAX_WINNERS:
        raise BadRule(rule="prizes", given=str(len(lines)), low="1", high=str(prizes.MAX_WINNERS))
    words = tuple(tidy(line.replace("|", "/")) for line in lines)
    longest = max(words, key=len)
    if len(longest) > prizes.MAX_TEXT:
        raise BadRule(rule="prize", given=longest[:20], low="1", high=str(prizes.MAX_TEXT))
    return Prize(texts=words)


def _money(texts: Texts, locale: str, text: str) -> tuple[Decimal, str] | None:
    """Return the number and currency of an amount; None if the text is none. Raises ``Unreadable``, ``Ambiguous``."""
    found = _MONEY.fullmatch(text)
    if found is None:
        return None
    unit = (found["before"] or found["after"]).strip().rstrip(".")
    currency = _currency(texts, unit)
    if currency is None or (found["before"] and found["after"].strip()):
        return None
    return amount(found["number"], locale), currency


def _currency(texts: Texts, unit: str) -> str | None:
    """Return the code of the currency that a word or sign stands for; an empty one for no word; None if it is none."""
    if not unit or unit in list_currencies():
        return unit
    return _words(texts).get(unit.casefold())


@lru_cache(maxsize=8)
def _words(texts: Texts) -> Mapping[str, str]:
    """Return the words for currencies in all languages, with their codes."""
    found: dict[str, str] = {}
    for locale in texts.LOCALES:
        for code, words in _listed(texts, locale).items():
            found |= {word.casefold(): code for word in (code, *words)}
    return found


@lru_cache(maxsize=8)
def _no_prize(texts: Texts) -> frozenset[str]:
    """Return the words of all languages that mean that there is no prize."""
    told = (str(texts.html(locale, "prize-none-words")) for locale in texts.LOCALES)
    return frozenset(word.strip().casefold() for words in told for word in words.split(","))


@lru_cache(maxsize=32)
def _listed(texts: Texts, locale: str) -> Mapping[str, tuple[str, ...]]:
    pairs = [line.split(":", 1) for line in str(texts.html(locale, "currency-words")).split(";") if ":" in line]
    return {code.strip(): tuple(word.strip() for word in words.split(",")) for code, words in pairs}


# -- showing ----------------------------------------------------------------------------------------------------


def money(texts: Texts, locale: str, number: Decimal, currency: str) -> Markup:
    """Return an amount with its currency for a message."""
    return Markup(escape(_money_plain(texts, locale, number, currency), quote=False))


def _money_plain(texts: Texts, locale: str, number: Decimal, currency: str) -> str:
    """Return an amount with its currency as the language writes it, with all its digits."""
    shown = texts.number(locale, number)
    if not currency:
        return shown
    pattern = Locale.parse(locale).currency_formats["standard"].pattern.split(";")[0]
    symbol = _symbol(texts, locale, currency)
    gap = "\xa0" if symbol[-1].isalpha() and pattern.startswith("¤") and "\xa0" not in pattern else ""
    return re.sub(r"[#0,.]+", lambda _: shown, pattern).replace("¤", symbol + gap)


def _symbol(texts: Texts, locale: str, currency: str) -> str:
    """Return the sign of a currency: the first of its words if that is no word, else the language's own."""
    first = _listed(texts, locale).get(currency, ("",))[0]
    return first if first and not first.isalpha() else get_currency_symbol(currency, locale)


def plain(texts: Texts, locale: str, prize: Prize) -> str:
    """Return a prize in the form in which a person could type it."""
    if prize.texts:
        return "; ".join(prize.texts)
    if prize.amounts:
        return "; ".join(f"{written(each, locale)} {prize.currency}".strip() for each in prize.amounts)
    return _money_plain(texts, locale, prize.amount, prize.currency) if prize.amount else ""
