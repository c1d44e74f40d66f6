"""Pictures, drawn for any names, one after the other, and left out where none can be drawn."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from handlers import pictures
from handlers.pictures import Pictures, podium
from handlers.views import svg, weeks
from play.texts import Texts, units
from sandbox.methods.files import image_size
from storage.figures import Week
from storage.periods import last_weeks
from tests.handlers.games import HOSTILE, every_phase, playing

TEXTS = Texts()
NAMES = ("Ann", "Анна Константинопольская-Задунайская", "محمد علي", "🎲🎉", "<b>&\u202e\x00", "名前" * 30)
NOW = datetime(2026, 11, 30, tzinfo=UTC)
NONE, ALL = [0] * 12, [1443, 1, 0, 12, 480, 7, 3, 0, 0, 99, 100, 5]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drawing take as long as a busy machine needs for it."""
    monkeypatch.setattr(pictures, "SECONDS", 60)


def played(games: list[int]) -> list[Week]:
    """Return weeks with these numbers of games, of which the player has won a third."""
    return [Week(name, count, count // 3) for name, count in zip(last_weeks(NOW, len(games)), games, strict=True)]


@pytest.mark.parametrize("winners", [1, 3, 10])
def test_the_podium_is_a_drawing_with_every_winner_whatever_their_names(winners: int) -> None:
    *_, state = every_phase(20, HOSTILE, missing=0, winners=winners)
    drawing = podium("<Friday> & co", state.standings[:winners], TEXTS, "en")
    ET.fromstring(drawing)  # raises if it is no XML
    assert "&lt;Friday&gt; &amp; co" in drawing
    for standing in state.standings[:winners]:
        assert f"#{standing.number}" in drawing
    assert not re.search("[\\ud800-\\udfff]", drawing)


async def test_a_result_becomes_a_png_that_telegram_takes() -> None:
    *_, state = every_phase(5, ("Анна", "Boris", "Zoë"), missing=0, winners=3)
    png = await Pictures(TEXTS).podium(state, "ru")
    assert png is not None
    assert image_size(png) == (1080, 700)


async def test_without_a_winner_or_a_way_to_draw_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, state = every_phase(3, missing=0)
    assert await Pictures(TEXTS).podium(playing(3), "en") is None
    monkeypatch.setattr(pictures, "FONT_FOLDERS", ("/nowhere",))
    assert await Pictures(TEXTS).podium(state, "en") is None


def test_a_long_prize_is_whole_and_no_smaller_than_other_words() -> None:
    *_, state = every_phase(5, missing=0, winners=3)
    prize = TEXTS.plain("ru", "cmd-about-nextgame")
    prized = [replace(each, award=prize) for each in state.standings[:3]]
    drawing = ET.fromstring(podium("Friday", prized, TEXTS, "ru"))
    lines = [each for each in drawing.iter("{http://www.w3.org/2000/svg}text") if each.text and each.text in prize]
    assert " ".join(each.text or "" for each in lines[: len(lines) // 3]) == prize
    assert min(int(each.attrib["font-size"]) for each in lines) >= pictures.SMALLEST
    assert max(svg.width(each.text or "", int(each.attrib["font-size"])) for each in lines) <= pictures.STEP


async def test_two_pictures_at_once_are_both_drawn() -> None:
    drawn = Pictures(TEXTS)
    charts = (drawn.weeks("Ann", played(ALL), "en", of_player=each) for each in (True, False))
    assert [png is not None and image_size(png) for png in await asyncio.gather(*charts)] == [(1080, 980)] * 2


@pytest.mark.parametrize("program", [("-c", "import time; time.sleep(600)"), ("-c", "raise SystemExit(1)"), ("-c", "")])
async def test_a_drawing_that_fails_or_does_not_end_is_no_picture(
    program: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "PROGRAM", program)
    monkeypatch.setattr(pictures, "SECONDS", 0.5 if "sleep" in program[-1] else 60)
    assert await Pictures(TEXTS).weeks("Ann", played(ALL), "en", of_player=True) is None


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("games", [[*NONE[1:], 1], [*NONE[5:], 3, 0, 6, 1, 4], ALL, [0, 0, 0, 2]])
def test_a_chart_has_every_number_and_its_caption_fits(locale: str, name: str, games: list[int]) -> None:
    shown = weeks.shown(played(games))
    assert len(shown) >= weeks.FEWEST
    for of_player in (True, False):
        drawing = ET.fromstring(weeks.chart(name, shown, TEXTS, locale, of_player=of_player))
        words = [each.text for each in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert {str(week.games) for week in shown} <= set(words)
        assert TEXTS.plain(locale, "weeks-axis") in words
        assert (TEXTS.plain(locale, "weeks-wins") in words) == of_player
        text = weeks.caption(name, shown, TEXTS, locale, of_player=of_player)
        assert len(text.splitlines()) == 1 + len(shown)
        assert units(text) <= 1024
    assert not TEXTS.missing


def test_weeks_without_games_have_no_chart_and_those_before_the_first_are_left_out() -> None:
    assert weeks.shown(played(NONE)) == []
    assert [week.games for week in weeks.shown(played([0, 0, 3, 0, 0, 0, 0, 1]))] == [3, 0, 0, 0, 0, 1]
    assert [week.games for week in weeks.shown(played([0, 0, 0, 0, 0, 1]))] == [0, 0, 0, 1]
