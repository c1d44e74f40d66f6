"""The loop of the bridge: from the unpublished events in PostgreSQL to the broker.

One process at a time runs it, by a lease. It publishes several games at once, and the events of a game one after the
other, each when the broker has confirmed the one before: so they stay in order through any failure. A crash or an
unconfirmed message repeats events, with the same ids. A game whose event fails by itself pauses, and others go on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncpg
from loguru import logger
from purgatory.domain.model import OpenedState

from bot.bridge.broker import ANSWER_SECONDS, Broker, BrokerAway
from bot.bridge.cloud_events import CloudEvents
from storage.breakers import Circuit
from storage.connections import POSTGRES_GONE
from storage.leases import Bell, jitter
from storage.set_aside import SetAside
from storage.unpublished import Unpublished, UnpublishedGame

GAMES: Final = 64
"""Games that are published at once."""
EVENTS: Final = 32
"""Events of a game that are read together."""
POLL_SECONDS: Final = 5.0
"""Longest time after which the bridge looks for events that no bell has announced."""
FIRST_DELAY, LONGEST_DELAY = 0.2, 15.0
"""Shortest and longest pause while the broker or PostgreSQL is away, in seconds; it doubles each time."""
LONGEST_PAUSE: Final = 3600.0
"""Longest pause of a game whose event can't be published, in seconds; it doubles from a second."""
LOOP: Final = "bridge"

Result = TypeVar("Result")


class Bridge:
    """The publisher of events.

    Args:
        unpublished: the events to publish.
        broker: the broker.
        events: makes the messages.
        bell: rings when the projector has written events.
        aside: events that can't be published.
    """

    def __init__(
        self, unpublished: Unpublished, broker: Broker, events: CloudEvents, bell: Bell, aside: SetAside
    ) -> None:
        self.published = 0
        """Messages that the broker has confirmed to this process."""
        self.failures = 0
        """Attempts of this process that ended without a confirmation."""
        self.circuit = Circuit(LOOP)
        self._unpublished = unpublished
        self._broker = broker
        self._events = events
        self._bell = bell
        self._aside = aside

    async def run(self, _fence: int = 0) -> None:
        """Publish until cancelled. Retries while the broker or PostgreSQL is away."""
        delay = FIRST_DELAY
        try:
            while True:
                rings = self._bell.rings
                try:
                    more = await self.publish_due()
                except (BrokerAway, OpenedState, *POSTGRES_GONE, asyncpg.PostgresError) as problem:
                    logger.warning("the bridge waits: {}: {}", type(problem).__name__, problem)
                except Exception as bug:  # noqa: BLE001 -- a bug must not stop the process
                    self._aside.add(LOOP, "all", bug)
                else:
                    delay = FIRST_DELAY
                    if not more:
                        await self._bell.after(rings, jitter(POLL_SECONDS))
                    continue
                await asyncio.sleep(jitter(delay))
                delay = min(2 * delay, LONGEST_DELAY)
        finally:
            # The next holder of the lease has a connection of its own; this one may have a message under way.
            await self._broker.close()

    async def publish_due(self) -> bool:
        """Publish the next events of some games. Returns True if there may be more.

        Raises `BrokerAway`, `OpenedState`, and asyncpg's errors.
        """
        games = await self._unpublished.due(GAMES, EVENTS)
        if not games:
            return await self._unpublished.give_up_pruned() > 0
        await self._guarded(self._broker.open)
        results = await asyncio.gather(*(self._publish(game) for game in games))
        done = {game.game_id: version for game, (version, _) in zip(games, results, strict=True) if version}
        if done:
            await self._unpublished.published(done)
        for _, problem in results:
            if problem is not None:
                raise problem
        return len(games) == GAMES or any(done.get(game.game_id, game.last) < game.last for game in games)

    async def _publish(self, game: UnpublishedGame) -> tuple[int, Exception | None]:
        """Publish events of a game in order. Returns the version that was reached, or 0, and the broker's failure."""
        reached = 0
        try:
            for event in game.events:
                await self._guarded(self._broker.publish, self._events.message(game, event))
                reached = event.version
                self.published += 1
        except (BrokerAway, OpenedState) as problem:
            return reached, problem
        except Exception as problem:  # noqa: BLE001 -- one game must not keep the others
            self._aside.add(LOOP, game.game_id, problem)
            self.failures += 1
            await self._unpublished.put_off(game.game_id, jitter(min(LONGEST_PAUSE, 2.0 ** min(game.tries, 12))))
            return reached, None
        self._aside.done(LOOP, game.game_id)
        # Fewer events than were asked for: PostgreSQL has no others of this game, although its versions may have gaps.
        return (reached if len(game.events) == EVENTS else game.last), None

    async def _guarded(self, method: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
        """Call the broker, within its time limit and through the circuit breaker."""
        try:
            return await self.circuit.run(_in_time(method, *arguments), (BrokerAway,))
        except BrokerAway:
            self.failures += 1
            raise


async def _in_time(method: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await method(*arguments)
    except TimeoutError:
        raise BrokerAway(f"no answer within {ANSWER_SECONDS:g} s") from None
