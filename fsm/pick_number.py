"""Pick Your Number: each player picks a number, and a verifiable draw decides.

waiting_for_players -> players_joining -> number_selection -> drawing -> completed, or cancelled from any of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from fsm import draw, lobby, prizes, proof, showing
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
    Cancel,
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
from fsm.showing import BoardShown, TimeBegun

NUMBER_SELECTION = "number_selection"
DRAWING = "drawing"

NORMAL, REVERSE = proof.MODES
DROP, ASSIGN = proof.ABSENT_POLICIES
OPEN, SECRETLY = "open", "secret"
"""Values of the rule ``picks``: everybody sees the owner of a number at once, or when selection has closed."""
HIDDEN_OWNER, HIDDEN_NUMBER = 0, 0
"""Owner and number in a view that hides them. No Telegram user has the id 0, and numbers begin at 1."""
FIRST_FORMAT, FORMAT = 1, 2
"""The first format of proofs, and the one of newly opened games."""
SECOND_DRAW_FORMAT = "second-draw-format"
"""Feature flag: games are opened with the second format of proofs."""
VOID_BEACON, VOID_OPERATOR = (lobby.VOID + reason for reason in reversed(proof.REASONS))
"""Reasons for the end of a game without winners after its entries were final."""
LONGEST_PAUSE = 3_600_000
"""Longest pause until a draw that waits for its beacon asks for it again, in ms."""


@dataclass(frozen=True, slots=True)
class Beacon:
    """A drand chain; one of its rounds, unknown to everybody when selection closes, is mixed into the draw."""

    chain: str
    """Hash of the chain, hex."""
    genesis_at: Instant
    period_ms: int
    wait_ms: int
    """Time after its due time in which the round may come; then ``beacon_policy`` applies."""
    scheme: str = proof.UNCHAINED
    public_key: str = ""
    lead_ms: int = 0
    """Least time from the closing to the round; never less than one period."""

    def round_after(self, moment: Instant) -> int:
        """Return the first round that is published later than ``moment``."""
        return proof.round_after(self.genesis_at, self.period_ms, moment)

    def round_for(self, closed_at: Instant) -> int:
        """Return the round that decides a draw whose selection closed at ``closed_at``."""
        return self.round_after(closed_at + max(self.lead_ms, self.period_ms))

    def due(self, round_: int) -> Instant:
        """Return the time at which a round is published."""
        return self.genesis_at + (round_ - 1) * self.period_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class PickNumberRules:
    """The rules that a host may set. Times in milliseconds."""

    mode: str = NORMAL
    winners: int = 1
    prize_pool: Decimal = Decimal(0)
    split: str = prizes.AUTO
    percentages: tuple[Decimal, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    """Amount of each place, which add up to the pool; empty if the pool is split."""
    currency: str = ""
    prizes: tuple[str, ...] = ()
    """Prize of each place in words; empty if prizes are amounts."""
    absent: str = DROP
    picks: str = OPEN
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
    show_wait_ms: int = field(default=0, metadata=HIDDEN)
    """Longest wait for the chat to see a phase before its time begins; 0 for no wait."""
    beacon: Beacon | None = field(default=None, metadata=HIDDEN)
    beacon_policy: str = proof.WAIT
    """Rule for a beacon that is late: the draw waits (``wait``, a day at most) or is void (``void``)."""
    channel: str = field(default="", metadata=empty("none"))
    known_days: int = 0
    booster: bool = False
    premium: bool = False
    """The conditions to join, see ``lobby.Conditions``."""
    earlier_winners: tuple[PlayerId, ...] = field(default=(), metadata=HIDDEN)
    """The winners of the games of which this one is a rematch, the oldest first."""
    without_winners: bool = field(default=False, metadata=HIDDEN)
    """True if the earlier winners may not join."""

    @property
    def capacity(self) -> int:
        """Return the most players that can have a number each."""
        return min(self.max_players, self.numbers or self.max_number)

    def highest(self, players: int) -> int:
        """Return the upper end of the range for a number of players."""
        if self.numbers is not None:
            return self.numbers
        scaled = int((players * self.range_multiplier).to_integral_value(ROUND_CEILING))
        return min(max(scaled, players + 5), self.max_number)

    def check(self) -> None:
        """Raise ``BadRule`` at the first rule outside its bounds."""
        lobby.check_choice("mode", self.mode, proof.MODES)
        lobby.check_choice("absent", self.absent, proof.ABSENT_POLICIES)
        lobby.check_choice("picks", self.picks, (OPEN, SECRETLY))
        lobby.check_choice("beacon_policy", self.beacon_policy, proof.POLICIES)
        lobby.check_lobby(self, fewest=2)
        lobby.check_wait("selection_seconds", self.selection_ms)
        lobby.check_reveal(self.reveal_ms)
        lobby.check_show_wait(self.show_wait_ms)
        check_bounds("max_number", self.max_number, self.min_players, draw.HIGHEST_NUMBER)
        check_bounds("range_multiplier", self.range_multiplier, 1, 100)
        if self.numbers is not None:
            check_bounds("numbers", self.numbers, max(2, self.min_players), draw.HIGHEST_NUMBER)
        prizes.check(self)
        lobby.check_barred(self)
        lobby.check_conditions(self)


@dataclass(frozen=True, slots=True)
class BeaconSignal:
    """A published round of a beacon. All fields but the round are hex."""

    chain: str
    round: int
    randomness: str
    signature: str
    previous_signature: str = ""
    """Signature of the round before, in chains whose rounds sign it; else empty."""


@dataclass(frozen=True, slots=True)
class NumberedSeed:
    """A seed that was fixed for a chat before its game was opened: leaf ``number - 1`` of a tree of ``size`` seeds."""

    seed: str
    root: str
    size: int
    number: int
    path: tuple[str, ...]
    """Inclusion proof of the seed's hash, lowest node first."""


