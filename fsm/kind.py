"""The definition of a kind of game: commands in, events out, and a table of the commands legal in each phase."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from transitions import Machine

Instant = int
"""A moment: milliseconds since the epoch, UTC."""

PlayerId = int
"""A Telegram user id."""


SECRET: Mapping[str, Any] = MappingProxyType({"secret": True})
"""Metadata of an event's field that must stay secret while the game is live."""


HIDDEN: Mapping[str, Any] = MappingProxyType({"hidden": True})
"""Metadata of a field of a kind's rules that hosts can't set; the configuration or the kind itself does."""


def empty(word: str) -> Mapping[str, Any]:
    """Return metadata for a field of a kind's rules whose empty value (None, "", ()) hosts write as ``word``."""
    return {"empty": word}


def kebab(name: str) -> str:
    """Convert a type's name to its stable code: ``NumberTaken`` -> ``number-taken``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Command:
    """A request to change a game. Named in the imperative."""


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about a game, stored permanently. Named in the past tense."""


def secrets_of(event: Event | type[Event]) -> frozenset[str]:
    """Return the names of an event's fields that are secret while its game is live."""
    return frozenset(field.name for field in fields(event) if field.metadata.get("secret"))


class Rejected(Exception):
    """A refusal by the rules. It carries parameters and no text: the locales have the text."""

    @property
    def code(self) -> str:
        """Return the refusal's stable name in the API, the metrics and the locales."""
        return kebab(type(self).__name__)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the values that the refusal's text may mention, by name."""
        return {name: getattr(self, name) for name in getattr(type(self), "__match_args__", ())}

    def __str__(self) -> str:
        return f"{self.code} {self.parameters}" if self.parameters else self.code


@dataclass(unsafe_hash=True)
class NotNow(Rejected):
    """A refusal: the command is not legal in the game's phase."""

    command: str
    phase: str


@dataclass(unsafe_hash=True)
class TooLate(Rejected):
    """A refusal: the command was received after the phase's deadline, even if the timer has not fired yet."""


@dataclass(unsafe_hash=True)
class UnknownGame(Rejected):
    """A refusal: there is no such game, or it ended long ago."""


@dataclass(frozen=True, slots=True)
class ChatTopic:
    """The place of a game: a chat, and a topic of it (0 outside forums)."""

    chat_id: int
    topic_id: int = 0


@dataclass(frozen=True, slots=True)
class Player:
    """A person in a game."""

    id: PlayerId
    name: str
    joined_at: Instant


@dataclass(frozen=True, slots=True)
class Host:
    """The person who opened a game."""

    id: PlayerId
    name: str


@dataclass(frozen=True, kw_only=True)
class Game:
    """The part of a game's state that every kind shares.

    Neither this class nor its subclasses have slots: ``changed`` copies ``__dict__``.
    """

    id: str
    phase: str
    place: ChatTopic
    host: Host
    title: str
    opened_at: Instant
    deadline: Instant | None
    """Time at which the phase ends by itself; None if it does not."""
    players: Mapping[PlayerId, Player]
    """Players in joining order. Treated as immutable: an event makes a new mapping."""
    ended_at: Instant | None = None
    cancel_reason: str | None = None
    to_run: int | None = None
    """Length of a phase that waits to be seen in the chat, in ms; None if its time is running.

    See ``fsm/showing.py``.
    """

    @property
    def ends_at(self) -> Instant | None:
        """Return the time at which the phase ends; None if it does not end by itself, or its time has not begun."""
        return self.deadline if self.to_run is None else None


S = TypeVar("S", bound=Game)
K = TypeVar("K")
V = TypeVar("V")


def changed(state: S, **changes: Any) -> S:
    """Return a copy with changes. Every tap needs one, and ``dataclasses.replace`` costs ten times as much.

    Raises TypeError.
    """
    fields_ = state.__dict__.copy()
    known = len(fields_)
    fields_.update(changes)
    if len(fields_) != known:
        raise TypeError(f"{type(state).__name__} has not all of {', '.join(changes)}")
    new: S = object.__new__(type(state))
    object.__setattr__(new, "__dict__", fields_)
    return new


