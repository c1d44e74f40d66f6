"""The engine: order within a game, decide, commit. The one file here that is asynchronous.

``execute`` is the only way to change a game. Commands wait in their game's queue; a *flight* takes what waits in many
games, decides on it, and commits it all in one round trip to the store (group commit). A command is answered after its
own commit, refusals included: what they were decided on is checked against the stored version like everything else.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeAlias, TypeVar

from fsm.kind import ChatTopic, Command, Event, Game, Instant, Kind, Rejected, UnknownGame
from fsm.lobby import OpenGame, PlaceTaken

MAX_FLIGHTS = 2
"""Flights in the air at once; a game is on one of them at most."""
MAX_BATCH = 512
"""Commands of one game in one flight."""
MAX_CONFLICTS = 20
"""How often a command is decided again because other replicas were first."""
SEEN_AT_LEAST = 64
SEEN_FOR = 600_000
"""A command id is remembered this long (ms), and as long as it is among the last ``SEEN_AT_LEAST`` of its game."""


class Unavailable(Exception):
    """The store can't be reached, or refuses. Nothing was acknowledged; the same command may be tried again."""


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> Instant:
        """Milliseconds since the epoch."""


Result_contra = TypeVar("Result_contra", contravariant=True)


class Promise(Protocol[Result_contra]):
    """Who waits for something and is told once: a future of ``asyncio``, or what on the hot path does without one."""

    def done(self) -> bool:
        """Whether they have been told, or wait no more."""

    def set_result(self, result: Result_contra, /) -> None:
        """Tell them. Never raises."""

    def set_exception(self, exception: Exception, /) -> None:
        """Tell them what went wrong. Never raises."""


class Entropy(Protocol):
    """Where seeds come from."""

    def seed(self) -> str:
        """32 fresh random bytes, hex."""


@dataclass(slots=True)
class Record:
    """What one command led to. Nobody changes it, nor what else is made for every command: frozen, they'd cost more."""

    command_id: str
    at: Instant
    events: tuple[Event, ...]


@dataclass(slots=True)
class Commit:
    """The records to add to a game, if it is still at ``expected``. Without records: only the comparison."""

    game_id: str
    kind: Kind[Any]
    expected: int
    """The version decided on: how many events the game has. 0: the game is being opened."""
    version: int
    """The version afterwards."""
    state: Game
    """The state afterwards."""
    records: tuple[Record, ...]
    seen: Mapping[str, Instant]
    """Command ids of the game before these records, and when each was received."""
    claim: tuple[ChatTopic, int] | None = None
    """Where the game is opened: its place, and how many live games that may hold."""
    incarnation: str = ""
    """As of ``Stored``."""


class CommitResult(Enum):
    """How the store answered."""

    COMMITTED = "committed"
    CONFLICT = "conflict"
    """Another replica was first; nothing was written."""
    OCCUPIED = "occupied"
    """The claimed place is full; nothing was written."""


Committed: TypeAlias = CommitResult | Exception
"""What became of one commit."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A game as the store has it."""

    kind: Kind[Any]
    state: Game
    version: int
    seen: dict[str, Instant]
    incarnation: str = ""
    """Marks a game that was put back from an older state after the store was lost: versions of before don't count."""


class GameStore(Protocol):
    """The engine's port to the live games."""

    async def load(self, game_id: str) -> Stored | None:
        """The game, or None. Raises ``Unavailable``."""

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Each commit atomically, each for itself, in one round trip. Raises ``Unavailable``: outcome unknown.

        A future is what takes longer, and no other game waits for. It is never cancelled, nor has it an exception.
        """


@dataclass(slots=True)
class Outcome:
    """The answer to a command: its events (none: nothing to do) and the state after it."""

    state: Game
    version: int
    events: tuple[Event, ...]
    duplicate: bool = False
    """The command had been committed before; ``events`` is empty."""


@dataclass(slots=True)
class _Order:
    """A command on its way."""

    command: Command | None
    """None only looks: it is answered with a state that is known to be current."""
    command_id: str
    received: Instant
    asker: Promise[Outcome]
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
    """Whether ``state`` was read or committed by us; if not, it is read before the next decision."""
    flying: bool = False


@dataclass(slots=True)
class _Plan:
    """One game's part in a flight."""

    live: _Live
    orders: list[_Order]
    results: list[Outcome | Exception]
    commit: Commit


Observe = Callable[[str, str], None]
"""``(command, outcome)``, told of every command answered. The outcome is ``done``, ``nothing``, ``duplicate``, a
refusal's code, ``unavailable`` or ``error``."""


