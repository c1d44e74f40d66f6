"""The engine: serializes a game's commands, decides them and commits the results. The only asynchronous module here.

``execute`` is the only way to change a game. Commands wait in their game's queue; a *flight* takes the waiting commands
of many games, decides them, and commits all results in one round trip to the store (group commit). A command is
answered after its own commit. Refusals are answered then too, because the state they were decided on must be current.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

from fsm.kind import ChatTopic, Command, Event, Game, Instant, Kind, Rejected, UnknownGame
from fsm.lobby import OpenGame, PlaceTaken, open_game

MAX_FLIGHTS = 2
"""Maximum number of concurrent flights. A game is on at most one of them."""
MAX_BATCH = 512
"""Maximum number of commands of one game in one flight."""
MAX_CONFLICTS = 20
"""Times that a command is decided again after another replica was first; then it fails as ``Unavailable``."""
SEEN_AT_LEAST = 64
SEEN_FOR = 600_000
"""Time for which a command id is remembered, in ms; the last ``SEEN_AT_LEAST`` of a game are remembered in any case."""


class Unavailable(Exception):
    """A store that can't be reached, or refuses. Nothing was acknowledged; the same command may be sent again."""


class Clock(Protocol):
    """The source of time: the system's clock, or one that a test controls."""

    def now(self) -> Instant:
        """Return the time in milliseconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Return after a number of seconds of this clock."""


Result_contra = TypeVar("Result_contra", contravariant=True)


class Promise(Protocol[Result_contra]):
    """A one-time receiver of a result: a future of ``asyncio``, or a lighter object on the hot path."""

    def done(self) -> bool:
        """Return True if it has its result, or no longer wants one."""

    def set_result(self, result: Result_contra, /) -> None:
        """Deliver the result. Never raises."""

    def set_exception(self, exception: Exception, /) -> None:
        """Deliver an error. Never raises."""


class Entropy(Protocol):
    """The source of seeds."""

    def seed(self) -> str:
        """Return 32 fresh random bytes, in hex."""


@dataclass(slots=True)
class Record:
    """The events of one command.

    Never changed after creation. It is not frozen, nor are the other objects made for each command: freezing costs
    time.
    """

    command_id: str
    at: Instant
    events: tuple[Event, ...]


@dataclass(slots=True)
class Commit:
    """The records to add to a game, if it is still at version ``expected``.

    Without records, only the comparison is made.
    """

    game_id: str
    kind: Kind[Any]
    expected: int
    """Version that was decided on: the number of events of the game; 0 to open it."""
    version: int
    """Version after the commit."""
    state: Game
    """State after the commit."""
    records: tuple[Record, ...]
    seen: Mapping[str, Instant]
    """Command ids of the game before these records, each with its time of receipt."""
    claim: tuple[ChatTopic, int] | None = None
    """Place of a game that is being opened, and the most live games that it may have; None for a game that exists."""
    incarnation: str = ""
    """Incarnation of the game, see ``Stored``."""


class CommitResult(Enum):
    """The store's answer to a commit."""

    COMMITTED = "committed"
    CONFLICT = "conflict"
    """Another replica committed first; nothing was written."""
    OCCUPIED = "occupied"
    """The claimed place is full; nothing was written."""


Committed: TypeAlias = CommitResult | Exception
"""The final result of one commit."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A game as loaded from the store."""

    kind: Kind[Any]
    state: Game
    version: int
    seen: dict[str, Instant]
    incarnation: str = ""
    """Mark of a game that was restored after a loss: an earlier version of the same number may differ."""


class GameStore(Protocol):
    """The engine's port to the live games."""

    async def load(self, game_id: str) -> Stored | None:
        """Return a game, or None if there is none. Raises ``Unavailable``."""

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records that a game has more than a known state of it.

        Returns None if the store cannot tell: it no longer has all of them, or has another history than the state.
        Raises ``Unavailable``.
        """

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Commit each game atomically and independently, all in one round trip.

        A future stands for a result that takes longer; only its own game waits for it. It is never cancelled and never
        has an exception. Raises ``Unavailable`` if the outcome is unknown.
        """


