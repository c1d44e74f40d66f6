"""Packs of questions that belong to a chat: upload, preview, export.

The owner of such a pack is the chat itself. A private chat with a person has the person's id, so a token for that chat
manages the packs that the person has in Telegram.
"""

import asyncio
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from api import problems
from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Handler, Page, Reply
from api.problems import FieldError, PackNameTaken, PackUnreadable, TooManyFiles, TooManyPacks, UnknownPack
from fsm.question import Question
from play.access import Needs
from play.pack_texts import note_plain
from play.packs import vocabulary
from play.texts import DEFAULT_LOCALE, tidy
from questions.isolation import TooManyFiles as Busy
from questions.pack_reader import MAX_BYTES
from questions.pack_writer import write_pack
from questions.packs import Mistake, Pack, PackRefused
from storage import questions as store
from storage.questions import MAX_NAME, MAX_PACKS, PackTitle

PACKS: Final = "packs"
SAMPLE: Final = 10
"""Number of questions in a preview."""
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class PackView(msgspec.Struct, frozen=True):
    """A pack without its questions.

    Attributes:
        id: the pack's id, for the rule `pack` of a quiz.
        name: the name.
        language: the language.
        questions: the number of questions.
    """

    id: int
    name: str
    language: str
    questions: int


class QuestionView(msgspec.Struct, frozen=True):
    """A question.

    Attributes:
        text: the question.
        type: the type: choice, true_false, several, number or order.
        answers: the answers; empty if a number is asked for.
        rights: the indices of the right answers, from 0; of items all, in their right order.
        number: the right number; null in other types.
        tolerance: the distance up to which a number is right; null if the closest are.
        category: the category; empty for none.
        difficulty: the difficulty.
        photo: the photo, as Telegram takes it; null for none.
        explanation: why the answer is right; empty for none.
        source: where to look it up; empty for none.
    """

    text: str
    type: str
    answers: list[str]
    rights: list[int]
    number: Decimal | None
    tolerance: Decimal | None
    category: str
    difficulty: str
    photo: str | None
    explanation: str
    source: str


class PreviewView(msgspec.Struct, frozen=True):
    """The content of a file that can become a pack.

    Attributes:
        questions: the number of questions.
        sample: the first questions.
        notes: content of the file that a pack can't hold, in words.
    """

    questions: int
    sample: list[QuestionView]
    notes: list[str]


class FileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file in the body.

    Attributes:
        filename: the file's name, whose ending tells its format.
        language: the language of column names and words in the file.
    """

    filename: Annotated[str, Meta(min_length=1, max_length=255)]
    language: Annotated[str, Meta(max_length=16)] = DEFAULT_LOCALE


class UploadQuery(FileQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file in the body, and the name of its pack.

    Attributes:
        name: the pack's name.
    """

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class PackExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The format of an export.

    Attributes:
        format: the format of the file.
    """

    format: Literal["csv", "json", "xlsx"] = "csv"


class QuestionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a pack.

    Attributes:
        limit: the number of questions on a page.
        cursor: the position to continue from.
    """

    limit: Count = 20
    cursor: Cursor | None = None


async def list_packs(call: Call) -> list[PackView]:
    """List the packs of a chat, by name."""
    return [_view(pack) for pack in await call.services.stores.questions.packs(call.path["chat"])]


async def get_pack(call: Call) -> PackView:
    """Return a pack without its questions."""
    return _view(await _pack(call))


async def list_questions(call: Call) -> Page:
    """List the questions of a pack with their right answers, in order."""
    pack, after = await _pack(call), await position(call)
    offset, limit = 0 if after is None else int(after[0]), call.query.limit
    found = await call.services.stores.questions.questions(pack.id, limit=limit + 1, offset=offset)
    return Page([_question(each) for _, each in found[:limit]], (offset + limit,) if len(found) > limit else None)


async def preview_pack(call: Call) -> PreviewView:
    """Read a file as a pack without storing it. A file with mistakes is refused with the list of them."""
    pack = await _read(call)
    texts = call.services.play.texts
    notes = [note_plain(texts, DEFAULT_LOCALE, note) for note in pack.notes]
    return PreviewView(len(pack.questions), [_question(each) for each in pack.questions[:SAMPLE]], notes)


