"""Texts about files of questions that every face shows: mistakes, near repetitions, and lost content."""

from typing import Any

from play.packs import column_name, column_names
from play.texts import Markup, Texts
from questions.packs import ANSWERS, Mistake, Note, Pack

MOST_ALIKE = 5


def mistake_html(texts: Texts, locale: str, mistake: Mistake) -> Markup:
    """Return a mistake with its line. It names columns in the language ``locale``, and fields of JSON as they are."""
    told = Markup(texts.html(locale, mistake.text_id, **mistake_parameters(texts, locale, mistake)))
    if not mistake.line:
        return told
    return Markup(texts.html(locale, "pack-mistake-on-line", line=mistake.line, number=mistake.number, mistake=told))


def mistake_parameters(texts: Texts, locale: str, mistake: Mistake) -> dict[str, Any]:
    """Return the parameters of a mistake's text in the language ``locale``."""
    parameters = {"column": mistake.column, **mistake.parameters}
    for name in ("column", "other", "suggestion"):
        column = parameters.get(name)
        if not column or not isinstance(column, str):
            continue
        if not mistake.by_field:
            parameters[name] = column_name(texts, locale, column)
        elif column in ANSWERS[1:]:
            parameters[name] = "wrong"  # one list holds all of them
    if mistake.code == "no-header":
        parameters["columns"] = ", ".join(column_names(texts, locale))
    return parameters


def remarks(texts: Texts, locale: str, pack: Pack) -> list[Markup]:
    """Return the paragraphs about a pack's near repetitions and about the content of its file that was lost."""
    paragraphs: list[Markup] = []
    if pack.alike:
        alike = [
            texts.html(locale, each.text_id, by=each.by, line=each.line, earlier=each.earlier, question=each.question)
            for each in pack.alike[:MOST_ALIKE]
        ]
        if len(pack.alike) > MOST_ALIKE:
            alike.append(texts.html(locale, "pack-and-more", count=len(pack.alike) - MOST_ALIKE))
        paragraphs.append(Markup("\n".join([texts.html(locale, "pack-alike-head"), *alike])))
    if pack.notes:
        notes = [Markup(f"• {note_html(texts, locale, note)}") for note in pack.notes]
        paragraphs.append(Markup("\n".join([texts.html(locale, "pack-notes-head"), *notes])))
    return paragraphs


def note_html(texts: Texts, locale: str, note: Note) -> Markup:
    """Return a note with its lines."""
    told = Markup(texts.html(locale, note.text_id, count=note.count, names=", ".join(note.names)))
    if not note.lines:
        return told
    lines = Markup(_lines(note))
    return Markup(f"{told} {texts.html(locale, 'pack-note-where', by=note.by, lines=lines, count=len(note.lines))}")


def note_plain(texts: Texts, locale: str, note: Note) -> str:
    """Return a note with its lines, without markup."""
    told = texts.plain(locale, note.text_id, count=note.count, names=", ".join(note.names))
    if not note.lines:
        return told
    return f"{told} {texts.plain(locale, 'pack-note-where', by=note.by, lines=_lines(note), count=len(note.lines))}"


def _lines(note: Note) -> str:
    return ", ".join(map(str, note.lines)) + (", …" if note.count > len(note.lines) else "")