def ignore(_command: str, _outcome: str) -> None:
    """Observe nothing."""


class Engine:
    """Executes commands on games.

    ``capacity`` bounds the games kept in memory; the least recently used idle ones are dropped, and read again when
    they are needed.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind[Any]],
        store: GameStore,
        clock: Clock,
        entropy: Entropy,
        *,
        capacity: int = 20_000,
        observe: Observe = ignore,
    ) -> None:
        self._observe = observe
        self._kinds = kinds
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._capacity = capacity
        self._games: OrderedDict[str, _Live] = OrderedDict()
        self._queue: dict[str, _Live] = {}
        """Games with waiting orders that are on no flight."""
        self._flights: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Future[Committed]] = set()
        """What flights have left behind, and the games of which go on when it is there."""
        self._launching = False
        self._closed = False

    # -- the verbs ----------------------------------------------------------------------------------------------

    def execute(
        self, game_id: str, command: Command, *, command_id: str, received: Instant | None = None
    ) -> Awaitable[Outcome]:
        """Decide on ``command`` and answer when it is durable.

        ``command_id`` makes it safe to send again: what was committed is not done twice. ``received`` is when it
        reached us (now, if not given). Raises ``Rejected``, ``UnknownGame`` and ``Unavailable``.
        """
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.submit(game_id, command, command_id=command_id, received=received, asker=answer)
        return answer

    def look(self, game_id: str) -> Awaitable[Outcome]:
        """The game as it is now, checked against the store. Raises ``UnknownGame`` and ``Unavailable``."""
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
        """``execute`` for whoever needs no future: ``asker`` is told what that returns or raises. None: ``look``."""
        if self._closed:
            asker.set_exception(Unavailable("the engine is closing"))
            return
        live = self._games.get(game_id)
        if live is None:
            live = self._games[game_id] = _Live(game_id)
            self._evict()
        else:
            self._games.move_to_end(game_id)
        live.waiting.append(_Order(command, command_id, self._clock.now() if received is None else received, asker))
        if not live.flying:  # else its flight takes care of it on landing
            self._enqueue(live)

    def known(self, game_id: str) -> Game | None:
        """The game as this process knows it, where it does; perhaps another has changed it since."""
        live = self._games.get(game_id)
        return live.state if live is not None and live.fresh else None

    async def at_least(self, game_id: str, version: int) -> Outcome:
        """The game at ``version`` or later, from memory where that suffices. Raises like ``look``."""
        live = self._games.get(game_id)
        if live is not None and live.fresh and live.state is not None and live.version >= version:
            return Outcome(live.state, live.version, ())
        if live is not None and live.version < version and not live.flying:
            live.fresh = False
        return await self.look(game_id)

    async def close(self) -> None:
        """Refuse new commands, answer those in hand, stop."""
        self._closed = True
        while self._flights or self._queue or self._late:
            if not self._flights:
                self._launch()
            late = [asyncio.shield(result) for result in self._late]
            await asyncio.gather(*self._flights, *late, return_exceptions=True)

    @property
    def games_in_memory(self) -> int:
        """How many games this process holds."""
        return len(self._games)

    # -- flights ------------------------------------------------------------------------------------------------

    def _enqueue(self, live: _Live) -> None:
        self._queue[live.id] = live
        if not self._launching and len(self._flights) < MAX_FLIGHTS:
            self._launching = True
            asyncio.get_running_loop().call_soon(self._launch)  # what comes in this turn of the loop flies together

    def _launch(self) -> None:
        self._launching = False
        if not self._queue or len(self._flights) >= MAX_FLIGHTS:
            return
        batch = list(self._queue.values())
        self._queue.clear()
        for live in batch:
            live.flying = True
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
                    if isinstance(result, asyncio.Future):
                        late.add(plan.live.id)
                        self._late.add(result)
                        result.add_done_callback(partial(self._came_late, plan))
                    else:
                        self._settle(plan, result)
        except asyncio.CancelledError:
            self._abandon(batch, plans, Unavailable("stopped"))
            raise
        except Exception as bug:  # noqa: BLE001 -- the askers are told, and with them the logs
            self._abandon(batch, plans, bug)
        finally:
            for live in batch:
                if live.id not in late:
                    self._land(live)

    def _came_late(self, plan: _Plan, result: "asyncio.Future[Committed]") -> None:
        """What a flight could not wait for is there."""
        self._late.discard(result)
        self._settle(plan, result.result())
        self._land(plan.live)
        self._launch()

    def _land(self, live: _Live) -> None:
        live.flying = False
        if live.waiting:
            self._queue[live.id] = live
        elif live.kind is None or live.state is None or live.kind.machine.is_final(live.state.phase):
            self._games.pop(live.id, None)  # ended, or never was

    async def _refresh(self, stale: list[_Live]) -> None:
        """Read games that this process does not know, or knows to be behind."""
        loaded = await asyncio.gather(*(self._store.load(live.id) for live in stale), return_exceptions=True)
        for live, stored in zip(stale, loaded, strict=True):
            if isinstance(stored, BaseException):
                failure = stored if isinstance(stored, Exception) else Unavailable("stopped")
                while live.waiting:
                    self._answer(live.waiting.popleft(), failure)
            elif stored is None:  # not fresh: another replica may open it at any time
                live.kind, live.state, live.version, live.seen, live.incarnation = None, None, 0, {}, ""
            else:
                live.fresh, live.kind, live.state = True, stored.kind, stored.state
                live.version, live.seen, live.incarnation = stored.version, stored.seen, stored.incarnation

    def _plan(self, live: _Live) -> _Plan | None:
        """Decide on what waits in one game. None: nothing is left to ask the store."""
        orders: list[_Order] = []
        results: list[Outcome | Exception] = []
        records: list[Record] = []
        kind, state, version, claim = live.kind, live.state, live.version, None
        new: set[str] = set()
        while live.waiting and len(orders) < MAX_BATCH:
            order = live.waiting.popleft()
            if order.asker.done():
                continue  # the asker has gone
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
            elif state is None:  # a refused opening: there is nothing in the store to compare with
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
            events = kind.decide(state, order.command, order.received, self._entropy.seed())
            return Outcome(kind.fold(state, events), version + len(events), events)
        except Rejected as refusal:
            return refusal.with_traceback(None)  # which leads to the asker, who is told: a cycle for each refusal
        except StopIteration as bug:  # which a future does not take
            return RuntimeError(repr(bug))
        except Exception as bug:  # noqa: BLE001 -- one command's bug is its asker's alone, not its game's
            return bug

    async def _commit(self, plans: list[_Plan]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        try:
            return await self._store.commit([plan.commit for plan in plans])
        except Exception as error:  # noqa: BLE001 -- everybody on the flight is told, whatever it was
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
                live.fresh = False
                self._again(live, plan.orders)
            case CommitResult.OCCUPIED:
                limit = commit.claim[1] if commit.claim else 0
                for order in plan.orders:
                    opening = isinstance(order.command, OpenGame)
                    self._answer(order, PlaceTaken(limit=limit) if opening else UnknownGame())
            case _:
                live.fresh = False
                for order in plan.orders:
                    self._answer(order, result)

    def _again(self, live: _Live, orders: list[_Order]) -> None:
        """Put orders back, in their order, to be decided on the state that won."""
        for order in reversed(orders):
            order.conflicts += 1
            if order.conflicts > MAX_CONFLICTS:
                self._answer(order, Unavailable("too many replicas write to this game"))
            else:
                live.waiting.appendleft(order)

    def _abandon(self, batch: list[_Live], plans: list[_Plan], why: Exception) -> None:
        """The flight failed: nobody on it is left without an answer, and what it knew is read again."""
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
            pass  # the asker has gone
        elif isinstance(result, Exception):
            order.asker.set_exception(result)
        else:
            order.asker.set_result(result)
        if order.command is not None:
            self._observe(type(order.command).__name__, _outcome(result))

    def _evict(self) -> None:
        while len(self._games) > self._capacity:
            oldest = next(iter(self._games.values()))
            if oldest.waiting or oldest.flying:
                self._games.move_to_end(oldest.id)
                return
            del self._games[oldest.id]


def _outcome(result: Outcome | Exception) -> str:
    if isinstance(result, Outcome):
        return "done" if result.events else "duplicate" if result.duplicate else "nothing"
    if isinstance(result, Rejected):
        return result.code
    return "unavailable" if isinstance(result, Unavailable) else "error"


def _remember(seen: dict[str, Instant], records: Sequence[Record]) -> None:
    """Add the command ids of ``records``, and forget, now and then, those that can no longer come again."""
    before = len(seen)
    for record in records:
        seen[record.command_id] = record.at
    if len(seen).bit_length() == before.bit_length() or len(seen) <= SEEN_AT_LEAST:
        return  # only on passing a power of two, so that the cost a command stays constant
    horizon = max(seen.values()) - SEEN_FOR
    for command_id in [id_ for id_, at in list(seen.items())[:-SEEN_AT_LEAST] if at < horizon]:
        del seen[command_id]
