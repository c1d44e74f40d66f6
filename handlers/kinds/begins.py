"""The time of a game's phase that begins when the chat sees a message."""

from fsm.kind import Game
from telegram.outbox import Begins


def begins_of(game: Game) -> Begins | None:
    """The time that begins with the message that shows a game's phase; None if its time runs already."""
    if game.to_run is None or game.deadline is None:
        return None
    return Begins(game.deadline, game.to_run)
