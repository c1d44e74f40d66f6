"""``/newgame``: a dialog that opens a game of any kind, with the chat's settings as its initial values."""

from typing import Any, cast

from aiogram.types import CallbackQuery
from aiogram_dialog import Dialog, DialogManager, LaunchMode, StartMode, Window
from aiogram_dialog.widgets.kbd import Button, Row

from handlers.context import UpdateContext
from handlers.dialogs.form import TITLE, Form, KindDialog, begin, cancel_button, close, states
from handlers.dialogs.widgets import GOOD, Given, Label, context_of
from handlers.kinds.registry import FACES
from handlers.opening import create, settings_of
from play.access import Needs

STATES = {name: states(f"NewGame_{name}", Needs.OPEN) for name in FACES}


async def _load(manager: DialogManager) -> dict[str, str]:
    values = manager.dialog_data.setdefault("values", manager.start_data)
    return cast("dict[str, str]", values)


async def _save(manager: DialogManager, values: dict[str, str]) -> None:
    manager.dialog_data["values"] = values


def newgame_dialog(game: KindDialog) -> Dialog:
    """Return the dialog that opens a game of one kind."""
    kind = game.kind
    form = (game.form or Form)(game, STATES[kind.name], (TITLE, *game.new_game), _load, _save)

    async def summary(dialog_manager: DialogManager, context: UpdateContext, **_: Any) -> dict[str, Any]:
        lines = await form.lines(dialog_manager)
        html = "\n".join([context.text(f"{kind.slug}-newgame"), "", *lines])
        return {"html": html, "names": form.buttons(context)}

    async def open_it(query: CallbackQuery, button: Any, manager: DialogManager) -> None:
        values = await _load(manager)
        if await create(context_of(manager), kind.name, values.get(TITLE, ""), await form.rules(manager)):
            await close(query, button, manager)

    return Dialog(
        Window(
            Given("html"),
            form.fields(),
            *(_instead(name) for name in FACES if name != kind.name),
            Row(Button(Label("dlg-newgame-create"), id="create", on_click=open_it, style=GOOD), cancel_button()),
            state=form.states.summary,
            getter=summary,
        ),
        form.field_window(),
        launch_mode=LaunchMode.ROOT,
    )


def _instead(kind: str) -> Button:
    """Return the button that replaces this form by that of another kind."""

    async def go(_: CallbackQuery, __: Any, manager: DialogManager) -> None:
        values = (await settings_of(context_of(manager))).get(kind, {})
        await manager.start(STATES[kind].summary, data=dict(values), mode=StartMode.RESET_STACK)

    return Button(Label(f"{FACES[kind].kind.slug}-newgame-instead"), id=kind, on_click=go)


async def start_newgame(context: UpdateContext, manager: DialogManager) -> None:
    """Handle ``/newgame``: open the dialog of the first kind, filled in with the chat's settings."""
    kind = next(iter(FACES))
    values = (await settings_of(context)).get(kind, {})
    await begin(manager, STATES[kind].summary, dict(values))
