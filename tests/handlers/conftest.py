"""The room that tests of handlers take place in."""

import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from tests.handlers.room import Room, build_room


@pytest.fixture
def room(redis: Redis, pool: Pool) -> Room:
    """Give a room on empty stores."""
    return build_room(redis, pool)
