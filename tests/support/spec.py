"""Specification language for rules: given these events, when this command arrives, then these events or a refusal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fsm.kind import Command, Event, Game, Instant, Kind, Rejected, kebab

S = TypeVar("S", bound=Game)
SEED = "5eed" * 16


@dataclass(frozen=True)
class Then(Generic[S]):
    """The outcome of a command."""

    kind: Kind[S]
    before: S | None
    events: tuple[Event, ...]
    refusal: Rejected | None

    @property
    def state(self) -> S:
        """Return the state afterwards."""
        return self.kind.fold(self.before, self.events)

    def then(self, *expected: Event) -> S:
        """Expect exactly these events. Returns the state after them."""
        assert self.refusal is None
        assert self.events == expected
        return self.state

    def then_these(self, *types: type[Event]) -> S:
        """Expect events of exactly these types. Returns the state after them."""
        assert self.refusal is None
        assert tuple(type(event) for event in self.events) == types
        return self.state

    def nothing(self) -> None:
        """Expect neither events nor a refusal."""
        self.then()

    def refused(self, refusal: Rejected) -> None:
        """Expect this refusal, with these parameters."""
        assert (type(self.refusal), self.refusal) == (type(refusal), refusal)


@dataclass(frozen=True)
class Given(Generic[S]):
    """A game with a history. ``past`` is None for a game that does not exist."""

    kind: Kind[S]
    past: S | None

    @property
    def state(self) -> S:
        """Return the state of a game that exists."""
        assert self.past is not None
        return self.past

    def when(self, command: Command, at: Instant, seed: str = SEED) -> Then[S]:
        """Execute a command at ``at``. Fails at a phase change that the phase table lacks."""
        try:
            events = self.kind.decide(self.past, command, at, seed)
        except Rejected as refusal:
            return Then(self.kind, self.past, (), refusal)
        if self.past is not None:
            check_edges(self.kind, self.past, command, events)
        return Then(self.kind, self.past, events, None)


@dataclass(frozen=True)
class Spec(Generic[S]):
    """The specification of a kind."""

    kind: Kind[S]

    def given(self, *past: Event | Iterable[Event] | S) -> Given[S]:
        """Return a game with these events; without any, a game that does not exist. A state may come first."""
        state: S | None = None
        for each in past:
            if isinstance(each, Game):
                state = each
            else:
                state = self.kind.fold(state, [each] if isinstance(each, Event) else each)
        return Given(self.kind, state)

    def play(self, state: S, command: Command, at: Instant) -> S:
        """Return the state after a command, which must be accepted."""
        return self.kind.fold(state, self.kind.decide(state, command, at, SEED))


def spec(kind: Kind[S]) -> Spec[S]:
    """Start a specification of a kind's rules: ``spec(KIND).given(...).when(...).then(...)``."""
    return Spec(kind)


def check_edges(kind: Kind[Any], state: Game, command: Command, events: Sequence[Event]) -> None:
    """Check that the phase table permits the change from ``state`` over ``events``, as a whole and in each step."""
    trigger, phase = kebab(type(command).__name__), state.phase
    if events:
        assert (phase, trigger, kind.fold(state, events).phase) in kind.machine.edges
    for event in events:
        state = kind.evolve(state, event)
        if state.phase != phase:
            assert (phase, state.phase) in {(source, target) for source, _, target in kind.machine.edges}
        phase = state.phase
