"""Commands of hosts: they steer a game, and ban people from the chat's games."""

from fsm.engine import Outcome
from fsm.kind import Command as GameCommand
from fsm.kind import Rejected
from fsm.lobby import Cancel, Extend, NotInGame, Remove, StartNow
from handlers.commands.command import Command, for_hosts
from handlers.commands.lookup import chosen_game, meant
from handlers.context import UpdateContext
from handlers.membership_updates import live_games
from play.access import Needs
from play.numbers import whole
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
    """Handle ``/cancel_game``: end the game without a result."""
    game_id = await _hosted_game(context)
    outcome = await _do(context, game_id, Cancel(context.host.id, "host"))
    await context.reply("cmd-cancelled", title=context.title_of(outcome.state))


async def ban(context: UpdateContext) -> None:
    """Handle ``/ban``: ban a person from this chat's games, and remove them from the live ones."""
    whom = await meant(context)
    deps, chat_id = context.deps, context.chat_topic.chat_id
    if await deps.play.access.is_protected(chat_id, whom.id):
        await context.reply("cmd-ban-not-hosts")
        return
    await deps.stores.people.ban(chat_id, whom.id, context.host.id, whom.rest[:200], None)
    await _remove_everywhere(context, whom.id)
    await context.reply("cmd-banned-somebody", name=whom.name)


async def _remove_everywhere(context: UpdateContext, player_id: int) -> None:
    """Remove a person from the live games in all topics of the chat. Games whose rules refuse it are skipped."""
    here = await context.deps.stores.games.live_in(context.chat_topic)
    anywhere = await live_games(context.deps, context.chat_topic.chat_id)
    for number, game_id in enumerate(dict.fromkeys([*here, *anywhere])):
        try:
            await context.deps.play.engine.execute(
                game_id,
                Remove(player_id, context.host.id),
                command_id=f"{context.command_id}:{number}",
                received=context.received,
            )
        except Rejected:
            continue


async def unban(context: UpdateContext) -> None:
    """Handle ``/unban``: lift a person's ban from this chat's games."""
    whom = await meant(context)
    await context.deps.stores.people.unban(context.chat_topic.chat_id, whom.id)
    await context.reply("cmd-unbanned", name=whom.name)


COMMANDS: dict[str, Command] = {
    "startnow": for_hosts(startnow),
    "extend": for_hosts(extend),
    "remove": for_hosts(remove),
    "cancel_game": for_hosts(cancel_game),
    "ban": for_hosts(ban),
    "unban": for_hosts(unban),
}
