"""Texts: people's input can't break them, numbers are exact, lengths are within limits."""

from decimal import Decimal
from pathlib import Path

import pytest

from fsm.kind import NotNow
from fsm.lobby import BadRule, PlaceTaken
from fsm.pick_number import NumberTaken
from play.texts import (
    FSI,
    NAMELESS,
    PDI,
    Markup,
    Texts,
    UnreadableTexts,
    name_html,
    shorten,
    tidy,
    units,
)
from tests.handlers.games import HOSTILE
from tests.handlers.room import plain


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts()


def test_names_are_escaped_and_keep_their_direction_to_themselves(texts: Texts) -> None:
    assert texts.html("en", "lobby-host", host="<b>") == f"Opened by {FSI}&lt;b&gt;{PDI}"
    assert FSI in texts.html("ru", "lobby-host", host="مرحبا")


def test_markup_goes_in_as_it_is(texts: Texts) -> None:
    assert texts.html("en", "lobby-host", host=Markup("<i>x</i>")) == "Opened by <i>x</i>"


def test_a_toast_is_not_escaped_and_has_at_most_200_units(texts: Texts) -> None:
    assert "<b>" in texts.plain("en", "rejected-bad-rule", rule="x", given="<b>", low="1", high="2")
    assert units(texts.plain("en", "rejected-bad-rule", rule="x", given="😀" * 300, low="1", high="2")) <= 200


def test_what_turns_text_around_or_is_invisible_goes() -> None:
    assert tidy("\u202eevil\u202c\u2066x\u2069\u200b") == "evilx"
    assert tidy("a\n\r\t b\x00c") == "a b c"
    assert tidy("\ud83dlone") == "lone"


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "\u3164", "\u2800", "\ufe0f", "\u200d"])
def test_a_name_that_shows_nothing_is_shown_as_a_dash(name: str) -> None:
    assert tidy(name) == NAMELESS


def test_marks_do_not_pile_up() -> None:
    assert tidy("e" + "\u0301" * 40) == "e" + "\u0301" * 3


