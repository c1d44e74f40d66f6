"""A public randomness beacon (drand), where the operator configures one.

Which round a draw waits for follows from when its selection closed; nobody can know that round's randomness before.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import stamina
from loguru import logger
from purgatory.domain.model import OpenedState
from redis.asyncio import Redis

from bot.settings import Draw
from fsm.engine import Engine, Unavailable
from fsm.kind import Rejected
from fsm.pick_number import DRAWING, Beacon, BeaconSignal, PickNumberGame, PublishBeacon
from storage.breakers import Circuit
from storage.connections import REDIS_GONE
from storage.feed import Entry

REQUEST_SECONDS = 3.0
KNOWN_SECONDS = 30 * 86_400
AGAIN = (httpx.HTTPError, msgspec.DecodeError, msgspec.ValidationError)


class _Info(msgspec.Struct):
    genesis_time: int
    period: int
    hash: str


class _Round(msgspec.Struct):
    round: int
    randomness: str
    signature: str


async def find(draw: Draw, redis: Redis) -> Beacon | None:
    """The chain as configured; None where none is, or it can't be reached (draws go on without, and say so).

    What a chain is never changes: it is remembered, so that a start does not need the beacon.
    """
    if not draw.beacon_url:
        return None
    key = f"tombola:beacon:{draw.beacon_chain}"
    with contextlib.suppress(*REDIS_GONE):
        if (known := await redis.get(key)) is not None:
            return _beacon(draw, msgspec.json.decode(known, type=_Info))
    try:
        async for attempt in stamina.retry_context(on=AGAIN, attempts=4, timeout=15):
            with attempt:
                info = await _get(f"{draw.beacon_url}/{draw.beacon_chain}/info", _Info)
                with contextlib.suppress(*REDIS_GONE):
                    await redis.set(key, msgspec.json.encode(info), ex=KNOWN_SECONDS)
                return _beacon(draw, info)
    except AGAIN as problem:
        logger.error("games.draw.beacon_url: no beacon there, draws are made without: {}", problem)
    return None


def _beacon(draw: Draw, info: _Info) -> Beacon:
    return Beacon(
        chain=draw.beacon_chain,
        genesis_at=info.genesis_time * 1000,
        period_ms=info.period * 1000,
        wait_ms=int(draw.beacon_wait_seconds * 1000),
    )


async def _get(url: str, type_: type[Any]) -> Any:
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as client:
        response = await client.get(url)
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=type_)


class Listener:
    """A consumer of the feed: brings the beacon's round to each draw that waits for one."""

    def __init__(self, engine: Engine, beacon: Beacon, draw: Draw) -> None:
        self._engine = engine
        self._beacon = beacon
        self._url = f"{draw.beacon_url}/{draw.beacon_chain}/public"
        self.circuit = Circuit("beacon", pause_seconds=10)

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Consume a batch. Raises ``Unavailable``: the batch comes again."""
        waiting = {entry.game_id: entry.first_version for entry in entries if entry.phase == DRAWING}
        await asyncio.gather(*(self._bring(game_id, version) for game_id, version in waiting.items()))

    async def _bring(self, game_id: str, version: int) -> None:
        try:
            game = (await self._engine.at_least(game_id, version)).state
            if not isinstance(game, PickNumberGame) or game.beacon_round is None or game.drawn is not None:
                return
            signal = await self._round(game.beacon_round)
            await self._engine.execute(game_id, PublishBeacon(signal), command_id=f"beacon:{game.beacon_round}")
        except Rejected as reason:
            logger.bind(game=game_id).info("the beacon came too late: {}", reason)
        except (*AGAIN, OpenedState) as problem:
            logger.bind(game=game_id).warning("no beacon, the draw goes on without: {}", problem)

    async def _round(self, number: int) -> BeaconSignal:
        """A round, when it is out. Raises one of ``AGAIN``, or ``OpenedState``."""
        due = (self._beacon.genesis_at + (number - 1) * self._beacon.period_ms) / 1000
        await asyncio.sleep(max(0.0, due - time.time()))
        async for attempt in stamina.retry_context(on=AGAIN, attempts=None, timeout=self._beacon.wait_ms / 1000):
            with attempt:
                found = await self.circuit.run(_get(f"{self._url}/{number}", _Round), AGAIN)
                return BeaconSignal(self._beacon.chain, found.round, found.randomness, found.signature)
        raise Unavailable("stamina raises after the last attempt")
