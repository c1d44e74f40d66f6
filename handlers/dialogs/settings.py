"""``/settings``: what games of this chat begin with, who may open them, and the language the group reads."""

from dataclasses import replace
from typing import Any

from aiogram.types import CallbackQuery
from aiogram_dialog import Dialog, DialogManager, LaunchMode, StartMode, Window
from aiogram_dialog.widgets.kbd import Button, Group, Row, Select, Start, SwitchTo

from fsm.pick_number import KIND
from handlers.commands.languages import choose_language
from handlers.context import UpdateContext
from handlers.dialogs.form import Form, begin, cancel_button
from handlers.dialogs.parts import Given, ItemLabel, Label, incoming_of, value_of
from handlers.dialogs.states import ChatSettings, QuizSettings
from handlers.opening import EVERYONE, HOSTS, OPENERS, settings_of, store_setting


async def _load(manager: DialogManager) -> dict[str, str]:
    return dict((await settings_of(incoming_of(manager))).get(KIND.name, {}))


async def _save(manager: DialogManager, values: dict[str, str]) -> None:
    await store_setting(incoming_of(manager), KIND.name, values)


FORM = Form(
    KIND.name,
    ChatSettings.summary,
    ChatSettings.field,
    (
        "mode",
        "winners",
        "prize_pool",
        "split",
        "percentages",
        "min_players",
        "max_players",
        "lobby_seconds",
        "join_seconds",
        "selection_seconds",
        "reveal_seconds",
        "absent",
        "numbers",
        "range_multiplier",
        "max_number",
    ),
    _load,
    _save,
)


async def _summary(dialog_manager: DialogManager, incoming: UpdateContext, **_: Any) -> dict[str, Any]:
    openers = (await settings_of(incoming)).get(OPENERS, HOSTS)
    lines = [
        incoming.text("dlg-settings"),
        "",
        *await FORM.lines(dialog_manager),
        "",
        incoming.text(
            "dlg-line", name=incoming.text("dlg-name-openers"), value=incoming.text(f"dlg-openers-{openers}")
        ),
        incoming.text("dlg-line", name=incoming.text("dlg-name-language"), value=incoming.text("cmd-language-name")),
    ]
    return {
        "html": "\n".join(lines),
        "names": FORM.buttons(incoming),
        "openers": incoming.label(f"dlg-openers-to-{HOSTS if openers == EVERYONE else EVERYONE}"),
    }


async def _languages(incoming: UpdateContext, **_: Any) -> dict[str, Any]:
    texts = incoming.deps.texts
    return {
        "html": incoming.text("cmd-language-chat"),
        "locales": [(locale, texts.plain(locale, "cmd-language-name")) for locale in texts.LOCALES],
    }


async def _change_openers(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    incoming = incoming_of(manager)
    now = (await settings_of(incoming)).get(OPENERS, HOSTS)
    await store_setting(incoming, OPENERS, HOSTS if now == EVERYONE else EVERYONE)


async def _reset(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
    await store_setting(incoming_of(manager), KIND.name, None)


async def _choose_language(_: CallbackQuery, __: Any, manager: DialogManager, locale: str) -> None:
    incoming = incoming_of(manager)
    if locale in incoming.deps.texts.LOCALES:
        await choose_language(incoming, locale)
        manager.middleware_data["incoming"] = replace(incoming, locale=locale)  # the window is drawn in it already
        await manager.switch_to(ChatSettings.summary)


def settings_dialog() -> Dialog:
    """The dialog."""
    return Dialog(
        Window(
            Given("html"),
            FORM.fields(),
            Button(Given("openers"), id="openers", on_click=_change_openers),
            SwitchTo(Label("dlg-name-language"), id="language", state=ChatSettings.language),
            Start(Label("dlg-settings-to-quiz"), id="quiz", state=QuizSettings.summary, mode=StartMode.RESET_STACK),
            Row(Button(Label("dlg-reset"), id="reset", on_click=_reset), cancel_button()),
            state=ChatSettings.summary,
            getter=_summary,
        ),
        FORM.field_window(),
        Window(
            Given("html"),
            Group(
                Select(ItemLabel(), id="locale", item_id_getter=value_of, items="locales", on_click=_choose_language),
                width=2,
            ),
            SwitchTo(Label("dlg-back"), id="back", state=ChatSettings.summary),
            state=ChatSettings.language,
            getter=_languages,
        ),
        launch_mode=LaunchMode.ROOT,
    )


async def start_settings(_: UpdateContext, manager: DialogManager) -> None:
    """Open the dialog."""
    await begin(manager, ChatSettings.summary)