@dataclass(frozen=True, kw_only=True)
class PickNumberGame(Game):
    """The state of a game. The seeds are secret until the game is over; ``view`` removes them."""

    rules: PickNumberRules
    format: int = 1
    """Format of the game's proof; 1 for games opened before opening statements were introduced."""
    reserved: NumberedSeed | None = None
    """The seed that was fixed in advance; None if none was available when the game was opened."""
    statement: str = ""
    """The opening statement, exactly as committed to."""
    highest: int = 0
    """Upper end of the range ``1..highest``; 0 before selection."""
    commitment: str | None = None
    seed: str | None = None
    owners: Mapping[int, PlayerId] = field(default_factory=dict)
    """Owner of each number, by number."""
    picks: Mapping[PlayerId, int] = field(default_factory=dict)
    """Number of each player, by player: the inverse of ``owners``."""
    absent: tuple[PlayerId, ...] = ()
    """The players without a number when selection closed, in joining order."""
    assigned: Mapping[PlayerId, int] = field(default_factory=dict)
    """The numbers assigned to absent players, by player."""
    closed_at: Instant | None = None
    """Time when the entries became final; None before, and in games of the first format."""
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
    """Pick a number, giving up an earlier one."""

    player_id: PlayerId
    number: int


@dataclass(frozen=True, slots=True)
class PublishBeacon(Command):
    """Deliver the beacon's round."""

    signal: BeaconSignal


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GameOpened(Event):
    """A game was opened. Its rules never change."""

    game_id: str
    place: ChatTopic
    host: Host
    title: str
    rules: PickNumberRules
    at: Instant
    format: int = 1
    reserved: NumberedSeed | None = field(default=None, metadata=SECRET)


@dataclass(frozen=True, slots=True)
class SelectionOpened(Event):
    """The draw was committed to. ``commitment`` is SHA-256 of ``statement``; both are public, ``seed`` is secret."""

    highest: int
    commitment: str
    seed: str = field(metadata=SECRET)
    deadline: Instant
    statement: str = ""
    """Empty in games of the first format, where ``commitment`` is SHA-256 of the seed."""
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


