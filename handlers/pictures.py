"""The picture of a result: the podium, drawn as SVG and turned into a PNG by resvg, an optional package.

Without the package, without a font or after a failure there is no picture, and the result is sent as text.
"""

import asyncio
import unicodedata
from collections.abc import Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from loguru import logger

from fsm.kind import Game
from fsm.lobby import Standing
from handlers.kinds import registry
from handlers.views import lobby
from play.texts import Texts, tidy

SECONDS = 5.0
"""Longest time for one picture. Drawing takes 0.1 s; the text of a result must not wait for a machine that is stuck."""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
FAMILY = "DejaVu Sans, Liberation Sans, Noto Sans, Arial, sans-serif"
WIDTH, FLOOR, LINE = 1080, 560, 56
PODIUM = ((1, 390, 300, "#f5b83d"), (2, 80, 220, "#b9c4d0"), (3, 700, 160, "#cd8a54"))
"""Place, left edge, height and colour of each step; a step is 300 wide."""
STEP = 300
LARGEST, LETTER = 46, 0.62
"""Largest size of a text on a step, and the width of a letter as a share of its size."""
UNDRAWN = frozenset({"Cc", "Cs", "Cf", "Co", "Cn", "So", "Sk"})
"""Unicode categories of control and format characters, surrogates, unassigned code points and pictograms."""
TITLE, NAME, PRIZE = 34, 17, 19
"""Longest title, and longest name and prize on a step, in characters."""


class Pictures:
    """Draws pictures, one at a time, in a thread."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._drawing: asyncio.Future[bytes] | None = None

    async def podium(self, game: Game, locale: str) -> bytes | None:
        """Return the picture of a game's winners as PNG; None if there is no winner, or no picture can be drawn."""
        standings: Sequence[Standing] = getattr(game, "standings", ())
        winners = [standing for standing in standings if standing.place is not None][:10]
        if not winners or not can_draw():
            return None
        title = game.title or self._texts.plain(locale, registry.of_state(game).title)
        return await self._drawn(podium(title, winners, self._texts, locale))

    async def _drawn(self, svg: str) -> bytes | None:
        """Turn a drawing into PNG. A thread can't be stopped, so nothing is drawn while one is still at work."""
        if self._drawing is not None and not self._drawing.done():
            return None
        self._drawing = asyncio.ensure_future(asyncio.to_thread(_png, svg))
        try:
            return await asyncio.wait_for(asyncio.shield(self._drawing), SECONDS)
        except TimeoutError:
            logger.warning("a picture took more than {} s; the result is sent without it", SECONDS)
        except Exception as problem:  # noqa: BLE001 -- whatever a drawing library raises, the result is sent as text
            logger.warning("no picture: {}: {}", type(problem).__name__, problem)
        return None


def can_draw() -> bool:
    """Return whether the package is installed, and a font for it."""
    if find_spec("resvg_py") is None:
        return False
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob("*.[to]tf"), None) is not None for folder in folders if folder.is_dir())


def _png(svg: str) -> bytes:
    resvg: Any = import_module("resvg_py")  # imported here, because most processes never draw
    return bytes(resvg.svg_to_bytes(svg_string=svg, font_family="DejaVu Sans", sans_serif_family="DejaVu Sans"))


def podium(title: str, winners: Sequence[Standing], texts: Texts, locale: str) -> str:
    """Return the podium as SVG: the first three on steps, the others in lines below."""
    steps = [_step(standing, texts, locale, *PODIUM[number]) for number, standing in enumerate(winners[:3])]
    others = [_line(number, standing, texts, locale) for number, standing in enumerate(winners[3:])]
    height = FLOOR + 40 + LINE * len(others) + (20 if others else 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="{FAMILY}">'
        '<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#27324f"/><stop offset="1" stop-color="#141a2b"/></linearGradient></defs>'
        f'<rect width="{WIDTH}" height="{height}" fill="url(#sky)"/>'
        + _text(WIDTH // 2, 90, 52, "#ffffff", _short(title, TITLE), bold=True)
        + "".join(steps)
        + f'<rect x="60" y="{FLOOR}" width="{WIDTH - 120}" height="6" rx="3" fill="#46527a"/>'
        + "".join(others)
        + "</svg>"
    )


def _step(standing: Standing, texts: Texts, locale: str, step: int, left: int, height: int, colour: str) -> str:
    top, middle = FLOOR - height, left + STEP // 2
    place = standing.place or step
    return (
        f'<rect x="{left}" y="{top}" width="{STEP}" height="{height}" rx="14" fill="{colour}" opacity="0.92"/>'
        f'<circle cx="{middle}" cy="{top + 70}" r="46" fill="#ffffff" opacity="0.85"/>'
        + _text(middle, top + 88, 52, "#27324f", str(place), bold=True)
        + _fitted(middle, top - 28, "#ffffff", _short(standing.name, NAME), bold=True)
        + _fitted(middle, top + 152, "#27324f", _won(standing, texts, locale))
    )


def _line(number: int, standing: Standing, texts: Texts, locale: str) -> str:
    words = f"{standing.place}.  {_short(standing.name, 30)}   {_won(standing, texts, locale)}"
    return _text(WIDTH // 2, FLOOR + 70 + LINE * number, 38, "#d7def0", words)


def _won(standing: Standing, texts: Texts, locale: str) -> str:
    """Return the prize of a winner, or else the number or the points."""
    if lobby.has_prize(standing):
        return _short(lobby.prize_text(standing, texts, locale), PRIZE)
    if standing.number is not None:
        return texts.plain(locale, "picture-number", number=standing.number)
    return texts.number(locale, standing.points)


def _fitted(x: int, y: int, colour: str, words: str, *, bold: bool = False) -> str:
    """Return a text as large as the width of a step allows: a phone shows the picture at a quarter of its size."""
    size = min(LARGEST, round(STEP / (LETTER * max(1, len(words)))))
    return _text(x, y, size, colour, words, bold=bold)


def _text(x: int, y: int, size: int, colour: str, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{size}"{weight} fill="{colour}" text-anchor="middle">{escape(words)}</text>'
    )


def _short(text: str, most: int) -> str:
    """Return the text in one line, cut to a number of characters.

    Characters that XML forbids are left out, and pictograms, which the font does not have.
    """
    line = "".join(c for c in tidy(text) if unicodedata.category(c) not in UNDRAWN).strip()
    return line if len(line) <= most else f"{line[: most - 1]}…"
