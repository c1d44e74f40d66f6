"""The picture of a result: drawn for any names, and left out where none can be drawn."""

import re
from xml.etree import ElementTree as ET

import pytest

from handlers import pictures
from handlers.pictures import Pictures, podium
from play.texts import Texts
from sandbox.methods.files import image_size
from tests.handlers.games import HOSTILE, every_phase, playing

TEXTS = Texts()


@pytest.mark.parametrize("winners", [1, 3, 10])
def test_the_podium_is_a_drawing_with_every_winner_whatever_their_names(winners: int) -> None:
    *_, state = every_phase(20, HOSTILE, missing=0, winners=winners)
    svg = podium("<Friday> & co", state.standings[:winners], TEXTS, "en")
    ET.fromstring(svg)  # raises if it is no XML
    assert "&lt;Friday&gt; &amp; co" in svg
    for standing in state.standings[:winners]:
        assert f"#{standing.number}" in svg
    assert not re.search("[\\ud800-\\udfff]", svg)


async def test_a_result_becomes_a_png_that_telegram_takes() -> None:
    *_, state = every_phase(5, ("Анна", "Boris", "Zoë"), missing=0, winners=3)
    png = await Pictures(TEXTS).podium(state, "ru")
    assert png is not None
    assert image_size(png) == (1080, 600)


async def test_without_a_winner_or_a_way_to_draw_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, state = every_phase(3, missing=0)
    assert await Pictures(TEXTS).podium(playing(3), "en") is None
    monkeypatch.setattr(pictures, "FONT_FOLDERS", ("/nowhere",))
    assert await Pictures(TEXTS).podium(state, "en") is None
