"""Simulated players: they see the buttons of a chat as a person would, think for a moment, and tap.

All they know of a game is the shape of its buttons' data: `j:<game>` joins, `p:<game>:<number>` picks a number that is
free where nothing else stands on the button, `a:<game>:<question>:<choice>` answers.
"""

import asyncio
import contextlib
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.control import Control, Refused, buttons
from sandbox.state import Chat, Message, User

NAMES = ("Ada", "Bo", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jun", "Kai", "Lea", "Mia")
LOOKED_AT = 20
PICKS = 2
"""A first one, and later, where the board is still open, another: a move, or a new try where somebody was faster."""
JOIN = re.compile(r"j:(\w+)$")
PICK = re.compile(r"p:(\w+):(\d+)$")
ANSWER = re.compile(r"a:(\w+:\w+):\w+$")


@dataclass(slots=True)
class Memory:
    """What a player has done: games joined, picks tried by game, questions answered."""

    joined: set[str] = field(default_factory=set)
    picks: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)


class Player:
    """One simulated person in one chat. `pace` scales its thinking times; 0 is as fast as it can."""

    def __init__(self, control: Control, user: User, chat: Chat, rng: random.Random, pace: float) -> None:
        self.control = control
        self.user = user
        self.chat = chat
        self.rng = rng
        self.pace = pace
        self.memory = Memory()

    async def play(self) -> None:
        """Looks whenever something changes in the chat, for ever."""
        world = self.control.world
        while not world.changes.closed:
            while (tap := self._choose()) is not None:
                await self._tap(*tap)
            await world.changes.next()
            self.chat = world.chats[self.chat.migrated_to or self.chat.id]

    def _choose(self) -> tuple[Message, str, float] | None:
        """The next tap: message, data, seconds to think; None when there is nothing to do."""
        for message in reversed(self.control.bot_messages(self.chat, self.user)[-LOOKED_AT:]):
            labels = {button.get("callback_data", ""): button["text"] for button in buttons(message)}
            if tap := self._join(labels) or self._pick(labels) or self._answer(labels):
                return message, *tap
        return None

    def _join(self, labels: Mapping[str, str]) -> tuple[str, float] | None:
        for item in labels:
            if (found := JOIN.match(item)) and found[1] not in self.memory.joined:
                self.memory.joined.add(found[1])
                return item, self.rng.uniform(0.5, 4)
        return None

    def _pick(self, labels: Mapping[str, str]) -> tuple[str, float] | None:
        free = [item for item, label in labels.items() if (found := PICK.match(item)) and found[2] == label]
        if not free:
            return None
        choice = self.rng.choice(free)
        game = choice.split(":")[1]
        done = self.memory.picks.get(game, 0)
        if game not in self.memory.joined or done >= PICKS:
            return None
        self.memory.picks[game] = done + 1
        return choice, self.rng.uniform(0.5, 6) if done == 0 else self.rng.uniform(8, 20)

    def _answer(self, labels: Mapping[str, str]) -> tuple[str, float] | None:
        choices = [item for item in labels if ANSWER.match(item)]
        if not choices:
            return None
        question = choices[0].split(":", 1)[1].rpartition(":")[0]
        if question in self.memory.answered:
            return None
        self.memory.answered.add(question)
        return self.rng.choice(choices), self.rng.uniform(0.7, 8)

    async def _tap(self, message: Message, data: str, seconds: float) -> None:
        await asyncio.sleep(seconds * self.pace)
        if data not in [button.get("callback_data") for button in buttons(message)]:
            return
        with contextlib.suppress(Refused, TimeoutError):
            await self.control.press_data(self.user, message, data).answer()


class Players:
    """Owns all simulated players and their tasks."""

    def __init__(self, control: Control, rng: random.Random, *, pace: float = 1.0) -> None:
        self.control = control
        self.rng = rng
        self.pace = pace
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, chat: Chat, count: int = 1) -> list[User]:
        """New simulated people who join a chat and play."""
        return [self._add(chat) for _ in range(count)]

    def _add(self, chat: Chat) -> User:
        number = len(self._tasks)
        name = NAMES[number % len(NAMES)] + (f" {number // len(NAMES) + 1}" if number >= len(NAMES) else "")
        user = self.control.add_user(name, language=self.rng.choice(("en", "ru")), simulated=True)
        self.control.join(chat, user)
        rng = random.Random(self.rng.random())  # noqa: S311  play
        player = Player(self.control, user, chat, rng, self.pace)
        self._tasks[user.id] = asyncio.create_task(player.play(), name=f"simulated player {user.id}")
        return user

    async def stop(self) -> None:
        """All of them stop playing."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
