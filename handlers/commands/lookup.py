"""Lookup of the game and the person that a command is about."""

import re
from dataclasses import dataclass

from aiogram.types import Message

from fsm.kind import Game, PlayerId, Rejected
from handlers.context import UpdateContext, answered
from play.access import ANONYMOUS, Needs
from play.numbers import HIGHEST_ID, whole
from storage.keys import is_game_id

GAME_IN_DATA = re.compile(r"[a-z]{1,2}:([0-9a-z]+)")
"""Beginning of the callback data of a game's buttons: verb and game id."""
ID_IN_GROUPS = re.compile(r"\d{1,3}(\s\d{3})+(?!\S)")
"""Beginning of arguments with a number whose thousands are grouped by blanks."""
GAME_IN_LINK = re.compile(r"[?&]start=[a-z]_([0-9a-z]+)")


@dataclass(unsafe_hash=True)
class NoGameHere(Rejected):
    """No game is being played in the chat or topic of the command."""


@dataclass(unsafe_hash=True)
class WhichGame(Rejected):
    """Several games are being played in the chat or topic, and the command names none of them."""

    games: str


@dataclass(unsafe_hash=True)
class WhoIsMeant(Rejected):
    """The command does not name a person that the bot knows."""


@dataclass(unsafe_hash=True)
class IdWithBlanks(Rejected):
    """An id with blanks in it. Its first digits alone may be another person's id."""


@dataclass(frozen=True, slots=True)
class TargetUser:
    """The person that a command is about, and the rest of its arguments."""

    id: PlayerId
    name: str
    rest: str = ""


def mentioned_game(context: UpdateContext) -> str | None:
    """Return the id of the game that the command names or replies to; None if there is none."""
    for word in context.arguments.split():
        if is_game_id(word):
            return word
    reply = answered(context.message)
    return game_of_message(reply) if reply is not None else None


def game_of_message(message: Message) -> str | None:
    """Return the id of the game that a message's buttons belong to; None if there is none."""
    rows = message.reply_markup.inline_keyboard if message.reply_markup else []
    for button in (button for row in rows for button in row):
        found = GAME_IN_DATA.match(button.callback_data or "") or GAME_IN_LINK.search(button.url or "")
        if found is not None and is_game_id(found[1]):
            return found[1]
    return None


async def chosen_game(context: UpdateContext, needs: Needs) -> Game:
    """Return the live game that a command is about, after authorising the person for it.

    Raises the refusals of `Access`, ``NoGameHere``, ``WhichGame`` and ``UnknownGame``.
    """
    state = (await context.deps.play.engine.look(await _chosen_id(context))).state
    await context.authorise(needs, state)
    return state


async def _chosen_id(context: UpdateContext) -> str:
    """Return the id of the game that a command is about. Raises ``NoGameHere`` and ``WhichGame``."""
    named = mentioned_game(context)
    if named is not None:
        return named
    live = await context.deps.stores.games.live_in(context.chat_topic)
    if not live:
        raise NoGameHere
    if len(live) > 1:
        raise WhichGame(games=", ".join(live))
    return live[0]


async def meant(context: UpdateContext) -> TargetUser:
    """Return the person that a command is about.

    In this order: the author of the message that it replies to, a mention, an id, a username. Raises ``WhoIsMeant`` and
    ``IdWithBlanks``.
    """
    words = context.arguments.split(maxsplit=1)
    message = context.message
    reply = answered(message)
    author = reply.from_user if reply else None
    if author is not None and not author.is_bot and author.id != ANONYMOUS:
        return TargetUser(author.id, author.full_name, context.arguments)
    for entity in (message.entities if message else None) or []:
        if entity.type == "text_mention" and entity.user is not None and message is not None:
            rest = context.arguments.removeprefix(entity.extract_from(message.text or "")).strip()
            return TargetUser(entity.user.id, entity.user.full_name, rest)
    if not words:
        raise WhoIsMeant
    if ID_IN_GROUPS.match(context.arguments):
        raise IdWithBlanks
    rest = words[1] if len(words) > 1 else ""
    player_id = whole(words[0], HIGHEST_ID, 1)
    if player_id is not None:
        name = await context.deps.stores.people.name_in(context.chat_topic.chat_id, player_id)
        return TargetUser(player_id, name or words[0], rest)
    known = await context.deps.stores.people.find_player(words[0].removeprefix("@"))
    if known is None:
        raise WhoIsMeant
    return TargetUser(*known, rest)
