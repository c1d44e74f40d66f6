"""``/pack``: a dialog in the private chat in which a host views, edits, exports and deletes their question packs."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram.enums import ContentType
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import Dialog, DialogManager, LaunchMode, ShowMode, StartMode, Window
from aiogram_dialog.widgets.input import MessageInput, TextInput
from aiogram_dialog.widgets.kbd import Button, Column, Row, Select, SwitchTo

from fsm.question import Question
from fsm.scoring import BASE
from handlers.context import UpdateContext
from handlers.dialogs.dialog_command import DialogCommand
from handlers.dialogs.form import cancel_button
from handlers.dialogs.widgets import GRAVE, Given, ItemLabel, Label, context_of, value_of
from handlers.kinds.quiz.pack_files import NEEDS, question_html, send_pack, send_sample
from play.pack_texts import mistake_parameters
from play.packs import SAMPLE_FORMS, column_names
from play.texts import shorten, tidy
from questions.pack_writer import FORMATS, XLSX
from questions.packs import ANSWERS, MAX_QUESTIONS, Mistakes, cells_of, question_of
from questions.packs import Row as Cells
from storage.questions import MAX_NAME, NameTaken, PackFull, PackTitle

PER_PAGE = 8
ON_BUTTON = 40
"""Longest question on a button, in UTF-16 units."""
LINES = ("question", *ANSWERS)
CATEGORY = "#"
"""Prefix of a last line that names the category of a typed question."""
FEWEST_LINES = 3


class Packs(StatesGroup):
    """The windows of ``/pack``."""

    needs = NEEDS

    every = State()
    one = State()
    rename = State()
    delete = State()
    page = State()
    question = State()
    write = State()


# -- contents of the windows ------------------------------------------------------------------------------------


def _noted(manager: DialogManager, html: str) -> str:
    """Return the window's text below the report of the last action, and remove the report."""
    note = manager.dialog_data.pop("note", None)
    return f"{note}\n\n{html}" if note else str(html)


async def _pack(manager: DialogManager) -> PackTitle | None:
    """Return the chosen pack; None if it is gone or belongs to another person."""
    context = context_of(manager)
    return await context.deps.stores.questions.pack(int(manager.dialog_data.get("pack", 0)), context.person.id)


