"""Real processes of the bot on real stores, and a group that plays on them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
import pytest_asyncio

from chaos.acts import Act, Setting, cast
from tests.support.groups import Group

T = TypeVar("T")
LONG = 90.0
"""Time limit in seconds for anything that a group sees on a busy machine."""


@dataclass
class Room(Group):
    """A group, and the processes that serve it."""

    act: Act

    async def until(self, condition: Callable[[], T | None]) -> T:
        """Wait for a condition."""
        return await self.box.control.until(condition, LONG)


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
    yield Room(two_replicas.box, control.add_group("Friday games", people[0], people[1:]), people, two_replicas)
    await two_replicas.heal()
