"""Fixture of the room in which handlers are tested."""

import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from tests.handlers.room import Room, build_room


@pytest.fixture
def room(redis: Redis, pool: Pool) -> Room:
    """Return a room on empty stores."""
    return build_room(redis, pool)
