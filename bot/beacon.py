"""A public randomness beacon (drand), if the operator configures one.

The time at which a game's selection closes decides the round that its draw waits for. Nobody can know that round's
randomness before it is published. A round counts only if its signature is genuine, so the relay needs no trust.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import httpx
import msgspec
import stamina
from loguru import logger
from purgatory.domain.model import OpenedState

from bot.settings import Draw
from bot.signatures import is_genuine_round
from fsm import proof
from fsm.engine import Clock, Engine, Unavailable
from fsm.kind import Instant, Rejected, UnknownGame
from fsm.lobby import MAX_WAIT
from fsm.pick_number import DRAWING, KIND, Beacon, BeaconSignal, PickNumberGame, PublishBeacon
from storage.breakers import Circuit
from storage.feed import Entry
from storage.games import RedisGames

REQUEST_SECONDS = 3.0
LONGEST_PAUSE_SECONDS = 5.0
"""Longest pause between two requests for a late round."""
LARGEST_ANSWER = 4096
"""Limit on the size of an answer, in bytes. A round has less than a kilobyte."""


class NotGenuine(Exception):
    """A relay served a round that the beacon did not sign."""


AGAIN = (httpx.HTTPError, msgspec.DecodeError, msgspec.ValidationError, NotGenuine)


class _Round(msgspec.Struct):
    round: int
    signature: str
    previous_signature: str = ""


def beacon_of(draw: Draw) -> Beacon | None:
    """Return the configured beacon, or None. For a chain that is not one of drand's own, the settings give the key."""
    if not draw.beacon_url:
        return None
    chain = proof.PINNED.get(draw.beacon_chain) or {
        "scheme": draw.beacon_scheme,
        "public_key": draw.beacon_public_key,
        "genesis": round(draw.beacon_genesis * 1000),
        "period": round(draw.beacon_period_seconds * 1000),
    }
    return Beacon(
        chain=draw.beacon_chain,
        genesis_at=chain["genesis"],
        period_ms=chain["period"],
        wait_ms=round(draw.beacon_wait_seconds * 1000),
        scheme=chain["scheme"],
        public_key=chain["public_key"],
        lead_ms=round(draw.beacon_lead_seconds * 1000),
    )


class Listener:
    """A consumer of the feed that delivers the beacon's rounds to the draws that wait for them.

    Games that wait for the same round share one request. Each round is awaited in its own task, so the feed is never
    blocked. A process that takes over the feed restarts the waiting for games whose tasks died with another process.

    Args:
        engine: executes the commands that publish a round to a game.
        games: the live games, for taking over.
        url: address of a relay's HTTP API.
        clock: tells when a round is due.
        spawn: starts a named task. Raises RuntimeError once the process is stopping.
    """

    def __init__(
        self,
        engine: Engine,
        games: RedisGames,
        url: str,
        clock: Clock,
        spawn: Callable[[str, Coroutine[Any, Any, None]], object],
    ) -> None:
        self._engine = engine
        self._games = games
        self._url = url
        self._clock = clock
        self._spawn = spawn
        self._awaited: dict[tuple[Beacon, int], dict[str, Instant]] = {}
        """Round of a beacon -> the games that wait for it, each with the time at which it stops waiting."""
        self.circuit = Circuit("beacon", pause_seconds=LONGEST_PAUSE_SECONDS)

    async def take_over(self) -> None:
        """Await the rounds of all games that already wait. Called when this process starts to consume the feed."""
        for game_id, _ in await self._games.deadlines(self._clock.now() + 2 * MAX_WAIT):
            await self._note(game_id, self._engine.look(game_id))

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Consume a batch. Raises ``Unavailable``; the batch is then delivered again."""
        waiting = {entry.game_id: entry.first_version for entry in entries if entry.phase == DRAWING}
        for game_id, version in waiting.items():
            await self._note(game_id, self._engine.at_least(game_id, version))

    async def _note(self, game_id: str, looking: Awaitable[Any]) -> None:
        """Await the round of a game if it waits for one."""
        try:
            game = (await looking).state
        except UnknownGame:
            return
        if not isinstance(game, PickNumberGame) or game.phase != DRAWING or game.drawn is not None:
            return
        beacon, round_, until = game.rules.beacon, game.beacon_round, game.deadline
        if beacon is None or round_ is None or until is None:
            return
        begun = (beacon, round_) in self._awaited
        self._awaited.setdefault((beacon, round_), {})[game_id] = until
        if not begun:
            self._spawn(f"round {round_} of the beacon", self._bring(beacon, round_))

    async def _bring(self, beacon: Beacon, round_: int) -> None:
        """Publish a round, once it is available, to all games that wait for it.

        If the round misses a game's deadline, the game's rules decide. If they let the game wait on, their event enters
        the feed and starts the waiting again.
        """
        key = (beacon, round_)
        try:
            await self._clock.sleep(max(0, beacon.due(round_) - self._clock.now()) / 1000)
            signal = await self._when_out(beacon, round_)
            # A game that begins to wait while the round is published takes the same signal, without another request.
            while signal is not None and (games := self._awaited[key]):
                self._awaited[key] = {}
                for game_id in games:
                    await self._publish(game_id, signal)
        finally:
            del self._awaited[key]

    async def _publish(self, game_id: str, signal: BeaconSignal) -> None:
        """Give a round to a game that waits for it."""
        try:
            await self._engine.execute(game_id, PublishBeacon(signal), command_id=f"beacon:{signal.round}")
        except (Rejected, Unavailable) as reason:
            logger.bind(game=game_id).warning(
                "{}: a game did not take round {} of the beacon: {}", KIND.name, signal.round, reason
            )

    async def _when_out(self, beacon: Beacon, round_: int) -> BeaconSignal | None:
        """Return a round, or None if it does not appear while a game waits for it."""
        while (left := max(self._awaited[beacon, round_].values()) - self._clock.now()) > 0:
            try:
                async for attempt in stamina.retry_context(
                    on=(*AGAIN, OpenedState), attempts=None, timeout=left / 1000, wait_max=LONGEST_PAUSE_SECONDS
                ):
                    with attempt:
                        return await self.circuit.run(self._fetch(beacon, round_), AGAIN)
            except (*AGAIN, OpenedState) as problem:
                logger.warning("round {} of the beacon is not available yet: {}", round_, problem)
        return None

    async def _fetch(self, beacon: Beacon, round_: int) -> BeaconSignal:
        """Fetch a round and check its signature. Raises one of ``AGAIN``."""
        async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as client:
            response = await client.get(f"{self._url}/{beacon.chain}/public/{round_}")
        response.raise_for_status()
        found = msgspec.json.decode(response.content[:LARGEST_ANSWER], type=_Round)
        previous = found.previous_signature if beacon.scheme == proof.CHAINED else ""
        genuine = found.round == round_ and await asyncio.to_thread(
            is_genuine_round, beacon.scheme, beacon.public_key, round_, found.signature, previous
        )
        if not genuine:
            raise NotGenuine(f"{self._url} serves round {round_} without a signature of the beacon {beacon.chain}")
        randomness = hashlib.sha256(bytes.fromhex(found.signature)).hexdigest()
        return BeaconSignal(beacon.chain, round_, randomness, found.signature, previous)
