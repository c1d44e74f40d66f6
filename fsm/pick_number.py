"""Pick Your Number: everybody takes a number, a verifiable draw decides.

waiting_for_players -> players_joining -> number_selection -> drawing -> completed, or cancelled from any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fsm import draw, lobby, prizes, proof
from fsm.kind import (
    HIDDEN,
    SECRET,
    ChatTopic,
    Command,
    Edge,
    Event,
    Game,
    Host,
    Instant,
    Kind,
    PhaseMachine,
    PlayerId,
    Rejected,
    UnknownGame,
    changed,
    copied,
    empty,
)
from fsm.lobby import (
    CANCELLED,
    COMPLETED,
    DeadlinePassed,
    Extend,
    GameCancelled,
    GameCompleted,
    LobbyCommand,
    NotInGame,
    OpenGame,
    Remove,
    Standing,
    check_bounds,
)

NUMBER_SELECTION = "number_selection"
DRAWING = "drawing"

NORMAL, REVERSE = proof.MODES
DROP, ASSIGN = proof.ABSENT_POLICIES


@dataclass(frozen=True, slots=True)
class Beacon:
    """A drand chain whose next round after selection closes is mixed into the draw."""

    chain: str
    """The chain's hash, hex."""
    genesis_at: Instant
    period_ms: int
    wait_ms: int
    """How long the draw waits for the round; then it goes on without, and the proof says so."""

    def round_after(self, moment: Instant) -> int:
        """The first round that is published after ``moment``."""
        return max(1, (moment - self.genesis_at) // self.period_ms + 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickNumberRules:
    """What a host may set. Times in milliseconds."""

    mode: str = NORMAL
    winners: int = 1
    prize_pool: Decimal = Decimal(0)
    split: str = prizes.AUTO
    percentages: tuple[Decimal, ...] = ()
    absent: str = DROP
    min_players: int = 2
    max_players: int = 100
    lobby_ms: int = 900_000
    join_ms: int = 60_000
    selection_ms: int = 300_000
    reveal_ms: int = 2_000
    range_multiplier: Decimal = Decimal(5)
    max_number: int = 1000
    numbers: int | None = field(default=None, metadata=empty("auto"))
    """The host's own range ``1..numbers``; None derives it from the number of players."""
    beacon: Beacon | None = field(default=None, metadata=HIDDEN)

    @property
    def capacity(self) -> int:
        """How many can play: everybody must be able to have a number."""
        return min(self.max_players, self.numbers or self.max_number)

    def highest(self, players: int) -> int:
        """The upper end of the range for a number of players."""
        if self.numbers is not None:
            return self.numbers
        scaled = int((players * self.range_multiplier).to_integral_value(ROUND_CEILING))
        return min(max(scaled, players + 5), self.max_number)

    def check(self) -> None:
        """Raise ``BadRule`` at the first rule outside its bounds."""
        lobby.check_choice("mode", self.mode, proof.MODES)
        lobby.check_choice("absent", self.absent, proof.ABSENT_POLICIES)
        lobby.check_lobby(self, fewest=2)
        lobby.check_wait("selection_seconds", self.selection_ms)
        lobby.check_reveal(self.reveal_ms)
        check_bounds("max_number", self.max_number, self.min_players, draw.HIGHEST_NUMBER)
        check_bounds("range_multiplier", self.range_multiplier, 1, 100)
        if self.numbers is not None:
            check_bounds("numbers", self.numbers, max(2, self.min_players), draw.HIGHEST_NUMBER)
        prizes.check_prizes(self.prize_pool, self.split, self.percentages, self.winners)


@dataclass(frozen=True, slots=True)
class BeaconSignal:
    """A round of the beacon as published. All hex but the round."""

    chain: str
    round: int
    randomness: str
    signature: str


@dataclass(frozen=True, kw_only=True)
class PickNumberGame(Game):
    """The state of a game. ``seed`` is secret until the game is over; ``view`` takes it out."""

    rules: PickNumberRules
    highest: int = 0
    """The range is ``1..highest`` from selection on."""
    commitment: str | None = None
    seed: str | None = None
    owners: Mapping[int, PlayerId] = field(default_factory=dict)
    """Number -> who has it."""
    picks: Mapping[PlayerId, int] = field(default_factory=dict)
    """The inverse of ``owners``."""
    absent: tuple[PlayerId, ...] = ()
    """Who had no number when selection closed, in joining order."""
    assigned: Mapping[PlayerId, int] = field(default_factory=dict)
    """The numbers that the absent were given."""
    beacon_round: int | None = None
    """The round that the draw waits for, or was made with."""
    beacon: BeaconSignal | None = None
    drawn: tuple[int, ...] | None = None
    """Every number of the draw, in order; None before the draw. A view holds only the first ``shown``."""
    shown: int = 0
    standings: tuple[Standing, ...] = ()


# -- commands ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PickNumber(Command):
    """Pick a number, or move to it."""

    player_id: PlayerId
    number: int


@dataclass(frozen=True, slots=True)
class PublishBeacon(Command):
    """The beacon's round is out."""

    signal: BeaconSignal


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GameOpened(Event):
    """A game was opened, with these rules for good."""

    game_id: str
    place: ChatTopic
    host: Host
    title: str
    rules: PickNumberRules
    at: Instant


@dataclass(frozen=True, slots=True)
class SelectionOpened(Event):
    """The draw is committed to. ``seed`` is secret; ``commitment`` is published."""

    highest: int
    commitment: str
    seed: str = field(metadata=SECRET)
    deadline: Instant


@dataclass(frozen=True, slots=True)
class NumberPicked(Event):
    """A player has this number; one that they had before is free again."""

    player_id: PlayerId
    number: int


@dataclass(frozen=True, slots=True)
class SelectionClosed(Event):
    """The entries are final. ``deadline``: of the beacon's round, where one is waited for."""

    absent: tuple[PlayerId, ...]
    assigned: Mapping[PlayerId, int]
    digest: str
    beacon_round: int | None
    deadline: Instant | None
    at: Instant


@dataclass(frozen=True, slots=True)
class NumbersDrawn(Event):
    """The draw is made; the show begins. ``beacon`` is None where none is used, or none came."""

    drawn: tuple[int, ...] = field(metadata=SECRET)
    beacon: BeaconSignal | None
    deadline: Instant


@dataclass(frozen=True, slots=True)
class NumbersShown(Event):
    """The first ``shown`` numbers of the draw have been shown."""

    shown: int
    deadline: Instant


# -- refusals ---------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class NumberTaken(Rejected):
    """Somebody else has the number."""

    number: int


@dataclass(unsafe_hash=True)
class NumberOutOfRange(Rejected):
    """No such number in this game."""

    number: int
    highest: int


@dataclass(unsafe_hash=True)
class AlreadyYours(Rejected):
    """The player has this very number."""

    number: int


MACHINE = PhaseMachine(
    initial=lobby.WAITING_FOR_PLAYERS,
    edges=(
        *lobby.lobby_edges(NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING)),
        Edge(PickNumber, NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING)),
        Edge(Extend, NUMBER_SELECTION, (NUMBER_SELECTION,)),
        Edge(Remove, NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING, CANCELLED)),
        Edge(DeadlinePassed, NUMBER_SELECTION, (DRAWING, CANCELLED)),
        Edge(PublishBeacon, DRAWING, (DRAWING,)),
        Edge(DeadlinePassed, DRAWING, (DRAWING, COMPLETED)),
    ),
)


