"""Prizes as people write them: money, words, or a list by place; queried if ambiguous, never misread."""

from decimal import Decimal
from typing import Any

import pytest

from fsm.lobby import BadRule
from fsm.pick_number import PickNumberRules
from fsm.quiz import QuizRules
from play.numbers import Ambiguous, Unreadable
from play.prizes import Prize, money, read
from play.rules import change, give, prize_of, rules_for
from play.texts import Texts

TEXTS = Texts()
ASKED, REFUSED = "asked back", "refused"


def typed(text: str, locale: str) -> Prize | str:
    try:
        return read(TEXTS, locale, text)
    except Ambiguous:
        return ASKED
    except Unreadable:
        return REFUSED


def pool(number: str, currency: str = "") -> Prize:
    return Prize(Decimal(number), currency)


def words(*texts: str) -> Prize:
    return Prize(texts=texts)


def by_place(currency: str, *numbers: int) -> Prize:
    return Prize(Decimal(sum(numbers)), currency, tuple(map(Decimal, numbers)))


@pytest.mark.parametrize(
    ("text", "in_english", "in_russian"),
    [
        ("100 euro", pool("100", "EUR"), pool("100", "EUR")),
        ("100 Euros", pool("100", "EUR"), pool("100", "EUR")),
        ("€100", pool("100", "EUR"), pool("100", "EUR")),
        ("100€", pool("100", "EUR"), pool("100", "EUR")),
        ("100 EUR", pool("100", "EUR"), pool("100", "EUR")),
        ("EUR 12.50", pool("12.50", "EUR"), pool("12.50", "EUR")),
        ("1,5 €", pool("1.5", "EUR"), pool("1.5", "EUR")),
        ("$5", pool("5", "$"), pool("5", "$")),
        ("5 долларов", pool("5", "$"), pool("5", "$")),
        ("5 USD", pool("5", "USD"), pool("5", "USD")),
        ("500 руб.", pool("500", "RUB"), pool("500", "RUB")),
        ("500р", pool("500", "RUB"), pool("500", "RUB")),
        ("1 000 ₽", pool("1000", "RUB"), pool("1000", "RUB")),
        ("1,000", pool("1000"), ASKED),
        ("1.000", ASKED, ASKED),
        ("1 000", pool("1000"), pool("1000")),
        ("1\xa0000", pool("1000"), pool("1000")),
        ("1,5", pool("1.5"), pool("1.5")),
        ("1,000 euro", pool("1000", "EUR"), ASKED),
        ("€1.000", ASKED, ASKED),
        ("1.000,50 €", pool("1000.50", "EUR"), pool("1000.50", "EUR")),
        ("0", Prize(), Prize()),
        ("0 €", Prize(), Prize()),
        ("-", Prize(), Prize()),
        ("Нет", Prize(), Prize()),
        ("no prize", Prize(), Prize()),
        ("sin premio.", Prize(), Prize()),
        ("7.5 eur", pool("7.5", "EUR"), pool("7.5", "EUR")),
        ("100 usd; 50 Usd", by_place("USD", 100, 50), by_place("USD", 100, 50)),
        ("1.2.3", REFUSED, REFUSED),
        ("-5", REFUSED, REFUSED),
        ("1 2", REFUSED, REFUSED),
        ("1, 5", REFUSED, REFUSED),
        ("1/2 euro", REFUSED, REFUSED),
        ("cinema ticket", words("cinema ticket"), words("cinema ticket")),
        ("2 cinema tickets", words("2 cinema tickets"), words("2 cinema tickets")),
        ("iPhone 15", words("iPhone 15"), words("iPhone 15")),
        ("50% discount", words("50% discount"), words("50% discount")),
        ("100 all", words("100 all"), words("100 all")),
        ("1k euro", words("1k euro"), words("1k euro")),
        ("-5 euro", words("-5 euro"), words("-5 euro")),
        ("100 €; 50 €; 25 €", by_place("EUR", 100, 50, 25), by_place("EUR", 100, 50, 25)),
        ("100/50/25 euro", by_place("EUR", 100, 50, 25), by_place("EUR", 100, 50, 25)),
        ("100, 50, 25 €", by_place("EUR", 100, 50, 25), by_place("EUR", 100, 50, 25)),
        ("1. 100 €\n2. 50 €", by_place("EUR", 100, 50), by_place("EUR", 100, 50)),
        ("🥇 100 €\n🥈 book", words("100 €", "book"), words("100 €", "book")),
        ("100 €; $50", words("100 €", "$50"), words("100 €", "$50")),
        ("bike\nbook\nmug", words("bike", "book", "mug"), words("bike", "book", "mug")),
        ("\u200e100\u200e €", pool("100", "EUR"), pool("100", "EUR")),
        ("\ufeff100 €; \u200b50 €", by_place("EUR", 100, 50), by_place("EUR", 100, 50)),
        ("\u200b", Prize(), Prize()),
        ("pizza | cola", words("pizza / cola"), words("pizza / cola")),
    ],
)
def test_a_prize_is_read_by_the_language_asked_back_or_refused(
    text: str, in_english: Prize | str, in_russian: Prize | str
) -> None:
    assert typed(text, "en") == in_english
    assert typed(text, "ru") == in_russian