@dataclass(frozen=True, slots=True)
class NumberPicked(Event):
    """A player has picked a number. A number that they had before is free again."""

    player_id: PlayerId
    number: int = field(metadata=SECRET)
    """Secret while the game lives, because its rules may hide the owners of numbers."""


@dataclass(frozen=True, slots=True)
class SelectionClosed(Event):
    """The entries are final. ``deadline``: the latest time for the beacon's round; None without a beacon."""

    absent: tuple[PlayerId, ...]
    assigned: Mapping[PlayerId, int]
    digest: str
    beacon_round: int | None
    deadline: Instant | None
    at: Instant


@dataclass(frozen=True, slots=True)
class BeaconMissed(Event):
    """The beacon's round did not come in time. The draw keeps waiting, until ``deadline``."""

    deadline: Instant


@dataclass(frozen=True, slots=True)
class NumbersDrawn(Event):
    """The draw was made, and the show begins. ``beacon`` is None if none is used."""

    drawn: tuple[int, ...] = field(metadata=SECRET)
    beacon: BeaconSignal | None
    deadline: Instant
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


@dataclass(frozen=True, slots=True)
class NumbersShown(Event):
    """The first ``shown`` numbers of the draw have been shown."""

    shown: int
    deadline: Instant
    to_run: int | None = None
    """Length of a phase that waits to be seen, see ``Game``."""


# -- refusals ---------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class NumberTaken(Rejected):
    """A refusal: another player has the number."""

    number: int


@dataclass(unsafe_hash=True)
class NumberOutOfRange(Rejected):
    """A refusal: the number is outside the game's range."""

    number: int
    highest: int


@dataclass(unsafe_hash=True)
class AlreadyYours(Rejected):
    """A refusal: the player has this number already."""

    number: int


@dataclass(unsafe_hash=True)
class DrawSealed(Rejected):
    """A refusal: picking is over, so nobody can stop the draw any more."""


MACHINE = PhaseMachine(
    initial=lobby.WAITING_FOR_PLAYERS,
    edges=(
        *lobby.lobby_edges(NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING)),
        Edge(PickNumber, NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING)),
        Edge(Extend, NUMBER_SELECTION, (NUMBER_SELECTION,)),
        Edge(Remove, NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING, CANCELLED)),
        Edge(DeadlinePassed, NUMBER_SELECTION, (NUMBER_SELECTION, DRAWING, CANCELLED)),
        Edge(BoardShown, NUMBER_SELECTION, (NUMBER_SELECTION,)),
        Edge(BoardShown, DRAWING, (DRAWING,)),
        Edge(PublishBeacon, DRAWING, (DRAWING,)),
        Edge(DeadlinePassed, DRAWING, (DRAWING, COMPLETED, CANCELLED)),
    ),
)


# -- decide -----------------------------------------------------------------------------------------------------

PickNumberCommand = OpenGame | LobbyCommand | DeadlinePassed | PublishBeacon | BoardShown


def decide(state: PickNumberGame | None, command: Any, now: Instant, seed: str) -> tuple[Event, ...]:
    """Decide ``command``, received at ``now``. Raises ``Rejected``; no events mean that there is nothing to do."""
    if state is None:
        return _open(command, now)
    if isinstance(command, DeadlinePassed) and state.deadline is None:
        return ()  # a timer that fired after the end of its game
    MACHINE.check(state.phase, command)
    if isinstance(command, PickNumber):
        return _take(state, command, now)
    return _decide(state, command, now, seed)


