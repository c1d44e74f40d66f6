"""Fixture of the room in which handlers are tested."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from tests.handlers.room import Room, build_room


@pytest.fixture
async def room(redis: Redis, pool: Pool) -> AsyncIterator[Room]:
    """Build a room on empty stores."""
    async with build_room(redis, pool) as built:
        yield built
