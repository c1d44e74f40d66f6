"""Question packs as files: import of a file that was sent in private, with a preview or its mistakes, and export."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aiogram.types import Document, Message

from fsm.question import Question
from handlers.context import UpdateContext
from handlers.kinds.quiz.answers import explanation_html, right_text
from handlers.kinds.quiz.view import category
from handlers.limited_session import TooBusy
from handlers.views.message import Button
from play.access import Needs
from play.pack_texts import mistake_html, remarks
from play.packs import sample, separator, vocabulary
from play.texts import Markup, tidy, units
from questions.isolation import TooManyFiles
from questions.pack_reader import MAX_BYTES
from questions.pack_writer import write_pack
from questions.packs import Pack, PackRefused
from questions.similarity import rights_of
from storage.questions import MAX_NAME, MAX_PACKS, NameTaken, PackTitle, TooManyPacks

NEEDS = Needs.USE
"""The permission to send files, to save their packs, and to change packs."""
SAMPLE = 3
"""Number of questions in a preview."""
ROOM = 3_400
"""UTF-16 units for the list of mistakes; a message has room for 4096."""
WAIT_SECONDS = 3.0
FILE = "file:"
"""Prefix of the callback data of the buttons below a preview."""
KEEP, DISCARD = f"{FILE}keep", f"{FILE}discard"
SAMPLE_NAME = "tombola"


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


async def uploaded(message: Message, context: UpdateContext) -> None:
    """Answer a file that was sent in private: list all its mistakes, or show a preview of the pack."""
    await context.authorise(NEEDS)
    assert message.document is not None
    try:
        async with context.deps.files.turn(context.person.id):
            await _look_at(context, message.document)
    except TooManyFiles:
        await context.reply("pack-busy")


async def _look_at(context: UpdateContext, document: Document) -> None:
    upload = _upload(document)
    shown = upload.name or upload.file_id[:8]
    if (document.file_size or 0) > MAX_BYTES:
        return await context.reply("pack-too-big", name=shown, limit=MAX_BYTES >> 10)
    try:
        pack = await _load(context, upload)
    except NotLoaded:
        return await context.reply("pack-not-loaded")
    except PackRefused as refused:
        return await context.answer(_mistakes(context, shown, refused))
    buttons = [Button(context.label("pack-save"), data=KEEP), Button(context.label("pack-discard"), data=DISCARD)]
    return await context.answer_to_file(_preview(context, upload.title, pack), [buttons])


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap below a preview: save or discard the pack of the file that the preview replies to.

    Nothing is stored between preview and tap, so the file is downloaded and read again.
    """
    message = context.query.message if context.query is not None else None
    file = message.reply_to_message if isinstance(message, Message) else None
    if data == DISCARD:
        await context.edit(context.text("pack-discarded"))
        return await context.toast()
    if file is None or file.document is None:
        return await context.toast(context.word("pack-not-loaded"), alert=True)
    try:
        async with context.deps.files.turn(context.person.id):
            upload = _upload(file.document)
            pack = await _load(context, upload)
            await context.deps.stores.questions.add_pack(
                context.person.id, upload.title, context.locale, pack.questions
            )
    except (NotLoaded, PackRefused):
        return await context.toast(context.word("pack-not-loaded"), alert=True)
    except TooManyFiles:
        return await context.toast(context.word("pack-busy"), alert=True)
    except TooManyPacks:
        return await context.toast(context.word("pack-too-many", limit=MAX_PACKS), alert=True)
    except NameTaken:
        return await context.toast(context.word("pack-name-taken"), alert=True)
    await context.edit(context.text("pack-saved", name=upload.title))
    return await context.toast()


def _upload(document: Document) -> Upload:
    return Upload(document.file_id, document.file_name or "")


async def _load(context: UpdateContext, upload: Upload) -> Pack:
    """Download a file and read it as a pack. Raises ``PackRefused`` and ``NotLoaded``."""
    try:
        content = await context.deps.telegram.api.download(upload.file_id, MAX_BYTES)
    except Exception as error:
        raise NotLoaded from error
    words = vocabulary(context.deps.play.texts, context.locale)
    return await context.deps.files.read(content, upload.name, words)


def _mistakes(context: UpdateContext, name: str, refused: PackRefused) -> str:
    """Return the list of mistakes, as many as fit one message, and the number of the others."""
    lines = [str(context.text("pack-refused", name=name, count=len(refused.mistakes))), ""]
    left = ROOM
    for number, mistake in enumerate(refused.mistakes):
        line = str(mistake_html(context.deps.play.texts, context.locale, mistake))
        left -= units(line)
        if left < 0:
            lines.append(str(context.text("pack-and-more", count=len(refused.mistakes) - number)))
            break
        lines.append(line)
    return "\n".join(lines)


def _preview(context: UpdateContext, title: str, pack: Pack) -> Markup:
    parts = [context.text("pack-preview", name=title, count=len(pack.questions))]
    parts += [question_html(context, question) for question in pack.questions[:SAMPLE]]
    if len(pack.questions) > SAMPLE:
        parts.append(context.text("pack-and-more", count=len(pack.questions) - SAMPLE))
    return Markup("\n\n".join([*parts, *remarks(context.deps.play.texts, context.locale, pack)]))


def question_html(context: UpdateContext, question: Question) -> Markup:
    """Render a question for the owner of its pack, with its right answer."""
    texts, locale = context.deps.play.texts, context.locale
    right, rights = right_text(question, locale), rights_of(question)
    wrong = [context.text("quiz-value", value=answer) for answer in question.answers if answer not in rights]
    lines = [
        context.text("pack-question", question=question.text),
        context.text("pack-answers", right=right, wrong=texts.listing(locale, wrong, len(wrong), separator=" · "))
        if wrong
        else context.text("pack-answer", right=right),
        *([explained] if (explained := explanation_html(question, texts, locale)) is not None else []),
    ]
    difficulty = context.text(f"quiz-difficulty-{question.difficulty}")
    if question.category:
        name = category(texts, locale, question.category, own=True)
        lines.append(context.text("pack-about", category=name, difficulty=difficulty))
    else:
        lines.append(difficulty)
    if question.photo:
        lines.append(context.text("pack-photo"))
    return Markup("\n".join(lines))


async def send_pack(context: UpdateContext, pack: PackTitle, questions: Sequence[Question], form: str) -> None:
    """Send a pack as a file of the format ``form``. Raises ``TooBusy``, because the call bypasses the outbox."""
    content = await asyncio.to_thread(write_pack, questions, form, separator(context.locale))
    name = re.sub(r"[^\w-]+", "_", pack.name).strip("_") or str(pack.id)
    await _send(context, f"{name}.{form}", content)


async def send_sample(context: UpdateContext, form: str) -> None:
    """Send a sample file of the format ``form``. Raises ``TooBusy``."""
    content = await asyncio.to_thread(sample, context.deps.play.texts, context.locale, form)
    await _send(context, f"{SAMPLE_NAME}.{form}", content)


async def _send(context: UpdateContext, name: str, content: bytes) -> None:
    chat_id = context.chat_topic.chat_id
    async with context.deps.telegram.limits.room(chat_id, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        await context.deps.telegram.api.call("sendDocument", {"chat_id": chat_id}, files={"document": (name, content)})
