"""Opening of games and storing of settings from an update. Adds to `play.opening` the chat's record and the answer."""

from typing import Any

from fsm.engine import Outcome
from fsm.kind import Rejected
from handlers.context import UpdateContext


async def settings_of(context: UpdateContext) -> dict[str, Any]:
    """Return the settings that the hosts of the chat have stored."""
    return await context.deps.play.openings.settings(context.chat_topic.chat_id)


async def open_game(context: UpdateContext, kind: str, title: str, rules: Any) -> Outcome:
    """Open a game in the chat of the update. Raises the errors of `Openings.open_game`."""
    await _note_chat(context)
    return await context.deps.play.openings.open_game(
        context.actor,
        context.chat_topic,
        kind,
        title,
        rules,
        command_id=context.command_id,
        received=context.received,
    )


async def create(context: UpdateContext, kind: str, title: str, rules: Any) -> bool:
    """Open a game on a tap, and answer the tap. Returns False if the opening was refused."""
    try:
        await open_game(context, kind, title, rules)
    except Rejected as refusal:
        await context.toast(context.deps.play.texts.refusal(context.own_locale, refusal), alert=True)
        return False
    await context.toast(context.word("dlg-newgame-opened"))
    return True


async def store_setting(context: UpdateContext, name: str, value: Any) -> None:
    """Store one of the chat's settings. Raises the errors of `Openings.store_setting`."""
    await _note_chat(context)
    await context.deps.play.openings.store_setting(context.actor, context.chat_topic.chat_id, name, value)


async def _note_chat(context: UpdateContext) -> None:
    await context.deps.stores.people.saw_chat(context.chat_topic.chat_id, context.chat_type, context.chat_title)
