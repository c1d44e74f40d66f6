"""Commands of players: join and leave, look at games and results, verify draws, choose a language."""

from fsm.kind import Game, UnknownGame
from fsm.lobby import Join, Leave
from handlers import fairness
from handlers.commands import nextgame, results, wallet
from handlers.commands.command import Command, add_to_group
from handlers.commands.languages import language
from handlers.commands.leaderboard import leaderboard
from handlers.commands.lists import PAGE, games, history, stats
from handlers.commands.lookup import NoGameHere, chosen_game, mentioned_game
from handlers.commands.privacy import LINK as PRIVACY_LINK
from handlers.commands.privacy import privacy
from handlers.context import UpdateContext
from handlers.kinds.registry import FACES, of_state
from handlers.taps import PROOF_LINK, REMATCH_LINK
from handlers.views.message import Button
from handlers.views.times import moment
from play.access import Needs
from play.opening import StillPlayed
from play.proofs import NothingToProve
from play.texts import Markup, Texts, tidy

BOARD_LINK = "g_"


async def start(context: UpdateContext) -> None:
    """Handle ``/start [payload]``: greet the person, or open the target of a deep link."""
    payload = context.arguments
    if context.private:
        await context.deps.stores.people.saw_chat(context.person.id, "private", context.person.name)
    if context.private and payload.startswith(BOARD_LINK):
        await _own_board(context, payload.removeprefix(BOARD_LINK))
    elif context.private and payload.startswith(PROOF_LINK):
        await fairness.send_proof(context, payload.removeprefix(PROOF_LINK))
    elif context.private and payload.startswith(REMATCH_LINK):
        await _ask_rematch(context, payload.removeprefix(REMATCH_LINK))
    elif context.private and payload.startswith(nextgame.LINK):
        await nextgame.start(context)
    elif context.private and payload.startswith(results.LINK):
        await results.send(context)
    elif context.private and payload == PRIVACY_LINK:
        await privacy(context)
    elif context.private and payload == wallet.LINK:
        await context.authorise(Needs.USE)
        await wallet.show(context)
    elif context.private:
        keyboard = [[Button(context.label("cmd-add-to-group"), url=add_to_group(context))]]
        await context.answer(context.text("cmd-start", name=context.person.name), keyboard)
    else:
        await context.reply("cmd-start-group", bot=context.deps.bot_username)


async def _own_board(context: UpdateContext, game_id: str) -> None:
    """Show the person's own board of a game in private."""
    state = (await context.deps.play.engine.look(game_id)).state
    await context.authorise(Needs.LOOK, state)
    board = context.deps.taps.opened(context.person.id, state, context.locale)
    if of_state(state).kind.machine.is_final(state.phase):
        await context.show(board)
    else:
        await context.show_own_board(board, state.id)


async def _ask_rematch(context: UpdateContext, game_id: str) -> None:
    """Ask a host in private who may join the rematch of an ended game."""
    try:
        old = (await context.deps.play.engine.look(game_id)).state
    except UnknownGame:
        found = await context.deps.stores.archive.finished(game_id)
        if found is None:
            raise
        old = found
    await context.authorise(Needs.HOST, old)
    if not of_state(old).kind.machine.is_final(old.phase):
        raise StillPlayed
    await context.show(context.deps.taps.rematch_question(old, context.locale))


async def help_(context: UpdateContext) -> None:
    """Handle ``/help``: list the commands that the person can use here."""
    texts, locale = context.deps.play.texts, context.locale
    parts = [private_help(texts, locale) if context.private else group_help(texts, locale)]
    if context.deps.play.access.is_operator(context.actor):
        parts.append(context.text("cmd-help-operator"))
    await context.answer("\n\n".join(parts))


def group_help(texts: Texts, locale: str) -> Markup:
    """Return the help for groups, which includes the commands of the kinds."""
    named = [face.imported("commands").COMMANDS for face in FACES.values() if face.commands is not None]
    lines = [texts.html(locale, f"cmd-help-{name}") for commands in named for name in commands]
    return texts.html(locale, "cmd-help-group", commands=Markup("\n".join(lines)))