# -- decide -----------------------------------------------------------------------------------------------------

PickNumberCommand = OpenGame | LobbyCommand | DeadlinePassed | PublishBeacon


def decide(state: PickNumberGame | None, command: Any, now: Instant, seed: str) -> tuple[Event, ...]:
    """What ``command``, received at ``now``, leads to. Raises ``Rejected``; no events: nothing to do."""
    if state is None:
        return _open(command, now)
    if isinstance(command, DeadlinePassed) and state.deadline is None:
        return ()  # a timer that outlived its game
    MACHINE.check(state.phase, command)
    if isinstance(command, PickNumber):
        return _take(state, command, now)
    return _decide(state, command, now, seed)


def _decide(game: PickNumberGame, command: PickNumberCommand, now: Instant, seed: str) -> tuple[Event, ...]:
    def begin(ready: PickNumberGame) -> tuple[Event, ...]:
        highest = ready.rules.highest(len(ready.players))
        return (SelectionOpened(highest, draw.commitment(seed), seed, now + ready.rules.selection_ms),)

    match command:
        case OpenGame():
            raise AssertionError("the phase table lets nobody open a game twice")
        case Remove() if game.phase == NUMBER_SELECTION:
            return _remove_while_selecting(game, command, now)
        case PublishBeacon():
            return _publish(game, command, now)
        case DeadlinePassed():
            return lobby.deadline_passed(game, command, now, lambda due: _phase_over(due, begin, now))
        case _:
            return lobby.decide(game, game.rules, command, now, begin)


