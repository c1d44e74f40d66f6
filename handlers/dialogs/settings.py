"""``/settings``, in private: what holds for a group, the rules of its new games, its language, and its templates."""

from typing import Any

from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import Dialog, DialogManager, LaunchMode, ShowMode, StartMode, Window
from aiogram_dialog.widgets.input import TextInput
from aiogram_dialog.widgets.kbd import Button, Group, Row, Select, SwitchTo

from fsm.kind import ChatTopic, Rejected
from handlers.commands.newgame import SETTINGS_LINK
from handlers.context import UpdateContext
from handlers.dialogs.form import NOTE, TARGET, Form, KindDialog, begin, cancel_button, states, target_of
from handlers.dialogs.newgame import title_of
from handlers.dialogs.widgets import GRAVE, Fitting, Given, ItemLabel, Label, Paired, context_of, value_of
from handlers.kinds.registry import FACES
from handlers.opening import settings_of, store_setting
from handlers.views.form import short
from play.access import EVERYONE, HOSTS, OPENERS, Needs
from play.members import RIGHT_TO_PIN
from play.numbers import HIGHEST_ID, whole
from play.opening import HOST_PLAYS, host_plays
from play.public_chats import PUBLIC, VISIBILITY, is_on
from play.rules import NO, YES
from play.telling import CHOICES, PIN, following, told
from play.texts import Markup
from play.zones import OFFERED, city, search, short_offset
from storage.templates import Template

FOUND = "found"
"""Key in a dialog's data of the time zones that a search has found."""

STATES = {name: states(f"Settings_{name}", Needs.HOST) for name in FACES}


class Chat(StatesGroup):
    """The windows about the group itself."""

    needs = Needs.HOST

    main = State()
    language = State()
    zone = State()
    templates = State()
    template = State()
    rename = State()
    delete = State()


# -- the group --------------------------------------------------------------------------------------------------


