"""Simulated players: they see the buttons and polls of a chat as a person would, think for a moment, and tap or vote.

They know one button, `j:<game>`, which joins. The caller supplies the moves of each kind of game.
"""

import asyncio
import contextlib
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.control import Control, Refused, buttons
from sandbox.state import Chat, Message, User

NAMES = ("Ada", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jun", "Kai", "Lea", "Mia")
LOOKED_AT = 20
JOIN = re.compile(r"j:(\w+)$")
LINK = re.compile(r"[?&]start=([\w-]+)$")
"""The payload of a deep link that opens the private chat."""

Action = str | tuple[int, ...]
"""The data of a button, or the options of a vote."""
Moves = Callable[[Mapping[str, str]], Sequence[tuple[str, str, int]]]
"""Function from a message's buttons (callback data to label) to the moves of one kind of game.

A move has the data to tap, the name of the decision that it settles, and how often a player may settle it.
"""


@dataclass(slots=True)
class Memory:
    """The games that a player has joined, and the number of times that each decision was settled."""

    joined: set[str] = field(default_factory=set)
    settled: Counter[str] = field(default_factory=Counter)


class Player:
    """One simulated person in one chat. `pace` scales the thinking times; 0 means as fast as possible."""

    def __init__(
        self, control: Control, user: User, chat: Chat, rng: random.Random, pace: float, moves: Sequence[Moves]
    ) -> None:
        self.control = control
        self.user = user
        self.chat = chat
        self.rng = rng
        self.pace = pace
        self.moves = moves
        self.memory = Memory()

    async def play(self) -> None:
        """Look at the chat and act after every change, for ever."""
        world = self.control.world
        while not world.changes.closed:
            while (chosen := self._choose()) is not None:
                await self._act(*chosen)
            await world.changes.next()
            self.chat = world.chats[self.chat.migrated_to or self.chat.id]

    def _choose(self) -> tuple[Message, Action, float] | None:
        """Return the next tap or vote as message, action and seconds to think; None if there is nothing to do."""
        chats = (self.chat, self.control.private(self.user)) if self.user.started else (self.chat,)
        seen = [message for chat in chats for message in self.control.bot_messages(chat, self.user)[-LOOKED_AT:]]
        for message in reversed(seen):
            labels = {
                button["callback_data"]: button["text"] for button in buttons(message) if "callback_data" in button
            }
            if chosen := self._join(labels) or self._move(labels) or self._vote(message):
                return message, *chosen
        return None

    def _vote(self, message: Message) -> tuple[Action, float] | None:
        """Return a vote in an open poll, once a game is joined: others' votes do not count."""
        poll = self.control.world.polls.get(message.poll_id or "")
        if poll is None or poll.is_closed or not self.memory.joined or self.memory.settled[poll.id]:
            return None
        self.memory.settled[poll.id] += 1
        most = len(poll.options) if poll.allows_multiple_answers else 1
        options = self.rng.sample(range(len(poll.options)), self.rng.randint(1, most))
        return tuple(options), self.rng.uniform(0.5, 6)

    def _join(self, labels: Mapping[str, str]) -> tuple[Action, float] | None:
        for item in labels:
            if (found := JOIN.match(item)) and found[1] not in self.memory.joined:
                self.memory.joined.add(found[1])
                return item, self.rng.uniform(0.5, 4)
        return None

    def _move(self, labels: Mapping[str, str]) -> tuple[Action, float] | None:
        """Return one move in a joined game. The first settling of a decision has a short thinking time."""
        settled = self.memory.settled
        left = [
            (data, decision)
            for moves in self.moves
            for data, decision, times in moves(labels)
            if data.split(":")[1] in self.memory.joined and settled[decision] < times
        ]
        if not left:
            return None
        data, decision = self.rng.choice(left)
        settled[decision] += 1
        return data, self.rng.uniform(0.5, 6) if settled[decision] == 1 else self.rng.uniform(8, 20)

    async def _act(self, message: Message, action: Action, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace)
        if isinstance(action, str):
            await self._tap(message, action)
            return
        with contextlib.suppress(Refused):  # the poll has closed meanwhile
            self.control.vote(self.user, message, *action)

    async def _tap(self, message: Message, data: str) -> None:
        if data not in [button.get("callback_data") for button in buttons(message)]:
            return
        with contextlib.suppress(Refused, TimeoutError):
            answer = await self.control.press_data(self.user, message, data).answer()
            if answer.url and (link := LINK.search(answer.url)):
                self.control.start(self.user, link[1])


class Players:
    """Owner of all simulated players and their tasks."""

    def __init__(self, control: Control, rng: random.Random, *, pace: float = 1.0, moves: Sequence[Moves] = ()) -> None:
        self.control = control
        self.rng = rng
        self.pace = pace
        self.moves = moves
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, chat: Chat, count: int = 1) -> list[User]:
        """Create simulated people who join a chat and play."""
        return [self._add(chat) for _ in range(count)]

    def _add(self, chat: Chat) -> User:
        number = len(self._tasks)
        name = NAMES[number % len(NAMES)] + (f" {number // len(NAMES) + 1}" if number >= len(NAMES) else "")
        user = self.control.add_user(name, language=self.rng.choice(self.control.languages()), simulated=True)
        self.control.join(chat, user)
        rng = random.Random(self.rng.random())  # noqa: S311 -- simulated players need no secure randomness
        player = Player(self.control, user, chat, rng, self.pace, self.moves)
        self._tasks[user.id] = asyncio.create_task(player.play(), name=f"simulated player {user.id}")
        return user

    async def stop(self) -> None:
        """Stop all players."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
