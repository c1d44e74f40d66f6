"""``/newgame``: a game of Pick Your Number, rule by rule, from the chat's own settings."""

from typing import Any, cast

from aiogram.types import CallbackQuery
from aiogram_dialog import Dialog, DialogManager, LaunchMode, Window
from aiogram_dialog.widgets.kbd import Button, Row

from fsm.pick_number import KIND
from fsm.quiz import KIND as QUIZ_KIND
from handlers.context import UpdateContext
from handlers.dialogs.form import TITLE, Form, begin, cancel_button, close, instead
from handlers.dialogs.parts import GOOD, Given, Label, incoming_of
from handlers.dialogs.states import NewGame, NewQuiz
from handlers.opening import create, settings_of


async def _load(manager: DialogManager) -> dict[str, str]:
    values = manager.dialog_data.setdefault("values", manager.start_data)
    return cast("dict[str, str]", values)


async def _save(manager: DialogManager, values: dict[str, str]) -> None:
    manager.dialog_data["values"] = values


FORM = Form(
    KIND.name,
    NewGame.summary,
    NewGame.field,
    (
        TITLE,
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
        "absent",
        "numbers",
    ),
    _load,
    _save,
)


async def _summary(dialog_manager: DialogManager, incoming: UpdateContext, **_: Any) -> dict[str, Any]:
    lines = await FORM.lines(dialog_manager)
    return {
        "html": "\n".join([incoming.text("dlg-newgame"), "", *lines]),
        "names": FORM.buttons(incoming),
    }


async def _create(query: CallbackQuery, button: Any, manager: DialogManager) -> None:
    values = await _load(manager)
    if await create(incoming_of(manager), KIND.name, values.get(TITLE, ""), await FORM.rules(manager)):
        await close(query, button, manager)


def newgame_dialog() -> Dialog:
    """The dialog."""
    return Dialog(
        Window(
            Given("html"),
            FORM.fields(),
            Button(Label("dlg-newgame-to-quiz"), id="quiz", on_click=instead(QUIZ_KIND.name, NewQuiz.summary)),
            Row(Button(Label("dlg-newgame-create"), id="create", on_click=_create, style=GOOD), cancel_button()),
            state=NewGame.summary,
            getter=_summary,
        ),
        FORM.field_window(),
        launch_mode=LaunchMode.ROOT,
    )


async def start_newgame(incoming: UpdateContext, manager: DialogManager) -> None:
    """Open the dialog, filled in with what the chat's hosts have set."""
    values = (await settings_of(incoming)).get(KIND.name, {})
    await begin(manager, NewGame.summary, dict(values))
