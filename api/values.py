"""Values that the modules of the API share: a game that was found, and instants as the API writes them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from fsm.engine import Outcome
from fsm.kind import Game, Instant


@dataclass(frozen=True, slots=True)
class FoundGame:
    """A game and its version."""

    state: Game
    version: int

    @classmethod
    def of(cls, outcome: Outcome) -> "FoundGame":
        """Return the game of an outcome."""
        return cls(outcome.state, outcome.version)


def moment(at: Instant | None) -> datetime | None:
    """Return an instant as the API writes it."""
    return None if at is None else datetime.fromtimestamp(at / 1000, UTC)


def moment_of(at: Instant) -> datetime:
    """Return an instant as the API writes it."""
    return datetime.fromtimestamp(at / 1000, UTC)
