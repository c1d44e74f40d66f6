"""The quiz's updates that are neither taps on boards nor commands: votes in native polls, and files with questions.

A vote is its player's answer, timed by the receipt of the update.
"""

from collections.abc import Sequence

from aiogram import Router
from aiogram.types import PollAnswer
from loguru import logger

from fsm.engine import Engine
from fsm.kind import Game, Instant, Rejected
from fsm.question import SEVERAL, Choice
from fsm.quiz import Answer, QuizGame
from handlers.buttons import on_data
from handlers.deps import Deps
from handlers.filters import PrivateFile, Tapped
from handlers.kinds.quiz import pack_files
from play.access import Actor, Needs
from storage.polls import Polls


async def voted(vote: PollAnswer, deps: Deps, update_id: int, received: Instant) -> None:
    """Give the voter's answer to the quiz. A refusal is only logged, because Telegram offers no reply to a vote."""
    if vote.user is None or vote.user.is_bot or not vote.option_ids:
        return
    asked = await Polls(deps.stores.redis).asks(vote.poll_id)
    if asked is None:
        return
    game_id, question = asked
    try:
        state = await _game(deps.play.engine, game_id, vote.user.id, question)
        command = Answer(vote.user.id, question, _choice(state, question, vote.option_ids))
        if vote.user.id in state.players:  # others see forwarded polls; do not ask Telegram about them
            await deps.play.access.authorise(Actor(vote.user.id, vote.user.full_name), state, Needs.PLAY)
        await deps.play.engine.execute(game_id, command, command_id=f"tg:{update_id}", received=received)
    except Rejected as refusal:
        logger.bind(game=game_id).debug("a vote does not count: {}", refusal)


async def _game(engine: Engine, game_id: str, voter: int, question: int) -> Game:
    """Return the quiz, from memory if it has the voter and the question; another replica may have changed it since."""
    state = (await engine.at_least(game_id, 0)).state
    if voter in state.players and isinstance(state, QuizGame) and question < len(state.questions):
        return state
    return (await engine.look(game_id)).state


def _choice(game: Game, question: int, options: Sequence[int]) -> Choice:
    """Return a vote as an answer: one option, or several if the question has several right answers."""
    asked = game.questions[question] if isinstance(game, QuizGame) and question < len(game.questions) else None
    return tuple(options) if asked is not None and asked.type == SEVERAL else options[0]


def router() -> Router:
    """Return the router of votes, of files in private, and of the buttons below their previews."""
    found = Router(name="quiz")
    found.poll_answer.register(voted)
    found.message.register(pack_files.uploaded, PrivateFile())
    found.callback_query.register(on_data(pack_files.tap, pack_files.NEEDS), Tapped(pack_files.FILE))
    return found
