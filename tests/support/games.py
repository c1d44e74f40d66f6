"""One way to play games, for tests of any level.

``Script`` describes a kind, and plays by the rules alone: state in, state out. ``Games`` has the course of a game:
open, join, start, choose, cancel, close. ``EngineGames`` plays by commands to an engine; the people of
``groups.py`` do the same with messages and buttons. A new kind of game needs one line: its ``Script``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from fsm import pick_number, quiz
from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Command, Game, Host, Instant, Kind
from fsm.lobby import DeadlinePassed, Join, OpenGame, StartNow
from fsm.registry import kind_of
from handlers.kinds.registry import FACES, VERBS
from handlers.kinds.verb import Tap
from play.access import Needs
from tests.support.clock import TurnedClock
from tests.support.spec import SEED

GAME = "07abcdefghijkl"
CHAT = -1_001_234_567_890
PLACE = ChatTopic(CHAT)
OPENED = 1_760_000_000_000
HOST = Host(900, "Hana")
S = TypeVar("S", bound=Game)
P = TypeVar("P")


@dataclass(frozen=True)
class Script(Generic[S]):
    """The way in which tests play a kind of game.

    Attributes:
        kind: the rules.
        line: the message of a host that opens a game.
        choice: the argument of the choice that the nth player makes first, as it stands in callback data.
        defaults: rules other than the kind's defaults.
    """

    kind: Kind[S]
    line: str
    choice: Callable[[int], Any]
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """The verb of the players' choices in callback data."""
        return next(name for name, verb in FACES[self.kind.name].verbs.items() if verb.needs is Needs.PLAY)

    def rules(self, **changes: Any) -> Any:
        """Return rules of the kind."""
        return self.kind.rules(**{**self.defaults, **changes})

    def opening(
        self,
        game_id: str = GAME,
        chat_topic: ChatTopic = PLACE,
        host: Host = HOST,
        title: str = "Friday",
        *,
        content: Any = None,
        max_live: int = 1,
        **rules: Any,
    ) -> OpenGame:
        """Return the command that opens a game; without ``content`` with the sample of the kind's face."""
        chosen, sample = self.rules(**rules), FACES[self.kind.name].sample
        content = sample(chosen) if content is None and sample is not None else content
        return OpenGame(self.kind.name, game_id, chat_topic, host, title, chosen, max_live, content)

    def do(self, state: S | None, command: Command, now: Instant = OPENED) -> S:
        """Return the game after a command."""
        return self.kind.fold(state, self.kind.decide(state, command, now, SEED))

    def due(self, state: S) -> S:
        """Return the game after its deadline."""
        assert state.deadline is not None
        return self.do(state, DeadlinePassed(state.deadline), state.deadline)

    def joined(self, state: S, count: int, names: Sequence[str]) -> Iterator[S]:
        """Yield the game after each of ``count`` players, 1 and up, has joined."""
        for player in range(1, count + 1):
            yield (state := self.do(state, Join(player, names[(player - 1) % len(names)])))

    def started(self, state: S) -> S:
        """Return the game after its lobby; a full one has started by itself."""
        return self.do(state, StartNow(HOST.id)) if self.kind.machine.permits(state.phase, StartNow) else state


PICK_NUMBER = Script(pick_number.KIND, "/create_game Friday", int)
QUIZ = Script(quiz.KIND, "/start_quiz 3 15 100", lambda player: f"0:{player % 4}")


class Games(ABC, Generic[P]):
    """Games that a test plays. ``P`` is a player: an id where commands are sent, a person where buttons are tapped."""

    script: Script[Any] = PICK_NUMBER

    @property
    @abstractmethod
    def everybody(self) -> Sequence[P]:
        """The players of a game unless a test says otherwise."""

    @property
    @abstractmethod
    def owner(self) -> P:
        """The person who opens games."""

    @abstractmethod
    async def open(self) -> str:
        """Open a game. Returns its id. Subclasses take further parameters, and ``begin`` and ``play`` with them."""

    @abstractmethod
    async def push(self, player: P, data: str) -> Any:
        """Do what a button with this callback data does; fails if it is refused."""

    @abstractmethod
    async def close(self, game_id: str) -> Any:
        """Let all deadlines pass. Returns the result."""

    async def join(self, game_id: str, *players: P) -> None:
        """Let players join, one after the other."""
        for player in players:
            await self.push(player, f"j:{game_id}")

    async def start(self, game_id: str) -> None:
        """End the lobby."""
        await self.push(self.owner, f"s:{game_id}")

    async def choose(self, game_id: str, player: P, *choice: Any) -> Any:
        """Make a choice: ``number`` in Pick Your Number, ``question, answer`` in the quiz."""
        return await self.push(player, ":".join(map(str, (self.script.verb, game_id, *choice))))

    async def all_choose(self, game_id: str, players: Sequence[P] | None = None) -> None:
        """Let each player make the first choice of the script."""
        for number, player in enumerate(self.everybody if players is None else players, start=1):
            await self.choose(game_id, player, self.script.choice(number))

    async def finish(self, game_id: str, players: Sequence[P] | None = None) -> Any:
        """Let each player choose, and all deadlines pass. Returns the result."""
        await self.all_choose(game_id, players)
        return await self.close(game_id)

    async def cancel(self, game_id: str) -> None:
        """Cancel a game as its owner."""
        await self.push(self.owner, f"xx:{game_id}")

    async def begin(self, players: Sequence[P] | None = None, **opening: Any) -> str:
        """Open a game, let players join and start it. Returns its id."""
        game_id = await self.open(**opening)
        await self.join(game_id, *(self.everybody if players is None else players))
        await self.start(game_id)
        return game_id

    async def play(self, players: Sequence[P] | None = None, **opening: Any) -> str:
        """Play a game from its opening to its end. Returns its id."""
        game_id = await self.begin(players, **opening)
        await self.finish(game_id, players)
        return game_id


class EngineGames(Games[int]):
    """Games played by commands to an engine."""

    engine: Engine
    clock: TurnedClock
    ids: Iterator[int]
    everybody: Sequence[int] = (1, 2, 3)
    owner: int = HOST.id

    def name_of(self, player: int) -> str:
        """Return the name under which a player joins."""
        return f"Player {player}"

    async def do(self, game_id: str, command: Command, command_id: str = "") -> Outcome:
        """Send a command, as of the next update."""
        return await self.engine.execute(game_id, command, command_id=command_id or f"tg:{next(self.ids)}")

    async def state(self, game_id: str) -> Any:
        """Return a game."""
        return (await self.engine.look(game_id)).state

    async def push(self, player: int, data: str) -> Any:
        """Send the command of a button."""
        verb, game_id, *rest = data.split(":", 2)
        tap = Tap(
            update_id=0, query_id="", user_id=player, user_name=self.name_of(player), chat_id=CHAT,
            chat_type="supergroup", data=data, received=self.clock.at,
        )  # fmt: skip
        command = VERBS[kind_of(await self.state(game_id)).name][verb].command(tap, "".join(rest))
        assert command is not None, data
        return await self.do(game_id, command)

    async def close(self, game_id: str) -> Outcome:
        """Let all deadlines pass. Returns the last outcome."""
        outcome = await self.engine.look(game_id)
        while (deadline := outcome.state.deadline) is not None:
            self.clock.at = max(self.clock.at, deadline)
            outcome = await self.do(game_id, DeadlinePassed(deadline))
        return outcome
