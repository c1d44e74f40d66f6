"""Opening a game: the one way, for the one-line command and for the dialog."""

from typing import Any

from fsm.engine import Outcome
from fsm.kind import Rejected
from fsm.lobby import OpenGame
from handlers.commands.finding import NotAHost
from handlers.context import UpdateContext
from play.content import open_with_content

OPENERS = "openers"
"""Setting of a chat: who may open games."""
HOSTS, EVERYONE = "hosts", "everyone"


async def settings_of(incoming: UpdateContext) -> dict[str, Any]:
    """What the hosts of the chat have set."""
    chat = await incoming.deps.people.chat(incoming.place.chat_id)
    return dict(chat.settings) if chat is not None else {}


async def may_open(incoming: UpdateContext) -> None:
    """Raise ``NotAHost`` where only hosts may open games and the person is none."""
    if (await settings_of(incoming)).get(OPENERS, HOSTS) != EVERYONE and not await incoming.is_host():
        raise NotAHost


async def open_game(incoming: UpdateContext, kind: str, title: str, rules: Any) -> Outcome:
    """Open a game where the person is. The same update opens one game, however often it comes.

    Raises ``Rejected`` (``NotAHost`` included) and ``Unavailable``.
    """
    await may_open(incoming)
    deps, place = incoming.deps, incoming.place
    await deps.people.saw_chat(place.chat_id, incoming.chat_type, incoming.chat_title)
    game_id = deps.games.new_id(place, incoming.command_id)
    command = OpenGame(kind, game_id, place, incoming.host, title, rules, deps.max_live)
    return await open_with_content(
        deps.engine, deps.supplies, command, command_id=incoming.command_id, received=incoming.received
    )


async def create(incoming: UpdateContext, kind: str, title: str, rules: Any) -> bool:
    """The same for a tap, which is answered with how it went. Whether the game is open."""
    try:
        await open_game(incoming, kind, title, rules)
    except Rejected as refusal:
        await incoming.toast(incoming.deps.texts.refusal(incoming.own_locale, refusal), alert=True)
        return False
    await incoming.toast(incoming.word("dlg-newgame-opened"))
    return True


async def store_setting(incoming: UpdateContext, name: str, value: Any) -> None:
    """Keep one of the chat's settings. Raises ``NotAHost``: only hosts change what everybody plays by."""
    if not await incoming.is_host():
        raise NotAHost
    people, chat_id = incoming.deps.people, incoming.place.chat_id
    await people.saw_chat(chat_id, incoming.chat_type, incoming.chat_title)
    await people.change_settings(chat_id, {name: value})