@dataclass(slots=True)
class Outcome:
    """The answer to a command: the events, empty if there was nothing to do, and the state after them."""

    state: Game
    version: int
    events: tuple[Event, ...]
    duplicate: bool = False
    """True if the command had been committed before; ``events`` is then empty."""


@dataclass(slots=True)
class _Order:
    """A command in its queue or on a flight."""

    command: Command | None
    """None for ``look``, which changes nothing and is answered with a state known to be current."""
    command_id: str
    received: Instant
    asker: Promise[Outcome]
    game_id: str
    conflicts: int = 0


@dataclass(slots=True)
class _Live:
    """A game in this process's memory."""

    id: str
    kind: Kind[Any] | None = None
    state: Game | None = None
    version: int = 0
    incarnation: str = ""
    seen: dict[str, Instant] = field(default_factory=dict)
    waiting: deque[_Order] = field(default_factory=deque)
    fresh: bool = False
    """True if ``state`` was read or committed by this process; if False, it is read before the next decision."""
    flying: bool = False


@dataclass(slots=True)
class _Plan:
    """One game's part in a flight."""

    live: _Live
    orders: list[_Order]
    results: list[Outcome | Exception]
    commit: Commit


Observe = Callable[[str, str], None]
"""A callback ``(command, outcome)`` for each answered command.

The outcome is ``done``, ``nothing``, ``duplicate``, a refusal's code, ``unavailable`` or ``error``.
"""


RecordCommand = Callable[[str, Command, str, Instant, int | None, str], None]
"""A callback ``(game id, command, its id, time of receipt, chat id, outcome)`` for each answered command.

The chat id is None for a command that was refused.
"""


def ignore(*_: object) -> None:
    """Discard an observation."""


