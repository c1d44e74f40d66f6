"""Tickets for live updates."""

from datetime import datetime
from typing import Final

import msgspec

from api.endpoint import About, Call, Endpoint, Reply
from api.live.principals import OF_SESSION, OF_TOKEN
from api.values import moment_of
from play.access import Needs
from storage.live_tickets import LIFETIME_SECONDS, Holder


class NewTicket(msgspec.Struct, frozen=True):
    """A ticket that was just made.

    Attributes:
        ticket: the ticket, which is shown this once; null in the response to a repeated request.
        expires_at: the time from which it is refused.
    """

    ticket: str | None
    expires_at: datetime


async def create_live_ticket(call: Call) -> Reply:
    """Make a ticket for live updates.

    It opens one connection at `/api/v1/live`, within half a minute, with the rights that the token or the session has
    then. Pages send it in the address, where a token has no place.
    """
    if call.session is not None:
        holder = Holder(OF_SESSION, call.session.name)
    else:
        assert call.token is not None
        holder = Holder(OF_TOKEN, call.token.prefix)
    ticket = await call.services.tickets.issue(holder)
    expires_at = moment_of(call.received + LIFETIME_SECONDS * 1000)
    return Reply(body=NewTicket(ticket, expires_at), stored=NewTicket(None, expires_at))


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/live/tickets",
        handle=create_live_ticket,
        tag="live",
        needs=Needs.LOOK,
        about=About.NOTHING,
        people=True,
        result=NewTicket,
        status=201,
    ),
)