def _open(command: Command, now: Instant) -> tuple[Event, ...]:
    if not isinstance(command, OpenGame) or not isinstance(command.rules, PickNumberRules):
        raise UnknownGame
    command.rules.check()
    title = lobby.check_title(command.title)
    return (GameOpened(command.game_id, command.place, command.host, title, command.rules, now),)


def _take(game: PickNumberGame, command: PickNumber, now: Instant) -> tuple[Event, ...]:
    lobby.in_time(game, now)
    player, number = command.player_id, command.number
    if player not in game.players:
        raise NotInGame
    if not 1 <= number <= game.highest:
        raise NumberOutOfRange(number=number, highest=game.highest)
    owner = game.owners.get(number)
    if owner == player:
        raise AlreadyYours(number=number)
    if owner is not None:
        raise NumberTaken(number=number)
    picked = NumberPicked(player, number)
    if len(game.picks) + (player not in game.picks) < len(game.players):
        return (picked,)
    return (picked, *_close_selection(evolve(game, picked), now))


def _remove_while_selecting(game: PickNumberGame, command: Remove, now: Instant) -> tuple[Event, ...]:
    """A host removes a player, whose number becomes free; selection closes where everybody left has picked."""
    lobby.in_time(game, now)
    if command.player_id not in game.players:
        raise NotInGame
    removed = lobby.PlayerRemoved(command.player_id, command.by)
    rest = evolve(game, removed)
    if len(rest.picks) == len(rest.players):
        return (removed, *_close_selection(rest, now))
    return (removed,)


def _close_selection(game: PickNumberGame, now: Instant) -> tuple[Event, ...]:
    """Settle who plays with which number, and draw, at once or when the beacon speaks."""
    absent = tuple(player for player in game.players if player not in game.picks)
    seed = _known(game.seed)
    assigned: dict[PlayerId, int] = {}
    if game.rules.absent == ASSIGN:
        assigned = draw.assign_absent(game.id, game.highest, game.owners, absent, seed)
    owners = {**game.owners, **{number: player for player, number in assigned.items()}}
    if not owners:
        return (GameCancelled("nobody_picked", None, now),)
    digest = draw.digest(game.id, game.highest, owners)
    beacon = game.rules.beacon
    if beacon is not None:
        closed = SelectionClosed(absent, assigned, digest, beacon.round_after(now), now + beacon.wait_ms, now)
        return (closed,)
    closed = SelectionClosed(absent, assigned, digest, None, None, now)
    return (closed, _draw(evolve(game, closed), None, now))


