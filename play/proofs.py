"""Proofs of draws as documents that anybody can verify. Every face gets them from `Proofs`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fsm import proof
from fsm.engine import Clock, Engine
from fsm.kind import Game, Rejected, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from fsm.registry import kind_of
from storage.archive import Archive
from storage.connections import POSTGRES_GONE
from storage.public_log import PublicLog

FINAL: Final = frozenset({COMPLETED, CANCELLED})
Prove = Callable[[Any], dict[str, Any]]
"""A function from the state of an ended game to its proof; raises ValueError if there was no draw."""


@dataclass(unsafe_hash=True)
class NothingToProve(Rejected):
    """The game does not exist, or has no finished draw."""


class Proofs:
    """Makes the proofs of draws.

    Args:
        engine: knows the live games and the ones that ended lately.
        archive: knows the others.
        log: the public log of draws.
        clock: the time of a new head of the log.
        provers: kind -> its function; kinds without proofs are absent.
    """

    def __init__(
        self, *, engine: Engine, archive: Archive, log: PublicLog, clock: Clock, provers: Mapping[str, Prove]
    ) -> None:
        self._engine = engine
        self._archive = archive
        self._log = log
        self._clock = clock
        self._provers = provers

    async def ended(self, game_id: str) -> Game:
        """Return a game that may be proven. Raises ``NothingToProve``."""
        try:
            return (await self._engine.look(game_id)).state
        except UnknownGame:  # Redis forgets ended games; the archive does not
            found = await self._archive.finished(game_id)
        if found is None:
            raise NothingToProve
        return found

    def covers(self, state: Game) -> bool:
        """Return True if `document` would return a proof."""
        prove = self._provers.get(kind_of(state).name)
        try:
            return prove is not None and state.phase in FINAL and bool(prove(state))
        except ValueError:  # cancelled before its draw
            return False

    async def document(self, state: Game) -> bytes:
        """Return the proof of a finished draw as canonical JSON. Raises ``NothingToProve``."""
        prove = self._provers.get(kind_of(state).name)
        if prove is None or state.phase not in FINAL:
            raise NothingToProve
        try:
            proven = prove(state)
        except ValueError:  # cancelled before its draw
            raise NothingToProve from None
        if "log" in proven:  # only the bot can ask the log, so its part is filled in here, and the checksum made again
            proven = proof.seal({**proven, "log": await self.inclusion(state.id)})
        return proof.canonical(proven)

    async def inclusion(self, game_id: str) -> dict[str, Any] | None:
        """Return the proof that the public log includes a game; None if not yet, or if PostgreSQL is away."""
        try:
            return await self._log.proof_of(game_id, self._clock.now())
        except POSTGRES_GONE:
            return None
