"""Texts about files of questions that every face shows: mistakes, near repetitions, and lost content."""

from play.texts import Markup, Texts
from questions.packs import Mistake, Note, Pack

MOST_ALIKE = 5


def mistake_html(texts: Texts, locale: str, mistake: Mistake) -> Markup:
    """Return a mistake with its line."""
    told = Markup(texts.html(locale, mistake.text_id, **{"column": mistake.column, **mistake.parameters}))
    if not mistake.line:
        return told
    return Markup(texts.html(locale, "pack-mistake-on-line", line=mistake.line, number=mistake.number, mistake=told))


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
    return Markup(f"{told} {texts.html(locale, 'pack-note-where', by=note.by, lines=Markup(_lines(note)))}")


def note_plain(texts: Texts, locale: str, note: Note) -> str:
    """Return a note with its lines, without markup."""
    told = texts.plain(locale, note.text_id, count=note.count, names=", ".join(note.names))
    return f"{told} {texts.plain(locale, 'pack-note-where', by=note.by, lines=_lines(note))}" if note.lines else told


def _lines(note: Note) -> str:
    return ", ".join(map(str, note.lines)) + (", …" if note.count > len(note.lines) else "")