class Engine:
    """Executes commands on games.

    ``capacity`` bounds the games in memory. The least recently used idle games are dropped, and read again on demand.
    ``strict``: the store acknowledges a commit later than others can read it, so that a look at a state that was just
    read has to wait for the store too.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind[Any]],
        store: GameStore,
        clock: Clock,
        entropy: Entropy,
        *,
        capacity: int = 20_000,
        strict: bool = False,
        observe: Observe = ignore,
        record: RecordCommand = ignore,
    ) -> None:
        self._observe = observe
        self._record = record
        self._kinds = kinds
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._capacity = capacity
        self._strict = strict
        self._games: OrderedDict[str, _Live] = OrderedDict()
        self._queue: dict[str, _Live] = {}
        """Games with waiting commands that are on no flight."""
        self._flights: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Future[Committed]] = set()
        """Commits that still await confirmation. Their games stay blocked until then."""
        self._launching = False
        self._closed = False

    # -- the verbs ----------------------------------------------------------------------------------------------

    def execute(
        self, game_id: str, command: Command, *, command_id: str, received: Instant | None = None
    ) -> Awaitable[Outcome]:
        """Decide ``command`` and return the outcome when it is durable.

        ``command_id`` makes a repetition safe: a committed command is not executed twice. ``received`` is the time of
        receipt, by default now. Raises ``Rejected``, ``UnknownGame`` and ``Unavailable``.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(game_id, command, command_id=command_id, received=received, asker=answer)
        return answer

    def look(self, game_id: str) -> Awaitable[Outcome]:
        """Return the present state of a game, checked against the store. Raises ``UnknownGame`` and ``Unavailable``."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(game_id, None, command_id="", received=None, asker=answer)
        return answer

    def submit(
        self,
        game_id: str,
        command: Command | None,
        *,
        command_id: str,
        received: Instant | None,
        asker: Promise[Outcome],
    ) -> None:
        """Queue a command (None: a look), like ``execute`` without a future: ``asker`` gets the result or error."""
        if self._closed:
            asker.set_exception(Unavailable("the engine is closing"))
            return
        live = self._games.get(game_id)
        if live is None:
            live = self._games[game_id] = _Live(game_id)
            self._evict()
        else:
            self._games.move_to_end(game_id)
        at = self._clock.now() if received is None else received
        live.waiting.append(_Order(command, command_id, at, asker, game_id))
        if not live.flying:  # otherwise its flight queues it again on landing
            self._enqueue(live)

    def known(self, game_id: str) -> Game | None:
        """Return the state of a game in this process's memory, or None. Another process may have changed it since."""
        live = self._games.get(game_id)
        return live.state if live is not None and live.fresh else None

    async def at_least(self, game_id: str, version: int) -> Outcome:
        """Return a game at ``version`` or later, from memory if that suffices. Raises the errors of ``look``."""
        live = self._games.get(game_id)
        if live is not None and live.fresh and live.state is not None and live.version >= version:
            return Outcome(live.state, live.version, ())
        if live is not None and live.version < version and not live.flying:
            live.fresh = False
        return await self.look(game_id)

    async def close(self) -> None:
        """Refuse new commands, answer those already accepted, and stop."""
        self._closed = True
        while self._flights or self._queue or self._late:
            if not self._flights:
                self._launch()
            late = [asyncio.shield(result) for result in self._late]
            await asyncio.gather(*self._flights, *late, return_exceptions=True)

    @property
    def games_in_memory(self) -> int:
        """Return the number of games in memory."""
        return len(self._games)

    # -- flights ------------------------------------------------------------------------------------------------

    def _enqueue(self, live: _Live) -> None:
        self._queue[live.id] = live
        if not self._launching and len(self._flights) < MAX_FLIGHTS:
            self._launching = True
            asyncio.get_running_loop().call_soon(self._launch)  # commands of one turn of the loop share a flight

    def _launch(self) -> None:
        self._launching = False
        if not self._queue or len(self._flights) >= MAX_FLIGHTS:
            return
        batch = list(self._queue.values())
        self._queue.clear()
        for live in batch:
            live.flying = True  # on one flight at a time, so that a game's commands keep their order
        flight = asyncio.get_running_loop().create_task(self._fly(batch))
        self._flights.add(flight)
        flight.add_done_callback(self._landed)

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        if self._queue:
            self._launch()

    async def _fly(self, batch: list[_Live]) -> None:
        plans: list[_Plan] = []
        late: set[str] = set()
        try:
            stale = [live for live in batch if not live.fresh]
            if stale:
                await self._refresh(stale)
            for live in batch:
                plan = self._plan(live)
                if plan is not None:
                    plans.append(plan)
            if plans:
                for plan, result in zip(plans, await self._commit(plans), strict=True):
                    # Strict durability: this game stays blocked until its confirmation, the others land now.
                    if isinstance(result, asyncio.Future):
                        late.add(plan.live.id)
                        self._late.add(result)
                        result.add_done_callback(partial(self._came_late, plan))
                    else:
                        self._settle(plan, result)
        except asyncio.CancelledError:
            self._abandon(batch, plans, Unavailable("stopped"))
            raise
        except Exception as bug:  # noqa: BLE001 -- every caller gets the error and reports it
            self._abandon(batch, plans, bug)
        finally:
            for live in batch:
                if live.id not in late:
                    self._land(live)

    def _came_late(self, plan: _Plan, result: "asyncio.Future[Committed]") -> None:
        """Settle a game whose confirmation came after its flight had landed."""
        self._late.discard(result)
        self._settle(plan, result.result())
        self._land(plan.live)
        self._launch()

    def _land(self, live: _Live) -> None:
        live.flying = False
        if live.waiting:
            self._queue[live.id] = live
        elif live.kind is None or live.state is None or live.kind.machine.is_final(live.state.phase):
            self._games.pop(live.id, None)  # ended, or never existed

    async def _refresh(self, stale: list[_Live]) -> None:
        """Read games that this process does not know, or knows to be outdated."""
        waiting = [len(live.waiting) for live in stale]
        loaded = await asyncio.gather(*(self._read(live) for live in stale), return_exceptions=True)
        for live, orders, stored in zip(stale, waiting, loaded, strict=True):
            if isinstance(stored, BaseException):
                failure = stored if isinstance(stored, Exception) else Unavailable("stopped")
                while live.waiting:
                    self._answer(live.waiting.popleft(), failure)
            elif stored is None:  # not fresh: another replica may open it at any time
                live.kind, live.state, live.version, live.seen, live.incarnation = None, None, 0, {}, ""
            else:
                live.fresh, live.kind, live.state = True, stored.kind, stored.state
                live.version, live.seen, live.incarnation = stored.version, stored.seen, stored.incarnation
                if not self._strict:
                    self._answer_looks(live, orders)

    async def _read(self, live: _Live) -> Stored | None:
        """Read a game from the store: if this process has an earlier version of it, only the records since."""
        if live.kind is not None and live.state is not None:
            known = Stored(live.kind, live.state, live.version, live.seen, live.incarnation)
            records = await self._store.records_since(live.id, known)
            if records is not None:
                state, version = known.state, known.version
                for record in records:
                    state, version = known.kind.fold(state, record.events), version + len(record.events)
                _remember(known.seen, records)
                return replace(known, state=state, version=version)
        return await self._store.load(live.id)

    def _answer_looks(self, live: _Live, orders: int) -> None:
        """Answer the looks among the first orders of a game that has just been read.

        They had arrived before it was read, so its state is current for them. To compare its version with the store's,
        as for a command, would find another one again and again while other processes write to the game.
        """
        assert live.state is not None
        while orders and live.waiting and live.waiting[0].command is None:
            self._answer(live.waiting.popleft(), Outcome(live.state, live.version, ()))
            orders -= 1

    def _plan(self, live: _Live) -> _Plan | None:
        """Decide the commands that wait in one game. Returns None if there is nothing to compare with the store."""
        orders: list[_Order] = []
        results: list[Outcome | Exception] = []
        records: list[Record] = []
        kind, state, version, claim = live.kind, live.state, live.version, None
        new: set[str] = set()
        while live.waiting and len(orders) < MAX_BATCH:
            order = live.waiting.popleft()
            if order.asker.done():
                continue  # the caller no longer waits
            if state is None and isinstance(order.command, OpenGame):
                kind = self._kinds.get(order.command.kind)
                claim = (order.command.place, order.command.max_live)
            if kind is None or (state is None and claim is None):
                self._answer(order, UnknownGame())
                continue
            result = self._decide(kind, state, version, order, known=(live.seen, new))
            if isinstance(result, Outcome) and result.events:
                state, version = result.state, result.version
                new.add(order.command_id)
                records.append(Record(order.command_id, order.received, result.events))
            elif state is None:  # a refused opening: the store has no version to compare with
                claim = None
                self._answer(order, result)
                continue
            orders.append(order)
            results.append(result)
        if not orders or kind is None or state is None:
            return None
        done = tuple(records)
        commit = Commit(live.id, kind, live.version, version, state, done, live.seen, claim, live.incarnation)
        return _Plan(live, orders, results, commit)

    def _decide(
        self,
        kind: Kind[Any],
        state: Game | None,
        version: int,
        order: _Order,
        known: tuple[Container[str], Container[str]],
    ) -> Outcome | Exception:
        if state is not None:
            if order.command is None:
                return Outcome(state, version, ())
            if order.command_id in known[0] or order.command_id in known[1]:
                return Outcome(state, version, (), duplicate=True)
        assert order.command is not None, "a look at nothing was answered before"
        try:
            if state is None and isinstance(order.command, OpenGame):
                events = open_game(kind, order.command, order.received, self._entropy.seed())
            else:
                events = kind.decide(state, order.command, order.received, self._entropy.seed())
            return Outcome(kind.fold(state, events), version + len(events), events)
        except Rejected as refusal:
            return refusal.with_traceback(None)  # the traceback refers to the asker, which holds the refusal: a cycle
        except StopIteration as bug:  # a future refuses StopIteration as its exception
            return RuntimeError(repr(bug))
        except Exception as bug:  # noqa: BLE001 -- the bug fails its own command, not the game's other commands
            return bug

    async def _commit(self, plans: list[_Plan]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        try:
            return await self._store.commit([plan.commit for plan in plans])
        except Exception as error:  # noqa: BLE001 -- every command of the flight gets this error
            return [error] * len(plans)

    def _settle(self, plan: _Plan, result: Committed) -> None:
        live, commit = plan.live, plan.commit
        match result:
            case CommitResult.COMMITTED:
                live.kind, live.state, live.version, live.fresh = commit.kind, commit.state, commit.version, True
                _remember(live.seen, commit.records)
                for order, answer in zip(plan.orders, plan.results, strict=True):
                    self._answer(order, answer)
            case CommitResult.CONFLICT:
                # Another replica won: read its state and decide these commands again.
                live.fresh = False
                self._again(live, plan.orders)
            case CommitResult.OCCUPIED:
                # Commands that followed a refused opening have no game to act on.
                limit = commit.claim[1] if commit.claim else 0
                for order in plan.orders:
                    opening = isinstance(order.command, OpenGame)
                    self._answer(order, PlaceTaken(limit=limit) if opening else UnknownGame())
            case _:
                # It is unknown whether the commit was written, so read the game before the next decision.
                live.fresh = False
                for order in plan.orders:
                    self._answer(order, result)

    def _again(self, live: _Live, orders: list[_Order]) -> None:
        """Put commands back at the head of the queue, in their order, to be decided on the winner's state."""
        for order in reversed(orders):
            order.conflicts += 1
            if order.conflicts > MAX_CONFLICTS:
                self._answer(order, Unavailable("too many replicas write to this game"))
            else:
                live.waiting.appendleft(order)

    def _abandon(self, batch: list[_Live], plans: list[_Plan], why: Exception) -> None:
        """Fail every command of a broken flight, and mark its games as outdated."""
        for plan in plans:
            for order in plan.orders:
                if not order.asker.done():
                    self._answer(order, why)
        for live in batch:
            live.fresh = False
            while live.waiting:
                self._answer(live.waiting.popleft(), why)

    def _answer(self, order: _Order, result: Outcome | Exception) -> None:
        if order.asker.done():
            pass  # the caller no longer waits
        elif isinstance(result, Exception):
            order.asker.set_exception(result)
        else:
            order.asker.set_result(result)
        if order.command is not None:
            outcome = outcome_of(result)
            self._observe(type(order.command).__name__, outcome)
            chat_id = result.state.place.chat_id if isinstance(result, Outcome) else None
            self._record(order.game_id, order.command, order.command_id, order.received, chat_id, outcome)

    def _evict(self) -> None:
        while len(self._games) > self._capacity:
            oldest = next(iter(self._games.values()))
            if oldest.waiting or oldest.flying:  # a busy game may exceed the capacity for a while
                self._games.move_to_end(oldest.id)
                return
            del self._games[oldest.id]


def outcome_of(result: Outcome | Exception) -> str:
    """Return the outcome of a command as ``Observe`` names it."""
    if isinstance(result, Outcome):
        return "done" if result.events else "duplicate" if result.duplicate else "nothing"
    if isinstance(result, Rejected):
        return result.code
    return "unavailable" if isinstance(result, Unavailable) else "error"


def _remember(seen: dict[str, Instant], records: Sequence[Record]) -> None:
    """Add the command ids of ``records``; from time to time, drop ids that are too old to come again."""
    before = len(seen)
    for record in records:
        seen[record.command_id] = record.at
    if len(seen).bit_length() == before.bit_length() or len(seen) <= SEEN_AT_LEAST:
        return  # prune only when a power of two is passed: constant cost for each command
    horizon = max(seen.values()) - SEEN_FOR
    for command_id in [id_ for id_, at in list(seen.items())[:-SEEN_AT_LEAST] if at < horizon]:
        del seen[command_id]
