"""The commands that open dialogs, and the router of all dialogs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aiogram import Router
from aiogram.types import Message
from aiogram_dialog import setup_dialogs

from handlers.buttons import left_over
from handlers.commands.newgame import GAME_LINK, SETTINGS_LINK
from handlers.deps import Deps
from handlers.dialogs.admin import admin_dialog, start_admin
from handlers.dialogs.dialog_command import DialogCommand, LinkedForm
from handlers.dialogs.newgame import newgame_dialog, start_newgame
from handlers.dialogs.settings import chat_dialog, settings_dialog, start_settings
from handlers.dialogs.stack_validator import REFUSAL, DialogAccess, RefusedByDialog
from handlers.dialogs.state_storage import dialog_locks
from handlers.dialogs.widgets import Managers
from handlers.filters import ForOperators, Linked, Named
from handlers.kinds import commands as kinds
from handlers.kinds.registry import FACES
from play.access import Needs

LINKED_FORMS: Mapping[str, LinkedForm] = MappingProxyType(
    {
        GAME_LINK: LinkedForm(
            start=start_newgame,
            dialogs=lambda: tuple(newgame_dialog(face.imported("dialog").DIALOG) for face in FACES.values()),
        ),
        SETTINGS_LINK: LinkedForm(
            start=start_settings,
            dialogs=lambda: (
                chat_dialog(),
                *(settings_dialog(face.imported("dialog").DIALOG) for face in FACES.values()),
            ),
        ),
    }
)
"""Beginning of a deep link's payload -> the form that it opens."""
OPERATOR_COMMANDS: Mapping[str, DialogCommand] = MappingProxyType(
    {
        "admin": DialogCommand(
            needs=Needs.OPERATE,
            start=start_admin,
            dialogs=lambda: (admin_dialog(),),
            in_private="cmd-not-understood",
        )
    }
)


async def _refused(_: Message, **data: Any) -> None:
    """Raise the refusal of a message to a dialog, for the error handler to report."""
    raise data[REFUSAL]


def dialogs_router(deps: Deps) -> Router:
    """Return the router of dialogs and of the commands that open them.

    It must come after the routers that need no store, because for each update dialogs read their state from Redis.
    """
    router = Router(name="dialogs")
    openers = Router(name="openers")
    for prefix, form in LINKED_FORMS.items():
        openers.message.register(form.handle, Linked(prefix))
    for command, opening in kinds.DIALOG_COMMANDS.items():
        openers.message.register(opening.handle, Named(command))
    for command, opening in OPERATOR_COMMANDS.items():
        openers.message.register(opening.handle, ForOperators(command))
    leftovers = Router(name="leftovers")
    leftovers.callback_query.register(left_over)
    leftovers.message.register(_refused, RefusedByDialog())
    every: tuple[DialogCommand | LinkedForm, ...] = (
        *LINKED_FORMS.values(),
        *kinds.DIALOG_COMMANDS.values(),
        *OPERATOR_COMMANDS.values(),
    )
    router.include_routers(openers, *(dialog for opening in every for dialog in opening.dialogs()), leftovers)
    setup_dialogs(
        router,
        dialog_manager_factory=Managers(),
        stack_access_validator=DialogAccess(),
        events_isolation=dialog_locks(deps.stores),
    )
    return router
