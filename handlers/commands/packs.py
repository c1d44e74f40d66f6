"""Question packs as files: import of a file that was sent in private, with a preview or its mistakes, and export."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aiogram.types import Document, Message

from fsm.quiz import Question
from handlers.context import UpdateContext
from handlers.kinds.quiz.view import category
from handlers.limited_session import TooBusy
from handlers.views.message import Button
from play.packs import sample, vocabulary
from play.texts import Markup, tidy, units
from questions.isolation import TooManyFiles
from questions.packs import Mistake, Note, Pack, PackRefused
from questions.reading import MAX_BYTES
from questions.writing import write_pack
from storage.questions import MAX_NAME, MAX_PACKS, NameTaken, PackTitle, TooManyPacks

SAMPLE = 3
"""Number of questions in a preview."""
MOST_ALIKE = 5
ROOM = 3_400
"""UTF-16 units for the list of mistakes; a message has room for 4096."""
WAIT_SECONDS = 3.0
FILE = "file:"
"""Prefix of the callback data of the buttons below a preview."""
KEEP, DISCARD = f"{FILE}keep", f"{FILE}discard"
SAMPLE_NAME = "tombola.xlsx"


class NotLoaded(Exception):
    """The file could not be downloaded from Telegram."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a person has sent, as far as its message describes it."""

    file_id: str
    name: str

    @property
    def title(self) -> str:
        """The name of the pack: that of the file, without its extension."""
        return tidy(PurePath(self.name).stem)[:MAX_NAME].strip() or self.name[:MAX_NAME]


async def uploaded(message: Message, incoming: UpdateContext) -> None:
    """Answer a file that was sent in private: list all its mistakes, or show a preview of the pack."""
    assert message.document is not None
    try:
        async with incoming.deps.files.turn(incoming.person.id):
            await _look_at(incoming, message.document)
    except TooManyFiles:
        await incoming.reply("pack-busy")


async def _look_at(incoming: UpdateContext, document: Document) -> None:
    upload = _upload(document)
    shown = upload.name or upload.file_id[:8]
    if (document.file_size or 0) > MAX_BYTES:
        return await incoming.reply("pack-too-big", name=shown, limit=MAX_BYTES >> 10)
    try:
        pack = await _load(incoming, upload)
    except NotLoaded:
        return await incoming.reply("pack-not-loaded")
    except PackRefused as refused:
        return await incoming.answer(_mistakes(incoming, shown, refused))
    buttons = [Button(incoming.label("pack-save"), data=KEEP), Button(incoming.label("pack-discard"), data=DISCARD)]
    return await incoming.answer_to_file(_preview(incoming, upload.title, pack), [buttons])


async def tap(incoming: UpdateContext, data: str) -> None:
    """Handle a tap below a preview: save or discard the pack of the file that the preview replies to.

    Nothing is stored between preview and tap, so the file is downloaded and read again.
    """
    message = incoming.query.message if incoming.query is not None else None
    file = message.reply_to_message if isinstance(message, Message) else None
    if data == DISCARD:
        await incoming.edit(incoming.text("pack-discarded"))
        return await incoming.toast()
    if file is None or file.document is None:
        return await incoming.toast(incoming.word("pack-not-loaded"), alert=True)
    try:
        async with incoming.deps.files.turn(incoming.person.id):
            upload = _upload(file.document)
            pack = await _load(incoming, upload)
            await incoming.deps.questions.add_pack(incoming.person.id, upload.title, incoming.locale, pack.questions)
    except (NotLoaded, PackRefused):
        return await incoming.toast(incoming.word("pack-not-loaded"), alert=True)
    except TooManyFiles:
        return await incoming.toast(incoming.word("pack-busy"), alert=True)
    except TooManyPacks:
        return await incoming.toast(incoming.word("pack-too-many", limit=MAX_PACKS), alert=True)
    except NameTaken:
        return await incoming.toast(incoming.word("pack-name-taken"), alert=True)
    await incoming.edit(incoming.text("pack-saved"))
    return await incoming.toast()


def _upload(document: Document) -> Upload:
    return Upload(document.file_id, document.file_name or "")


async def _load(incoming: UpdateContext, upload: Upload) -> Pack:
    """Download a file and read it as a pack. Raises ``PackRefused`` and ``NotLoaded``."""
    try:
        content = await incoming.deps.download(upload.file_id, MAX_BYTES)
    except Exception as error:
        raise NotLoaded from error
    words = vocabulary(incoming.deps.texts, incoming.locale)
    return await incoming.deps.files.read(content, upload.name, words)


