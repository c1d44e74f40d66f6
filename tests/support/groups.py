"""Groups of people in the sandbox who play with messages and buttons, under the names of ``tests/support/games.py``."""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.app import Box
from sandbox.control import Answer, buttons
from sandbox.state import Chat, Message, User
from tests.support.games import Games

T = TypeVar("T")
PATIENCE = 30.0
"""Time limit in seconds for an answer to a tap, on a busy machine."""


@dataclass
class Group(Games[User]):
    """A group, its people and the bot."""

    box: Box
    group: Chat
    people: list[User]
    games: list[str] = field(default_factory=list, kw_only=True)
    """Games opened with ``open``."""

    @property
    def everybody(self) -> Sequence[User]:
        """All people."""
        return self.people

    @property
    def owner(self) -> User:
        """The group's creator."""
        return self.people[0]

    host = owner

    @abstractmethod
    async def until(self, condition: Callable[[], T | None]) -> T:
        """Wait for a condition."""

    async def says(self, pattern: str, *, chat: Chat | None = None, user: User | None = None) -> Message:
        """Wait for the bot's message that matches."""
        return await self.until(lambda: self.box.control.find(chat or self.group, pattern, user=user))

    async def tap(self, person: User, pattern: str, *, chat: Chat | None = None) -> Answer:
        """Wait for the button whose data or label matches, and press it. Returns the answer."""
        message, data = await self.until(lambda: self.button(pattern, chat or self.group, person))
        return await self.box.control.press_data(person, message, data).answer(PATIENCE)

    async def press(self, person: User, data: str) -> Answer:
        """Tap with this data, even if no message shows the button."""
        message = next(m for m in reversed(self.box.control.bot_messages(self.group)) if buttons(m))
        return await self.box.control.press_data(person, message, data).answer(PATIENCE)

    def button(self, pattern: str, chat: Chat | None = None, user: User | None = None) -> tuple[Message, str] | None:
        """Return the newest button whose data or label matches, and its message."""
        for message in reversed(self.box.control.bot_messages(chat or self.group, user)):
            for button in buttons(message):
                data = button.get("callback_data", "")
                if re.search(pattern, data) or re.search(pattern, button["text"]):
                    return message, data
        return None

    async def open(self, line: str = "") -> str:
        """Open a game as the host, and wait for its board. Returns the game's id."""
        known = self._boards()
        self.box.control.say(self.owner, self.group, line or self.script.line)
        self.games.append(await self.until(lambda: next(iter(self._boards() - known), None)))
        return self.games[-1]

    def _boards(self) -> set[str]:
        messages = self.box.control.bot_messages(self.group)
        data = [button.get("callback_data", "") for message in messages for button in buttons(message)]
        return {each.removeprefix("j:") for each in data if each.startswith("j:")}

    async def push(self, player: User, data: str) -> str:
        """Wait for the button with this data, and press it. Returns the answer."""
        answer = await self.tap(player, f"^{data}$")
        assert answer.text
        return answer.text

    async def close(self, game_id: str) -> Message:
        """Wait for the message that shows the game's end."""
        message, _ = await self.until(lambda: self.button(f"^r:{game_id}$"))
        return message