def private_help(texts: Texts, locale: str) -> Markup:
    """Return the help for private chats, which includes the dialogs of the kinds."""
    named = [face.imported("dialogs").DIALOG_COMMANDS for face in FACES.values() if face.dialogs is not None]
    lines = [f"\n{texts.html(locale, f'cmd-help-{name}')}" for commands in named for name in commands]
    return texts.html(locale, "cmd-help-private", commands=Markup("".join(lines)))


async def join(context: UpdateContext) -> None:
    """Handle ``/join [game]``."""
    game = await chosen_game(context, Needs.JOIN)
    outcome = await context.deps.play.engine.execute(
        game.id,
        Join(context.person.id, tidy(context.person.name)),
        command_id=context.command_id,
        received=context.received,
    )
    await context.reply("cmd-joined", title=context.title_of(outcome.state), count=len(outcome.state.players))


async def leave(context: UpdateContext) -> None:
    """Handle ``/leave [game]``."""
    game = await chosen_game(context, Needs.PLAY)
    outcome = await context.deps.play.engine.execute(
        game.id, Leave(context.person.id), command_id=context.command_id, received=context.received
    )
    await context.reply("cmd-left", title=context.title_of(outcome.state))


async def status(context: UpdateContext) -> None:
    """Handle ``/status [game]``: show the state of the chat's games; in private, of the person's games."""
    deps = context.deps
    named = mentioned_game(context)
    if named is not None:
        ids = [named]
    elif context.private:
        ids = list(await deps.stores.archive.live_game_of_player(context.person.id))
    else:
        ids = await deps.stores.games.live_in(context.chat_topic)
    found = [line for game_id in ids[:PAGE] if (line := await _status_of(context, game_id)) is not None]
    if found:
        await context.answer("\n\n".join(found))
    elif context.private:
        await context.reply("cmd-games-none-private")
    else:
        raise NoGameHere


async def _status_of(context: UpdateContext, game_id: str) -> str | None:
    try:
        state = (await context.deps.play.engine.look(game_id)).state
    except UnknownGame:
        return None
    await context.authorise(Needs.LOOK, state)
    lines = [
        context.text("cmd-status", title=context.title_of(state), game=Markup(state.id), count=len(state.players)),
        context.phase(of_state(state).kind.name, state.phase),
        *([context.text("cmd-time-up", when=moment(ends))] if (ends := state.ends_at) is not None else []),
        *_own_part(context, state),
    ]
    return "\n".join(lines)


def _own_part(context: UpdateContext, state: Game) -> list[Markup]:
    """Return the line about the person: whether they play; in private, the line that the kind has for them."""
    if context.person.anonymous:
        return []
    if context.person.id not in state.players:
        return [context.text("cmd-you-are-out")]
    own_line = of_state(state).own_line
    if own_line is None or not context.private:  # picks are secret until the draw
        return [context.text("cmd-you-are-in")]
    own = own_line(state, context.person.id, context.deps.play.texts, context.locale)
    return [own or context.text("cmd-you-are-in")]


async def fair(context: UpdateContext) -> None:
    """Handle ``/fair [game]``: send the proof of the game that is named or replied to, or of the last one here."""
    game_id = mentioned_game(context)
    if game_id is None:
        chat, player = (None, context.person.id) if context.private else (context.chat_topic.chat_id, None)
        ended = await context.deps.stores.archive.history(chat, player, 10, 0)
        game_id = next(
            (game.id for game in ended if game.status in {"completed", "void"} and FACES[game.kind].prove is not None),
            None,
        )
    if game_id is None:
        raise NothingToProve
    await fairness.send_proof(context, game_id)


COMMANDS: dict[str, Command] = {
    "start": Command(start, Needs.NOTHING),
    "help": Command(help_, Needs.NOTHING),
    "join": Command(join, Needs.JOIN),
    "leave": Command(leave, Needs.PLAY),
    "status": Command(status, Needs.LOOK),
    "games": Command(games, Needs.LOOK),
    "stats": Command(stats, Needs.LOOK),
    "leaderboard": Command(leaderboard, Needs.LOOK),
    "history": Command(history, Needs.LOOK),
    "fair": Command(fair, Needs.LOOK),
    **nextgame.COMMANDS,
    "verify": Command(wallet.verify, Needs.USE),
    "language": Command(language, Needs.NOTHING),
    "privacy": Command(privacy, Needs.NOTHING),
}