def _draw(game: PickNumberGame, beacon: BeaconSignal | None, now: Instant) -> NumbersDrawn:
    randomness = beacon.randomness if beacon else ""
    full = draw.order(game.id, game.highest, game.owners, _known(game.seed), randomness)
    if game.rules.mode == REVERSE:
        drawn = draw.drawn_in_reverse(full, game.owners)
    else:
        drawn = draw.drawn_normally(full, game.owners, game.rules.winners)
    return NumbersDrawn(drawn, beacon, now + game.rules.reveal_ms)


def _publish(game: PickNumberGame, command: PublishBeacon, now: Instant) -> tuple[Event, ...]:
    """Draw with the beacon's round, if it is the one that the game waits for, and genuine; else nothing."""
    awaited, signal = game.rules.beacon, command.signal
    if awaited is None or game.drawn is not None or (signal.chain, signal.round) != (awaited.chain, game.beacon_round):
        return ()
    return (_draw(game, signal, now),) if draw.is_signed(signal.randomness, signal.signature) else ()


def _phase_over(game: PickNumberGame, begin: lobby.OnJoiningClosed[PickNumberGame], now: Instant) -> tuple[Event, ...]:
    """What follows when the deadline of a phase after the lobby's first has passed."""
    match game.phase:
        case lobby.PLAYERS_JOINING:
            return begin(game)
        case phase if phase == NUMBER_SELECTION:
            return _close_selection(game, now)
        case _ if game.drawn is None:
            return (_draw(game, None, now),)  # the beacon did not speak in time
        case _:
            return _show_more(game, game.drawn, now)


def _show_more(game: PickNumberGame, drawn: tuple[int, ...], now: Instant) -> tuple[Event, ...]:
    """Show the next numbers; after the last, the result."""
    for count in draw.frames(drawn, game.owners):
        if count > game.shown:
            return (NumbersShown(count, now + game.rules.reveal_ms),)
    return (GameCompleted(_standings(game, drawn), now),)


def _standings(game: PickNumberGame, drawn: tuple[int, ...]) -> tuple[Standing, ...]:
    """Winners with their prizes, best first, then everybody else in joining order."""
    rules = game.rules
    if rules.mode == REVERSE:
        numbers = draw.winners_in_reverse(drawn, game.owners, rules.winners)
    else:
        numbers = draw.winners_normally(drawn, game.owners)
    places = range(1, len(numbers) + 1)
    amounts = prizes.for_places(rules.prize_pool, rules.split, places, rules.percentages)
    names = {player.id: player.name for player in game.players.values()}
    won = [
        Standing(game.owners[number], names[game.owners[number]], place, amount, number)
        for place, number, amount in zip(places, numbers, amounts, strict=True)
    ]
    winners = {standing.player_id for standing in won}
    rest = [Standing(id_, name, number=game.picks.get(id_)) for id_, name in names.items() if id_ not in winners]
    return (*won, *rest)


def _known(seed: str | None) -> str:
    if seed is None:
        raise AssertionError("selection opens with a seed")
    return seed


# -- evolve -----------------------------------------------------------------------------------------------------


def evolve(state: PickNumberGame | None, event: Any) -> PickNumberGame:
    """The state after ``event``."""
    if state is None:
        return _opened(event)
    match event:
        case NumberPicked(player, number):
            return _picked(state, player, number)
        case SelectionOpened(highest, commitment, seed, deadline):
            return replace(
                state, phase=NUMBER_SELECTION, highest=highest, commitment=commitment, seed=seed, deadline=deadline
            )
        case SelectionClosed(absent, assigned, _, beacon_round, deadline):
            return replace(
                state,
                phase=DRAWING,
                absent=absent,
                assigned=assigned,
                owners={**state.owners, **{number: player for player, number in assigned.items()}},
                picks={**state.picks, **assigned},
                beacon_round=beacon_round,
                deadline=deadline,
            )
        case NumbersDrawn(drawn, beacon, deadline):
            return replace(state, drawn=drawn, beacon=beacon, deadline=deadline)
        case NumbersShown(shown, deadline):
            return replace(state, shown=shown, deadline=deadline)
        case lobby.PlayerRemoved(player) if player in state.picks:
            return lobby.evolve(_released(state, player), event)
        case GameCompleted(standings):
            return lobby.evolve(replace(state, standings=standings), event)
        case _:
            return lobby.evolve(state, event)