def _decide(game: PickNumberGame, command: PickNumberCommand, now: Instant, seed: str) -> tuple[Event, ...]:
    def begin(ready: PickNumberGame) -> tuple[Event, ...]:
        return (_open_selection(ready, now, seed),)

    match command:
        case OpenGame():
            raise AssertionError("the phase table lets nobody open a game twice")
        case Remove() if game.phase == NUMBER_SELECTION:
            return _remove_while_selecting(game, command, now)
        case Cancel() if game.phase == DRAWING:
            return _void_by_operator(game, command, now)
        case PublishBeacon():
            return _publish(game, command, now)
        case BoardShown():
            return showing.shown(game, command, now, game.rules.show_wait_ms)
        case Extend() if begun := showing.begin_now(game, now):
            return (*begun, *lobby.extend(KIND.fold(game, begun), command, now))
        case DeadlinePassed():
            return lobby.deadline_passed(game, command, now, lambda due: _phase_over(due, begin, now))
        case _:
            return lobby.decide(game, game.rules, command, now, begin)


def _open(command: Command, now: Instant) -> tuple[Event, ...]:
    if not isinstance(command, OpenGame) or not isinstance(command.rules, PickNumberRules):
        raise UnknownGame
    command.rules.check()
    title = lobby.check_title(command.title)
    reserved: NumberedSeed | None = command.content or None  # an empty tuple means no content
    format_ = format_of(command)
    return (
        GameOpened(command.game_id, command.place, command.host, title, command.rules, now, format_, reserved),
    )  # fmt: skip


def format_of(command: OpenGame) -> int:
    """Return the format of the proof of a game to be opened.

    The first format can't bind prizes in words or in a currency, so a game with them has the second one always.
    """
    rules: PickNumberRules = command.rules
    first = SECOND_DRAW_FORMAT in command.without and not (rules.amounts or rules.prizes or rules.currency)
    return FIRST_FORMAT if first else FORMAT


def _open_selection(game: PickNumberGame, now: Instant, fresh: str) -> SelectionOpened:
    """Commit to everything that decides the draw. ``fresh`` is a seed for games without a reserved one."""
    highest = game.rules.highest(len(game.players))
    deadline, to_run = showing.opening(now, game.rules.selection_ms, game.rules.show_wait_ms)
    if game.format == 1:
        return SelectionOpened(highest, draw.commitment(fresh), fresh, deadline, to_run=to_run)
    seed = fresh if game.reserved is None else game.reserved.seed
    statement = _opening_statement(game, highest, draw.commitment(seed), now)
    committed = proof.commitment(statement)
    return SelectionOpened(highest, committed, seed, deadline, proof.canonical(statement).decode(), to_run)


def _opening_statement(game: PickNumberGame, highest: int, seed_hash: str, now: Instant) -> dict[str, Any]:
    """Return the statement that the commitment binds."""
    rules, beacon, reserved = game.rules, game.rules.beacon, game.reserved
    statement = {
        "format": proof.OPENING,
        "kind": proof.KIND,
        "game": game.id,
        "title": game.title,
        "chat": game.place.chat_id,
        "topic": game.place.topic_id,
        "at": now,
        "mode": rules.mode,
        "winners": rules.winners,
        "highest": highest,
        "absent_policy": rules.absent,
        "pool": f"{rules.prize_pool:f}",
        "split": rules.split,
        "percentages": [f"{percentage:f}" for percentage in rules.percentages],
        "beacon": None if beacon is None else {
            "chain": beacon.chain,
            "scheme": beacon.scheme,
            "public_key": beacon.public_key,
            "genesis": beacon.genesis_at,
            "period": beacon.period_ms,
            "lead": beacon.lead_ms,
            "wait": beacon.wait_ms,
            "policy": rules.beacon_policy,
        },
        "seed_hash": seed_hash,
        "seeds": None if reserved is None else {
            "root": reserved.root,
            "size": reserved.size,
            "number": reserved.number,
        },
    }  # fmt: skip
    award, barred = _award(rules), lobby.barred(rules)
    return {
        **statement,
        **({} if award is None else {"award": award}),
        **({"excluded": sorted(barred)} if barred else {}),
    }


