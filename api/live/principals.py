"""Clients that watch, and the bounds and counters of live updates."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from fsm.kind import PlayerId
from play.access import Actor

RESTART, LIFETIME, NOT_AUTHENTICATED, UNAVAILABLE = "restart", "lifetime", "not-authenticated", "unavailable"
"""Reasons for the end of a subscription."""
RETRY_MS: Final[Mapping[str, int | None]] = {RESTART: 2000, LIFETIME: 0, NOT_AUTHENTICATED: None, UNAVAILABLE: 5000}
OF_TOKEN: Final = "api"  # noqa: S105 -- no password
"""The kind of principal of API tokens."""


OF_SESSION: Final = "session"
"""The kind of principal of the sessions of people."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A client that watches.

    Attributes:
        kind: the kind of principal, which names the check of its validity; `api` for API tokens, `session` for people.
        name: the name among principals of its kind; for a token its prefix. Connections are counted by it.
        actor: the actor whose permissions decide.
        viewer: the player whose own choices are shown; None for the view of somebody who does not play.
    """

    kind: str
    name: str
    actor: Actor
    viewer: PlayerId | None = None


Confirm = Callable[[Collection[str]], Awaitable[Mapping[str, Actor]]]
"""Returns the present actors of those names that are still valid. Raises ``Unavailable``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """Bounds on live updates.

    Attributes:
        connections: connections of a process.
        connections_of_one: connections of one principal in a process.
        connections_of_person: connections of one person's session in a process.
        subscriptions: games and chats that one connection watches.
        waiting: batches that wait for a slow client before it is moved to the next snapshot.
        heartbeat_seconds: silence after which a client gets a sign of life with the present cursor.
        lifetime_seconds: age at which a connection is closed.
    """

    connections: int = 10_000
    connections_of_one: int = 1000
    connections_of_person: int = 5
    subscriptions: int = 50
    waiting: int = 64
    heartbeat_seconds: float = 20
    lifetime_seconds: float = 14_400


class LiveFigures:
    """Counters of live updates since the start of the process."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        """Open connections, by transport."""
        self.messages = 0
        """Batches passed on to clients."""
        self.slow = 0
        """Times that a slow client was moved to the next snapshot."""
        self.resumed: Counter[str] = Counter()
        """Games of subscriptions with a cursor, by outcome: `complete` or `expired`."""
        self.closed: Counter[str] = Counter()
        """Connections that the server has ended, by reason."""
        self.lag: Callable[[float], None] = lambda _: None
        """Observes the time from a commit until a client's connection has taken its batch, in seconds."""
