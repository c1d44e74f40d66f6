"""What a kind of game is: commands in, events out, and the machine that says what is legal when."""

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
"""Metadata of a field of an event that nobody may see while its game is live."""


HIDDEN: Mapping[str, Any] = MappingProxyType({"hidden": True})
"""Metadata of a field of a kind's rules that no host sets: the configuration or the kind itself does."""


def empty(word: str) -> Mapping[str, Any]:
    """Metadata of a field of a kind's rules whose empty value (None, "", ()) hosts write as ``word``."""
    return {"empty": word}


def kebab(name: str) -> str:
    """``NumberTaken`` -> ``number-taken``: the stable code of a type."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


@dataclass(frozen=True, slots=True)
class Command:
    """Something that somebody asks of a game. Imperative."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a game and is stored for good. Past tense."""


def secrets_of(event: Event | type[Event]) -> frozenset[str]:
    """The names of an event's fields that are secret while its game is live."""
    return frozenset(field.name for field in fields(event) if field.metadata.get("secret"))


class Rejected(Exception):
    """A command that the rules refuse. Carries parameters and no text: the locales have the text."""

    @property
    def code(self) -> str:
        """The refusal's stable name in the API, the metrics and the locales."""
        return kebab(type(self).__name__)

    @property
    def parameters(self) -> dict[str, Any]:
        """What the text of the refusal may mention, by name."""
        return {name: getattr(self, name) for name in getattr(type(self), "__match_args__", ())}

    def __str__(self) -> str:
        return f"{self.code} {self.parameters}" if self.parameters else self.code


@dataclass(unsafe_hash=True)
class NotNow(Rejected):
    """The command is not legal in the phase that the game is in."""

    command: str
    phase: str


@dataclass(unsafe_hash=True)
class TooLate(Rejected):
    """The command was received after the phase's deadline, even if the timer has not fired yet."""


@dataclass(unsafe_hash=True)
class UnknownGame(Rejected):
    """No such game, or one that ended long ago."""


@dataclass(frozen=True, slots=True)
class ChatTopic:
    """Where a game is played: a chat, and a topic of it (0 outside forums)."""

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
    """Who opened a game."""

    id: PlayerId
    name: str


@dataclass(frozen=True, kw_only=True)
class Game:
    """The part of a game's state that every kind shares. Without slots, nor in any kind, for the sake of `changed`."""

    id: str
    phase: str
    place: ChatTopic
    host: Host
    title: str
    opened_at: Instant
    deadline: Instant | None
    """When the phase ends by itself; None where it waits for nothing."""
    players: Mapping[PlayerId, Player]
    """By joining order. Treated as immutable: an event makes a new one."""
    ended_at: Instant | None = None
    cancel_reason: str | None = None
    to_run: int | None = None
    """How long the phase will last once the chat can see it, ms; None if its time runs. See ``fsm/showing.py``."""

    @property
    def ends_at(self) -> Instant | None:
        """When the phase ends by itself; None if it does not, or its time has not begun."""
        return self.deadline if self.to_run is None else None


S = TypeVar("S", bound=Game)
K = TypeVar("K")
V = TypeVar("V")


def changed(state: S, **changes: Any) -> S:
    """``dataclasses.replace`` at a tenth of its price, for what happens with every tap. Raises TypeError."""
    fields_ = state.__dict__.copy()
    known = len(fields_)
    fields_.update(changes)
    if len(fields_) != known:
        raise TypeError(f"{type(state).__name__} has not all of {', '.join(changes)}")
    new: S = object.__new__(type(state))
    object.__setattr__(new, "__dict__", fields_)
    return new


def copied(mapping: Mapping[K, V]) -> dict[K, V]:
    """A copy to change. ``dict(mapping)`` goes entry by entry where one has been deleted, ``copy`` copies the table."""
    return mapping.copy() if isinstance(mapping, dict) else dict(mapping)


@dataclass(frozen=True, slots=True)
class Edge:
    """A row of a kind's phase table: ``command`` is legal in ``source`` and may lead to ``targets``."""

    command: type[Command]
    source: str
    targets: tuple[str, ...]


class PhaseMachine:
    """The table of which command is legal in which phase, and where it may lead.

    Built once, at import, on a ``transitions.Machine``; asked by ``decide``, by keyboards and by the docs. It has
    no callbacks and holds no game: asking is two dictionary look-ups.
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
        """Whether a command of this type is legal in ``phase``."""
        return self._codes.get(command) in self._legal.get(phase, ())

    def check(self, phase: str, command: Command) -> None:
        """Raise ``NotNow`` unless ``command`` is legal in ``phase``."""
        if not self.permits(phase, type(command)):
            raise NotNow(command=kebab(type(command).__name__), phase=phase)

    def is_final(self, phase: str) -> bool:
        """Whether nothing leads out of ``phase``."""
        return not self._legal.get(phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """A kind of game, as functions and tables. ``fsm/registry.py`` lists them all."""

    name: str
    machine: PhaseMachine
    state: type[S]
    rules: type[Any]
    """The frozen dataclass of what a host may set."""
    events: Mapping[str, type[Event]]
    """Stored name -> type. A name, once stored, is never reused; see ``upcasters``."""
    decide: Callable[[S | None, Command, Instant, str], tuple[Event, ...]]
    """``(state, command, now, seed) -> events``; raises ``Rejected``. ``seed`` is 32 fresh random bytes in hex."""
    evolve: Callable[[S | None, Any], S]
    view: Callable[[S, PlayerId | None], S]
    """The state as ``viewer`` may see it (None: anybody): secrets are gone."""
    upcasters: Mapping[str, Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    """Retired stored name -> function that turns its fields into a current name and fields."""

    @property
    def slug(self) -> str:
        """The kind's name as the ids of its texts begin: ``pick_number`` -> ``pick-number``."""
        return self.name.replace("_", "-")

    def fold(self, state: S | None, events: Iterable[Event]) -> S:
        """The state after ``events``. Raises ValueError where there is neither a state nor an event."""
        for event in events:
            state = self.evolve(state, event)
        if state is None:
            raise ValueError("a game has at least the event that opened it")
        return state
