"""The beacon's rounds, from a relay to the waiting draws: late, forged or missing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.beacon import Listener, beacon_of
from bot.settings import Draw
from bot.signatures import SIGNATURES
from bot.tasks import Tasks
from fsm import proof
from fsm.lobby import DeadlinePassed
from fsm.pick_number import PickNumber, PickNumberGame, is_void, prove
from storage.connections import Pool
from tests.contract.played import House, feed_of, until
from tests.draw.beacons import CHAIN, DEFAULT, PUBLIC_KEY, QUICKNET, Relay, chain, signed
from tests.support.clock import TurnedClock


@pytest.fixture
def house(pool: Pool, redis: Redis) -> House:
    return House(pool, redis, clock=TurnedClock(round(time.time() * 1000)))


@asynccontextmanager
async def listening(house: House, relay: Relay) -> AsyncIterator[Listener]:
    """Read the feed for a relay's rounds during the block."""
    problems: list[BaseException] = []
    tasks = Tasks(lambda _name, error: problems.append(error))
    clock = house.clock
    assert isinstance(clock, TurnedClock)
    listener = Listener(house.engine, house.games, relay.url, clock, tasks.spawn)
    feed = feed_of(house.redis, house.games.shards, "beacon", begun=listener.take_over)
    tasks.spawn("feed", feed.run(listener.handle))
    yield listener
    await tasks.close()
    assert problems == []


async def waiting(house: House, **rules: Any) -> str:
    """Return a game that waits for its beacon."""
    rules.setdefault("beacon", chain(house.clock.at - 60_000))
    game_id = await house.begin((1, 2), **rules)
    for player in (1, 2):
        await house.do(game_id, PickNumber(player, player))
    assert (await state_of(house, game_id)).beacon_round is not None
    return game_id


async def state_of(house: House, game_id: str) -> PickNumberGame:
    state = (await house.engine.look(game_id)).state
    assert isinstance(state, PickNumberGame)
    return state


async def drawn(house: House, game_id: str) -> PickNumberGame:
    async with asyncio.timeout(60):
        while (state := await state_of(house, game_id)).drawn is None:  # noqa: ASYNC110 -- the draw sends no event
            await asyncio.sleep(0.01)
    return state


def due(state: PickNumberGame) -> int:
    assert state.rules.beacon is not None
    assert state.beacon_round is not None
    return state.rules.beacon.due(state.beacon_round)


@pytest.mark.parametrize("scheme", proof.SCHEMES)
@pytest.mark.parametrize("period", [3_000, 30_000])
async def test_a_draw_is_made_with_the_round_that_comes_in_time(house: House, scheme: str, period: int) -> None:
    relay = Relay(lambda round_: signed(round_, scheme=scheme))
    beacon = chain(house.clock.at - 60_000, scheme=scheme, period_ms=period)
    async with relay.serving(), listening(house, relay):
        game_id = await waiting(house, beacon=beacon)
        state = await state_of(house, game_id)
        assert relay.asked == []
        house.clock.at = due(state)
        state = await drawn(house, game_id)
    assert state.beacon is not None
    assert relay.asked == [f"/{CHAIN}/public/{state.beacon_round}"]
    while state.deadline is not None:
        house.clock.at = state.deadline
        await house.do(game_id, DeadlinePassed(state.deadline))
        state = await state_of(house, game_id)
    checks = proof.verify(proof.canonical(prove(state)), SIGNATURES)
    assert [check.code for check in checks if not check.passed] == []
    assert "beacon-unpinned" in {check.code for check in checks}


async def test_games_that_wait_for_the_same_round_share_one_request(house: House) -> None:
    relay = Relay()
    async with relay.serving(), listening(house, relay):
        beacon = chain(house.clock.at - 60_000)
        games = [await waiting(house, beacon=beacon, chat_id=-100 - number) for number in range(5)]
        house.clock.at = due(await state_of(house, games[0]))
        for game_id in games:
            await drawn(house, game_id)
    assert len(relay.asked) == 1


MADE_UP: list[Any] = [
    {"round": 5, "randomness": "00" * 32, "signature": "ab" * 48},
    {"round": 5, "signature": ""},
    {"round": 5},
    b"not json",
    b"[" * 10_000,
    b"",
    None,
]


@pytest.mark.parametrize("made_up", MADE_UP)
async def test_what_a_relay_makes_up_is_no_beacon_and_the_draw_is_void_by_its_rule(house: House, made_up: Any) -> None:
    def answer(round_: int) -> Any:
        return {**made_up, "round": round_} if isinstance(made_up, dict) else made_up

    relay = Relay(answer)
    async with relay.serving(), listening(house, relay):
        game_id = await waiting(house, beacon_policy="void")
        state = await state_of(house, game_id)
        house.clock.at = due(state)
        await until(lambda: len(relay.asked) >= 2)
        assert state.deadline is not None
        house.clock.at = state.deadline
        await house.do(game_id, DeadlinePassed(state.deadline))
    state = await state_of(house, game_id)
    assert is_void(state)
    assert state.drawn is None


async def test_a_signature_of_another_round_is_none_of_this_one(house: House) -> None:
    relay = Relay(lambda round_: {**signed(round_ + 1), "round": round_})
    async with relay.serving(), listening(house, relay):
        game_id = await waiting(house)
        house.clock.at = due(await state_of(house, game_id))
        await until(lambda: len(relay.asked) >= 2)
        assert (await state_of(house, game_id)).drawn is None


async def test_a_round_that_is_late_is_asked_for_again_after_each_time_the_game_waits_on(house: House) -> None:
    out = False
    relay = Relay(lambda round_: signed(round_) if out else None)
    async with relay.serving(), listening(house, relay):
        game_id = await waiting(house, beacon_policy="wait")
        for _ in range(2):
            state = await state_of(house, game_id)
            assert state.deadline is not None
            house.clock.at = state.deadline
            await house.do(game_id, DeadlinePassed(state.deadline))
        assert (await state_of(house, game_id)).drawn is None
        out = True
        assert (await drawn(house, game_id)).beacon is not None


async def test_whoever_takes_over_the_feed_awaits_the_rounds_of_games_that_wait_already(house: House) -> None:
    relay = Relay()
    async with relay.serving():
        async with listening(house, relay):
            game_id = await waiting(house)
            feed = feed_of(house.redis, house.games.shards, "beacon")
            async with asyncio.timeout(60):
                while (await feed.lag()).entries:  # noqa: ASYNC110 -- the listener must have read past the game
                    await asyncio.sleep(0.01)
        house.clock.at = due(await state_of(house, game_id)) + 1
        assert relay.asked == []
        house.engine = house.new_engine()
        async with listening(house, relay):
            await drawn(house, game_id)


def test_drands_own_chains_are_known_without_asking_anybody() -> None:
    for name in (QUICKNET, DEFAULT):
        beacon = beacon_of(Draw(beacon_url="http://127.0.0.1:1", beacon_chain=name))
        assert beacon is not None
        assert beacon.public_key == proof.PINNED[name]["public_key"]
        assert beacon.due(1) == proof.PINNED[name]["genesis"]
    assert beacon_of(Draw()) is None


def test_another_chain_is_what_the_settings_say() -> None:
    beacon = beacon_of(
        Draw(
            beacon_url="http://127.0.0.1:1",
            beacon_chain=CHAIN,
            beacon_public_key=PUBLIC_KEY,
            beacon_genesis=1_700_000_000,
            beacon_period_seconds=3,
        )
    )
    assert beacon == chain(1_700_000_000_000)
