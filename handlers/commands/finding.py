"""Which game a command means, and whom."""

import re
from dataclasses import dataclass

from aiogram.types import Message

from fsm.kind import PlayerId, Rejected
from handlers.context import ANONYMOUS, UpdateContext, answered
from storage.keys import is_game_id

GAME_IN_DATA = re.compile(r"[a-z]{1,2}:([0-9a-z]+)")
"""Callback data of a game's buttons: verb and game."""
GAME_IN_LINK = re.compile(r"[?&]start=[a-z]_([0-9a-z]+)")


@dataclass(unsafe_hash=True)
class NoGameHere(Rejected):
    """No game is being played where the command was given."""


@dataclass(unsafe_hash=True)
class WhichGame(Rejected):
    """Several games are being played here; one must be named."""

    games: str


@dataclass(unsafe_hash=True)
class GameElsewhere(Rejected):
    """The game belongs to another chat, and is joined there."""


@dataclass(unsafe_hash=True)
class NotAHost(Rejected):
    """Only administrators may do that."""


@dataclass(unsafe_hash=True)
class NeedsAPerson(Rejected):
    """Who writes as the group can't play."""


@dataclass(unsafe_hash=True)
class WhoIsMeant(Rejected):
    """The command names nobody that the bot knows."""


@dataclass(frozen=True, slots=True)
class TargetUser:
    """A person that a command is about, and what was written beside."""

    id: PlayerId
    name: str
    rest: str = ""


def mentioned_game(incoming: UpdateContext) -> str | None:
    """The game that the command names, or that the message belongs to which it answers."""
    for word in incoming.arguments.split():
        if is_game_id(word):
            return word
    reply = answered(incoming.message)
    return game_of_message(reply) if reply is not None else None


def game_of_message(message: Message) -> str | None:
    """The game whose buttons a message has."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else []
    for button in (button for row in rows for button in row):
        found = GAME_IN_DATA.match(button.callback_data or "") or GAME_IN_LINK.search(button.url or "")
        if found is not None and is_game_id(found[1]):
            return found[1]
    return None


async def chosen_game(incoming: UpdateContext) -> str:
    """The live game that a command means. Raises ``NoGameHere`` and ``WhichGame``."""
    named = mentioned_game(incoming)
    if named is not None:
        return named
    live = await incoming.deps.games.live_in(incoming.place)
    if not live:
        raise NoGameHere
    if len(live) > 1:
        raise WhichGame(games=", ".join(live))
    return live[0]


async def game_to_join(incoming: UpdateContext) -> str:
    """The same, where it is played in this chat: a game is joined where bans of its chat have been looked at.

    Raises ``GameElsewhere``, and what ``chosen_game`` raises.
    """
    game_id = await chosen_game(incoming)
    if (await incoming.deps.engine.look(game_id)).state.place.chat_id != incoming.place.chat_id:
        raise GameElsewhere
    return game_id


async def host_only(incoming: UpdateContext) -> None:
    """Raise ``NotAHost`` unless the person is a host here."""
    if not await incoming.is_host():
        raise NotAHost


def player_only(incoming: UpdateContext) -> None:
    """Raise ``NeedsAPerson`` where an anonymous administrator writes."""
    if incoming.person.anonymous:
        raise NeedsAPerson


async def meant(incoming: UpdateContext) -> TargetUser:
    """Whom a command is about: the author of the message it answers, a mention, a name, an id.

    Raises ``WhoIsMeant``.
    """
    words = incoming.arguments.split(maxsplit=1)
    message = incoming.message
    reply = answered(message)
    author = reply.from_user if reply else None
    if author is not None and not author.is_bot and author.id != ANONYMOUS:
        return TargetUser(author.id, author.full_name, incoming.arguments)
    for entity in (message.entities if message else None) or []:
        if entity.type == "text_mention" and entity.user is not None and message is not None:
            rest = incoming.arguments.removeprefix(entity.extract_from(message.text or "")).strip()
            return TargetUser(entity.user.id, entity.user.full_name, rest)
    if not words:
        raise WhoIsMeant
    rest = words[1] if len(words) > 1 else ""
    if words[0].isdecimal() and len(words[0]) < 20:
        player_id = int(words[0])
        return TargetUser(player_id, await incoming.deps.people.name_of(player_id) or words[0], rest)
    known = await incoming.deps.people.find_player(words[0].removeprefix("@"))
    if known is None:
        raise WhoIsMeant
    return TargetUser(*known, rest)
