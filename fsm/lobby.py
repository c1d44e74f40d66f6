"""The lobby, which all kinds share: opening, joining, leaving, starting, extending, cancelling.

Each rule is a function from a game and a command to events. A kind's ``decide`` calls them and passes ``begin``, which
returns the events that follow the end of joining.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Protocol, TypeVar, assert_never

from fsm.kind import ChatTopic, Command, Edge, Event, Game, Host, Instant, Kind, Player, PlayerId, Rejected, TooLate

WAITING_FOR_PLAYERS = "waiting_for_players"
PLAYERS_JOINING = "players_joining"
COMPLETED = "completed"
CANCELLED = "cancelled"
VOID = "void_"
"""Prefix of the reason of a cancellation after the outcome was fixed: the result could only be thrown away."""

MAX_PLAYERS = 1000
MAX_TITLE = 64
NOT_IN_A_LINE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of control characters, lone surrogates, line and paragraph separators."""
MAX_EXTENSION = 3_600_000
"""Longest extension by one /extend, in ms."""
MAX_WAIT = 86_400_000
"""Longest time until any deadline, in ms."""


class LobbyRules(Protocol):
    """The rules of a kind that the lobby reads."""

    @property
    def min_players(self) -> int:
        """Return the number of players needed to start."""

    @property
    def max_players(self) -> int:
        """Return the most players that the host allows."""

    @property
    def capacity(self) -> int:
        """Return the most players that can take part, also limited by the kind."""

    @property
    def lobby_ms(self) -> int:
        """Return the time that the lobby waits for players, in ms."""

    @property
    def join_ms(self) -> int:
        """Return the length of the last call for players, in ms."""


# -- commands ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenGame(Command):
    """Open a game of ``kind``. ``rules`` is the kind's own rules type; ``max_live`` bounds the place's live games.

    ``content`` is material for the game, such as questions, or None; unlike the rules it is not public. ``without``
    names the feature flags that are off for this game; the game keeps what it was opened with. With ``host_joins``, the
    game has its host as a player from the first version on.
    """

    kind: str
    game_id: str
    place: ChatTopic
    host: Host
    title: str
    rules: Any
    max_live: int = 1
    content: Any = None
    without: frozenset[str] = frozenset()
    host_joins: bool = False


@dataclass(frozen=True, slots=True)
class Join(Command):
    """Add a person to the players."""

    player_id: PlayerId
    name: str


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """Take a player out, by their own wish."""

    player_id: PlayerId


@dataclass(frozen=True, slots=True)
class Remove(Command):
    """Take a player out, by a host's decision."""

    player_id: PlayerId
    by: PlayerId


@dataclass(frozen=True, slots=True)
class StartNow(Command):
    """End the joining phase, by a host's decision."""

    by: PlayerId


@dataclass(frozen=True, slots=True)
class Extend(Command):
    """Move the deadline ``milliseconds`` further away, by a host's decision."""

    by: PlayerId
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """End a game without a result. ``reason``: ``host``, ``operator`` or ``bot_removed``."""

    by: PlayerId | None
    reason: str