def test_emoji_of_several_parts_survive_tidying() -> None:
    for emoji in ("👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "5️⃣"):
        assert tidy(emoji) == emoji


@pytest.mark.parametrize("name", HOSTILE)
def test_a_cut_stays_in_its_limit_and_does_not_part_what_belongs_together(name: str) -> None:
    clean = tidy(name)
    for limit in range(2, 70):
        cut = shorten(clean, limit)
        assert units(cut) <= limit
        if cut != clean:
            rest = clean[len(cut) - 1 :].lstrip()
            assert not rest or rest[0] not in "\u200d\ufe0f"
            assert cut[-1] == "…"
            assert not cut[:-1].endswith("\u200d")


def test_flags_are_cut_between_flags() -> None:
    assert shorten("🇩🇪🇫🇷🇮🇹", 8) == "🇩🇪…"
    assert shorten("🇩🇪🇫🇷🇮🇹", 9) == "🇩🇪🇫🇷…"


def test_a_name_calls_nobody() -> None:
    for name in ("@durov", "t.me/spam", "/cancel_game", "#tag", "http://x.example"):
        shown = name_html(name)
        assert name not in shown
        assert shown.replace("\u2060", "").strip(FSI + PDI) == name


def test_money_is_exact_and_written_the_locales_way(texts: Texts) -> None:
    assert texts.number("en", Decimal("1234567.5")) == "1,234,567.50"
    assert texts.number("ru", Decimal("1234567.5")) == "1\xa0234\xa0567,50"
    assert texts.number("en", Decimal("0.00000007")) == "0.00000007"
    assert texts.number("en", Decimal("999999999999.12345678")) == "999,999,999,999.12345678"
    assert texts.number("en", Decimal("1E+12")) == "1,000,000,000,000"


def test_russian_counts_in_three_forms(texts: Texts) -> None:
    forms = {count: texts.plain("ru", "tap-joined", players=count) for count in (1, 2, 5, 21, 22, 11)}
    assert forms[1].endswith("Уже 1 игрок.")
    assert forms[2].endswith("2 игрока.")
    assert forms[5].endswith("5 игроков.")
    assert forms[21].endswith("21 игрок.")
    assert forms[22].endswith("22 игрока.")
    assert forms[11].endswith("11 игроков.")


def test_numbers_of_the_game_are_not_grouped_as_amounts_are(texts: Texts) -> None:
    assert texts.plain("en", "tap-picked", number=1000) == "You have 1000."


def test_spans_of_time_have_two_units(texts: Texts) -> None:
    assert texts.duration("en", 5_400_000) == "1 h 30 min"
    assert texts.duration("en", 60_000) == "1 min"
    assert texts.duration("ru", 500) == "0,5 с"
    assert texts.duration("en", 0) == "0 s"


def test_a_refusal_says_what_is_wrong_with_this_moment(texts: Texts) -> None:
    said = {phase: texts.refusal("en", NotNow("pick-number", phase)) for phase in ("waiting_for_players", "drawing")}
    assert said["waiting_for_players"] != said["drawing"]
    assert texts.refusal("en", NotNow("some-future-command", "completed")) == "This game is over."
    assert "7" in texts.refusal("ru", NumberTaken(7))
    assert texts.refusal("en", PlaceTaken(1)) != texts.refusal("en", PlaceTaken(3))


def test_spanish_counts_in_two_forms_and_groups_by_points(texts: Texts) -> None:
    assert texts.plain("es", "tap-joined", players=2) == "Ya estás dentro: 2 jugadores de momento."
    assert texts.plain("es", "tap-joined", players=21).startswith("Ya estás dentro: 21 jugadores")
    assert texts.plain("es", "tap-joined", players=1).endswith("no hay nadie más.")
    assert texts.number("es", Decimal("1234567.5")) == "1.234.567,50"
    assert texts.duration("es", 1500) == "1,5 s"


def test_the_language_of_a_person_is_found_by_its_code(texts: Texts) -> None:
    assert [texts.pick(code) for code in ("ru", "ru-RU", "en-GB", "pt-br", "", None)] == [
        "ru", "ru", "en", "en", "en", "en",
    ]  # fmt: skip


def test_a_text_that_is_missing_is_said_in_english_and_counted(tmp_path: Path) -> None:
    for locale, text in (("en", "hello = Hello\n"), ("ru", "")):
        (tmp_path / locale).mkdir()
        (tmp_path / locale / "a.ftl").write_text(text, encoding="utf-8")
    texts = Texts(tmp_path)
    assert texts.plain("ru", "hello") == "Hello"
    assert texts.plain("ru", "nothing") == "nothing"
    assert texts.missing == {"ru/hello": 1, "ru/nothing": 1, "en/nothing": 1}


@pytest.mark.parametrize("text", ["hello = {\n", "hello = a\nhello = b\n"])
def test_a_locale_with_a_mistake_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "a.ftl").write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableTexts, match=r"a\.ftl"):
        Texts(tmp_path)


def test_a_folder_that_is_named_by_no_language_is_refused_at_the_start(tmp_path: Path) -> None:
    for name in ("en", "spanish"):
        (tmp_path / name).mkdir()
    with pytest.raises(UnreadableTexts, match="spanish"):
        Texts(tmp_path)


def test_a_long_list_says_how_many_more_there_are(texts: Texts) -> None:
    names = [name_html(f"Player number {n}") for n in range(1000)]
    line = texts.listing("en", names, 1000, budget=200)
    assert units(line) <= 230
    shown = line.count(",") + 1
    assert line.endswith(f" and {1000 - shown} more")
    assert texts.listing("en", names[:2], 2).count("Player") == 2


def test_a_shared_text_in_the_readers_language_is_better_than_a_special_one_in_english(tmp_path: Path) -> None:
    for locale, lines in {
        "en": "rejected-bad-rule = General.\nrejected-bad-rule-mode = Special.\ndlg-name-mode = Mode\n",
        "ru": "rejected-bad-rule = Общее: { $name }.\n",
    }.items():
        (tmp_path / locale).mkdir()
        (tmp_path / locale / "all.ftl").write_text(lines, encoding="utf-8")
    texts, refusal = Texts(tmp_path), BadRule("mode", "a", "b", "c")
    assert texts.refusal("en", refusal) == "Special."
    assert plain(texts.refusal("ru", refusal)) == "Общее: mode."
    assert texts.has("en", "dlg-name-mode")
    assert not texts.has("ru", "dlg-name-mode")
