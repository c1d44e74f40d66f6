"""The long form of a new game, in private: every setting, for the group from which its link came."""

from typing import Any

from aiogram.types import CallbackQuery, Message
from aiogram_dialog import Dialog, DialogManager, LaunchMode, ShowMode, StartMode, Window
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.kbd import Button, Group, Row, Select, SwitchTo

from fsm.kind import ChatTopic, Rejected
from handlers.commands.newgame import place_of
from handlers.context import UpdateContext
from handlers.dialogs.form import NOTE, TARGET, TITLE, VALUES, Form, KindDialog, begin, cancel_button, states, target_of
from handlers.dialogs.widgets import GOOD, Given, ItemLabel, Label, context_of, value_of
from handlers.kinds.registry import FACES
from handlers.opening import Wish, create, wish_of
from handlers.views.form import short
from play.access import Needs
from play.rules import PRIZE
from play.texts import Markup

STATES = {name: states(f"NewGame_{name}", Needs.OPEN) for name in FACES}


async def _load(manager: DialogManager) -> dict[str, str]:
    start: Any = manager.start_data
    values: dict[str, str] = manager.dialog_data.setdefault(VALUES, dict(start[VALUES]))
    return values


async def _save(manager: DialogManager, values: dict[str, str]) -> None:
    manager.dialog_data[VALUES] = values


async def title_of(context: UpdateContext, place: ChatTopic) -> str:
    """Return the title of a group."""
    chat = await context.deps.stores.people.chat(place.chat_id)
    return chat.title if chat is not None and chat.title else str(place.chat_id)


def newgame_dialog(game: KindDialog) -> Dialog:
    """Return the dialog that opens a game of one kind."""
    kind = game.kind
    form = (game.form or Form)(game, STATES[kind.name], (TITLE, *game.new_game), _load, _save)

    async def summary(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        values, note = await _load(dialog_manager), dialog_manager.dialog_data.get(NOTE)
        rules, texts = await form.rules(dialog_manager), context.deps.play.texts
        place = target_of(dialog_manager)
        limit = FACES[kind.name].note(rules, texts, context.locale)
        lines = [
            Markup(note) + "\n" if note else None,
            context.text("form-for", chat=await title_of(context, place)),
            short(kind, rules, values.get(TITLE, ""), texts, context.locale, limit),
            await form.remark(context, rules),
        ]
        html = "\n".join(line for line in lines if line)
        return {"html": html, "ready": [(name, context.label(f"form-ready-{name}")) for name in game.ready]}

    async def everything(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        lines = await form.lines(dialog_manager)
        html = "\n".join([context.text(f"{kind.slug}-newgame"), "", *lines])
        return {"html": html, "names": await form.buttons(dialog_manager)}

    async def open_it(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        context, values, place = context_of(manager), await _load(manager), target_of(manager)
        rules = await form.rules(manager)
        if await create(context, place, kind.name, values.get(TITLE, ""), rules):
            title = values.get(TITLE, "") or context.label(FACES[kind.name].title)
            await context.answer(context.text("form-opened", title=title, chat=await title_of(context, place)))
            await manager.done(show_mode=ShowMode.DELETE_AND_SEND)

    async def take_ready(_: CallbackQuery, __: Any, manager: DialogManager, name: str) -> None:
        wish = await wish_of(context_of(manager), target_of(manager), kind.name, name)
        kept = {each: text for each, text in (await _load(manager)).items() if each not in wish.settings}
        await _save(manager, {**kept, **wish.settings})

    async def to_prize(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        await form.go_to(manager, PRIZE)

    async def keep(_: Message, __: Any, manager: DialogManager, name: str) -> None:
        context, values = context_of(manager), await _load(manager)
        settings = {each: text for each, text in values.items() if each != TITLE}
        manager.show_mode = ShowMode.DELETE_AND_SEND
        try:
            await context.deps.play.templates.save(
                context.actor, target_of(manager).chat_id, name, kind.name, values.get(TITLE, ""), settings
            )
        except Rejected as refusal:
            manager.dialog_data[NOTE] = context.deps.play.texts.refusal_html(context.locale, refusal)
        else:
            manager.dialog_data[NOTE] = context.text("form-saved", name=name)
            await manager.switch_to(form.states.summary)

    async def forget_note(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        manager.dialog_data.pop(NOTE, None)

    async def name_it(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        note = dialog_manager.dialog_data.get(NOTE)
        asked = context.text("form-name-template")
        return {"html": f"{note}\n\n{asked}" if note else asked}

    return Dialog(
        Window(
            Given("html"),
            Button(Label("dlg-newgame-create"), id="create", on_click=open_it, style=GOOD),
            Group(
                Select(ItemLabel(), id="ready", item_id_getter=value_of, items="ready", on_click=take_ready), width=2
            ),
            Row(
                Button(Label("form-prize"), id="prize", on_click=to_prize),
                SwitchTo(Label("form-all"), id="all", state=form.states.all, on_click=forget_note),
            ),
            SwitchTo(Label("form-save"), id="save", state=form.states.name, on_click=forget_note),
            *(_instead(name) for name in FACES if name != kind.name),
            cancel_button(),
            state=form.states.summary,
            getter=summary,
        ),
        Window(
            Given("html"),
            form.fields(),
            SwitchTo(Label("dlg-back"), id="back", state=form.states.summary),
            state=form.states.all,
            getter=everything,
        ),
        form.field_window(),
        Window(
            Given("html"),
            SwitchTo(Label("dlg-back"), id="back", state=form.states.summary, on_click=forget_note),
            TextInput(id="name", on_success=keep),
            state=form.states.name,
            getter=name_it,
        ),
        launch_mode=LaunchMode.ROOT,
    )


def _instead(kind: str) -> Button:
    """Return the button that replaces this form by that of another kind."""

    async def go(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        place = target_of(manager)
        data = await _data(context_of(manager), place, Wish(kind))
        await manager.start(STATES[kind].summary, data=data, mode=StartMode.RESET_STACK)

    return Button(Label(f"{FACES[kind].kind.slug}-newgame-instead"), id=kind, on_click=go)


async def _data(context: UpdateContext, place: ChatTopic, wish: Wish) -> dict[str, Any]:
    """Return the data that a form starts with."""
    values = await wish.values(context, place)
    title = {TITLE: wish.title} if wish.title else {}
    return {TARGET: [place.chat_id, place.topic_id], VALUES: {**values, **title}}


async def start_newgame(context: UpdateContext, manager: DialogManager) -> None:
    """Handle the link of the short form: open the long one, filled in with its choice."""
    found = place_of(context.arguments)
    if found is None:
        await context.reply("dlg-stale")
        return
    place, choice, kind = found
    await context.authorise(Needs.OPEN, place)
    wish = await wish_of(context, place, kind or next(iter(FACES)), choice)
    await begin(manager, STATES[wish.kind].summary, await _data(context, place, wish))
