"""Parts of pictures as SVG: boxes, and lines of text of any characters that fit their place.

The widths are those of DejaVu Sans, in ems, a little generous: text that is too wide for its place is set smaller, then
wrapped or cut.
"""

import unicodedata
from html import escape

from play.texts import tidy

FAMILY = "DejaVu Sans, Liberation Sans, Noto Sans, Arial, sans-serif"
UNDRAWN = frozenset({"Cc", "Cs", "Cf", "Co", "Cn", "So", "Sk"})
"""Unicode categories of control and format characters, surrogates, unassigned code points and pictograms."""
NARROW, WIDE = frozenset("iljtfrI.,:;'!|()[]- "), frozenset("mwMW@%—…")
WIDE_CYRILLIC = frozenset({0x416, 0x41C, 0x424, 0x428, 0x429, 0x42B, 0x42E, 0x436, 0x444, 0x448, 0x449, 0x44B, 0x44E})
"""Code points of the letters Zhe, Em, Ef, Sha, Shcha, Yery and Yu."""
BOLD = 1.12
"""Width of bold text, compared with regular text."""
ELLIPSIS = "…"


def text(x: int, y: int, size: int, colour: str, words: str, *, bold: bool = False, anchor: str = "middle") -> str:
    """Return a line of text. ``y`` is its base line; ``anchor`` is the part of it that stands at ``x``."""
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x}" y="{y}" font-size="{size}"{weight} fill="{colour}" text-anchor="{anchor}"'
    return f"<text {place}>{escape(words)}</text>"


def one_line(words: str) -> str:
    """Return text in one line, without the characters that XML forbids and the pictograms, which the font lacks."""
    return "".join(c for c in tidy(words) if unicodedata.category(c) not in UNDRAWN).strip()


def width(words: str, size: int, *, bold: bool = False) -> float:
    """Return an estimate of the width of a line."""
    return size * (BOLD if bold else 1) * sum(map(_ems, words))


def _ems(character: str) -> float:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    if character in WIDE or unicodedata.east_asian_width(character) in {"W", "F"}:
        return 1
    if ord(character) in WIDE_CYRILLIC:
        return 0.92
    return 0.4 if character in NARROW else 0.64


def fitting(words: str, most: float, largest: int, smallest: int, *, bold: bool = False) -> int:
    """Return the largest font size at which a line fits a width; the smallest one if it fits at none."""
    sizes = range(largest, smallest, -1)
    return next((size for size in sizes if width(words, size, bold=bold) <= most), smallest)


def fitted(words: str, most: float, largest: int, smallest: int, *, bold: bool = False) -> tuple[str, int]:
    """Return the words and the font size at which they fit a width; at the smallest size they are cut."""
    size = fitting(words, most, largest, smallest, bold=bold)
    return cut(words, most, size, bold=bold), size


def cut(words: str, most: float, size: int, *, bold: bool = False) -> str:
    """Return the words, cut to a width."""
    if width(words, size, bold=bold) <= most:
        return words
    while words and width(words + ELLIPSIS, size, bold=bold) > most:
        words = words[:-1]
    return words.rstrip() + ELLIPSIS


def wrapped(words: str, most: float, size: int, lines: int) -> list[str]:
    """Return the words in lines of a width; if they need more lines than there may be, the last one is cut."""
    found: list[str] = []
    rest = words.split()
    while rest and len(found) < lines - 1:
        line = [rest.pop(0)]
        while rest and width(" ".join([*line, rest[0]]), size) <= most:
            line.append(rest.pop(0))
        found.append(cut(" ".join(line), most, size))
    return [*found, cut(" ".join(rest), most, size)] if rest else found


def box(left: int, top: int, wide: int, high: int, colour: str, *, radius: int = 0) -> str:
    """Return a rectangle."""
    return f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" rx="{radius}" fill="{colour}"/>'
