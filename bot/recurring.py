"""The task that announces and opens recurring games, in the process that leads.

A look at the table every few seconds finds what is due. APScheduler could hold a job for each, but a step of the clock,
a change by a host in another process or a restart would have to move those jobs; the table needs none of that.
"""

import asyncio
from collections.abc import Callable

import asyncpg
from loguru import logger

from fsm.engine import Clock, Unavailable
from play.occurrences import Occurrences
from storage.connections import POSTGRES_GONE
from storage.leases import STORE_GONE, Lease, jitter
from storage.set_aside import SetAside
from storage.ticks import until_tick

LOOK_SECONDS = 5.0
"""Longest time between two looks at the table: a host may have added something since."""
BUSY_SECONDS = 1.0
"""Pause if something due could not be done."""
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError, *STORE_GONE)
LOOP = "recurring games"


class RecurringKeeper:
    """Announces and opens recurring games.

    Args:
        occurrences: does the work.
        clock: the wall clock.
        bot_id: id of the bot in Telegram.
        fit: returns False while this machine's clock is wrong; another process then leads.
        aside: recurring games that could not be handled.
    """

    def __init__(
        self,
        occurrences: Occurrences,
        clock: Clock,
        bot_id: int,
        fit: Callable[[], bool] = lambda: True,
        aside: SetAside | None = None,
    ) -> None:
        self._occurrences = occurrences
        self._clock = clock
        self._bot_id = bot_id
        self._fit = fit
        self._aside = aside or SetAside()

    async def run(self, lease: Lease) -> None:
        """Lead while this process holds the lease and its clock is fit, and stand by otherwise, until cancelled."""
        while True:
            while not self._fit():  # noqa: ASYNC110 -- the clock is compared every two seconds; no event tells
                await asyncio.sleep(1)
            await lease.run(self.lead)

    async def lead(self, _fence: int = 0) -> None:
        """Do what is due, until cancelled or until the clock is no longer fit. Waits for a store that is away."""
        reckoned = False
        while self._fit():
            try:
                if not reckoned:
                    await self._occurrences.reckon()
                    reckoned = True
                wait = await self.step()
            except (Unavailable, *AWAY) as problem:
                logger.warning("recurring games wait for a store: {}", type(problem).__name__)
                wait = jitter(LOOK_SECONDS)
            await asyncio.sleep(wait)

    async def step(self) -> float:
        """Do everything that is due. Returns the seconds until the next look.

        Raises ``Unavailable``, and the errors of the stores, if a store is away.
        """
        for each in await self._occurrences.due():
            item = str(each.id)
            if self._aside.waits(LOOP, item):
                continue
            try:
                await self._occurrences.handle(each, self._bot_id)
            except Unavailable as problem:  # perhaps Telegram, about this chat alone; the others go on
                logger.warning("recurring game {} waits: {}", each.id, problem)
            except AWAY:
                raise
            except Exception as bug:  # noqa: BLE001 -- one that raises must not stop the others
                self._aside.add(LOOP, item, bug)
            else:
                self._aside.done(LOOP, item)
        return self._wait(await self._occurrences.next_wake())

    def _wait(self, wake: int | None) -> float:
        usual = until_tick(LOOK_SECONDS)
        if wake is None:
            return usual
        left = (wake - self._clock.now()) / 1000
        return min(usual, left) if left > 0 else min(usual, BUSY_SECONDS)
