"""Reading of files as a host sends them, with a check that each note and mistake has a text in every language."""

import pytest

from play.packs import vocabulary
from play.texts import Texts
from questions.pack_reader import read_pack
from questions.packs import Pack, PackRefused

TEXTS = Texts()
WORDS = vocabulary(TEXTS, "en")


def read(content: str | bytes, name: str) -> Pack:
    """Read a file with the names of all languages, and check that each of its notes has a text."""
    pack = read_pack(content.encode() if isinstance(content, str) else content, name, WORDS)
    for note in pack.notes:
        for locale in TEXTS.LOCALES:
            assert TEXTS.html(locale, note.text_id, count=note.count, names=", ".join(note.names))
            assert TEXTS.html(locale, "pack-note-where", by=note.by, lines="1, 2", count=2)
    assert not TEXTS.missing
    return pack


def asked(pack: Pack) -> list[tuple[str, ...]]:
    """Return each question with its answers, the right one first."""
    return [(question.text, *question.answers) for question in pack.questions]


def noted(pack: Pack) -> dict[str, tuple[int, ...]]:
    """Return the lines of each note."""
    return {note.code: note.lines for note in pack.notes}


def refused(content: str | bytes, name: str) -> list[tuple[int, str, str]]:
    """Return line, column and code of each mistake."""
    with pytest.raises(PackRefused) as caught:
        read(content, name)
    for mistake in caught.value.mistakes:
        told = {"column": mistake.column, **mistake.parameters}
        for locale in TEXTS.LOCALES:
            assert TEXTS.html(locale, mistake.text_id, **told)
            assert "NONE" not in TEXTS.html(locale, mistake.text_id, **told)
    assert not TEXTS.missing
    return [(mistake.line, mistake.column, mistake.code) for mistake in caught.value.mistakes]
