"""Live games in memory: a second implementation of the engine's port, with faults on command.

All replicas share a ``Shelf``; ``MemoryGames`` is one replica's access to it. Everything is written and read through
the codec, so that no replica holds another's objects. There are no sleeps: a held call waits for the test.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsm.engine import Commit, CommitResult, Committed, Record, Stored
from fsm.kind import ChatTopic, Event, Game, Kind
from storage.codec import Codec


@dataclass
class Row:
    """A game: its state and its records, encoded."""

    kind: str
    version: int = 0
    snapshot: bytes = b""
    records: list[bytes] = field(default_factory=list)


class Shelf:
    """The games of all replicas."""

    def __init__(self, kinds: Mapping[str, Kind[Any]]) -> None:
        self.codec = Codec(kinds)
        self.rows: dict[str, Row] = {}
        self.places: dict[ChatTopic, set[str]] = {}

    def read(self, game_id: str) -> Stored | None:
        """Return a game in its last written version, or None."""
        row = self.rows.get(game_id)
        if row is None:
            return None
        kind = self.codec.kind(row.kind)
        state, seen = self.codec.decode_snapshot(kind, row.snapshot)
        return Stored(kind, state, row.version, seen)

    def records(self, game_id: str) -> list[Record]:
        """Return the records of a game, one for each command."""
        row = self.rows[game_id]
        kind = self.codec.kind(row.kind)
        return [record for raw in row.records for record in self.codec.decode_records(kind, raw)]

    def since(self, game_id: str, known: Stored) -> list[Record] | None:
        """Return the records of a game after a state, or None if the state is not from its history."""
        version, records = 0, self.records(game_id) if game_id in self.rows and not known.incarnation else []
        for index, record in enumerate(records):
            version += len(record.events)
            if version == known.version:
                led = (record.command_id, record.at) == next(reversed(known.seen.items()), None)
                return records[index + 1 :] if led else None
        return None

    def events(self, game_id: str) -> list[Event]:
        """Return the events of a game."""
        return [event for record in self.records(game_id) for event in record.events]

    def write(self, commit: Commit) -> CommitResult:
        """Apply a commit completely or not at all."""
        row = self.rows.get(commit.game_id)
        if commit.expected != (row.version if row else 0):
            return CommitResult.CONFLICT
        if not commit.records:
            return CommitResult.COMMITTED
        seen = {**commit.seen, **{record.command_id: record.at for record in commit.records}}
        encoded = self.codec.encode_records(commit.kind, commit.records)
        snapshot = self.codec.encode_snapshot(commit.state, seen)
        if commit.claim is not None:
            chat_topic, limit = commit.claim
            if len(self.places.setdefault(chat_topic, set())) >= limit:
                return CommitResult.OCCUPIED
            self.places[chat_topic].add(commit.game_id)
        row = self.rows.setdefault(commit.game_id, Row(commit.kind.name))
        row.records.append(encoded)
        row.version, row.snapshot = commit.version, snapshot
        if commit.kind.machine.is_final(commit.state.phase):
            for games in self.places.values():
                games.discard(commit.game_id)
        return CommitResult.COMMITTED


@dataclass
class Fault:
    """Failure of the next call: nothing is written, or everything is (``after``) before the call fails."""

    error: BaseException
    after: bool = False


class MemoryGames:
    """One replica's ``GameStore``. ``flights`` lists the game ids of each call's commits."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.flights: list[tuple[str, ...]] = []
        self.loads: list[str] = []
        self.reads: list[str] = []
        """Game ids whose new records were read."""
        self.commit_faults: deque[Fault | None] = deque()
        """Faults of the next calls, in order; None for no fault."""
        self.load_faults: deque[Fault] = deque()
        self.refusals: dict[str, Exception] = {}
        """Game id -> error of its next commit alone, which is not written."""
        self.conflicts: dict[str, int] = {}
        """Game id -> number of its next commits that end in a conflict, without being written."""
        self.late: dict[str, asyncio.Future[Committed]] = {}
        """Game id -> future that answers its next commit, which is written at once."""
        self._open = asyncio.Event()
        self._open.set()
        self._held = 0
        self._arrived = asyncio.Condition()

    # -- the port -----------------------------------------------------------------------------------------------

    async def load(self, game_id: str) -> Stored | None:
        """Return a game, or None."""
        self.loads.append(game_id)
        found = self.shelf.read(game_id)
        await self._pass()
        if self.load_faults:
            raise self.load_faults.popleft().error
        return found

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records after a known state; None if they are not at hand."""
        self.reads.append(game_id)
        await self._pass()
        if self.load_faults:
            raise self.load_faults.popleft().error
        return self.shelf.since(game_id, known)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[Committed | asyncio.Future[Committed]]:
        """Apply each commit independently."""
        self.flights.append(tuple(commit.game_id for commit in commits))
        await self._pass()
        fault = self.commit_faults.popleft() if self.commit_faults else None
        if fault is not None and not fault.after:
            raise fault.error
        results = [self._one(commit) for commit in commits]
        await asyncio.sleep(0)  # a real answer also arrives in a later turn of the loop
        if fault is not None:
            raise fault.error
        return results

    def _one(self, commit: Commit) -> Committed | asyncio.Future[Committed]:
        if commit.game_id in self.late:
            self.shelf.write(commit)
            return self.late.pop(commit.game_id)
        if commit.game_id in self.refusals:
            return self.refusals.pop(commit.game_id)
        if self.conflicts.get(commit.game_id, 0) > 0:
            self.conflicts[commit.game_id] -= 1
            return CommitResult.CONFLICT
        try:
            return self.shelf.write(commit)
        except Exception as error:  # noqa: BLE001 -- a failed write concerns only its own game
            return error

    # -- controls for tests -------------------------------------------------------------------------------------

    def hold(self) -> None:
        """Hold all calls until ``release``."""
        self._open.clear()

    def release(self) -> None:
        """Let all calls through."""
        self._open.set()

    async def held(self, calls: int = 1) -> None:
        """Wait until a number of calls are held."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self._held >= calls)

    async def _pass(self) -> None:
        if self._open.is_set():
            return
        async with self._arrived:
            self._held += 1
            self._arrived.notify_all()
        try:
            await self._open.wait()
        finally:
            self._held -= 1


class CountedSeeds:
    """Source of distinct seeds without randomness."""

    def __init__(self) -> None:
        self.given = 0

    def seed(self) -> str:
        """Return the next seed."""
        self.given += 1
        return f"{self.given:064x}"


def state_of(shelf: Shelf, game_id: str) -> Game:
    """Return a game's state from the shelf."""
    stored = shelf.read(game_id)
    assert stored is not None
    return stored.state
