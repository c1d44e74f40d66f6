"""``/settings``: a dialog for the rules of a chat's new games, the right to open games, and the group's language.

The dialog of the first kind also holds the settings of the chat itself, and links to the dialogs of the other kinds.
"""

from dataclasses import replace
from typing import Any

from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery
from aiogram_dialog import Dialog, DialogManager, LaunchMode, StartMode, Window
from aiogram_dialog.widgets.kbd import Button, Group, Keyboard, Row, Select, Start

from fsm.kind import Kind
from handlers.commands.languages import choose_language
from handlers.context import UpdateContext
from handlers.dialogs.form import Form, KindDialog, begin, cancel_button, states
from handlers.dialogs.widgets import Given, ItemLabel, Label, context_of, value_of
from handlers.kinds.registry import FACES
from handlers.opening import settings_of, store_setting
from play.access import EVERYONE, HOSTS, OPENERS, Needs
from play.telling import CHOICES, following, told

STATES = {name: states(f"Settings_{name}", Needs.HOST) for name in FACES}
FIRST, *OTHERS = FACES


class Language(StatesGroup):
    """The window in which the group's language is chosen."""

    needs = Needs.HOST

    choice = State()


async def _general(context: UpdateContext) -> dict[str, Any]:
    """Return the lines of the chat's own settings, and the label of the button that changes the openers."""
    settings = await settings_of(context)
    openers = settings.get(OPENERS, HOSTS)
    telling = {name: f"dlg-{name}-{told(settings, name)}" for name in CHOICES}
    lines = [
        "",
        context.text("dlg-line", name=context.text("dlg-name-openers"), value=context.text(f"dlg-openers-{openers}")),
        context.text("dlg-line", name=context.text("dlg-name-language"), value=context.text("cmd-language-name")),
        *(
            context.text("dlg-line", name=context.text(f"dlg-name-{name}"), value=context.text(value))
            for name, value in telling.items()
        ),
    ]
    return {"lines": lines, "openers": context.label(f"dlg-openers-to-{HOSTS if openers == EVERYONE else EVERYONE}")}


async def _change_openers(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    context = context_of(manager)
    now = (await settings_of(context)).get(OPENERS, HOSTS)
    await store_setting(context, OPENERS, HOSTS if now == EVERYONE else EVERYONE)


async def _change_telling(_: CallbackQuery, button: Any, manager: DialogManager) -> None:
    """Store the next value of the setting that the button's id names."""
    context, name = context_of(manager), button.widget_id
    await store_setting(context, name, following(await settings_of(context), name))


def _form(game: KindDialog) -> Form:
    kind = game.kind

    async def load(manager: DialogManager) -> dict[str, str]:
        return dict((await settings_of(context_of(manager))).get(kind.name, {}))

    async def save(manager: DialogManager, values: dict[str, str]) -> None:
        await store_setting(context_of(manager), kind.name, values)

    return (game.form or Form)(game, STATES[kind.name], game.settings, load, save)


def settings_dialog(game: KindDialog) -> Dialog:
    """Return the dialog for a chat's rules of one kind."""
    kind, form = game.kind, _form(game)
    first = kind.name == FIRST

    async def summary(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        general = await _general(context) if first else {"lines": []}
        lines = [*await form.lines(dialog_manager), *general.pop("lines")]
        html = "\n".join([context.text(f"{kind.slug}-settings"), "", *lines])
        return {"html": html, "names": form.buttons(context), **general}

    async def reset(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        await store_setting(context_of(manager), kind.name, None)

    return Dialog(
        Window(
            Given("html"),
            form.fields(),
            *(_general_buttons() if first else [_to(FIRST, "dlg-back")]),
            Row(Button(Label("dlg-reset"), id="reset", on_click=reset), cancel_button()),
            state=form.states.summary,
            getter=summary,
        ),
        form.field_window(),
        launch_mode=LaunchMode.ROOT,
    )


def _general_buttons() -> list[Keyboard]:
    """Return the buttons for the right to open games, the language, and the settings of the other kinds."""
    return [
        Button(Given("openers"), id="openers", on_click=_change_openers),
        Start(Label("dlg-name-language"), id="language", state=Language.choice, mode=StartMode.RESET_STACK),
        *(Button(Label(f"dlg-name-{name}"), id=name, on_click=_change_telling) for name in CHOICES),
        *(_to(name, f"{_kind(name).slug}-settings-open") for name in OTHERS),
    ]


def _kind(name: str) -> Kind[Any]:
    return FACES[name].kind


def _to(kind: str, text_id: str) -> Start:
    """Return the button that opens the settings of another kind."""
    return Start(Label(text_id), id=f"to_{kind}", state=STATES[kind].summary, mode=StartMode.RESET_STACK)


# -- the language -----------------------------------------------------------------------------------------------


async def _languages(context: UpdateContext, **_: Any) -> dict[str, Any]:
    texts = context.deps.play.texts
    return {
        "html": context.text("cmd-language-chat"),
        "locales": [(locale, texts.plain(locale, "cmd-language-name")) for locale in texts.LOCALES],
    }


async def _choose_language(_: CallbackQuery, __: Any, manager: DialogManager, locale: str) -> None:
    context = context_of(manager)
    if locale in context.deps.play.texts.LOCALES:
        await choose_language(context, locale)
        # The next window is rendered for this same update, and must use the new language.
        manager.middleware_data["context"] = replace(context, locale=locale)
        await manager.start(STATES[FIRST].summary, mode=StartMode.RESET_STACK)


def language_dialog() -> Dialog:
    """Return the dialog for a chat's language."""
    return Dialog(
        Window(
            Given("html"),
            Group(
                Select(ItemLabel(), id="locale", item_id_getter=value_of, items="locales", on_click=_choose_language),
                width=2,
            ),
            _to(FIRST, "dlg-back"),
            state=Language.choice,
            getter=_languages,
        ),
        launch_mode=LaunchMode.ROOT,
    )


async def start_settings(_: UpdateContext, manager: DialogManager) -> None:
    """Handle ``/settings``: open the dialog of the first kind."""
    await begin(manager, STATES[FIRST].summary)