def copied(mapping: Mapping[K, V]) -> dict[K, V]:
    """Return a mutable copy. ``copy`` is faster than ``dict(mapping)``, which is slow after deletions."""
    return mapping.copy() if isinstance(mapping, dict) else dict(mapping)


@dataclass(frozen=True, slots=True)
class Edge:
    """A row of a kind's phase table: ``command`` is legal in ``source`` and may lead to ``targets``."""

    command: type[Command]
    source: str
    targets: tuple[str, ...]


class PhaseMachine:
    """The table of the commands that are legal in each phase, and the phases they may lead to.

    Built once, at import, on a ``transitions.Machine``; read by ``decide``, by keyboards and by the docs. It has no
    callbacks and holds no game: a query is two dictionary look-ups.
    """

    def __init__(self, initial: str, edges: Iterable[Edge]) -> None:
        rows = tuple(edges)
        states = list(dict.fromkeys([initial, *(e.source for e in rows), *(t for e in rows for t in e.targets)]))
        self.initial = initial
        self.machine = Machine(
            model=None,
            states=states,
            initial=initial,
            auto_transitions=False,
            transitions=[
                {"trigger": kebab(e.command.__name__), "source": e.source, "dest": target}
                for e in rows
                for target in e.targets
            ],
        )
        self.phases: tuple[str, ...] = tuple(self.machine.states)
        self._legal: Mapping[str, frozenset[str]] = MappingProxyType(
            {phase: frozenset(self.machine.get_triggers(phase)) for phase in self.phases}
        )
        self.edges: frozenset[tuple[str, str, str]] = frozenset(
            (transition.source, trigger, str(transition.dest))
            for trigger, event in self.machine.events.items()
            for transitions in event.transitions.values()
            for transition in transitions
        )
        self._codes = {e.command: kebab(e.command.__name__) for e in rows}

    def permits(self, phase: str, command: type[Command]) -> bool:
        """Return True if a command of this type is legal in ``phase``."""
        return self._codes.get(command) in self._legal.get(phase, ())

    def check(self, phase: str, command: Command) -> None:
        """Raise ``NotNow`` unless ``command`` is legal in ``phase``."""
        if not self.permits(phase, type(command)):
            raise NotNow(command=kebab(type(command).__name__), phase=phase)

    def is_final(self, phase: str) -> bool:
        """Return True if nothing leads out of ``phase``."""
        return not self._legal.get(phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """A kind of game, as functions and tables. ``fsm/registry.py`` lists all kinds."""

    name: str
    machine: PhaseMachine
    state: type[S]
    rules: type[Any]
    """Frozen dataclass of the rules that a host may set."""
    events: Mapping[str, type[Event]]
    """Types by stored name. A name, once stored, is never reused; see ``upcasters``."""
    decide: Callable[[S | None, Command, Instant, str], tuple[Event, ...]]
    """Function ``(state, command, now, seed) -> events``; raises ``Rejected``.

    ``seed`` is 32 fresh random bytes, hex.
    """
    evolve: Callable[[S | None, Any], S]
    view: Callable[[S, PlayerId | None], S]
    """Function that returns the state without the secrets hidden from ``viewer`` (None: from everybody)."""
    upcasters: Mapping[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Functions that turn the fields of a retired event into a current name and fields, by retired name."""

    @property
    def slug(self) -> str:
        """Return the kind's name as the ids of its texts begin: ``pick_number`` -> ``pick-number``."""
        return self.name.replace("_", "-")

    def fold(self, state: S | None, events: Iterable[Event]) -> S:
        """Return the state after ``events``. Raises ValueError if there is neither a state nor an event."""
        for event in events:
            state = self.evolve(state, event)
        if state is None:
            raise ValueError("a game has at least the event that opened it")
        return state
