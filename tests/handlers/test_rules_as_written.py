"""Rules as people write them: accepted forms, refusals, and that a stored setting never blocks a game."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm.lobby import BadRule
from fsm.pick_number import PickNumberRules
from fsm.quiz import QuizRules
from play.numbers import Unreadable
from play.rules import (
    UnreadableSetting,
    change,
    change_together,
    names_of,
    rules_for,
    setting,
    with_setting,
    with_settings,
)

DEFAULTS = PickNumberRules()
EACH = [DEFAULTS, QuizRules()]


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("winners", "3", "winners", 3),
        ("prize_pool", "12,50", "prize_pool", Decimal("12.50")),
        ("prize_pool", "1 000", "prize_pool", Decimal(1000)),
        ("prize_pool", "12\u00a0345\u202f678,5", "prize_pool", Decimal("12345678.5")),
        ("lobby_seconds", "0.25", "lobby_ms", 250),
        ("numbers", "50", "numbers", 50),
        ("numbers", "auto", "numbers", None),
        ("percentages", "100%", "percentages", (Decimal(100),)),
        ("absent", "auto", "absent", "auto"),
    ],
)
def test_a_setting_is_read(name: str, text: str, field: str, value: object) -> None:
    assert getattr(with_setting(DEFAULTS, name, text), field) == value


@pytest.mark.parametrize(
    "text", ["", "many", "1.5", "1 2", "1 0000", "NaN", "Infinity", "1e999999999", "9" * 100, "0x10"]
)
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises((Unreadable, BadRule)):
        with_setting(DEFAULTS, "winners", text)


def test_a_number_of_winners_that_the_shares_do_not_fit_takes_the_shares_back() -> None:
    shared = change(change({}, DEFAULTS, "winners", "3"), DEFAULTS, "percentages", "50 30 20")
    assert rules_for(shared, DEFAULTS).split == "percentages"
    fewer = change(shared, DEFAULTS, "winners", "2")
    assert fewer == {"winners": "2"}
    assert rules_for(fewer, DEFAULTS).split == "auto"


def test_settings_that_need_each_other_are_checked_together() -> None:
    rules = rules_for({"min_players": "200", "max_players": "300"}, DEFAULTS)
    assert (rules.min_players, rules.max_players) == (200, 300)


@pytest.mark.parametrize(
    "wanted",
    [
        {"winners": "3", "prizes": "Cup|Mug|Pen"},
        {"winners": "2", "prizes": "Mug"},
        {"winners": "3", "percentages": "50 30 20"},
        {"winners": "2", "amounts": "5 3.50", "currency": "EUR"},
        {"min_players": "200", "max_players": "300"},
    ],
)
def test_settings_that_need_each_other_are_changed_together_in_any_order(wanted: dict[str, str]) -> None:
    rules = with_settings(DEFAULTS, wanted)
    assert with_settings(DEFAULTS, dict(reversed(wanted.items()))) == rules
    for given_ in (wanted, dict(reversed(wanted.items()))):
        stored = change_together({"mode": "reverse", "absent": "auto"}, DEFAULTS, {**given_, "mode": None})
        assert rules_for(stored, DEFAULTS) == with_setting(rules, "absent", "auto")


@given(
    st.sampled_from(
        [
            {},
            {"prize_pool": Decimal("12.5"), "currency": "EUR", "winners": 2, "split": "equal"},
            {"prize_pool": Decimal(80), "currency": "EUR", "winners": 2, "amounts": (Decimal(50), Decimal(30))},
            {"prize_pool": Decimal(9), "winners": 2, "split": "percentages", "percentages": (Decimal(60), Decimal(40))},
            {"winners": 3, "prizes": ("Cup", "Mug", "Pen")},
        ]
    ),
    st.data(),
)
def test_all_rules_given_back_as_they_were_shown_are_the_same_rules_in_any_order(
    changed: dict[str, Any], data: st.DataObject
) -> None:
    rules = replace(DEFAULTS, **changed)
    rules.check()
    shown = {name: setting(rules, name) for name in names_of(rules)}
    given_ = {name: shown[name] for name in data.draw(st.permutations(sorted(shown)))}
    assert with_settings(DEFAULTS, given_) == rules
    assert with_settings(rules, given_) == rules
    stored = change_together({}, DEFAULTS, given_)
    assert rules_for({name: stored[name] for name in data.draw(st.permutations(sorted(stored)))}, DEFAULTS) == rules


@pytest.mark.parametrize("name", ["prizes", "amounts"])
def test_an_empty_list_of_prizes_clears_no_prize_pool(name: str) -> None:
    rules = replace(DEFAULTS, prize_pool=Decimal(100), currency="EUR")
    assert with_settings(rules, {name: ""}) == rules
    stored = {"prize_pool": "100", "currency": "EUR"}
    for settings in (change(stored, DEFAULTS, name, ""), change_together(stored, DEFAULTS, {name: ""})):
        assert rules_for(settings, DEFAULTS) == rules
    words = replace(DEFAULTS, prizes=("Cup",))
    assert with_settings(words, {"prizes": ""}) == DEFAULTS


def test_settings_that_do_not_fit_each_other_are_refused_and_the_unreadable_one_is_named() -> None:
    with pytest.raises(BadRule):
        with_settings(DEFAULTS, {"winners": "2", "prizes": "Cup|Mug|Pen", "max_players": "1"})
    with pytest.raises(BadRule):
        change_together({}, DEFAULTS, {"min_players": "300", "max_players": "200"})
    with pytest.raises(UnreadableSetting) as refused:
        change_together({}, DEFAULTS, {"winners": "2", "join_seconds": "soon"})
    assert refused.value.args[0] == "join_seconds"


def test_a_setting_that_no_longer_fits_is_passed_over() -> None:
    rules = rules_for({"winners": "99", "mode": "reverse", "retired": "x", "join_seconds": "soon"}, DEFAULTS)
    assert (rules.winners, rules.mode, rules.join_ms) == (1, "reverse", DEFAULTS.join_ms)


@given(st.sampled_from(EACH), st.data())
def test_whatever_is_stored_a_game_can_be_opened(defaults: Any, data: st.DataObject) -> None:
    texts = st.text("0123456789.,-+eE %aINfnodrp|", max_size=12)
    rules_for(data.draw(st.dictionaries(st.sampled_from(names_of(defaults)), texts)), defaults).check()


@pytest.mark.parametrize(
    ("defaults", "name"), [(each, name) for each in EACH for name in names_of(each) if name != "percentages"]
)
def test_a_setting_written_is_read_as_the_same(defaults: Any, name: str) -> None:
    assert with_setting(defaults, name, setting(defaults, name)) == defaults
