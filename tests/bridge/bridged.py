"""Games whose events go through the projector and the bridge to a broker."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.bridge.bridge import Bridge
from bot.bridge.broker import BrokerAway
from bot.bridge.brokers import broker_of
from bot.bridge.cloud_events import CloudEvents
from bot.settings import BridgeSection
from storage import keys
from storage.connections import Pool
from storage.leases import Bell
from storage.set_aside import SetAside
from storage.unpublished import Unpublished
from tests.contract.played import House
from tests.support.brokers import BrokerForTests, Received

SOURCE = "tombola/test_bot"
Format = Literal["structured", "binary"]


class BridgedHouse(House):
    """Games whose projector notes events for a bridge."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        super().__init__(pool, redis)
        self.unpublished = Unpublished(pool)
        self.bell = Bell(redis, keys.EVENTS_UNPUBLISHED)
        self.aside = SetAside()
        self.projector.on_unpublished = self._ring

    async def _ring(self) -> None:
        self.bell.ring()

    async def bridge(self, url: str, format_: Format = "structured") -> Bridge:
        """Return a bridge to a broker."""
        section = BridgeSection(url=SecretStr(url), format=format_)
        events = CloudEvents(self.codec, SOURCE, structured=format_ == "structured")
        return Bridge(self.unpublished, await broker_of(section), events, self.bell, self.aside)

    async def stored(self) -> dict[str, list[int]]:
        """Return the versions of all events in PostgreSQL by game, in order."""
        found: dict[str, list[int]] = {}
        for row in await self.pool.fetch("SELECT game_id, version FROM game_events ORDER BY game_id, version"):
            found.setdefault(row["game_id"], []).append(row["version"])
        return found


@asynccontextmanager
async def at_work(bridge: Bridge) -> AsyncIterator[None]:
    """Let a bridge publish until the end of the block."""
    working = asyncio.create_task(bridge.run())
    try:
        yield
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def publish_all(bridge: Bridge) -> None:
    """Let a bridge publish whatever is due."""
    while await bridge.publish_due():
        pass


def first_arrivals(received: Sequence[Received]) -> dict[str, list[int]]:
    """Return the versions by game in the order in which they came for the first time.

    Raises AssertionError if two messages with the same id differ.
    """
    bodies: dict[str, bytes] = {}
    found: dict[str, list[int]] = {}
    for each in received:
        game_id, _, version = each.id.partition("/")
        if each.id not in bodies:
            found.setdefault(game_id, []).append(int(version))
        assert bodies.setdefault(each.id, each.body) == each.body, f"{each.id} has come with two contents"
    return found


def content(received: Received) -> dict[str, Any]:
    """Return the JSON of a message."""
    found: dict[str, Any] = json.loads(received.body)
    return found


async def emptied(house: BridgedHouse, broker: BrokerForTests) -> None:
    """Publish a game, empty the broker under the connected bridge, and publish another one."""
    bridge = await house.bridge(broker.url)
    await house.play()
    await house.project()
    await publish_all(bridge)
    await broker.empty()
    later = await house.play()
    await house.project()
    with pytest.raises(BrokerAway):
        await bridge.publish_due()
    await publish_all(bridge)
    await bridge._broker.close()
    assert first_arrivals(await broker.received()) == {later: (await house.stored())[later]}