def _award(rules: PickNumberRules) -> dict[str, Any] | None:
    """Return the field ``award`` of the statement; None if it is left out, as pool and split say everything."""
    if not (rules.currency or rules.amounts or rules.prizes):
        return None
    amounts = [f"{amount:f}" for amount in rules.amounts]
    return {"currency": rules.currency, "amounts": amounts, "texts": list(rules.prizes)}


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
    """Remove a player and free their number. Selection closes if all remaining players have picked."""
    lobby.in_time(game, now)
    if command.player_id not in game.players:
        raise NotInGame
    removed = lobby.PlayerRemoved(command.player_id, command.by)
    rest = evolve(game, removed)
    if len(rest.picks) == len(rest.players):
        return (removed, *_close_selection(rest, now))
    return (removed,)


def _close_selection(game: PickNumberGame, now: Instant) -> tuple[Event, ...]:
    """Fix the entries for good; draw at once, or wait for the beacon."""
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
        if game.format == 1:
            return (SelectionClosed(absent, assigned, digest, beacon.round_after(now), now + beacon.wait_ms, now),)
        round_ = beacon.round_for(now)
        return (SelectionClosed(absent, assigned, digest, round_, beacon.due(round_) + beacon.wait_ms, now),)
    closed = SelectionClosed(absent, assigned, digest, None, None, now)
    return (closed, _draw(evolve(game, closed), None, now))


def _draw(game: PickNumberGame, beacon: BeaconSignal | None, now: Instant) -> NumbersDrawn:
    randomness = beacon.randomness if beacon else ""
    full = draw.order(game.id, game.highest, game.owners, _known(game.seed), randomness)
    if game.rules.mode == REVERSE:
        drawn = draw.drawn_in_reverse(full, game.owners)
    else:
        drawn = draw.drawn_normally(full, game.owners, game.rules.winners)
    return NumbersDrawn(drawn, beacon, *showing.opening(now, game.rules.reveal_ms, game.rules.show_wait_ms))


def _publish(game: PickNumberGame, command: PublishBeacon, now: Instant) -> tuple[Event, ...]:
    """Draw with the beacon's round if it is the awaited one; else nothing.

    The sender of the command has checked the signature: the rules contain no elliptic curves.
    """
    awaited, signal = game.rules.beacon, command.signal
    if awaited is None or game.drawn is not None or (signal.chain, signal.round) != (awaited.chain, game.beacon_round):
        return ()
    return (_draw(game, signal, now),) if draw.is_signed(signal.randomness, signal.signature) else ()


def _phase_over(game: PickNumberGame, begin: lobby.OnJoiningClosed[PickNumberGame], now: Instant) -> tuple[Event, ...]:
    """Return the events that follow when a phase other than the first reaches its deadline."""
    if begun := showing.begin_now(game, now):
        return begun  # the chat has not seen the phase in time, and perhaps never will: its time begins anyway
    match game.phase:
        case lobby.PLAYERS_JOINING:
            return begin(game)
        case phase if phase == NUMBER_SELECTION:
            return _close_selection(game, now)
        case _ if game.drawn is None:
            return _beacon_missing(game, now)
        case _:
            return _show_more(game, game.drawn, now)


def _beacon_missing(game: PickNumberGame, now: Instant) -> tuple[Event, ...]:
    """Apply the game's policy for a late beacon. A draw of the second format is never made without it."""
    beacon, round_ = game.rules.beacon, game.beacon_round
    if game.format == 1 or beacon is None or round_ is None:
        return (_draw(game, None, now),)  # as the first format promises
    late = now - beacon.due(round_)
    if game.rules.beacon_policy == proof.VOID or late >= lobby.MAX_WAIT:
        return (GameCancelled(VOID_BEACON, None, now),)
    return (BeaconMissed(now + min(max(beacon.wait_ms, late), LONGEST_PAUSE)),)


def _void_by_operator(game: PickNumberGame, command: Cancel, now: Instant) -> tuple[Event, ...]:
    """Cancel a draw that still waits for its beacon, for an operator. Raises ``DrawSealed`` in all other cases.

    Once the numbers are drawn the game ends by itself within a minute. Until then hosts have to wait, and removing the
    bot from the chat does not stop the draw: otherwise anybody who dislikes an outcome could prevent it.
    """
    if command.reason != "operator" or game.drawn is not None:
        raise DrawSealed
    return lobby.cancel(command if game.format == 1 else replace(command, reason=VOID_OPERATOR), now)