@dataclass(frozen=True, slots=True)
class MoveChat(Command):
    """Continue under a new chat id, because the group became a supergroup."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Command):
    """Report that ``deadline`` has passed. A late, early or repeated report has no effect."""

    deadline: Instant


# -- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayerJoined(Event):
    """A person has joined."""

    player_id: PlayerId
    name: str
    at: Instant


@dataclass(frozen=True, slots=True)
class PlayerLeft(Event):
    """A player has left by their own wish."""

    player_id: PlayerId


@dataclass(frozen=True, slots=True)
class PlayerRemoved(Event):
    """A host has removed a player."""

    player_id: PlayerId
    by: PlayerId


@dataclass(frozen=True, slots=True)
class JoiningStarted(Event):
    """Enough players have joined: the last call runs until ``deadline``."""

    deadline: Instant


@dataclass(frozen=True, slots=True)
class LobbyReopened(Event):
    """Too many players have left: the game waits for players again."""

    deadline: Instant


@dataclass(frozen=True, slots=True)
class DeadlineExtended(Event):
    """A host has extended the phase."""

    deadline: Instant
    by: PlayerId


@dataclass(frozen=True, slots=True)
class ChatMoved(Event):
    """The game has moved to the supergroup that its group became."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of one participant.

    ``place`` is None without one; ``number`` and ``points`` only in kinds with them.
    """

    player_id: PlayerId
    name: str
    place: int | None = None
    prize: Decimal = Decimal(0)
    number: int | None = None
    points: int = 0
    streak: int = 0
    """Longest run of right answers, in kinds that have them."""
    currency: str = ""
    """Currency of the prize; empty if it has none."""
    award: str = ""
    """The prize in words, if it is not an amount."""


@dataclass(frozen=True, slots=True)
class GameCompleted(Event):
    """The game has a result: the standings of all participants, best first."""

    standings: tuple[Standing, ...]
    at: Instant


@dataclass(frozen=True, slots=True)
class GameCancelled(Event):
    """The game has ended early.

    ``reason``: ``host``, ``operator``, ``bot_removed``, ``lobby_expired`` or a kind's own.
    """

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
    """A refusal: the person is a player already."""


@dataclass(unsafe_hash=True)
class WonBefore(Rejected):
    """A refusal: the person won an earlier game of this series, and its winners may not join."""


@dataclass(unsafe_hash=True)
class NotInGame(Rejected):
    """A refusal: the person is not a player."""


@dataclass(unsafe_hash=True)
class GameFull(Rejected):
    """A refusal: the game has as many players as it can have."""

    limit: int


@dataclass(unsafe_hash=True)
class NotEnoughPlayers(Rejected):
    """A refusal: there are too few players to start."""

    have: int
    need: int


@dataclass(unsafe_hash=True)
class PlaceTaken(Rejected):
    """A refusal: the chat (or topic) already has as many live games as it may."""

    limit: int


@dataclass(unsafe_hash=True)
class BadTitle(Rejected):
    """A refusal: the title is too long, or is not one line."""

    limit: int


@dataclass(unsafe_hash=True)
class BadExtension(Rejected):
    """A refusal: the extension is empty or too long. The limit shrinks as the deadline moves away."""

    limit_seconds: int


@dataclass(unsafe_hash=True)
class BadRule(Rejected):
    """A refusal: a rule is outside its bounds. ``rule`` is its name in config.toml."""

    rule: str
    given: str
    low: str
    high: str


# -- the table --------------------------------------------------------------------------------------------------


def lobby_edges(first_phase: str, live_phases: tuple[str, ...]) -> tuple[Edge, ...]:
    """Return the rows of the phase table that every kind shares.

    ``first_phase`` follows the lobby; ``live_phases`` are the kind's own phases, in which a game can still be cancelled
    and moved.
    """
    waiting, joining = WAITING_FOR_PLAYERS, PLAYERS_JOINING
    rows = [
        Edge(Join, waiting, (waiting, joining, first_phase)),
        Edge(Join, joining, (joining, first_phase)),
        Edge(Leave, waiting, (waiting,)),
        Edge(Leave, joining, (joining, waiting)),
        Edge(Remove, waiting, (waiting,)),
        Edge(Remove, joining, (joining, waiting)),
        Edge(StartNow, waiting, (waiting,)),  # always refused, by NotEnoughPlayers, which is more helpful than NotNow
        Edge(StartNow, joining, (first_phase,)),
        Edge(Extend, waiting, (waiting,)),
        Edge(Extend, joining, (joining,)),
        Edge(DeadlinePassed, waiting, (CANCELLED,)),
        Edge(DeadlinePassed, joining, (first_phase,)),
    ]
    for phase in (waiting, joining, *live_phases):
        rows += [Edge(Cancel, phase, (CANCELLED,)), Edge(MoveChat, phase, (phase,))]
    return tuple(rows)


# -- conditions to join -----------------------------------------------------------------------------------------

MAX_KNOWN_DAYS = 3650
CHANNEL = re.compile(r"(@[A-Za-z][A-Za-z0-9_]{3,31}|-100[0-9]{5,13})?")
"""The username or the id of a channel; empty for none."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions that a host sets for joining a game. ``play.access`` checks them, as Telegram knows the facts.

    Attributes:
        channel: the channel whose members may join, as ``@name`` or id; empty for everybody.
        known_days: the days for which the bot must have known a person.
        booster: True if only people who boost the chat may join.
        premium: True if only people with Telegram Premium may join.
    """

    channel: str = ""
    known_days: int = 0
    booster: bool = False
    premium: bool = False

    def __bool__(self) -> bool:
        """Return whether there is any condition."""
        return bool(self.channel or self.known_days or self.booster or self.premium)

    @property
    def link(self) -> str:
        """The address of the channel without its scheme; empty if the channel has no public one."""
        return f"t.me/{self.channel[1:]}" if self.channel.startswith("@") else ""


def conditions(rules: object) -> Conditions:
    """Return the conditions in a kind's rules. Not every kind has them."""
    found = {each.name: getattr(rules, each.name) for each in fields(Conditions) if hasattr(rules, each.name)}
    return Conditions(**found)


