"""The commands that open dialogs, and the router in which dialogs live."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Router
from aiogram.types import CallbackQuery, Message
from aiogram_dialog import DialogManager, setup_dialogs
from aiogram_dialog.context.intent_middleware import FORBIDDEN_STACK_KEY

from handlers.commands.finding import NotAHost, host_only
from handlers.commands.hosts import in_groups
from handlers.context import UpdateContext
from handlers.deps import Deps
from handlers.dialogs.access import OwnersOnly, dialog_locks
from handlers.dialogs.admin import admin_dialog, start_admin
from handlers.dialogs.newgame import newgame_dialog, start_newgame
from handlers.dialogs.packs import packs_dialog, start_packs, uploaded
from handlers.dialogs.parts import Managers
from handlers.dialogs.settings import language_dialog, settings_dialog, start_settings
from handlers.filters import ForOperators, Named, PrivateFile
from handlers.kinds.registry import FACES
from handlers.opening import may_open

Start = Callable[[UpdateContext, DialogManager], Awaitable[None]]
Check = Callable[[UpdateContext], Awaitable[None]]


HOST_COMMANDS: dict[str, tuple[Check, Start]] = {
    "newgame": (may_open, start_newgame),
    "settings": (host_only, start_settings),
}
PRIVATE_COMMANDS: dict[str, Start] = {"pack": start_packs}
OPERATOR_COMMANDS: dict[str, Start] = {"admin": start_admin}


def _for_hosts(check: Check, start: Start) -> Callable[..., Awaitable[None]]:
    async def handle(
        _: Message, incoming: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        async def run(asker: UpdateContext) -> None:
            await check(asker)
            if dialog_manager is None:  # the message answers somebody else's dialog
                raise NotAHost
            await start(asker, dialog_manager)

        await in_groups(run)(incoming)

    return handle


def _in_private(start: Start) -> Callable[..., Awaitable[None]]:
    async def handle(
        _: Message, incoming: UpdateContext, dialog_manager: DialogManager | None = None, **__: Any
    ) -> None:
        if not incoming.private or dialog_manager is None:
            await incoming.reply("pack-in-private")
        else:
            await start(incoming, dialog_manager)

    return handle


def _for_operators(start: Start) -> Callable[..., Awaitable[None]]:
    async def handle(_: Message, incoming: UpdateContext, dialog_manager: DialogManager, **__: Any) -> None:
        await start(incoming, dialog_manager)

    return handle


async def left_over(_: CallbackQuery, incoming: UpdateContext, **data: Any) -> None:
    """A tap on a dialog that is another's, or on a button that nothing knows any more."""
    text_id = "dlg-not-yours" if data.get(FORBIDDEN_STACK_KEY) else "dlg-stale"
    await incoming.toast(incoming.word(text_id))


def dialogs_router(deps: Deps) -> Router:
    """The router of the dialogs. Only what nobody else has handled comes here: dialogs ask Redis for their state."""
    router = Router(name="dialogs")
    openers = Router(name="openers")
    for command, (check, start) in HOST_COMMANDS.items():
        openers.message.register(_for_hosts(check, start), Named(command))
    for command, start in PRIVATE_COMMANDS.items():
        openers.message.register(_in_private(start), Named(command))
    openers.message.register(uploaded, PrivateFile())
    for command, start in OPERATOR_COMMANDS.items():
        openers.message.register(_for_operators(start), ForOperators(command))
    leftovers = Router(name="leftovers")
    leftovers.callback_query.register(left_over)
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
        stack_access_validator=OwnersOnly(),
        events_isolation=dialog_locks(deps.redis),
    )
    return router
