"""Tickets for live updates in Redis: short-lived, and each opens one connection.

The methods raise redis-py's errors.
"""

import hashlib
import secrets
from typing import Final

import msgspec
from redis.asyncio import Redis

from storage import keys

TICKET_BYTES: Final = 24
LIFETIME_SECONDS: Final = 30


class Holder(msgspec.Struct, frozen=True):
    """The holder of a ticket.

    Attributes:
        kind: the kind of principal, such as `api` for tokens and `session` for people.
        name: the name of the principal among those of its kind; for a token its prefix.
    """

    kind: str
    name: str


_decode = msgspec.json.Decoder(Holder).decode


class LiveTickets:
    """The tickets that all processes have issued."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def issue(self, holder: Holder) -> str:
        """Return a new ticket."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        await self._redis.set(_key(ticket), msgspec.json.encode(holder), ex=LIFETIME_SECONDS)
        return ticket

    async def take(self, ticket: str) -> Holder | None:
        """Return the holder of a ticket, and spend the ticket. None if it is unknown, expired or spent."""
        found = await self._redis.getdel(_key(ticket))
        return None if found is None else _decode(found)


def _key(ticket: str) -> str:
    """Return the key of a ticket. Redis has only a hash, so that a copy of its data opens no connection."""
    return keys.live_ticket_key(hashlib.sha256(ticket.encode()).hexdigest())
