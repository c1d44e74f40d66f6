"""Who operates the bot, and what that lets them do in commands. The rest is the dialog of ``/admin``."""

from handlers.incoming import Incoming


def is_operator(incoming: Incoming) -> bool:
    """Whether the person operates this bot, and speaks to it alone."""
    return incoming.private and incoming.person.id in incoming.deps.operators