async def _main(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    place = target_of(dialog_manager)
    settings, locale = await settings_of(context, place), await _locale(context, place)
    openers = settings.get(OPENERS, HOSTS)
    lines = {
        "openers": f"dlg-openers-{openers}",
        HOST_PLAYS: f"dlg-host_plays-{YES if host_plays(settings) else NO}",
        **{name: f"dlg-{name}-{told(settings, name)}" for name in CHOICES},
        **{name: f"dlg-{name}-{YES if is_on(settings, name) else NO}" for name in VISIBILITY},
    }
    told_of = [
        context.text("dlg-line", name=context.text(f"dlg-name-{name}"), value=context.text(value))
        for name, value in lines.items()
    ]
    language = context.deps.play.texts.html(locale, "cmd-language-name")
    told_of.append(context.text("dlg-line", name=context.text("dlg-name-language"), value=language))
    zone = city(await context.deps.play.recurring.zone(place.chat_id), context.locale)
    told_of.append(context.text("dlg-line", name=context.text("dlg-name-time_zone"), value=zone))
    url = await context.deps.play.public.url(place.chat_id, settings)
    if url is not None:
        told_of.append(context.text("dlg-public-url", url=url))
    heading = context.text("form-settings-of", chat=await title_of(context, place))
    kinds = [(name, context.label(f"{face.kind.slug}-settings-open")) for name, face in FACES.items()]
    return {"html": "\n".join([heading, "", *told_of]), "kinds": kinds}


async def _locale(context: UpdateContext, place: ChatTopic) -> str:
    chat = await context.deps.stores.people.chat(place.chat_id)
    return chat.locale if chat is not None and chat.locale else context.deps.play.texts.LOCALES[0]


async def _change(_: CallbackQuery, button: Any, manager: DialogManager) -> None:
    """Store the next value of the setting that the button's id names."""
    context, place, name = context_of(manager), target_of(manager), button.widget_id
    settings = await settings_of(context, place)
    match name:
        case "openers":
            await store_setting(context, place, OPENERS, HOSTS if settings.get(OPENERS) == EVERYONE else EVERYONE)
        case _ if name == HOST_PLAYS:
            await store_setting(context, place, HOST_PLAYS, NO if host_plays(settings) else YES)
        case _ if name in VISIBILITY:
            chosen = None if is_on(settings, name) else YES
            await store_setting(context, place, name, chosen)
            if (name, chosen) == (PUBLIC, YES):
                await context.toast(context.word("dlg-public-what"), alert=True)
        case _:
            chosen = following(settings, name)
            await store_setting(context, place, name, chosen)
            if (name, chosen) == (PIN, YES):
                await _tell_missing_right(context, place)


async def _tell_missing_right(context: UpdateContext, place: ChatTopic) -> None:
    """Answer the tap with an alert if the bot may not pin messages in the group."""
    if RIGHT_TO_PIN in await context.deps.play.members.lacks(place.chat_id, context.deps.bot_id):
        await context.toast(context.word("dlg-pin-no-right"), alert=True)


async def _to_kind(_: CallbackQuery, __: Any, manager: DialogManager, kind: str) -> None:
    if kind in FACES:
        await manager.start(STATES[kind].summary, data=manager.start_data, mode=StartMode.RESET_STACK)


async def _to_main(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    await manager.start(Chat.main, data=manager.start_data, mode=StartMode.RESET_STACK)


async def _languages(context: UpdateContext, **_: Any) -> dict[str, Any]:
    texts = context.deps.play.texts
    return {
        "html": context.text("form-language"),
        "locales": [(locale, texts.plain(locale, "cmd-language-name")) for locale in texts.LOCALES],
    }


async def _choose_language(_: CallbackQuery, __: Any, manager: DialogManager, locale: str) -> None:
    context = context_of(manager)
    if locale in context.deps.play.texts.LOCALES:
        await context.deps.stores.people.set_chat_locale(target_of(manager).chat_id, locale)
        await manager.switch_to(Chat.main)


# -- the time zone ----------------------------------------------------------------------------------------------


async def _zones(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    """Offer the usual zones, or those that the person's search has found."""
    now, found = context.received, dialog_manager.dialog_data.get(FOUND)
    text_id = "form-zone" if found is None else "form-zone-found" if found else "form-zone-unknown"
    labels = [(name, f"{city(name, context.locale)} {short_offset(name, now)}") for name in found or OFFERED]
    return {"html": context.text(text_id), "zones": labels}


async def _search_zone(_: Message, __: Any, manager: DialogManager, text: str) -> None:
    context = context_of(manager)
    manager.show_mode = ShowMode.DELETE_AND_SEND
    manager.dialog_data[FOUND] = search(text, context.locale, context.received)


async def _choose_zone(_: CallbackQuery, __: Any, manager: DialogManager, name: str) -> None:
    context = context_of(manager)
    await context.deps.play.recurring.choose_zone(context.actor, target_of(manager).chat_id, name)
    manager.dialog_data.pop(FOUND, None)
    await manager.switch_to(Chat.main)


async def _forget_search(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    manager.dialog_data.pop(FOUND, None)


# -- templates --------------------------------------------------------------------------------------------------


async def _templates(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    found = await context.deps.play.templates.of_chat(context.actor, target_of(dialog_manager).chat_id)
    html = context.text("form-templates" if found else "form-templates-none")
    return {
        "html": html,
        "templates": [(str(each.id), context.label("form-template", name=each.name)) for each in found],
    }


async def _open_template(_: CallbackQuery, __: Any, manager: DialogManager, template_id: str) -> None:
    manager.dialog_data["template"] = whole(template_id, HIGHEST_ID, 1) or 0
    manager.dialog_data.pop(NOTE, None)
    await manager.switch_to(Chat.template)


async def _chosen(manager: DialogManager) -> Template:
    context, template_id = context_of(manager), int(manager.dialog_data.get("template", 0))
    return await context.deps.play.templates.one(context.actor, target_of(manager).chat_id, template_id)


async def _template(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    each, note = await _chosen(dialog_manager), dialog_manager.dialog_data.get(NOTE)
    lines = [Markup(note) + "\n" if note else None, context.text("form-template-named", name=each.name)]
    if each.kind in FACES:
        rules = context.deps.play.openings.rules_of(each)
        texts = context.deps.play.texts
        face = FACES[each.kind]
        note_of_kind = face.note(rules, texts, context.locale)
        lines.append(short(face.kind, rules, each.title, texts, context.locale, note_of_kind))
    return {"html": "\n".join(line for line in lines if line)}


async def _rename(_: Message, __: Any, manager: DialogManager, name: str) -> None:
    context, each = context_of(manager), await _chosen(manager)
    manager.show_mode = ShowMode.DELETE_AND_SEND
    try:
        await context.deps.play.templates.rename(context.actor, each.chat_id, each.id, name)
    except Rejected as refusal:
        manager.dialog_data[NOTE] = context.deps.play.texts.refusal_html(context.locale, refusal)
    else:
        manager.dialog_data.pop(NOTE, None)
    await manager.switch_to(Chat.template)


async def _delete(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    context, each = context_of(manager), await _chosen(manager)
    await context.deps.play.templates.delete(context.actor, each.chat_id, each.id)
    await manager.switch_to(Chat.templates)


async def _rename_asked(context: UpdateContext, **_: Any) -> dict[str, Any]:
    return {"html": context.text("form-name-template")}


async def _delete_asked(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
    return {"html": context.text("form-delete-sure", name=(await _chosen(dialog_manager)).name)}


def chat_dialog() -> Dialog:
    """Return the dialog about the group itself."""
    return Dialog(
        Window(
            Given("html"),
            Group(Select(ItemLabel(), id="kind", item_id_getter=value_of, items="kinds", on_click=_to_kind), width=1),
            SwitchTo(Label("form-to-templates"), id="templates", state=Chat.templates),
            Paired(
                *(
                    Button(Label(f"dlg-name-{name}"), id=name, on_click=_change)
                    for name in ("openers", HOST_PLAYS, *CHOICES, *VISIBILITY)
                ),
                SwitchTo(Label("dlg-name-language"), id="language", state=Chat.language),
                SwitchTo(Label("dlg-name-time_zone"), id="zone", state=Chat.zone),
            ),
            cancel_button(),
            state=Chat.main,
            getter=_main,
        ),
        Window(
            Given("html"),
            Group(
                Select(ItemLabel(), id="locale", item_id_getter=value_of, items="locales", on_click=_choose_language),
                width=2,
            ),
            SwitchTo(Label("dlg-back"), id="back", state=Chat.main),
            state=Chat.language,
            getter=_languages,
        ),
        Window(
            Given("html"),
            Fitting(Select(ItemLabel(), id="in", item_id_getter=value_of, items="zones", on_click=_choose_zone)),
            SwitchTo(Label("dlg-back"), id="back", state=Chat.main, on_click=_forget_search),
            TextInput(id="place", on_success=_search_zone),
            state=Chat.zone,
            getter=_zones,
        ),
        Window(
            Given("html"),
            Group(
                Select(ItemLabel(), id="one", item_id_getter=value_of, items="templates", on_click=_open_template),
                width=1,
            ),
            SwitchTo(Label("dlg-back"), id="back", state=Chat.main),
            state=Chat.templates,
            getter=_templates,
        ),
        Window(
            Given("html"),
            Row(
                SwitchTo(Label("form-rename"), id="rename", state=Chat.rename),
                SwitchTo(Label("form-delete"), id="delete", state=Chat.delete),
            ),
            SwitchTo(Label("dlg-back"), id="back", state=Chat.templates),
            state=Chat.template,
            getter=_template,
        ),
        Window(
            Given("html"),
            SwitchTo(Label("dlg-back"), id="back", state=Chat.template),
            TextInput(id="name", on_success=_rename),
            state=Chat.rename,
            getter=_rename_asked,
        ),
        Window(
            Given("html"),
            Row(
                Button(Label("form-delete"), id="yes", on_click=_delete, style=GRAVE),
                SwitchTo(Label("dlg-back"), id="back", state=Chat.template),
            ),
            state=Chat.delete,
            getter=_delete_asked,
        ),
        launch_mode=LaunchMode.ROOT,
    )


# -- the rules of one kind --------------------------------------------------------------------------------------


def _form(game: KindDialog) -> Form:
    kind = game.kind

    async def load(manager: DialogManager) -> dict[str, str]:
        return dict((await settings_of(context_of(manager), target_of(manager))).get(kind.name, {}))

    async def save(manager: DialogManager, values: dict[str, str]) -> None:
        await store_setting(context_of(manager), target_of(manager), kind.name, values)

    return (game.form or Form)(game, STATES[kind.name], game.settings, load, save)


def settings_dialog(game: KindDialog) -> Dialog:
    """Return the dialog for a chat's rules of one kind."""
    kind, form = game.kind, _form(game)

    async def summary(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        html = "\n".join([context.text(f"{kind.slug}-settings"), "", *await form.lines(dialog_manager)])
        return {"html": html, "names": await form.buttons(dialog_manager)}

    async def reset(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        await store_setting(context_of(manager), target_of(manager), kind.name, None)

    return Dialog(
        Window(
            Given("html"),
            form.fields(),
            Button(Label("dlg-reset"), id="reset", on_click=reset),
            Button(Label("dlg-back"), id="main", on_click=_to_main),
            state=form.states.summary,
            getter=summary,
        ),
        form.field_window(),
        launch_mode=LaunchMode.ROOT,
    )


async def start_settings(context: UpdateContext, manager: DialogManager) -> None:
    """Handle the link of ``/settings``: open the settings of the group."""
    chat_id = whole(context.arguments.removeprefix(SETTINGS_LINK).removeprefix("-"), HIGHEST_ID, 1)
    if chat_id is None:
        await context.reply("dlg-stale")
        return
    place = ChatTopic(-chat_id)
    await context.authorise(Needs.HOST, place)
    await begin(manager, Chat.main, {TARGET: [place.chat_id, 0]})
