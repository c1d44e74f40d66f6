"""Real processes of the bot on real stores, and a group that plays on them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from chaos.acts import Act, Setting, cast
from sandbox.control import Answer, buttons
from sandbox.state import Chat, Message, User

PATIENCE = 30.0
"""Time limit in seconds for anything on a busy machine."""


@dataclass
class Room:
    """A group, its people, and the processes that serve it."""

    act: Act
    group: Chat
    people: list[User]
    games: list[str] = field(default_factory=list)

    @property
    def host(self) -> User:
        """Return the person who opens games."""
        return self.people[0]

    async def opens(self, words: str = "Friday", *, command: str = "create_game") -> str:
        """Open a game as the host, and wait for its board. Returns the game's id."""
        self.act.box.control.say(self.host, self.group, f"/{command} {words}")
        message, button = await self.act.box.control.until(self._new_board, PATIENCE)
        self.games.append(button.partition(":")[2])
        assert message.sender == self.act.box.world.bot_id
        return self.games[-1]

    def _new_board(self) -> tuple[Message, str] | None:
        found = self._button(r"^j:")
        return found if found is not None and found[1].partition(":")[2] not in self.games else None

    async def tap(self, person: User, pattern: str, seconds: float = PATIENCE) -> Answer:
        """Wait for the button that matches, and press it. Returns the answer."""
        message, data = await self.act.box.control.until(lambda: self._button(pattern), seconds)
        return await self.act.box.control.press_data(person, message, data).answer(seconds)

    async def press(self, person: User, data: str) -> Answer:
        """Tap with this data, even if the board no longer shows the button."""
        message = self.act.box.control.bot_messages(self.group)[-1]
        return await self.act.box.control.press_data(person, message, data).answer(PATIENCE)

    def _button(self, pattern: str) -> tuple[Message, str] | None:
        for message in reversed(self.act.box.control.bot_messages(self.group)):
            for button in buttons(message):
                if re.search(pattern, button.get("callback_data", "")):
                    return message, button["callback_data"]
        return None

    async def ends(self, game_id: str, seconds: float = 60) -> Message:
        """Wait for the message that shows the game's end."""
        message, _ = await self.act.box.control.until(lambda: self._button(f"^r:{game_id}$"), seconds)
        return message


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def two_replicas(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Act]:
    """Run two polling processes, with their own Redis and PostgreSQL."""
    async with cast(Setting(seed=1, replicas=2, seconds=(60, 4, 5, 0.1)), tmp_path_factory.mktemp("processes")) as act:
        yield act


@pytest_asyncio.fixture(loop_scope="session")
async def room(two_replicas: Act) -> AsyncIterator[Room]:
    """Create a group of four; all processes and stores are repaired afterwards."""
    control = two_replicas.box.control
    people = [control.add_user(f"Player {number}") for number in range(4)]
    yield Room(two_replicas, control.add_group("Friday games", people[0], people[1:]), people)
    await two_replicas.heal()
