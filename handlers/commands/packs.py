"""Packs of questions as files: sent to the bot in private, refused with every mistake or looked at, and given back."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aiogram.types import Document

from fsm.quiz import Question
from handlers.context import UpdateContext
from handlers.kinds.quiz.view import category
from handlers.limited_session import TooBusy
from play.texts import Markup, tidy, units
from questions.packs import Mistake, Pack, PackRefused
from questions.reading import MAX_BYTES, read_pack
from questions.writing import write_pack
from storage.questions import MAX_NAME, PackTitle

SAMPLE = 3
"""Questions that a preview shows."""
MOST_ALIKE = 5
ROOM = 3_400
"""UTF-16 units for mistakes; a message takes 4096."""
WAIT_SECONDS = 3.0


class NotLoaded(Exception):
    """Telegram does not give the file."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody has sent."""

    file_id: str
    name: str

    @property
    def title(self) -> str:
        """What the pack is called."""
        return tidy(PurePath(self.name).stem)[:MAX_NAME].strip() or self.name[:MAX_NAME]


async def look_at(incoming: UpdateContext, document: Document) -> tuple[Upload, Markup] | None:
    """The file and a preview of its pack; None where it was refused, and the person told why."""
    upload = Upload(document.file_id, document.file_name or "")
    shown = upload.name or upload.file_id[:8]
    if (document.file_size or 0) > MAX_BYTES:
        await incoming.reply("pack-too-big", name=shown, limit=MAX_BYTES >> 10)
        return None
    try:
        pack = await load(incoming, upload)
    except NotLoaded:
        await incoming.reply("pack-not-loaded")
        return None
    except PackRefused as refused:
        await incoming.answer(_mistakes(incoming, shown, refused))
        return None
    return upload, _preview(incoming, upload.title, pack)


async def load(incoming: UpdateContext, upload: Upload) -> Pack:
    """The pack that a file is. Raises ``PackRefused`` and ``NotLoaded``."""
    try:
        content = await incoming.deps.download(upload.file_id, MAX_BYTES)
    except Exception as error:
        raise NotLoaded from error
    return await asyncio.to_thread(read_pack, content, upload.name)


def _mistakes(incoming: UpdateContext, name: str, refused: PackRefused) -> str:
    """All mistakes, as many as fit a message."""
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
    return Markup("\n\n".join(parts))


def question_html(incoming: UpdateContext, question: Question) -> Markup:
    """A question as its host sees it, right answer and all."""
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


async def send_file(incoming: UpdateContext, pack: PackTitle, questions: Sequence[Question], form: str) -> None:
    """Give a pack back as a file of that format. Raises ``TooBusy``: a document can't wait in the outbox."""
    content = await asyncio.to_thread(write_pack, questions, form)
    chat_id = incoming.place.chat_id
    name = re.sub(r"[^\w-]+", "_", pack.name).strip("_") or str(pack.id)
    document = (f"{name}.{form}", content)
    async with incoming.deps.limits.room(chat_id, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        await incoming.deps.api.call("sendDocument", {"chat_id": chat_id}, files={"document": document})
