"""Numbers as people write them: read by the language's rules, queried if ambiguous, or refused; never misread."""

import unicodedata
from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from fsm.kind import ChatTopic
from fsm.pick_number import PickNumberGame, PickNumberRules
from fsm.quiz import QuizRules
from handlers.kinds.quiz.commands import with_line
from play.numbers import Ambiguous, Unreadable, amount, written
from play.rules import change, rules_for, setting
from play.texts import Texts
from tests.handlers.room import GROUP, HOST, Room, as_shown, plain, text
from tests.handlers.test_dialogs import answer_it, open_form, press, window

LOCALES = (*Texts().LOCALES, "de", "es", "fr", "pt_BR", "uk", "de_CH")
ASKED = "asked back"
REFUSED = "refused"


@pytest.mark.parametrize(
    ("written_as", "in_english", "in_russian"),
    [
        ("1,000", "1000", ASKED),
        ("10,000", "10000", ASKED),
        ("1.000", ASKED, ASKED),
        ("1 000", "1000", "1000"),
        ("1\xa0000", "1000", "1000"),
        ("1\u202f000", "1000", "1000"),
        ("1'000", "1000", "1000"),
        ("1,000,000", "1000000", "1000000"),
        ("1.000.000", "1000000", "1000000"),
        ("1,000.50", "1000.5", "1000.5"),
        ("1.000,50", "1000.5", "1000.5"),
        ("1 000,50", "1000.5", "1000.5"),
        ("1 000,500", ASKED, ASKED),
        ("1,5", "1.5", "1.5"),
        ("1.5", "1.5", "1.5"),
        ("0,500", "0.5", "0.5"),
        ("0.125", "0.125", "0.125"),
        ("1,0000", "1", "1"),
        ("１２", "12", "12"),
        ("٣", "3", "3"),
        ("\u200e12\u200b", "12", "12"),
        ("٣1", REFUSED, REFUSED),
        ("-1", "-1", "-1"),
        ("−1", "-1", "-1"),
        ("-0", "0", "0"),
        ("007", "7", "7"),
        ("1_000", REFUSED, REFUSED),
        ("100 euro", REFUSED, REFUSED),
        ("€100", REFUSED, REFUSED),
        ("100 %", REFUSED, REFUSED),
        ("1e3", REFUSED, REFUSED),
        ("+5", REFUSED, REFUSED),
        ("1 2", REFUSED, REFUSED),
        ("1 0000", REFUSED, REFUSED),
        ("12,34,567", REFUSED, REFUSED),
        ("1,00,000", REFUSED, REFUSED),
        ("1,000,00", REFUSED, REFUSED),
        ("1.2.3", REFUSED, REFUSED),
        ("1:30", REFUSED, REFUSED),
        ("5.", REFUSED, REFUSED),
        ("½", REFUSED, REFUSED),
        ("²", REFUSED, REFUSED),
        ("", REFUSED, REFUSED),
        ("-", REFUSED, REFUSED),
        ("--1", REFUSED, REFUSED),
        ("NaN", REFUSED, REFUSED),
        ("Infinity", REFUSED, REFUSED),
        ("9" * 21, REFUSED, REFUSED),
        ("0x10", REFUSED, REFUSED),
    ],
)
def test_an_amount_is_read_by_the_language_asked_back_or_refused(
    written_as: str, in_english: str, in_russian: str
) -> None:
    for locale, expected in (("en", in_english), ("ru", in_russian)):
        try:
            found = str(written(amount(written_as, locale)))
        except Ambiguous:
            found = ASKED
        except Unreadable:
            found = REFUSED
        assert found == expected, locale


NUMBERS = st.decimals(min_value=0, max_value=10**12, places=3, allow_nan=False, allow_infinity=False)


@given(number=NUMBERS, locale=st.sampled_from(LOCALES))
@example(number=Decimal(1000), locale="en")
@example(number=Decimal(1000), locale="de")
@example(number=Decimal("1.125"), locale="fr")
def test_a_number_as_a_language_writes_it_is_never_misread_in_that_language(number: Decimal, locale: str) -> None:
    whole = number.to_integral_value()
    for meant, form in ((number, "#,##0.###"), (number, "0.###"), (whole, "#,##0"), (whole, "0")):
        assert meant in readings(format_decimal(meant, format=form, locale=locale), locale)


