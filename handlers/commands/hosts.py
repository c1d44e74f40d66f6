"""What hosts do to a game, and whom they keep out."""

from fsm.engine import Outcome
from fsm.kind import Command as GameCommand
from fsm.kind import Rejected
from fsm.lobby import Cancel, Extend, Remove, StartNow
from handlers.commands.finding import NotAHost, chosen_game, host_only, meant
from handlers.commands.named import Command
from handlers.commands.players import add_to_group
from handlers.context import UpdateContext
from handlers.members import live_games
from handlers.views.message import Button
from storage.keys import is_game_id

EXTENSION_SECONDS = 60


def in_groups(command: Command) -> Command:
    """A command of hosts: in private, where nobody is one, it says where to use it."""

    async def handle(incoming: UpdateContext) -> None:
        if incoming.private:
            keyboard = [[Button(incoming.label("cmd-add-to-group"), url=add_to_group(incoming))]]
            await incoming.answer(incoming.text("cmd-use-in-group"), keyboard)
        else:
            await command(incoming)

    return handle


async def _do(incoming: UpdateContext, game_id: str, command: GameCommand) -> Outcome:
    return await incoming.deps.engine.execute(
        game_id, command, command_id=incoming.command_id, received=incoming.received
    )


async def _hosted_game(incoming: UpdateContext) -> str:
    """The game meant, where the person may rule it: a host of the chat in which it is played.

    Raises ``NotAHost``, and what ``chosen_game`` raises.
    """
    await host_only(incoming)
    game_id = await chosen_game(incoming)
    if (await incoming.deps.engine.look(game_id)).state.place.chat_id != incoming.place.chat_id:
        raise NotAHost  # an id of another chat's game gives no rights over it
    return game_id


@in_groups
async def startnow(incoming: UpdateContext) -> None:
    """End the joining."""
    game_id = await _hosted_game(incoming)
    outcome = await _do(incoming, game_id, StartNow(incoming.host.id))
    await incoming.reply("cmd-started", title=incoming.title_of(outcome.state))


@in_groups
async def extend(incoming: UpdateContext) -> None:
    """``/extend [seconds]``: more time."""
    words = [word for word in incoming.arguments.split() if not is_game_id(word)]
    given = words[0] if words else str(EXTENSION_SECONDS)
    if len(words) > 1 or not given.isdecimal() or len(given) > 6:
        await incoming.reply("cmd-usage-extend")
        return
    game_id = await _hosted_game(incoming)
    seconds = int(given)
    outcome = await _do(incoming, game_id, Extend(incoming.host.id, seconds * 1000))
    await incoming.reply("cmd-extended", title=incoming.title_of(outcome.state), seconds=seconds)


@in_groups
async def remove(incoming: UpdateContext) -> None:
    """Take a player out of the game."""
    await host_only(incoming)
    whom = await meant(incoming)
    game_id = await _hosted_game(incoming)
    outcome = await _do(incoming, game_id, Remove(whom.id, incoming.host.id))
    await incoming.reply("cmd-removed", name=whom.name, title=incoming.title_of(outcome.state))


@in_groups
async def cancel_game(incoming: UpdateContext) -> None:
    """End the game without a result."""
    game_id = await _hosted_game(incoming)
    outcome = await _do(incoming, game_id, Cancel(incoming.host.id, "host"))
    await incoming.reply("cmd-cancelled", title=incoming.title_of(outcome.state))


@in_groups
async def ban(incoming: UpdateContext) -> None:
    """Keep somebody out of this chat's games, the live ones included."""
    await host_only(incoming)
    whom = await meant(incoming)
    deps, chat_id = incoming.deps, incoming.place.chat_id
    if whom.id == incoming.person.id or await deps.hosts.is_host(chat_id, whom.id):
        await incoming.reply("cmd-ban-not-hosts")
        return
    await deps.people.ban(chat_id, whom.id, incoming.host.id, whom.rest[:200], None)
    await _remove_everywhere(incoming, whom.id)
    await incoming.reply("cmd-banned-somebody", name=whom.name)


async def _remove_everywhere(incoming: UpdateContext, player_id: int) -> None:
    """Out of the live games of the chat, whatever the topic, where the rules still let anybody out."""
    here = await incoming.deps.games.live_in(incoming.place)
    anywhere = await live_games(incoming.deps, incoming.place.chat_id)
    for number, game_id in enumerate(dict.fromkeys([*here, *anywhere])):
        try:
            await incoming.deps.engine.execute(
                game_id,
                Remove(player_id, incoming.host.id),
                command_id=f"{incoming.command_id}:{number}",
                received=incoming.received,
            )
        except Rejected:
            continue


@in_groups
async def unban(incoming: UpdateContext) -> None:
    """Let somebody in again."""
    await host_only(incoming)
    whom = await meant(incoming)
    await incoming.deps.people.unban(incoming.place.chat_id, whom.id)
    await incoming.reply("cmd-unbanned", name=whom.name)


COMMANDS: dict[str, Command] = {
    "startnow": startnow,
    "extend": extend,
    "remove": remove,
    "cancel_game": cancel_game,
    "ban": ban,
    "unban": unban,
}
