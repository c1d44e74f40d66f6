"""One-time links to the dashboard."""

from handlers.context import UpdateContext


async def dashboard_link(context: UpdateContext) -> str:
    """Return a link that opens the dashboard for the person, once and within a few minutes.

    The secret follows the number sign, so that no server and no preview of the link gets it.
    """
    secret = await context.deps.play.sessions.link(context.person.id, context.actor.name)
    return f"{context.deps.dashboard_url}#login={secret}"
