"""Pictures: the podium of a result, and charts, drawn as SVG and turned into PNG by resvg, an optional package.

Without the package, without a font or after a failure there is no picture, and the same is sent as text.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from loguru import logger

from fsm.kind import Game
from fsm.lobby import Standing
from handlers.kinds import registry
from handlers.views import lobby, svg, weeks
from play.texts import Texts, isolated
from storage.figures import Week

SECONDS = 10.0
"""Longest time for a picture, the wait for earlier ones included. Drawing takes 0.3 s.

In a group Telegram accepts the answer to a tap for 15 seconds.
"""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")
PROGRAM = ("-m", "handlers.picture_process")
ROOT = Path(__file__).parent.parent
INHERITED = ("PATH", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Environment variables passed to the process. The others may hold secrets."""
WIDTH, FLOOR, LINE = 1080, 660, 64
STEP = 320
PODIUM = ((1, 380, 400, "#f5b83d"), (2, 40, 340, "#b9c4d0"), (3, 720, 290, "#cd8a54"))
"""Place, left edge, height and colour of each step, which is ``STEP`` wide. The lowest has room for a prize."""
WORDS, DARK, PALE = "#ffffff", "#27324f", "#d7def0"
TEXT, SMALLEST = 40, 30
"""Font sizes of names and prizes. A phone shows a picture at a third of its size."""


class Pictures:
    """Draws pictures, one at a time, each in a process of its own.

    Args:
        texts: the texts in pictures.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._turn = asyncio.Lock()

    async def podium(self, game: Game, locale: str) -> bytes | None:
        """Return the picture of a game's winners as PNG; None if there is no winner, or no picture can be drawn."""
        standings: Sequence[Standing] = getattr(game, "standings", ())
        winners = [standing for standing in standings if standing.place is not None][:10]
        if not winners:
            return None
        title = game.title or self._texts.plain(locale, registry.of_state(game).title)
        return await self._drawn(podium(title, winners, self._texts, locale))

    async def weeks(self, name: str, shown: Sequence[Week], locale: str, *, of_player: bool) -> bytes | None:
        """Return the chart of some weeks as PNG; None if no picture can be drawn."""
        return await self._drawn(weeks.chart(name, shown, self._texts, locale, of_player=of_player))

    async def _drawn(self, drawing: str) -> bytes | None:
        """Return a drawing as PNG, after those that were begun earlier; None if that takes too long, or fails."""
        if not can_draw():
            return None
        try:
            async with asyncio.timeout(SECONDS), self._turn:
                return await _png(drawing)
        except TimeoutError:
            logger.warning("a picture took more than {} s; its text is sent alone", SECONDS)
        except OSError as problem:
            logger.warning("no picture: {}: {}", type(problem).__name__, problem)
        return None


def can_draw() -> bool:
    """Return whether the package is installed, and a font for it."""
    if find_spec("resvg_py") is None:
        return False
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob("*.[to]tf"), None) is not None for folder in folders if folder.is_dir())


async def _png(drawing: str) -> bytes | None:
    """Return a drawing as PNG; None if the process that draws it fails."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *PROGRAM,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        cwd=ROOT, env={name: os.environ[name] for name in INHERITED if name in os.environ},
    )  # fmt: skip
    try:
        png, complaint = await process.communicate(drawing.encode())
    finally:
        # A timeout and a cancellation end up here too: no drawing may outlive its caller.
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        logger.warning("no picture: status {}: {}", process.returncode, complaint[-2000:].decode(errors="replace"))
        return None
    return png or None


def podium(title: str, winners: Sequence[Standing], texts: Texts, locale: str) -> str:
    """Return the podium as SVG: the first three on steps, the others in lines below."""
    steps = [_step(standing, texts, locale, *PODIUM[number]) for number, standing in enumerate(winners[:3])]
    others = [_line(number, standing, texts, locale) for number, standing in enumerate(winners[3:])]
    height = FLOOR + 40 + LINE * len(others) + (20 if others else 0)
    heading, size = svg.fitted(svg.one_line(title), WIDTH - 80, 56, TEXT, bold=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="{svg.FAMILY}">'
        '<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#27324f"/><stop offset="1" stop-color="#141a2b"/></linearGradient></defs>'
        + svg.box(0, 0, WIDTH, height, "url(#sky)")
        + svg.text(WIDTH // 2, 96, size, WORDS, heading, bold=True)
        + "".join(steps)
        + svg.box(30, FLOOR, WIDTH - 60, 6, "#46527a", radius=3)
        + "".join(others)
        + "</svg>"
    )


def _step(standing: Standing, texts: Texts, locale: str, step: int, left: int, height: int, colour: str) -> str:
    top, middle = FLOOR - height, left + STEP // 2
    name, size = svg.fitted(svg.one_line(standing.name), STEP, TEXT, SMALLEST, bold=True)
    lines, smaller = _prize_lines(_won(standing, texts, locale))
    return (
        svg.box(left, top, STEP, height, colour, radius=14)
        + f'<circle cx="{middle}" cy="{top + 66}" r="46" fill="#ffffff" opacity="0.85"/>'
        + svg.text(middle, top + 85, 52, DARK, str(standing.place or step), bold=True)
        + svg.text(middle, top - 24, size, WORDS, name, bold=True)
        + "".join(
            svg.text(middle, top + 162 + (smaller + 7) * number, smaller, DARK, line)
            for number, line in enumerate(lines)
        )
    )


def _prize_lines(words: str) -> tuple[list[str], int]:
    """Return the lines of a prize, for which every step has room, and the largest font size at which it is whole."""
    for size in range(TEXT, SMALLEST, -2):
        lines = svg.wrapped(words, STEP - 16, size, 3)
        if " ".join(lines) == words:
            return lines, size
    return svg.wrapped(words, STEP - 16, SMALLEST, 4), SMALLEST


def _line(number: int, standing: Standing, texts: Texts, locale: str) -> str:
    won = _won(standing, texts, locale)
    name = svg.cut(svg.one_line(standing.name), (WIDTH - 200) * 0.55, TEXT)
    words, size = svg.fitted(f"{standing.place}. {isolated(name)} · {won}", WIDTH - 60, TEXT, 34)
    return svg.text(WIDTH // 2, FLOOR + 76 + LINE * number, size, PALE, words)


def _won(standing: Standing, texts: Texts, locale: str) -> str:
    """Return the prize of a winner, or else the number or the points."""
    if lobby.has_prize(standing):
        return svg.one_line(lobby.prize_text(standing, texts, locale))
    if standing.number is not None:
        return texts.plain(locale, "picture-number", number=standing.number)
    return texts.number(locale, standing.points)