def readings(typed: str, locale: str | None) -> tuple[Decimal, ...]:
    """Return the possible numbers: one, both if ambiguous, or none."""
    try:
        return (amount(typed, locale),)
    except Ambiguous as doubt:
        return doubt.readings
    except Unreadable:
        return ()


@given(number=NUMBERS, locale=st.sampled_from([None, *LOCALES]))
def test_a_number_that_the_program_wrote_is_read_back_and_what_is_offered_in_doubt_is_no_doubt(
    number: Decimal, locale: str | None
) -> None:
    assert amount(written(number)) == number
    assert amount(f"-{written(number)}") == -number
    if locale is not None and number == number.to_integral_value():
        assert amount(written(number, locale), locale) == number


@given(st.text(st.sampled_from("0123456789٣１,. '_-+eE€½²\xa0"), max_size=14), st.sampled_from([None, *LOCALES]))
def test_whatever_is_read_has_the_digits_that_were_written_and_no_others(typed: str, locale: str | None) -> None:
    digits = "".join(str(unicodedata.decimal(char)) for char in typed if char.isdecimal())
    for number in readings(typed, locale):
        assert format(abs(number), "f").replace(".", "").strip("0") == digits.strip("0")
        assert not set(typed) & set("_eE€½²+")


def test_shares_are_hundredths_so_that_no_thousand_is_meant() -> None:
    rules = PickNumberRules(winners=3)
    for typed in ("33,333 33,333 33,334", "33.333/33.333/33.334", "33,333%, 33,333%, 33,334%"):
        for locale in ("en", "ru"):
            stored = change({"winners": "3"}, rules, "percentages", typed, locale)
            assert stored["percentages"] == "33.333 33.333 33.334"


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_typed_value_is_stored_so_that_it_means_the_same_in_every_language(locale: str) -> None:
    rules = PickNumberRules()
    stored = change({}, rules, "prize_pool", "1 000,50", locale)
    assert stored == {"prize_pool": "1000.50"}
    assert rules_for(stored, rules).prize_pool == Decimal("1000.5")
    assert setting(rules_for(stored, rules), "prize_pool") == "1000.5"


def test_a_stored_value_that_can_be_read_in_two_ways_is_passed_over() -> None:
    assert rules_for({"prize_pool": "1,000"}, PickNumberRules()).prize_pool == 0
    assert rules_for({"prize_pool": "1,5"}, PickNumberRules()).prize_pool == Decimal("1.5")


@pytest.mark.parametrize("line", ["1,000", "10,000", "1.000", "1_000", "5 1.000", "10 euro"])
async def test_a_quiz_of_one_line_is_never_shorter_than_it_was_written(room: Room, line: str) -> None:
    for locale in ("en", "ru"):
        wanted = with_line(QuizRules(), line, locale)
        assert wanted is None or wanted.questions > 100 or wanted.question_ms >= 1_000_000
    await room.say(f"/start_quiz {line}", by=HOST)
    assert await room.deps.stores.games.live_in(ChatTopic(GROUP)) == []
    assert room.errors == []


@pytest.mark.parametrize("typed", ["1.000", "1 000,500"])
async def test_the_dialog_asks_back_for_a_number_that_can_be_read_in_two_ways(room: Room, typed: str) -> None:
    await open_form(room)
    await press(room, text("form-prize"))
    await answer_it(room, typed)
    (low, high) = ("1", "1000") if typed == "1.000" else ("1000.5", "1000500")
    assert text("dlg-ambiguous", text=typed, low=low, high=high) in plain(window(room)["text"])
    await answer_it(room, "1,000")
    assert "1,000" in plain(window(room)["text"])
    assert text("dlg-ambiguous", text=typed, low=low, high=high) not in plain(window(room)["text"])
    await press(room, text("dlg-newgame-create"))
    (game_id,) = await room.deps.stores.games.live_in(ChatTopic(GROUP))
    state = await room.state(game_id)
    assert isinstance(state, PickNumberGame)
    assert state.rules.prize_pool == 1000
    assert room.errors == []


@pytest.mark.parametrize("typed", ["1.2.3", "-5", "1 2", "1, 5"])
async def test_the_dialog_refuses_a_number_that_it_cannot_read_as_a_prize(room: Room, typed: str) -> None:
    await open_form(room)
    await press(room, text("form-prize"))
    await answer_it(room, typed)
    assert as_shown("dlg-unreadable-prize") in plain(window(room)["text"])
    assert room.errors == []
