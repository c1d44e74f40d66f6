"""What everybody may ask: to play, to look, to check, to choose a language."""

from fsm.kind import Game, UnknownGame
from fsm.lobby import Join, Leave
from handlers import fairness
from handlers.commands import wallet
from handlers.commands.finding import NoGameHere, chosen_game, game_to_join, mentioned_game, player_only
from handlers.commands.languages import language
from handlers.commands.lists import PAGE, games, history, leaderboard, stats
from handlers.commands.named import Command
from handlers.context import UpdateContext
from handlers.kinds.registry import FACES, of_state
from handlers.views.message import Button
from handlers.written import moment
from play.texts import Markup, tidy

BOARD_LINK = "g_"
PROOF_LINK = "f_"


async def start(incoming: UpdateContext) -> None:
    """Greet; or open what a deep link leads to."""
    payload = incoming.arguments
    if incoming.private:
        await incoming.deps.people.saw_chat(incoming.person.id, "private", incoming.person.name)
    if incoming.private and payload.startswith(BOARD_LINK):
        await _own_board(incoming, payload.removeprefix(BOARD_LINK))
    elif incoming.private and payload.startswith(PROOF_LINK):
        await fairness.send_proof(incoming, payload.removeprefix(PROOF_LINK))
    elif incoming.private and payload == wallet.LINK:
        await wallet.show(incoming)
    elif incoming.private:
        keyboard = [[Button(incoming.label("cmd-add-to-group"), url=add_to_group(incoming))]]
        await incoming.answer(incoming.text("cmd-start", name=incoming.person.name), keyboard)
    else:
        await incoming.reply("cmd-start-group", bot=incoming.deps.bot_username)


def add_to_group(incoming: UpdateContext) -> str:
    """The link that adds the bot to a group."""
    return f"https://t.me/{incoming.deps.bot_username}?startgroup=true"


async def _own_board(incoming: UpdateContext, game_id: str) -> None:
    """The person's own board of a game, in private."""
    state = (await incoming.deps.engine.look(game_id)).state
    if await incoming.deps.people.is_banned(state.place.chat_id, incoming.person.id):
        return await incoming.reply("cmd-banned")
    await incoming.show(incoming.deps.taps.opened(incoming.person.id, state, incoming.locale))
    return None


async def help_(incoming: UpdateContext) -> None:
    """What the bot can do, for whoever asks."""
    parts = ["cmd-help-private" if incoming.private else "cmd-help-group"]
    if incoming.private and incoming.person.id in incoming.deps.operators:
        parts.append("cmd-help-operator")
    await incoming.answer("\n\n".join(incoming.text(part) for part in parts))


async def join(incoming: UpdateContext) -> None:
    """Join the game that is played here."""
    player_only(incoming)
    game_id = await game_to_join(incoming)
    outcome = await incoming.deps.engine.execute(
        game_id,
        Join(incoming.person.id, tidy(incoming.person.name)),
        command_id=incoming.command_id,
        received=incoming.received,
    )
    await incoming.reply("cmd-joined", title=incoming.title_of(outcome.state), count=len(outcome.state.players))


async def leave(incoming: UpdateContext) -> None:
    """Leave the game that is played here."""
    player_only(incoming)
    game_id = await chosen_game(incoming)
    outcome = await incoming.deps.engine.execute(
        game_id, Leave(incoming.person.id), command_id=incoming.command_id, received=incoming.received
    )
    await incoming.reply("cmd-left", title=incoming.title_of(outcome.state))


async def status(incoming: UpdateContext) -> None:
    """How the games stand that are played here; in private, those that the person plays in."""
    deps = incoming.deps
    named = mentioned_game(incoming)
    if named is not None:
        ids = [named]
    elif incoming.private:
        ids = list(await deps.archive.live_game_of_player(incoming.person.id))
    else:
        ids = await deps.games.live_in(incoming.place)
    found = [line for game_id in ids[:PAGE] if (line := await _status_of(incoming, game_id)) is not None]
    if found:
        await incoming.answer("\n\n".join(found))
    elif incoming.private:
        await incoming.reply("cmd-games-none-private")
    else:
        raise NoGameHere


async def _status_of(incoming: UpdateContext, game_id: str) -> str | None:
    try:
        state = (await incoming.deps.engine.look(game_id)).state
    except UnknownGame:
        return None
    lines = [
        incoming.text("cmd-status", title=incoming.title_of(state), game=Markup(state.id), count=len(state.players)),
        incoming.text("cmd-phase", phase=state.phase),
        *([incoming.text("cmd-time-up", when=moment(state.deadline))] if state.deadline is not None else []),
        *_own_part(incoming, state),
    ]
    return "\n".join(lines)


def _own_part(incoming: UpdateContext, state: Game) -> list[Markup]:
    """Say whether the person plays, or in private the line that the kind has for them."""
    if incoming.person.anonymous:
        return []
    if incoming.person.id not in state.players:
        return [incoming.text("cmd-you-are-out")]
    own_line = of_state(state).own_line
    if own_line is None or not incoming.private:  # a number is its owner's business until the draw
        return [incoming.text("cmd-you-are-in")]
    own = own_line(state, incoming.person.id, incoming.deps.texts, incoming.locale)
    return [own or incoming.text("cmd-you-are-in")]


async def fair(incoming: UpdateContext) -> None:
    """The proof of a draw: of the game named or answered, or of the last one that ended here."""
    game_id = mentioned_game(incoming)
    if game_id is None:
        chat, player = (None, incoming.person.id) if incoming.private else (incoming.place.chat_id, None)
        ended = await incoming.deps.archive.history(chat, player, 10, 0)
        game_id = next(
            (game.id for game in ended if game.status == "completed" and FACES[game.kind].prove is not None), None
        )
    if game_id is None:
        raise fairness.NothingToProve
    await fairness.send_proof(incoming, game_id)


COMMANDS: dict[str, Command] = {
    "start": start,
    "help": help_,
    "join": join,
    "leave": leave,
    "status": status,
    "games": games,
    "stats": stats,
    "leaderboard": leaderboard,
    "history": history,
    "fair": fair,
    "verify": wallet.verify,
    "language": language,
}