def _show_more(game: PickNumberGame, drawn: tuple[int, ...], now: Instant) -> tuple[Event, ...]:
    """Show the next numbers; after the last, complete the game."""
    for count in draw.frames(drawn, game.owners):
        if count > game.shown:
            return (NumbersShown(count, *showing.opening(now, game.rules.reveal_ms, game.rules.show_wait_ms)),)
    return (GameCompleted(_standings(game, drawn), now),)


def _standings(game: PickNumberGame, drawn: tuple[int, ...]) -> tuple[Standing, ...]:
    """Return the winners with their prizes, best first, then all others in joining order."""
    rules = game.rules
    if rules.mode == REVERSE:
        numbers = draw.winners_in_reverse(drawn, game.owners, rules.winners)
    else:
        numbers = draw.winners_normally(drawn, game.owners)
    places = range(1, len(numbers) + 1)
    awards = prizes.awards(rules, places)
    names = {player.id: player.name for player in game.players.values()}
    won = [
        Standing(
            game.owners[number],
            names[game.owners[number]],
            place,
            award.amount,
            number,
            currency=rules.currency,
            award=award.text,
        )
        for place, number, award in zip(places, numbers, awards, strict=True)
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
    """Return the state after ``event``."""
    if state is None:
        return _opened(event)
    match event:
        case NumberPicked(player, number):
            return _picked(state, player, number)
        case SelectionOpened(highest, commitment, seed, deadline, statement, to_run):
            state = replace(state, phase=NUMBER_SELECTION, highest=highest, deadline=deadline, to_run=to_run)
            return replace(state, commitment=commitment, seed=seed, statement=statement)
        case SelectionClosed(absent, assigned, _, beacon_round, deadline, at):
            return replace(
                state,
                phase=DRAWING,
                absent=absent,
                assigned=assigned,
                owners={**state.owners, **{number: player for player, number in assigned.items()}},
                picks={**state.picks, **assigned},
                beacon_round=beacon_round,
                deadline=deadline,
                closed_at=at,
                to_run=None,
            )
        case BeaconMissed(deadline):
            return replace(state, deadline=deadline)
        case NumbersDrawn(drawn, beacon, deadline, to_run):
            return replace(state, drawn=drawn, beacon=beacon, deadline=deadline, to_run=to_run)
        case NumbersShown(shown, deadline, to_run):
            return replace(state, shown=shown, deadline=deadline, to_run=to_run)
        case TimeBegun():
            return showing.evolve(state, event)
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
        format=event.format,
        reserved=event.reserved,
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


# -- views and proofs -------------------------------------------------------------------------------------------


def view(state: PickNumberGame, viewer: PlayerId | None) -> PickNumberGame:
    """Return the state without its secrets: the seeds, the draws not shown yet, and by some rules the others' picks."""
    if state.phase in {COMPLETED, CANCELLED}:
        return state
    if state.phase == NUMBER_SELECTION and state.rules.picks == SECRETLY:
        state = _with_hidden_picks(state, viewer)
    drawn = None if state.drawn is None else state.drawn[: state.shown]
    reserved = None if state.reserved is None else replace(state.reserved, seed="")
    return replace(state, seed=None, reserved=reserved, drawn=drawn)


def _with_hidden_picks(state: PickNumberGame, viewer: PlayerId | None) -> PickNumberGame:
    """Return the state with the owners of numbers hidden, except for the viewer's own number.

    A view shows either the taken numbers or the players who have picked. With both, two views in a row would pair a
    player with a number: the group sees who has picked, and a player sees which numbers are free.
    """
    if viewer is None:
        return replace(state, owners={}, picks={p: HIDDEN_NUMBER for p in state.players if p in state.picks})
    # Sorted, because the order of picking would tell, too.
    owners = {number: state.owners[number] for number in sorted(state.owners)}
    return replace(
        state,
        owners={number: owner if owner == viewer else HIDDEN_OWNER for number, owner in owners.items()},
        picks={p: number for p, number in state.picks.items() if p == viewer},
    )


def is_void(state: PickNumberGame) -> bool:
    """Return True if the draw was cancelled after the entries were final."""
    return state.cancel_reason in (VOID_BEACON, VOID_OPERATOR)


def prove(state: PickNumberGame, log: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the proof of a finished draw. Raises ValueError before its end, and for a game that ended without a draw.

    ``log`` is the game's place in the public log, for a proof of the second format, or None.
    """
    if state.phase != COMPLETED and not is_void(state):
        raise ValueError("a draw is proven when the game is completed, or void")
    return proof.seal(_first_format(state) if state.format == 1 else {**_second_format(state), "log": log})


def _second_format(state: PickNumberGame) -> dict[str, Any]:
    signal = state.beacon
    return {
        **_drawn_and_won(state),
        "format": proof.SECOND,
        "opening": json.loads(state.statement),
        "commitment": state.commitment,
        "seed_path": [] if state.reserved is None else list(state.reserved.path),
        "closing": {"at": state.closed_at, "digest": _digest(state), "round": state.beacon_round},
        "beacon": None if signal is None else {
            "round": signal.round,
            "randomness": signal.randomness,
            "signature": signal.signature,
            "previous_signature": signal.previous_signature,
        },
        "outcome": proof.VOIDED if is_void(state) else proof.COMPLETED,
        "reason": None if state.cancel_reason is None else state.cancel_reason.removeprefix(lobby.VOID),
    }  # fmt: skip


def _first_format(state: PickNumberGame) -> dict[str, Any]:
    rules, signal = state.rules, state.beacon
    return {
        **_drawn_and_won(state),
        "format": proof.FIRST,
        "game": state.id,
        "kind": proof.KIND,
        "title": state.title,
        "mode": rules.mode,
        "winners": rules.winners,
        "highest": state.highest,
        "commitment": state.commitment,
        "absent_policy": rules.absent,
        "digest": _digest(state),
        "beacon": None if signal is None else {
            "chain": signal.chain,
            "round": signal.round,
            "randomness": signal.randomness,
            "signature": signal.signature,
        },
        "beacon_expected": state.beacon_round,
        "pool": f"{rules.prize_pool:f}",
        "split": rules.split,
        "percentages": [f"{p:f}" for p in rules.percentages],
    }  # fmt: skip


def _drawn_and_won(state: PickNumberGame) -> dict[str, Any]:
    """Return the fields that both formats write in the same way."""
    return {
        "seed": state.seed,
        "picked": [[n, p] for n, p in sorted(state.owners.items()) if p not in state.assigned],
        "absent": list(state.absent),
        # PostgreSQL's jsonb reorders a mapping's keys; ``absent`` keeps the joining order.
        "assigned": [[p, state.assigned[p]] for p in state.absent if p in state.assigned],
        "drawn": list(state.drawn or ()),
        "places": [
            {"place": s.place, "player": s.player_id, "number": s.number, "prize": f"{s.prize:f}"}
            for s in state.standings
            if s.place is not None
        ],
    }


def _digest(state: PickNumberGame) -> str:
    return draw.digest(state.id, state.highest, state.owners)


KIND: Kind[PickNumberGame] = Kind(
    name=proof.KIND,
    machine=MACHINE,
    state=PickNumberGame,
    rules=PickNumberRules,
    events={
        "game_opened": GameOpened,
        "selection_opened": SelectionOpened,
        "number_picked": NumberPicked,
        "selection_closed": SelectionClosed,
        "beacon_missed": BeaconMissed,
        "numbers_drawn": NumbersDrawn,
        "numbers_shown": NumbersShown,
        "time_begun": TimeBegun,
        **lobby.EVENTS,
    },
    decide=decide,
    evolve=evolve,
    view=view,
)