def check_conditions(rules: object) -> None:
    """Raise ``BadRule`` at the first condition outside its bounds."""
    wanted = conditions(rules)
    check_bounds("known_days", wanted.known_days, 0, MAX_KNOWN_DAYS)
    if not CHANNEL.fullmatch(wanted.channel):
        raise BadRule(rule="channel", given=wanted.channel[:MAX_TITLE], low="@abcd", high="-1001234567890")


# -- rematches --------------------------------------------------------------------------------------------------

MAX_EARLIER_WINNERS = 1000
"""Most earlier winners that a rematch remembers; beyond it the oldest are forgotten."""


def barred(rules: LobbyRules) -> tuple[PlayerId, ...]:
    """Return the people who may not join: the earlier winners, in a rematch without them. Not every kind has those."""
    return getattr(rules, "earlier_winners", ()) if getattr(rules, "without_winners", False) else ()


def is_barred(rules: LobbyRules, player_id: PlayerId) -> bool:
    """Return True if a person may not join, because they won an earlier game of the series."""
    return player_id in barred(rules)


def check_barred(rules: LobbyRules) -> None:
    """Raise ``BadRule`` if a rematch remembers too many earlier winners."""
    check_bounds("earlier_winners", len(getattr(rules, "earlier_winners", ())), 0, MAX_EARLIER_WINNERS)


def winners(game: Game) -> tuple[PlayerId, ...]:
    """Return the winners of an ended game, best first; none if it has no result."""
    standings: Sequence[Standing] = getattr(game, "standings", ())
    most = getattr(getattr(game, "rules", None), "winners", 0)
    return tuple(each.player_id for each in standings if each.place is not None and each.place <= most)


def winners_so_far(game: Game) -> tuple[PlayerId, ...]:
    """Return the winners of an ended game and of the games before it of which it is a rematch, the oldest first."""
    before: tuple[PlayerId, ...] = getattr(getattr(game, "rules", None), "earlier_winners", ())
    return tuple(dict.fromkeys((*before, *winners(game))))[-MAX_EARLIER_WINNERS:]


def rematch_rules(game: Any, *, without_winners: bool) -> Any:
    """Return the rules of a rematch of an ended game, which remember the winners so far.

    Returns the rules unchanged for a kind whose rules have no place for them.
    """
    if not hasattr(game.rules, "earlier_winners"):
        return game.rules
    so_far = winners_so_far(game)
    return replace(game.rules, earlier_winners=so_far, without_winners=without_winners and bool(so_far))


# -- rules ------------------------------------------------------------------------------------------------------

G = TypeVar("G", bound=Game)
OnJoiningClosed = Callable[[G], tuple[Event, ...]]
"""Function that returns the events that follow the end of joining, given the game with its final players."""


def check_title(title: str) -> str:
    """Return the title, stripped. Raises ``BadTitle`` if it exceeds ``MAX_TITLE`` characters or is not one line."""
    stripped = title.strip()
    if len(stripped) > MAX_TITLE or any(unicodedata.category(c) in NOT_IN_A_LINE for c in stripped):
        raise BadTitle(limit=MAX_TITLE)
    return stripped


def check_bounds(rule: str, value: float | Decimal, low: float | Decimal, high: float | Decimal) -> None:
    """Raise ``BadRule`` unless ``low <= value <= high``. A value that is not finite is out of bounds too."""
    if not (Decimal(value).is_finite() and low <= value <= high):
        raise BadRule(rule=rule, given=str(value), low=str(low), high=str(high))


def check_choice(rule: str, value: str, allowed: Sequence[str]) -> None:
    """Raise ``BadRule`` unless ``value`` is allowed."""
    if value not in allowed:
        raise BadRule(rule=rule, given=value, low=allowed[0], high=allowed[-1])