@pytest.mark.parametrize("text", ["a;" * 11, "x" * 101])
def test_a_list_too_long_and_too_many_words_are_refused(text: str) -> None:
    with pytest.raises(BadRule):
        read(TEXTS, "en", text)


@pytest.mark.parametrize(
    ("number", "currency", "in_english", "in_russian"),
    [
        ("100", "EUR", "€100", "100 €"),
        ("1234.5", "EUR", "€1,234.50", "1 234,50 €"),
        ("5", "$", "$5", "5 $"),
        ("5", "USD", "US$5", "5 US$"),
        ("500", "RUB", "₽500", "500 ₽"),
        ("7", "CHF", "CHF 7", "7 CHF"),
        ("7", "", "7", "7"),
    ],
)
def test_money_is_shown_as_the_language_writes_it(number: str, currency: str, in_english: str, in_russian: str) -> None:
    shown = [money(TEXTS, locale, Decimal(number), currency).replace("\xa0", " ") for locale in ("en", "ru")]
    assert shown == [in_english, in_russian]


@pytest.mark.parametrize("defaults", [PickNumberRules(prize_pool=Decimal(50)), QuizRules(winners=1)])
def test_a_prize_goes_through_the_settings_and_back(defaults: Any) -> None:
    settings: dict[str, str] = {}
    for prize in (
        pool("12.50", "EUR"),
        words("bike", "book", "mug"),
        pool("7"),
        by_place("RUB", 300, 200, 100),
        words("ticket"),
        Prize(),
    ):
        settings = give(settings, defaults, prize)
        rules = rules_for(settings, defaults)
        rules.check()
        assert prize_of(rules) == prize
    assert rules_for(settings, defaults).winners == 3, "the list has set it"


def test_with_the_number_of_winners_the_prizes_change() -> None:
    defaults = PickNumberRules()
    each = change(give({}, defaults, words("ticket")), defaults, "winners", "4")
    assert rules_for(each, defaults).prizes == ("ticket",) * 4
    fewer = change(give({}, defaults, by_place("EUR", 30, 20, 10)), defaults, "winners", "2")
    assert rules_for(fewer, defaults).amounts == (Decimal(30), Decimal(20))
    assert rules_for(fewer, defaults).prize_pool == Decimal(50)
    more = change(give({}, defaults, words("bike", "book")), defaults, "winners", "3")
    assert rules_for(more, defaults).prizes == ("bike", "book"), "the third place wins nothing"


def test_one_prize_setting_replaces_the_others_in_any_order() -> None:
    defaults = PickNumberRules(winners=2)
    settings: dict[str, str] = {}
    for name, text in (("prizes", "bike|book"), ("prize_pool", "10"), ("amounts", "30 20"), ("prizes", "car|mug")):
        settings = change(settings, defaults, name, text)
        assert settings == {name: text}
    assert rules_for(settings, defaults).prizes == ("car", "mug")
