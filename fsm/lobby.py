"""The lobby: what every kind shares. Opening, joining, leaving, starting, extending, cancelling.

Each rule is a function from a game and a command to events. A kind's ``decide`` calls them and hands in ``begin``,
which says what happens when joining is over.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol, TypeVar, assert_never

from fsm.kind import ChatTopic, Command, Edge, Event, Game, Host, Instant, Player, PlayerId, Rejected, TooLate

WAITING_FOR_PLAYERS = "waiting_for_players"
PLAYERS_JOINING = "players_joining"
COMPLETED = "completed"
CANCELLED = "cancelled"
VOID = "void_"
"""Begins the reason of a cancellation that came when the outcome could no longer be changed, only thrown away."""

MAX_PLAYERS = 1000
MAX_TITLE = 64
NOT_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, halves of surrogate pairs, line and paragraph separators."""
MAX_EXTENSION = 3_600_000
"""The most that one /extend adds, ms."""
MAX_WAIT = 86_400_000
"""No deadline is further away than this, ms."""


class LobbyRules(Protocol):
    """What the lobby reads of a kind's rules."""

    @property
    def min_players(self) -> int:
        """How many are needed to start."""

    @property
    def max_players(self) -> int:
        """How many may play."""

    @property
    def capacity(self) -> int:
        """How many can play."""

    @property
    def lobby_ms(self) -> int:
        """How long the lobby waits for players."""

    @property
    def join_ms(self) -> int:
        """How long the last call runs."""


# -- commands ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenGame(Command):
    """Open a game of ``kind``. ``rules`` is the kind's own rules type; ``max_live`` bounds the place's live games.

    ``content`` is what the kind plays with, where a host brings it; unlike the rules it is not public.
    """

    kind: str
    game_id: str
    place: ChatTopic
    host: Host
    title: str
    rules: Any
    max_live: int = 1
    content: Any = None


@dataclass(frozen=True, slots=True)
class Join(Command):
    """Somebody wants to play."""

    player_id: PlayerId
    name: str


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """A player wants out."""

    player_id: PlayerId


@dataclass(frozen=True, slots=True)
class Remove(Command):
    """A host removes a player."""

    player_id: PlayerId
    by: PlayerId


@dataclass(frozen=True, slots=True)
class StartNow(Command):
    """A host ends the joining phase."""

    by: PlayerId


@dataclass(frozen=True, slots=True)
class Extend(Command):
    """A host moves the deadline ``milliseconds`` away."""

    by: PlayerId
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """End a game without a result. ``reason``: ``host``, ``operator`` or ``bot_removed``."""

    by: PlayerId | None
    reason: str


@dataclass(frozen=True, slots=True)
class MoveChat(Command):
    """The group became a supergroup: the game goes on under its new chat id."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Command):
    """A timer says that ``deadline`` has passed. Late, early or repeated, it decides to nothing."""

    deadline: Instant


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayerJoined(Event):
    """Somebody plays."""

    player_id: PlayerId
    name: str
    at: Instant


@dataclass(frozen=True, slots=True)
class PlayerLeft(Event):
    """A player went by their own wish."""

    player_id: PlayerId


@dataclass(frozen=True, slots=True)
class PlayerRemoved(Event):
    """A host removed a player."""

    player_id: PlayerId
    by: PlayerId


@dataclass(frozen=True, slots=True)
class JoiningStarted(Event):
    """Enough players are there: the last call runs until ``deadline``."""

    deadline: Instant


@dataclass(frozen=True, slots=True)
class LobbyReopened(Event):
    """Somebody left and the game waits for players again."""

    deadline: Instant


@dataclass(frozen=True, slots=True)
class DeadlineExtended(Event):
    """A host gave more time."""

    deadline: Instant
    by: PlayerId


@dataclass(frozen=True, slots=True)
class ChatMoved(Event):
    """The game goes on in the supergroup that its group became."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one participant came out. ``place``: None without one. ``number``, ``points``: where the kind has them."""

    player_id: PlayerId
    name: str
    place: int | None = None
    prize: Decimal = Decimal(0)
    number: int | None = None
    points: int = 0
    streak: int = 0
    """The longest run of right answers, in kinds that have them."""