def _opened(event: Event) -> PickNumberGame:
    if not isinstance(event, GameOpened):
        raise TypeError(f"a game begins by being opened, not by {type(event).__name__}")
    return PickNumberGame(
        id=event.game_id,
        phase=lobby.WAITING_FOR_PLAYERS,
        place=event.place,
        host=event.host,
        title=event.title,
        opened_at=event.at,
        deadline=event.at + event.rules.lobby_ms,
        players={},
        rules=event.rules,
    )


def _picked(state: PickNumberGame, player: PlayerId, number: int) -> PickNumberGame:
    owners, picks = copied(state.owners), copied(state.picks)
    previous = picks.get(player)
    if previous is not None:
        del owners[previous]
    owners[number], picks[player] = player, number
    return changed(state, owners=owners, picks=picks)


def _released(state: PickNumberGame, player: PlayerId) -> PickNumberGame:
    owners = {number: owner for number, owner in state.owners.items() if owner != player}
    return replace(state, owners=owners, picks={p: n for p, n in state.picks.items() if p != player})


# -- what may be seen -------------------------------------------------------------------------------------------


def view(state: PickNumberGame, _viewer: PlayerId | None) -> PickNumberGame:
    """The state without what is still secret: the seed, and the draws not shown yet."""
    if state.phase in {COMPLETED, CANCELLED}:
        return state
    drawn = None if state.drawn is None else state.drawn[: state.shown]
    return replace(state, seed=None, drawn=drawn)


def prove(state: PickNumberGame) -> dict[str, Any]:
    """The proof of a completed game's draw. Raises ValueError before."""
    if state.phase != COMPLETED:
        raise ValueError("a draw is proven when the game is completed")
    rules, signal = state.rules, state.beacon
    return proof.seal(
        {
            "format": proof.FORMAT,
            "game": state.id,
            "kind": KIND.name,
            "title": state.title,
            "mode": rules.mode,
            "winners": rules.winners,
            "highest": state.highest,
            "commitment": state.commitment,
            "seed": state.seed,
            "picked": [[n, p] for n, p in sorted(state.owners.items()) if p not in state.assigned],
            "absent_policy": rules.absent,
            "absent": list(state.absent),
            # PostgreSQL keeps a mapping in an order of its own: that of joining is the absent's.
            "assigned": [[p, state.assigned[p]] for p in state.absent if p in state.assigned],
            "digest": draw.digest(state.id, state.highest, state.owners),
            "beacon": None if signal is None else {
                "chain": signal.chain,
                "round": signal.round,
                "randomness": signal.randomness,
                "signature": signal.signature,
            },
            "beacon_expected": state.beacon_round,
            "drawn": list(state.drawn or ()),
            "pool": f"{rules.prize_pool:f}",
            "split": rules.split,
            "percentages": [f"{p:f}" for p in rules.percentages],
            "places": [
                {"place": s.place, "player": s.player_id, "number": s.number, "prize": f"{s.prize:f}"}
                for s in state.standings
                if s.place is not None
            ],
        }
    )  # fmt: skip


KIND: Kind[PickNumberGame] = Kind(
    name="pick_number",
    machine=MACHINE,
    state=PickNumberGame,
    rules=PickNumberRules,
    events={
        "game_opened": GameOpened,
        "selection_opened": SelectionOpened,
        "number_picked": NumberPicked,
        "selection_closed": SelectionClosed,
        "numbers_drawn": NumbersDrawn,
        "numbers_shown": NumbersShown,
        **lobby.EVENTS,
    },
    decide=decide,
    evolve=evolve,
    view=view,
)
