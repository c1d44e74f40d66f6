"""The commands that open dialogs, and the router of all dialogs."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import DialogManager, setup_dialogs
from aiogram_dialog.context.intent_middleware import FORBIDDEN_STACK_KEY

from handlers.commands.command import for_hosts
from handlers.commands.packs import uploaded
from handlers.context import UpdateContext
from handlers.deps import Deps
from handlers.dialogs.admin import admin_dialog, start_admin
from handlers.dialogs.newgame import newgame_dialog, start_newgame
from handlers.dialogs.packs import packs_dialog, start_packs
from handlers.dialogs.settings import language_dialog, settings_dialog, start_settings
from handlers.dialogs.stack_validator import REFUSAL, DialogAccess, RefusedByDialog
from handlers.dialogs.state_storage import dialog_locks
from handlers.dialogs.widgets import Managers
from handlers.filters import ForOperators, Named, PrivateFile, has_its_button
from handlers.kinds.registry import FACES
from play.access import Needs, NotAHost

Start = Callable[[UpdateContext, DialogManager], Awaitable[None]]

HOST_COMMANDS: dict[str, tuple[Needs, Start]] = {
    "newgame": (Needs.OPEN, start_newgame),
    "settings": (Needs.HOST, start_settings),
}
PRIVATE_COMMANDS: dict[str, tuple[Needs, Start]] = {"pack": (Needs.USE, start_packs)}
OPERATOR_COMMANDS: dict[str, tuple[Needs, Start]] = {"admin": (Needs.OPERATE, start_admin)}
UPLOAD_NEEDS = Needs.USE


def _for_hosts(needs: Needs, start: Start) -> Callable[..., Awaitable[None]]:
    async def handle(
        _: Message, context: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        async def run(asker: UpdateContext) -> None:
            if dialog_manager is None:  # the command replies to another person's dialog
                raise NotAHost
            await start(asker, dialog_manager)

        await for_hosts(run, needs)(context)

    return handle


def _in_private(needs: Needs, start: Start) -> Callable[..., Awaitable[None]]:
    async def handle(
        _: Message, context: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        await context.authorise(needs)
        if not context.private or dialog_manager is None:
            await context.reply("pack-in-private")
        else:
            await start(context, dialog_manager)

    return handle


async def _upload(message: Message, context: UpdateContext, **_: Any) -> None:
    await context.authorise(UPLOAD_NEEDS)
    await uploaded(message, context)


async def left_over(query: CallbackQuery, context: UpdateContext, **data: Any) -> None:
    """Answer a tap on a dialog that the person may not use, or on a button that no handler knows any more."""
    if REFUSAL in data:
        raise data[REFUSAL]
    await context.toast(
        context.word("dlg-not-yours" if data.get(FORBIDDEN_STACK_KEY) and has_its_button(query) else "dlg-stale")
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
    for command, (needs, start) in HOST_COMMANDS.items():
        openers.message.register(_for_hosts(needs, start), Named(command))
    for command, (needs, start) in PRIVATE_COMMANDS.items():
        openers.message.register(_in_private(needs, start), Named(command))
    openers.message.register(_upload, PrivateFile())
    for command, (needs, start) in OPERATOR_COMMANDS.items():
        openers.message.register(_in_private(needs, start), ForOperators(command))
    leftovers = Router(name="leftovers")
    leftovers.callback_query.register(left_over)
    leftovers.message.register(_refused, RefusedByDialog())
    kinds = [face.imported("dialog").DIALOG for face in FACES.values()]
    router.include_routers(
        openers,
        *(newgame_dialog(kind) for kind in kinds),
        *(settings_dialog(kind) for kind in kinds),
        language_dialog(),
        packs_dialog(),
        admin_dialog(),
        leftovers,
    )
    setup_dialogs(
        router,
        dialog_manager_factory=Managers(),
        stack_access_validator=DialogAccess(),
        events_isolation=dialog_locks(deps.stores),
    )
    return router
