"""Commands of hosts: they steer a game, and ban people from the chat's games."""

from fsm.engine import Outcome
from fsm.kind import Command as GameCommand
from fsm.lobby import Cancel, Extend, NotInGame, Remove, StartNow
from handlers.audience import audience_of
from handlers.commands.command import Command, for_hosts
from handlers.commands.lookup import chosen_game, meant
from handlers.context import UpdateContext
from play.access import Needs
from play.numbers import whole
from play.telling import MESSAGES, QUIET
from storage.keys import is_game_id

EXTENSION_SECONDS = 60
MOST_SECONDS = 999_999
"""Largest number of seconds that is parsed. The rules of games have a lower limit."""


async def _do(context: UpdateContext, game_id: str, command: GameCommand) -> Outcome:
    return await context.deps.play.engine.execute(
        game_id, command, command_id=context.command_id, received=context.received
    )


async def _hosted_game(context: UpdateContext) -> str:
    """Return the id of the game meant, if the person is a host of its chat. Raises the errors of ``chosen_game``."""
    return (await chosen_game(context, Needs.HOST)).id


async def startnow(context: UpdateContext) -> None:
    """Handle ``/startnow``: close the lobby and begin the game."""
    game_id = await _hosted_game(context)
    outcome = await _do(context, game_id, StartNow(context.host.id))
    await context.reply("cmd-started", title=context.title_of(outcome.state))


async def extend(context: UpdateContext) -> None:
    """Handle ``/extend [seconds]``: move the deadline of the phase."""
    words = [word for word in context.arguments.split() if not is_game_id(word)]
    given = words[0] if words else str(EXTENSION_SECONDS)
    seconds = whole(given, MOST_SECONDS)
    if len(words) > 1 or seconds is None:
        await context.reply("cmd-usage-extend")
        return
    game_id = await _hosted_game(context)
    outcome = await _do(context, game_id, Extend(context.host.id, seconds * 1000))
    await context.reply("cmd-extended", title=context.title_of(outcome.state), seconds=seconds)


async def remove(context: UpdateContext) -> None:
    """Handle ``/remove``: remove a player from the game."""
    whom = await meant(context)
    game_id = await _hosted_game(context)
    try:
        outcome = await _do(context, game_id, Remove(whom.id, context.host.id))
    except NotInGame:  # its usual text addresses the player, not the host
        await context.reply("cmd-remove-not-in-game", name=whom.name)
        return
    await context.reply("cmd-removed", name=whom.name, title=context.title_of(outcome.state))


async def cancel_game(context: UpdateContext) -> None:
    """Handle ``/cancel_game``: end the game without a result.

    There is an answer only if the message of the cancellation does not appear below the command: in a quiet chat, or
    if the game is in another topic.
    """
    game_id = await _hosted_game(context)
    game = (await _do(context, game_id, Cancel(context.host.id, "host"))).state
    audience = await audience_of(context.deps.stores.people, game.place.chat_id)
    if audience.wants(MESSAGES, QUIET) or game.place != context.chat_topic:
        await context.reply("cmd-cancelled", title=context.title_of(game))


async def ban(context: UpdateContext) -> None:
    """Handle ``/ban``: ban a person from this chat's games, and remove them from the live ones."""
    whom = await meant(context)
    changed = await context.deps.play.bans.ban(
        context.actor,
        context.chat_topic.chat_id,
        whom.id,
        reason=whom.rest,
        command_id=context.command_id,
        received=context.received,
        topic_id=context.chat_topic.topic_id,
    )
    await context.reply("cmd-banned-somebody" if changed else "cmd-banned-already", name=whom.name)


async def unban(context: UpdateContext) -> None:
    """Handle ``/unban``: lift a person's ban from this chat's games."""
    whom = await meant(context)
    changed = await context.deps.play.bans.unban(context.actor, context.chat_topic.chat_id, whom.id)
    await context.reply("cmd-unbanned" if changed else "cmd-not-banned", name=whom.name)


COMMANDS: dict[str, Command] = {
    "startnow": for_hosts(startnow),
    "extend": for_hosts(extend),
    "remove": for_hosts(remove),
    "cancel_game": for_hosts(cancel_game),
    "ban": for_hosts(ban),
    "unban": for_hosts(unban),
}
