"""``/nextgame``: a private word when a game opens in the group, until the person stops it."""

from handlers.commands.command import Command
from handlers.context import UpdateContext
from handlers.views.message import Button, Message, rows
from play.access import Needs
from play.next_games import STOP
from play.numbers import HIGHEST_ID, whole
from play.occurrences import REMIND

LINK = "next_"
"""Prefix of the deep link that subscribes in private; the chat's id without its sign follows."""
TAP = "next:"
DROP = "next:drop:"
"""Beginning of the callback data of a button in the list of subscriptions; the chat's id follows."""


async def nextgame(context: UpdateContext) -> None:
    """Handle ``/nextgame``: subscribe to the group; in private, list the subscriptions."""
    if context.private:
        await context.show(await _list(context))
    elif await _subscribe(context, context.chat_topic.chat_id):
        await context.whisper(Message(context.text("next-on")))
    else:
        to_private = Button(context.label("next-to-private"), url=_link(context))
        await context.whisper(Message(context.text("next-start-first"), ((to_private,),)))


async def start(context: UpdateContext) -> None:
    """Handle the deep link: subscribe in private. Raises ``NotAMember``."""
    number = whole(context.arguments.removeprefix(LINK), HIGHEST_ID, 1)
    if number is None:
        await context.reply("dlg-stale")
        return
    await _subscribe(context, -number)
    stop = Button(context.label("next-stop"), data=f"{STOP}{-number}")
    await context.show(Message(context.text("next-on-in-private", chat=await _title(context, -number)), ((stop,),)))


async def tap(context: UpdateContext, data: str) -> None:
    """Handle the buttons: subscribe at an announcement, stop at a word or in the list."""
    if data == REMIND:
        known = await _subscribe(context, context.chat_topic.chat_id)
        # Telegram opens the private chat if the link is the answer to the tap.
        await (context.toast(context.word("next-on-toast")) if known else context.toast(url=_link(context)))
        return
    in_list = data.startswith(DROP)
    number = whole(data.removeprefix(DROP if in_list else STOP).removeprefix("-"), HIGHEST_ID, 1)
    if number is None or not context.private:
        await context.toast(context.word("dlg-stale"))
        return
    await context.deps.play.next_games.unsubscribe(context.person.id, -number)
    view = await _list(context) if in_list else Message(context.text("next-off", chat=await _title(context, -number)))
    await context.edit(view.text, view.keyboard)
    await context.toast()


async def _subscribe(context: UpdateContext, chat_id: int) -> bool:
    """Subscribe the person. Returns True if the bot may write to them. Raises the errors of ``NextGames.subscribe``."""
    return await context.deps.play.next_games.subscribe(context.actor, chat_id)


async def _list(context: UpdateContext) -> Message:
    found = await context.deps.play.next_games.of_player(context.person.id)
    buttons = [
        Button(context.label("next-stop-chat", chat=title or str(chat_id)), data=f"{DROP}{chat_id}")
        for chat_id, title in found
    ]
    return Message(context.text("next-list" if found else "next-none"), rows(buttons, 1))


async def _title(context: UpdateContext, chat_id: int) -> str:
    chat = await context.deps.stores.people.chat(chat_id)
    return chat.title if chat is not None and chat.title else str(chat_id)


def _link(context: UpdateContext) -> str:
    return f"https://t.me/{context.deps.bot_username}?start={LINK}{-context.chat_topic.chat_id}"


COMMANDS: dict[str, Command] = {"nextgame": Command(nextgame, Needs.PLAY)}
