"""Phases whose time begins when the chat sees a message."""

from fsm.kind import Game
from telegram.outbox import Begins


def begins_of(game: Game) -> Begins | None:
    """Return the time that begins with the message of a game's phase; None if the time is already running."""
    if game.to_run is None or game.deadline is None:
        return None
    return Begins(game.deadline, game.to_run)