@dataclass(frozen=True, slots=True)
class GameCompleted(Event):
    """The result, for every participant, best first."""

    standings: tuple[Standing, ...]
    at: Instant


@dataclass(frozen=True, slots=True)
class GameCancelled(Event):
    """``reason``: ``host``, ``operator``, ``bot_removed``, ``lobby_expired`` or a kind's own."""

    reason: str
    by: PlayerId | None
    at: Instant


EVENTS: dict[str, type[Event]] = {
    "player_joined": PlayerJoined,
    "player_left": PlayerLeft,
    "player_removed": PlayerRemoved,
    "joining_started": JoiningStarted,
    "lobby_reopened": LobbyReopened,
    "deadline_extended": DeadlineExtended,
    "chat_moved": ChatMoved,
    "game_completed": GameCompleted,
    "game_cancelled": GameCancelled,
}


# -- refusals ---------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class AlreadyJoined(Rejected):
    """The player is in the game."""


@dataclass(unsafe_hash=True)
class NotInGame(Rejected):
    """The person is not in the game."""


@dataclass(unsafe_hash=True)
class GameFull(Rejected):
    """Every seat is taken."""

    limit: int


@dataclass(unsafe_hash=True)
class NotEnoughPlayers(Rejected):
    """Too few players to start."""

    have: int
    need: int


@dataclass(unsafe_hash=True)
class PlaceTaken(Rejected):
    """The chat (or topic) already has as many live games as it may."""

    limit: int


@dataclass(unsafe_hash=True)
class BadTitle(Rejected):
    """A title too long, or not on one line."""

    limit: int


@dataclass(unsafe_hash=True)
class BadExtension(Rejected):
    """An extension of no length, or beyond the limit, which is lower the further away the deadline is already."""

    limit_seconds: int


@dataclass(unsafe_hash=True)
class BadRule(Rejected):
    """A rule outside its bounds. ``rule`` is its name in config.toml."""

    rule: str
    given: str
    low: str
    high: str


# -- the table --------------------------------------------------------------------------------------------------


def lobby_edges(first_phase: str, live_phases: tuple[str, ...]) -> tuple[Edge, ...]:
    """The rows of the phase table that every kind shares.

    ``first_phase`` is where joining leads; ``live_phases`` are the kind's own phases, in which a game can still be
    cancelled and moved.
    """
    waiting, joining = WAITING_FOR_PLAYERS, PLAYERS_JOINING
    rows = [
        Edge(Join, waiting, (waiting, joining, first_phase)),
        Edge(Join, joining, (joining, first_phase)),
        Edge(Leave, waiting, (waiting,)),
        Edge(Leave, joining, (joining, waiting)),
        Edge(Remove, waiting, (waiting,)),
        Edge(Remove, joining, (joining, waiting)),
        Edge(StartNow, waiting, (waiting,)),  # always refused, by NotEnoughPlayers, which says more than NotNow
        Edge(StartNow, joining, (first_phase,)),
        Edge(Extend, waiting, (waiting,)),
        Edge(Extend, joining, (joining,)),
        Edge(DeadlinePassed, waiting, (CANCELLED,)),
        Edge(DeadlinePassed, joining, (first_phase,)),
    ]
    for phase in (waiting, joining, *live_phases):
        rows += [Edge(Cancel, phase, (CANCELLED,)), Edge(MoveChat, phase, (phase,))]
    return tuple(rows)


# -- rules ------------------------------------------------------------------------------------------------------

G = TypeVar("G", bound=Game)
OnJoiningClosed = Callable[[G], tuple[Event, ...]]
"""What happens when joining is over, given the game with its final players."""


