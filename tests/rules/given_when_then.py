"""Rules are told as: given these events, when this command comes, then these events (or that refusal)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from fsm import pick_number
from fsm.kind import ChatTopic, Command, Event, Host, Instant, PlayerId, Rejected, kebab
from fsm.lobby import JoiningStarted, OpenGame, PlayerJoined, StartNow
from fsm.pick_number import (
    KIND,
    GameOpened,
    NumberPicked,
    PickNumberGame,
    PickNumberRules,
    SelectionOpened,
)

GAME = "07abcdefghijkl"
PLACE = ChatTopic(-1001, 5)
HOST = Host(900, "Hana")
SEED = "5eed" * 16
OPENED = 1_700_000_000_000
LOBBY, JOINING, SELECTION, REVEAL = 900_000, 60_000, 300_000, 2_000
SELECTING = OPENED + 70_000
"""When selection opens in ``selecting``."""
CLOSING = SELECTING + SELECTION


def some_rules(**changes: Any) -> PickNumberRules:
    """The default rules, but for ``changes``."""
    return PickNumberRules(**changes)


def opening(**changes: Any) -> OpenGame:
    """The command that opens the game of these tests."""
    fields: dict[str, Any] = {"rules": some_rules(), "title": "Friday", **changes}
    return OpenGame("pick_number", GAME, PLACE, HOST, **fields)


def opened(**rules: Any) -> tuple[Event, ...]:
    """A game that waits for players, opened at ``OPENED``. ``first_format``: by a version of before the second one."""
    format_ = 1 if rules.pop("first_format", False) else pick_number.FORMAT
    return (GameOpened(GAME, PLACE, HOST, "Friday", some_rules(**rules), OPENED, format_),)


def joined(*players: PlayerId) -> tuple[Event, ...]:
    """These players join, a millisecond after each other, player 1 first of all."""
    return tuple(PlayerJoined(player, f"P{player}", OPENED + player) for player in players)


def waiting(*players: PlayerId, **rules: Any) -> tuple[Event, ...]:
    """A lobby with too few players."""
    return (*opened(**rules), *joined(*players))


def last_call(*players: PlayerId, **rules: Any) -> tuple[Event, ...]:
    """A lobby with enough players: its last call runs until ``OPENED + JOINING``."""
    return (*waiting(*players, **rules), JoiningStarted(OPENED + JOINING))


def selecting(players: int, picks: dict[PlayerId, int] | None = None, **rules: Any) -> tuple[Event, ...]:
    """Players 1 to ``players`` select numbers since ``SELECTING``, until ``CLOSING``; ``picks`` have been made."""
    joining = last_call(*range(1, players + 1), **rules)
    return (
        *joining,
        selection_of(KIND.fold(None, joining)),
        *(NumberPicked(player, number) for player, number in (picks or {}).items()),
    )


def selection_of(game: PickNumberGame, at: Instant = SELECTING) -> SelectionOpened:
    """The event that opens selection of a game whose joining is over."""
    (event,) = KIND.decide(game, StartNow(HOST.id), at, SEED)
    assert isinstance(event, SelectionOpened)
    return event


@dataclass(frozen=True)
class Then:
    """What a command led to."""

    before: PickNumberGame | None
    events: tuple[Event, ...]
    refusal: Rejected | None

    @property
    def state(self) -> PickNumberGame:
        """The state afterwards."""
        return KIND.fold(self.before, self.events)

    def then(self, *expected: Event) -> PickNumberGame:
        """Exactly these events; gives the state after them."""
        assert self.refusal is None
        assert self.events == expected
        return self.state

    def then_these(self, *types: type[Event]) -> PickNumberGame:
        """Events of exactly these types; gives the state after them."""
        assert self.refusal is None
        assert tuple(type(event) for event in self.events) == types
        return self.state

    def nothing(self) -> None:
        """Neither events nor a refusal."""
        self.then()

    def refused(self, refusal: Rejected) -> None:
        """This refusal, with these parameters."""
        assert (type(self.refusal), self.refusal) == (type(refusal), refusal)


@dataclass(frozen=True)
class Given:
    """A game with a past."""

    state: PickNumberGame | None

    def when(self, command: Command, at: Instant, seed: str = SEED) -> Then:
        """What ``command``, received at ``at``, leads to. A phase change that the machine doesn't know is an error."""
        try:
            events = KIND.decide(self.state, command, at, seed)
        except Rejected as refusal:
            return Then(self.state, (), refusal)
        if self.state is not None:
            check_edges(self.state, command, events)
        return Then(self.state, events, None)


def given(*events: Event | Iterable[Event]) -> Given:
    """A game to which this has happened; nothing: a game that doesn't exist."""
    flat: list[Event] = []
    for event in events:
        flat += [event] if isinstance(event, Event) else list(event)
    return Given(KIND.fold(None, flat) if flat else None)


def play(state: PickNumberGame, command: Command, at: Instant) -> PickNumberGame:
    """The state after ``command``, which must be accepted."""
    return KIND.fold(state, KIND.decide(state, command, at, SEED))


def check_edges(state: PickNumberGame, command: Command, events: Sequence[Event]) -> None:
    """Assert that the phase table has the way from ``state`` over ``events``, as a whole and in each step."""
    trigger, phase = kebab(type(command).__name__), state.phase
    last = KIND.fold(state, events).phase
    if events:
        assert (phase, trigger, last) in KIND.machine.edges
    for event in events:
        state = pick_number.evolve(state, event)
        if state.phase != phase:
            assert (phase, state.phase) in {(source, target) for source, _, target in KIND.machine.edges}
        phase = state.phase


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts."""
    return sum(amounts, Decimal(0))


def refused_rules(**rules: Any) -> Rejected:
    """The refusal of a game with these rules; fails where they are accepted."""
    with pytest.raises(Rejected) as caught:
        KIND.decide(None, opening(rules=some_rules(**rules)), OPENED, SEED)
    return caught.value
