"""Streaming parser of untrusted XML, with limits for bytes, elements, depth and the length of a token."""

from collections.abc import Callable, Iterable, Mapping
from xml.parsers import expat

MAX_DEPTH = 64
MAX_TOKEN = 256 << 10
"""Limit of bytes in one tag or comment: Expat keeps a token whole and rescans it with every chunk."""

Start = Callable[[str, Mapping[str, str]], None]
End = Callable[[str], None]
Words = Callable[[str], None]


class TooMuch(Exception):
    """The document is larger, longer or deeper than any legitimate one."""


class Damaged(Exception):
    """The document is not XML, or contains constructs that such documents never have."""


class Budget:
    """Budget of bytes, elements and characters, shared by all parts of one file."""

    def __init__(self, *, unpacked: int, elements: int, characters: int) -> None:
        self._unpacked = unpacked
        self._elements = elements
        self._characters = characters

    def spend(self, *, unpacked: int = 0, elements: int = 0, characters: int = 0) -> None:
        """Spend a part of the budget. Raises ``TooMuch``."""
        self._unpacked -= unpacked
        self._elements -= elements
        self._characters -= characters
        if self._unpacked < 0 or self._elements < 0 or self._characters < 0:
            raise TooMuch


def parse(
    chunks: Iterable[bytes], budget: Budget, start: Start, end: End, words: Words, *, encoding: str | None = None
) -> None:
    """Report every element and text of a document, by local names. Raises ``TooMuch`` and ``Damaged``.

    Namespaces are ignored: strict Open XML has other namespaces for the same elements. ``encoding`` replaces the
    encoding that the document declares.
    """
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    depth = 0

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        budget.spend(elements=1)
        if depth > MAX_DEPTH:
            raise TooMuch
        start(local(name), attributes)

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(local(name))

    def on_doctype(*_: object) -> None:
        raise Damaged  # XML bombs consist of entities; no spreadsheet program writes any

    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    parser.CharacterDataHandler = words
    parser.StartDoctypeDeclHandler = on_doctype
    fed = 0
    try:
        for chunk in chunks:
            budget.spend(unpacked=len(chunk))
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN:
                raise TooMuch
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise Damaged from error


def local(name: str) -> str:
    """Return a name without its prefix."""
    return name.rpartition(":")[2]
