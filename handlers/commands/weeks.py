"""The chart of the last weeks of a player or a group: the person who taps the button for it gets it alone."""

from datetime import UTC, datetime

from fsm.kind import ChatTopic
from handlers.context import UpdateContext
from handlers.views import weeks
from handlers.views.message import Button
from play.access import Needs
from play.numbers import HIGHEST_ID, whole
from storage.figures import Week

CHART = "weeks:"
PLAYER, GROUP = f"{CHART}p:", f"{CHART}c:-"
"""Prefixes of callback data: ``weeks:p:<player>``, ``weeks:c:<chat>``."""


def of_player(context: UpdateContext, player_id: int) -> Button:
    """Return the button for the chart of a player. The person who taps it sees the figures that they may see."""
    return Button(context.label("weeks-button"), data=f"{PLAYER}{player_id}")


def of_chat(context: UpdateContext, chat_id: int) -> Button:
    """Return the button for the chart of a group."""
    return Button(context.label("weeks-button"), data=f"{GROUP}{-chat_id}")


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap on the button: send the chart, or tell the person that there were no games."""
    of_player = data.startswith(PLAYER)
    # A forged number is nobody's: it has no games.
    number = whole(data.removeprefix(PLAYER).removeprefix(GROUP), HIGHEST_ID, 1) or 0
    name, found = await (_of_player(context, number) if of_player else _of_chat(context, -number))
    shown = weeks.shown(found)
    if not shown:
        await context.toast(context.word("weeks-none", weeks=weeks.WEEKS))
        return
    texts, locale = context.deps.play.texts, context.locale
    picture = await context.deps.pictures.weeks(name, shown, locale, of_player=of_player)
    await context.whisper_picture(picture, weeks.caption(name, shown, texts, locale, of_player=of_player))
    await context.toast()


async def _of_player(context: UpdateContext, player_id: int) -> tuple[str, list[Week]]:
    """Return the name and the weeks of a player, as far as the person may see them."""
    chat_id = context.deps.play.access.chat_of_figures(context.actor, player_id, context.chat_topic.chat_id)
    found = await context.deps.stores.figures.weeks_of_player(player_id, chat_id, _now(context), weeks.WEEKS)
    if not chat_id:  # the person's own figures
        return context.person.name, found
    return await context.deps.stores.people.name_in(chat_id, player_id) or "", found


async def _of_chat(context: UpdateContext, chat_id: int) -> tuple[str, list[Week]]:
    """Return the title and the weeks of a group: in private of one that the person is in, in a group of no other."""
    if context.private:
        await context.authorise(Needs.LOOK, ChatTopic(chat_id))
    else:  # buttons can be forged
        chat_id = context.chat_topic.chat_id
    chat = await context.deps.stores.people.chat(chat_id)
    found = await context.deps.stores.figures.weeks_of_chat(chat_id, _now(context), weeks.WEEKS)
    return chat.title if chat is not None else context.chat_title, found


def _now(context: UpdateContext) -> datetime:
    return datetime.fromtimestamp(context.received / 1000, UTC)