async def upload_pack(call: Call) -> Reply:
    """Store a file as a new pack of the chat, whole or not at all."""
    pack, chat_id = await _read(call), call.path["chat"]
    query: UploadQuery = call.query
    try:
        made = await call.services.stores.questions.add_pack(
            chat_id, tidy(query.name)[:MAX_NAME], query.language, pack.questions
        )
    except store.TooManyPacks:
        raise TooManyPacks(limit=MAX_PACKS) from None
    except store.NameTaken:
        raise PackNameTaken from None
    return Reply(body=_view(made), headers={"location": f"/api/v1/chats/{chat_id}/packs/{made.id}"})


async def export_pack(call: Call) -> Reply:
    """Export a pack as a file that can be uploaded again."""
    pack, form = await _pack(call), call.query.format
    found = await call.services.stores.questions.questions(pack.id)
    content = await asyncio.to_thread(write_pack, [question for _, question in found], form)
    headers = {
        "content-type": MEDIA_TYPES[form],
        "content-disposition": f'attachment; filename="pack-{pack.id}.{form}"',
    }
    return Reply(body=content, headers=headers)


async def delete_pack(call: Call) -> None:
    """Delete a pack with its questions. Harmless if there is none."""
    await call.services.stores.questions.delete_pack(call.path["pack"], call.path["chat"])


async def _pack(call: Call) -> PackTitle:
    found = await call.services.stores.questions.pack(call.path["pack"], call.path["chat"])
    if found is None:
        raise UnknownPack
    return found


async def _read(call: Call) -> Pack:
    """Return the pack in the body. Raises ``PackUnreadable`` and ``TooManyFiles``."""
    query: FileQuery = call.query
    texts = call.services.play.texts
    if query.language not in texts.LOCALES:
        raise problems.InvalidRequest("Unknown language - at `$.language`")
    files = call.services.files
    try:
        async with files.turn(call.path["chat"]):
            return await files.read(call.body, query.filename, vocabulary(texts, query.language))
    except Busy:
        raise TooManyFiles from None
    except PackRefused as refused:
        unreadable = PackUnreadable(count=len(refused.mistakes))
        unreadable.errors = [
            FieldError(
                _place(mistake),
                texts.plain(DEFAULT_LOCALE, mistake.text_id, **{"column": mistake.column, **mistake.parameters}),
            )
            for mistake in refused.mistakes
        ]
        raise unreadable from None


def _place(mistake: Mistake) -> str:
    """Return the place of a mistake in the file: the line, and in JSON the number of the question."""
    if not mistake.line:
        return "$"
    return f"line {mistake.line}" + (f", question {mistake.number}" if mistake.number else "")


def _view(pack: PackTitle) -> PackView:
    return PackView(pack.id, pack.name, pack.locale, pack.size)


def _question(question: Question) -> QuestionView:
    return QuestionView(
        text=question.text,
        type=question.type,
        answers=list(question.answers),
        rights=list(question.rights) if question.right is None else [question.right],
        number=question.number,
        tolerance=question.tolerance,
        category=question.category,
        difficulty=question.difficulty,
        photo=question.photo,
        explanation=question.explanation,
        source=question.source,
    )


def _row(method: str, path: str, handle: Handler, **more: object) -> Endpoint:
    row = {"tag": PACKS, "needs": Needs.HOST, "about": About.CHAT, **more}
    return Endpoint(method=method, path=f"/chats/{{chat}}/packs{path}", handle=handle, **row)  # type: ignore[arg-type]


_FILE: Final = {"body": bytes, "most": MAX_BYTES}

ENDPOINTS: Final = (
    _row("GET", "", list_packs, result=list[PackView], people=True),
    _row(
        "POST",
        "",
        upload_pack,
        query=UploadQuery,
        result=PackView,
        status=201,
        headers=("Location",),
        refuses=(PackUnreadable, TooManyFiles, TooManyPacks, PackNameTaken),
        **_FILE,
    ),
    _row(
        "POST",
        "/preview",
        preview_pack,
        query=FileQuery,
        result=PreviewView,
        refuses=(PackUnreadable, TooManyFiles),
        **_FILE,
    ),
    _row("GET", "/{pack}", get_pack, result=PackView, refuses=(UnknownPack,)),
    _row(
        "GET",
        "/{pack}/questions",
        list_questions,
        query=QuestionsQuery,
        result=QuestionView,
        paged=True,
        refuses=(UnknownPack,),
    ),
    _row(
        "GET",
        "/{pack}/export",
        export_pack,
        query=PackExportQuery,
        refuses=(UnknownPack,),
        headers=("Content-Disposition",),
        media_types=tuple(name.partition(";")[0] for name in MEDIA_TYPES.values()),
    ),
    _row("DELETE", "/{pack}", delete_pack, status=204),
)