def _mistakes(incoming: UpdateContext, name: str, refused: PackRefused) -> str:
    """Return the list of mistakes, as many as fit one message, and the number of the others."""
    lines = [str(incoming.text("pack-refused", name=name, count=len(refused.mistakes))), ""]
    left = ROOM
    for number, mistake in enumerate(refused.mistakes):
        line = str(_mistake(incoming, mistake))
        left -= units(line)
        if left < 0:
            lines.append(str(incoming.text("pack-and-more", count=len(refused.mistakes) - number)))
            break
        lines.append(line)
    return "\n".join(lines)


def _mistake(incoming: UpdateContext, mistake: Mistake) -> Markup:
    told = incoming.text(mistake.text_id, **{"column": mistake.column, **mistake.parameters})
    if not mistake.line:
        return told
    return incoming.text("pack-mistake-on-line", line=mistake.line, number=mistake.number, mistake=told)


def _preview(incoming: UpdateContext, title: str, pack: Pack) -> Markup:
    parts = [incoming.text("pack-preview", name=title, count=len(pack.questions))]
    parts += [question_html(incoming, question) for question in pack.questions[:SAMPLE]]
    if len(pack.questions) > SAMPLE:
        parts.append(incoming.text("pack-and-more", count=len(pack.questions) - SAMPLE))
    if pack.alike:
        alike = [
            incoming.text(each.text_id, by=each.by, line=each.line, earlier=each.earlier, question=each.question)
            for each in pack.alike[:MOST_ALIKE]
        ]
        if len(pack.alike) > MOST_ALIKE:
            alike.append(incoming.text("pack-and-more", count=len(pack.alike) - MOST_ALIKE))
        parts.append(Markup("\n".join([incoming.text("pack-alike-head"), *alike])))
    if pack.notes:
        notes = [Markup(f"• {_note(incoming, note)}") for note in pack.notes]
        parts.append(Markup("\n".join([incoming.text("pack-notes-head"), *notes])))
    return Markup("\n\n".join(parts))


def _note(incoming: UpdateContext, note: Note) -> str:
    told = incoming.text(note.text_id, count=note.count)
    if not note.lines:
        return str(told)
    lines = ", ".join(map(str, note.lines)) + (", …" if note.count > len(note.lines) else "")
    return f"{told} {incoming.text('pack-note-where', by=note.by, lines=Markup(lines))}"


def question_html(incoming: UpdateContext, question: Question) -> Markup:
    """Render a question for the owner of its pack, with its right answer."""
    texts, locale = incoming.deps.texts, incoming.locale
    wrong = (incoming.text("quiz-value", value=answer) for answer in question.answers[1:])
    lines = [
        incoming.text("pack-question", question=question.text),
        incoming.text(
            "pack-answers",
            right=question.answers[0],
            wrong=texts.listing(locale, wrong, len(question.answers) - 1, separator=" · "),
        ),
    ]
    difficulty = incoming.text(f"quiz-difficulty-{question.difficulty}")
    if question.category:
        name = category(texts, locale, question.category, own=True)
        lines.append(incoming.text("pack-about", category=name, difficulty=difficulty))
    else:
        lines.append(difficulty)
    if question.photo:
        lines.append(incoming.text("pack-photo"))
    return Markup("\n".join(lines))


async def send_pack(incoming: UpdateContext, pack: PackTitle, questions: Sequence[Question], form: str) -> None:
    """Send a pack as a file of the format ``form``. Raises ``TooBusy``, because the call bypasses the outbox."""
    content = await asyncio.to_thread(write_pack, questions, form)
    name = re.sub(r"[^\w-]+", "_", pack.name).strip("_") or str(pack.id)
    await _send(incoming, f"{name}.{form}", content)


async def send_sample(incoming: UpdateContext) -> None:
    """Send the sample workbook. Raises ``TooBusy``."""
    content = await asyncio.to_thread(sample, incoming.deps.texts, incoming.locale)
    await _send(incoming, SAMPLE_NAME, content)


async def _send(incoming: UpdateContext, name: str, content: bytes) -> None:
    chat_id = incoming.place.chat_id
    async with incoming.deps.limits.room(chat_id, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        await incoming.deps.api.call("sendDocument", {"chat_id": chat_id}, files={"document": (name, content)})