def check_title(title: str) -> str:
    """The title, stripped. Raises ``BadTitle`` beyond ``MAX_TITLE`` characters or with what is no part of a line."""
    stripped = title.strip()
    if len(stripped) > MAX_TITLE or any(unicodedata.category(c) in NOT_IN_A_LINE for c in stripped):
        raise BadTitle(limit=MAX_TITLE)
    return stripped


def check_bounds(rule: str, value: float | Decimal, low: float | Decimal, high: float | Decimal) -> None:
    """Raise ``BadRule`` unless ``low <= value <= high``; no bounds hold what is not a number."""
    if not (Decimal(value).is_finite() and low <= value <= high):
        raise BadRule(rule=rule, given=str(value), low=str(low), high=str(high))


def check_choice(rule: str, value: str, allowed: Sequence[str]) -> None:
    """Raise ``BadRule`` unless ``value`` is one of those ``allowed``."""
    if value not in allowed:
        raise BadRule(rule=rule, given=value, low=allowed[0], high=allowed[-1])


def check_wait(rule: str, milliseconds: int) -> None:
    """Raise ``BadRule`` unless a phase may last so long: a millisecond at least, ``MAX_WAIT`` at most."""
    check_bounds(rule, Decimal(milliseconds) / 1000, Decimal("0.001"), MAX_WAIT // 1000)


def check_reveal(milliseconds: int) -> None:
    """Raise ``BadRule`` unless something may be shown so long: not at all, or up to a minute."""
    check_bounds("reveal_seconds", Decimal(milliseconds) / 1000, 0, 60)


def check_show_wait(milliseconds: int) -> None:
    """Raise ``BadRule`` unless a phase may wait so long to be seen: not at all, or up to five minutes."""
    check_bounds("show_wait_seconds", Decimal(milliseconds) / 1000, 0, 300)


def check_lobby(rules: LobbyRules, fewest: int) -> None:
    """Raise ``BadRule`` at the first of the lobby's rules outside its bounds. ``fewest`` can play the kind."""
    check_bounds("min_players", rules.min_players, fewest, MAX_PLAYERS)
    check_bounds("max_players", rules.max_players, rules.min_players, MAX_PLAYERS)
    check_wait("lobby_seconds", rules.lobby_ms)
    check_wait("join_seconds", rules.join_ms)


def in_time(game: Game, now: Instant) -> None:
    """Raise ``TooLate`` where ``now`` is not before the phase's deadline: the timer may be late, the rule is not."""
    if game.deadline is not None and now >= game.deadline:
        raise TooLate


LobbyCommand = Join | Leave | Remove | StartNow | Extend | Cancel | MoveChat


def decide(
    game: G, rules: LobbyRules, command: LobbyCommand, now: Instant, begin: OnJoiningClosed[G]
) -> tuple[Event, ...]:
    """What a command means that every kind has, where the kind means nothing else by it."""
    match command:
        case Join():
            return join(game, rules, command, now, begin)
        case Leave() | Remove():
            return depart(game, rules, command, now)
        case StartNow():
            return start_now(game, rules, begin)
        case Extend():
            return extend(game, command, now)
        case Cancel():
            return cancel(command, now)
        case MoveChat():
            return move_chat(game, command)
        case _:
            assert_never(command)


def join(game: G, rules: LobbyRules, command: Join, now: Instant, begin: OnJoiningClosed[G]) -> tuple[Event, ...]:
    """Let a player in; the first enough-th starts the last call, the last possible one starts the game."""
    in_time(game, now)
    if command.player_id in game.players:
        raise AlreadyJoined
    count = len(game.players) + 1
    if count > rules.capacity:
        raise GameFull(limit=rules.capacity)
    events: tuple[Event, ...] = (PlayerJoined(command.player_id, command.name, now),)
    if game.phase == WAITING_FOR_PLAYERS and count >= rules.min_players:
        events = (*events, JoiningStarted(now + rules.join_ms))  # also where it ends at once: no phase is skipped
    if count < rules.capacity:
        return events
    for event in events:
        game = evolve(game, event)
    return (*events, *begin(game))


def depart(game: Game, rules: LobbyRules, command: Leave | Remove, now: Instant) -> tuple[Event, ...]:
    """Let a player out, by their own wish or a host's; the game waits again where too few remain."""
    in_time(game, now)
    if command.player_id not in game.players:
        raise NotInGame
    gone: Event
    match command:
        case Leave():
            gone = PlayerLeft(command.player_id)
        case Remove():
            gone = PlayerRemoved(command.player_id, command.by)
    if game.phase == PLAYERS_JOINING and len(game.players) - 1 < rules.min_players:
        return (gone, LobbyReopened(now + rules.lobby_ms))
    return (gone,)


def start_now(game: G, rules: LobbyRules, begin: OnJoiningClosed[G]) -> tuple[Event, ...]:
    """A host starts without waiting."""
    if len(game.players) < rules.min_players:
        raise NotEnoughPlayers(have=len(game.players), need=rules.min_players)
    return begin(game)


def extend(game: Game, command: Extend, now: Instant) -> tuple[Event, ...]:
    """A host gives more time."""
    in_time(game, now)
    if game.deadline is None:
        raise BadExtension(limit_seconds=0)
    limit = max(0, min(MAX_EXTENSION, now + MAX_WAIT - game.deadline))
    if not 0 < command.milliseconds <= limit:
        raise BadExtension(limit_seconds=limit // 1000)
    return (DeadlineExtended(game.deadline + command.milliseconds, command.by),)


def deadline_passed(game: G, command: DeadlinePassed, now: Instant, ended: OnJoiningClosed[G]) -> tuple[Event, ...]:
    """What a timer's word leads to: ``ended(game)`` where it is about the deadline in force, and due; else nothing."""
    if game.deadline is None or command.deadline != game.deadline or now < game.deadline:
        return ()
    if game.phase == WAITING_FOR_PLAYERS:
        return (GameCancelled("lobby_expired", None, now),)
    return ended(game)


def cancel(command: Cancel, now: Instant) -> tuple[Event, ...]:
    """End the game without a result."""
    return (GameCancelled(command.reason, command.by, now),)


def move_chat(game: Game, command: MoveChat) -> tuple[Event, ...]:
    """Follow the chat to its new id; nothing where the game is there already."""
    return () if game.place.chat_id == command.chat_id else (ChatMoved(command.chat_id),)


def evolve(game: G, event: Event) -> G:
    """Fold one of the lobby's events. Raises TypeError on an event of another file."""
    match event:
        case PlayerJoined(player_id, name, at):
            return replace(game, players={**game.players, player_id: Player(player_id, name, at)})
        case PlayerLeft(player_id) | PlayerRemoved(player_id):
            return replace(game, players={p: v for p, v in game.players.items() if p != player_id})
        case JoiningStarted(deadline):
            return replace(game, phase=PLAYERS_JOINING, deadline=deadline)
        case LobbyReopened(deadline):
            return replace(game, phase=WAITING_FOR_PLAYERS, deadline=deadline)
        case DeadlineExtended(deadline):
            return replace(game, deadline=deadline)
        case ChatMoved(chat_id):
            return replace(game, place=ChatTopic(chat_id, game.place.topic_id))
        case GameCompleted(at=at):
            return replace(game, phase=COMPLETED, deadline=None, to_run=None, ended_at=at)
        case GameCancelled(reason=reason, at=at):
            return replace(game, phase=CANCELLED, deadline=None, to_run=None, ended_at=at, cancel_reason=reason)
        case _:
            raise TypeError(f"not an event of the lobby: {type(event).__name__}")
