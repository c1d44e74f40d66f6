"""Votes in the native polls of quizzes: each is its player's answer, at the moment when it reached us."""

from aiogram import Router
from aiogram.types import PollAnswer
from loguru import logger

from fsm.kind import Instant, Rejected
from fsm.quiz import Answer
from handlers.deps import Deps
from play.access import Actor, Needs
from storage.polls import Polls


async def voted(vote: PollAnswer, deps: Deps, update_id: int, received: Instant) -> None:
    """Answer for the voter. Nobody can be told of a refusal: Telegram gives no way to."""
    if vote.user is None or vote.user.is_bot or len(vote.option_ids) != 1:
        return
    asked = await Polls(deps.redis).asks(vote.poll_id)
    if asked is None:
        return
    game_id, question = asked
    command = Answer(vote.user.id, question, vote.option_ids[0])
    try:
        state = (await deps.engine.at_least(game_id, 0)).state
        if vote.user.id in state.players:  # a poll can be forwarded: of strangers Telegram need not be asked
            await deps.access.authorise(Actor(vote.user.id, vote.user.full_name), state, Needs.PLAY)
        await deps.engine.execute(game_id, command, command_id=f"tg:{update_id}", received=received)
    except Rejected as refusal:
        logger.bind(game=game_id).debug("a vote does not count: {}", refusal)


def router() -> Router:
    """The router of votes."""
    found = Router(name="votes")
    found.poll_answer.register(voted)
    return found