def check_wait(rule: str, milliseconds: int) -> None:
    """Raise ``BadRule`` unless the length of a phase is between one millisecond and ``MAX_WAIT``."""
    check_bounds(rule, Decimal(milliseconds) / 1000, Decimal("0.001"), MAX_WAIT // 1000)


def check_reveal(milliseconds: int) -> None:
    """Raise ``BadRule`` unless the length of a reveal is between zero and a minute."""
    check_bounds("reveal_seconds", Decimal(milliseconds) / 1000, 0, 60)


def check_show_wait(milliseconds: int) -> None:
    """Raise ``BadRule`` unless a phase waits between zero and five minutes to be seen."""
    check_bounds("show_wait_seconds", Decimal(milliseconds) / 1000, 0, 300)


def check_lobby(rules: LobbyRules, fewest: int) -> None:
    """Raise ``BadRule`` at the first lobby rule outside its bounds.

    ``fewest`` is the kind's least number of players.
    """
    check_bounds("min_players", rules.min_players, fewest, MAX_PLAYERS)
    check_bounds("max_players", rules.max_players, rules.min_players, MAX_PLAYERS)
    check_wait("lobby_seconds", rules.lobby_ms)
    check_wait("join_seconds", rules.join_ms)


def in_time(game: Game, now: Instant) -> None:
    """Raise ``TooLate`` unless ``now`` is before the phase's deadline, whether or not the timer has fired."""
    if game.deadline is not None and now >= game.deadline:
        raise TooLate


LobbyCommand = Join | Leave | Remove | StartNow | Extend | Cancel | MoveChat


def decide(
    game: G, rules: LobbyRules, command: LobbyCommand, now: Instant, begin: OnJoiningClosed[G]
) -> tuple[Event, ...]:
    """Decide a command that the lobby defines, for kinds that give it no meaning of their own."""
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


def open_game(kind: Kind[Any], command: OpenGame, now: Instant, seed: str) -> tuple[Event, ...]:
    """Decide the opening of a game of any kind, and the joining of its host with it.

    Both are one command, so that nobody can see the game without its host, and no crash can come between them.
    """
    opened = kind.decide(None, command, now, seed)
    if not command.host_joins:
        return opened
    joining = Join(command.host.id, command.host.name)
    try:
        return (*opened, *kind.decide(kind.fold(None, opened), joining, now, seed))
    except Rejected:  # the game's own rules leave the host out, such as a rematch without the winners
        return opened


def join(game: G, rules: LobbyRules, command: Join, now: Instant, begin: OnJoiningClosed[G]) -> tuple[Event, ...]:
    """Add a player. The last one needed starts the last call, the last one possible starts the game."""
    in_time(game, now)
    if command.player_id in game.players:
        raise AlreadyJoined
    if is_barred(rules, command.player_id):
        raise WonBefore
    count = len(game.players) + 1
    if count > rules.capacity:
        raise GameFull(limit=rules.capacity)
    events: tuple[Event, ...] = (PlayerJoined(command.player_id, command.name, now),)
    if game.phase == WAITING_FOR_PLAYERS and count >= rules.min_players:
        events = (*events, JoiningStarted(now + rules.join_ms))  # even if it ends at once: no phase is skipped
    if count < rules.capacity:
        return events
    for event in events:
        game = evolve(game, event)
    return (*events, *begin(game))


def depart(game: Game, rules: LobbyRules, command: Leave | Remove, now: Instant) -> tuple[Event, ...]:
    """Take a player out, by their own wish or a host's. If too few remain, the game waits for players again."""
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
    """Start the game at a host's request. Raises ``NotEnoughPlayers``."""
    if len(game.players) < rules.min_players:
        raise NotEnoughPlayers(have=len(game.players), need=rules.min_players)
    return begin(game)


def extend(game: Game, command: Extend, now: Instant) -> tuple[Event, ...]:
    """Extend the phase at a host's request. Raises ``TooLate`` and ``BadExtension``."""
    in_time(game, now)
    if game.deadline is None:
        raise BadExtension(limit_seconds=0)
    limit = max(0, min(MAX_EXTENSION, now + MAX_WAIT - game.deadline))
    if not 0 < command.milliseconds <= limit:
        raise BadExtension(limit_seconds=limit // 1000)
    return (DeadlineExtended(game.deadline + command.milliseconds, command.by),)


def deadline_passed(game: G, command: DeadlinePassed, now: Instant, ended: OnJoiningClosed[G]) -> tuple[Event, ...]:
    """Return ``ended(game)`` if the report is about the deadline in force and that has passed; else nothing."""
    if game.deadline is None or command.deadline != game.deadline or now < game.deadline:
        return ()
    if game.phase == WAITING_FOR_PLAYERS:
        return (GameCancelled("lobby_expired", None, now),)
    return ended(game)


def cancel(command: Cancel, now: Instant) -> tuple[Event, ...]:
    """Cancel the game."""
    return (GameCancelled(command.reason, command.by, now),)


def move_chat(game: Game, command: MoveChat) -> tuple[Event, ...]:
    """Move to the chat's new id; no events if the game is there already."""
    return () if game.place.chat_id == command.chat_id else (ChatMoved(command.chat_id),)


def evolve(game: G, event: Event) -> G:
    """Apply one of the lobby's events. Raises TypeError on an event of another module."""
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