async def _every(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    packs = await context.deps.stores.questions.packs(context.person.id)
    columns = column_names(context.deps.play.texts, context.locale)
    html = context.text("pack-list", count=len(packs), columns=", ".join(columns))
    items = [(str(pack.id), context.label("pack-item", name=pack.name, size=pack.size)) for pack in packs]
    samples = [(form, context.label("pack-sample", form=form.upper())) for form in SAMPLE_FORMS]
    return {"html": _noted(dialog_manager, html), "packs": items, "samples": samples}


def _about(text_id: str, **more: Any) -> Callable[..., Awaitable[dict[str, Any]]]:
    async def getter(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        pack = await _pack(dialog_manager)
        if pack is None:
            return {"html": context.text("pack-gone"), "forms": []}
        html = context.text(text_id, name=pack.name, size=pack.size, **more)
        forms = [(form, context.label("pack-export", form=form.upper())) for form in FORMATS]
        return {"html": _noted(dialog_manager, html), "forms": forms}

    return getter


async def _page(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    pack = await _pack(dialog_manager)
    if pack is None:
        return {"html": context.text("pack-gone"), "questions": []}
    pages = max(1, -(-pack.size // PER_PAGE))
    number = min(int(dialog_manager.dialog_data.get("page", 0)), pages - 1)
    dialog_manager.dialog_data["page"] = number
    found = await context.deps.stores.questions.questions(pack.id, limit=PER_PAGE, offset=number * PER_PAGE)
    html = context.text("pack-page", name=pack.name, page=number + 1, pages=pages)
    items = [
        (str(position), context.label("quiz-value", value=shorten(question.text, ON_BUTTON)))
        for position, question in found
    ]
    return {"html": _noted(dialog_manager, html), "questions": items}


async def _question(manager: DialogManager) -> Question | None:
    pack = await _pack(manager)
    if pack is None:
        return None
    return await context_of(manager).deps.stores.questions.question(pack.id, int(manager.dialog_data["position"]))


async def _one_question(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    question = await _question(dialog_manager)
    if question is None:
        return {"html": _noted(dialog_manager, context.text("pack-gone")), "there": False, "photo": False}
    html = f"{question_html(context, question)}\n\n{context.text('pack-photo-how')}"
    difficulty = context.label(f"quiz-difficulty-{question.difficulty}")
    return {
        "html": _noted(dialog_manager, html),
        "there": True,
        "difficulty": context.label("pack-difficulty", difficulty=difficulty),
        "photo": bool(question.photo),
    }


async def _write(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    return {"html": _noted(dialog_manager, context.text("pack-write"))}


def _say(manager: DialogManager, text_id: str, **arguments: Any) -> None:
    manager.dialog_data["note"] = str(context_of(manager).text(text_id, **arguments))


async def _list(manager: DialogManager, text_id: str) -> None:
    _say(manager, text_id)
    await manager.switch_to(Packs.every, show_mode=ShowMode.EDIT)


# -- actions on a pack ------------------------------------------------------------------------------------------


async def _open(_: CallbackQuery, __: Any, manager: DialogManager, pack_id: str) -> None:
    manager.dialog_data.update(pack=pack_id, page=0)
    await manager.switch_to(Packs.one)


async def _export(_: CallbackQuery, __: Any, manager: DialogManager, form: str) -> None:
    pack = await _pack(manager)
    if pack is None or form not in FORMATS:
        return _say(manager, "pack-gone")
    context = context_of(manager)
    questions = [question for _, question in await context.deps.stores.questions.questions(pack.id)]
    await send_pack(context, pack, questions, form)
    return None


async def _sample(_: CallbackQuery, __: Any, manager: DialogManager, form: str) -> None:
    if form in SAMPLE_FORMS:
        await send_sample(context_of(manager), form)


async def _rename(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    pack, context = await _pack(manager), context_of(manager)
    name = tidy(text)[:MAX_NAME].strip()
    if pack is None:
        return _say(manager, "pack-gone")
    try:
        await context.deps.stores.questions.rename_pack(pack.id, context.person.id, name)
    except NameTaken:
        return _say(manager, "pack-name-taken")
    await manager.switch_to(Packs.one, show_mode=ShowMode.EDIT)
    return None


async def _delete(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    pack, context = await _pack(manager), context_of(manager)
    gone = pack is None or not await context.deps.stores.questions.delete_pack(pack.id, context.person.id)
    await _list(manager, "pack-gone" if gone else "pack-deleted")


# -- actions on questions ---------------------------------------------------------------------------------------


def _turn(step: int) -> Callable[..., Awaitable[None]]:
    async def turn(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        manager.dialog_data["page"] = max(0, int(manager.dialog_data.get("page", 0)) + step)

    return turn


async def _choose(_: CallbackQuery, __: Any, manager: DialogManager, position: str) -> None:
    manager.dialog_data["position"] = position
    await manager.switch_to(Packs.question)


def _to_write(*, anew: bool) -> Callable[..., Awaitable[None]]:
    async def go(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        manager.dialog_data["anew"] = anew
        await manager.switch_to(Packs.write)

    return go


async def _remove(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    pack, context = await _pack(manager), context_of(manager)
    position = int(manager.dialog_data["position"])
    gone = pack is None or not await context.deps.stores.questions.delete_question(pack.id, context.person.id, position)
    _say(manager, "pack-gone" if gone else "pack-removed")
    await manager.switch_to(Packs.page)


async def _change(manager: DialogManager, old: Question | None, **fields: Any) -> None:
    """Replace fields of the chosen question, and report the result in the window."""
    context, pack = context_of(manager), await _pack(manager)
    if pack is None or old is None:
        return _say(manager, "pack-gone")
    position = int(manager.dialog_data["position"])
    new = replace(old, **fields)
    try:
        done = await context.deps.stores.questions.change_question(pack.id, context.person.id, position, new)
    except NameTaken:
        return _say(manager, "pack-question-taken")
    return _say(manager, "pack-changed" if done else "pack-gone")


async def _photographed(message: Message, _: Any, manager: DialogManager) -> None:
    """Set the photo of the chosen question to the one that was sent."""
    assert message.photo is not None
    await _change(manager, await _question(manager), photo=message.photo[-1].file_id)
    manager.show_mode = ShowMode.EDIT


async def _without_photo(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    await _change(manager, await _question(manager), photo=None)


async def _next_difficulty(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    question, levels = await _question(manager), tuple(BASE)
    level = levels.index(question.difficulty) + 1 if question is not None else 0
    await _change(manager, question, difficulty=levels[level % len(levels)])


async def _written(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    """Add the typed question, or replace the chosen one. Its lines are the question, the answers and the category."""
    context, pack = context_of(manager), await _pack(manager)
    if pack is None:
        return _say(manager, "pack-gone")
    anew = bool(manager.dialog_data.get("anew"))
    old = None if anew else await _question(manager)
    question = _read(manager, text, {} if old is None else cells_of(old))
    if question is None:
        return None
    questions, owner = context.deps.stores.questions, context.person.id
    try:
        if anew:
            done = await questions.add_question(pack.id, owner, question) is not None
        else:
            done = await questions.change_question(pack.id, owner, int(manager.dialog_data["position"]), question)
    except PackFull:
        return _say(manager, "pack-full", limit=MAX_QUESTIONS)
    except NameTaken:
        return _say(manager, "pack-question-taken")
    _say(manager, ("pack-added" if anew else "pack-changed") if done else "pack-gone")
    await manager.switch_to(Packs.page if anew else Packs.question, show_mode=ShowMode.EDIT)
    return None


def _read(manager: DialogManager, text: str, old: dict[str, str]) -> Question | None:
    """Parse typed lines as a question; the other fields are those of ``old``. If there are mistakes, return None.

    The mistakes are reported in the window.
    """
    context, mistakes = context_of(manager), Mistakes()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = {name: cell for name, cell in old.items() if name not in LINES}
    if len(lines) > FEWEST_LINES and lines[-1].startswith(CATEGORY):
        kept["category"] = lines.pop().removeprefix(CATEGORY)
    if len(lines) > len(LINES):
        mistakes.add(0, "", "too-many-cells", cells=len(lines), columns=len(LINES))
    question = question_of(Cells(0, {**kept, **dict(zip(LINES, lines, strict=False))}), mistakes)
    told = [
        context.text(each.text_id, **mistake_parameters(context.deps.play.texts, context.locale, each))
        for each in mistakes.found
    ]
    if told:
        manager.dialog_data["note"] = "\n".join(told)
        return None
    return question


# -- the dialog -------------------------------------------------------------------------------------------------


def packs_dialog() -> Dialog:
    """Return the dialog with all windows of ``/pack``."""
    return Dialog(
        Window(
            Given("html"),
            Column(Select(ItemLabel(), id="pack", item_id_getter=value_of, items="packs", on_click=_open)),
            Row(Select(ItemLabel(), id="sample", item_id_getter=value_of, items="samples", on_click=_sample)),
            cancel_button(),
            state=Packs.every,
            getter=_every,
        ),
        _pack_window(),
        Window(
            Given("html"),
            TextInput(id="name", on_success=_rename),
            SwitchTo(Label("dlg-back"), id="back", state=Packs.one),
            state=Packs.rename,
            getter=_about("pack-new-name", limit=MAX_NAME),
        ),
        Window(
            Given("html"),
            Row(
                Button(Label("pack-delete-yes"), id="yes", on_click=_delete, style=GRAVE),
                SwitchTo(Label("dlg-back"), id="back", state=Packs.one),
            ),
            state=Packs.delete,
            getter=_about("pack-delete-sure"),
        ),
        _page_window(),
        _question_window(),
        Window(
            Given("html"),
            TextInput(id="lines", on_success=_written),
            SwitchTo(Label("dlg-back"), id="back", state=Packs.page),
            state=Packs.write,
            getter=_write,
        ),
        launch_mode=LaunchMode.ROOT,
    )


def _pack_window() -> Window:
    return Window(
        Given("html"),
        SwitchTo(Label("pack-view"), id="view", state=Packs.page),
        Column(Select(ItemLabel(), id="export", item_id_getter=value_of, items="forms", on_click=_export)),
        Row(
            SwitchTo(Label("pack-rename"), id="rename", state=Packs.rename),
            SwitchTo(Label("pack-delete"), id="delete", state=Packs.delete),
        ),
        SwitchTo(Label("dlg-back"), id="back", state=Packs.every),
        state=Packs.one,
        getter=_about("pack-open"),
    )


def _question_window() -> Window:
    return Window(
        Given("html"),
        MessageInput(_photographed, content_types=ContentType.PHOTO),
        Row(
            Button(Label("pack-change"), id="change", on_click=_to_write(anew=False)),
            Button(Label("pack-remove"), id="remove", on_click=_remove),
            when="there",
        ),
        Button(Given("difficulty"), id="difficulty", on_click=_next_difficulty, when="there"),
        Button(Label("pack-photo-away"), id="photo", on_click=_without_photo, when="photo"),
        SwitchTo(Label("dlg-back"), id="back", state=Packs.page),
        state=Packs.question,
        getter=_one_question,
    )


def _page_window() -> Window:
    return Window(
        Given("html"),
        Column(Select(ItemLabel(), id="question", item_id_getter=value_of, items="questions", on_click=_choose)),
        Row(
            Button(Label("cmd-page-back"), id="before", on_click=_turn(-1)),
            Button(Label("cmd-page-on"), id="after", on_click=_turn(1)),
        ),
        Button(Label("pack-add"), id="add", on_click=_to_write(anew=True)),
        SwitchTo(Label("dlg-back"), id="back", state=Packs.one),
        state=Packs.page,
        getter=_page,
    )


async def start_packs(context: UpdateContext, manager: DialogManager) -> None:
    """Handle ``/pack``: open the dialog; ``/pack sample`` sends a sample file; ``/pack https://…`` imports a file."""
    command, _, form = context.arguments.lower().partition(" ")
    if command == "sample":
        return await send_sample(context, form if form in SAMPLE_FORMS else XLSX)
    if context.arguments.lower().startswith(("https://", "http://")):
        person = context.person.id
        await context.deps.play.imports.begin(
            person, context.arguments, key=context.command_id, locale=context.locale, tell=person
        )
        return await context.reply("pack-import-begun")
    await manager.start(Packs.every, mode=StartMode.RESET_STACK)
    return None


DIALOG_COMMANDS = {
    "pack": DialogCommand(
        needs=NEEDS, start=start_packs, dialogs=lambda: (packs_dialog(),), in_private="pack-in-private"
    )
}
