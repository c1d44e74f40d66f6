"""Keeps the public log: appends what the projector has noted, signs heads, posts one a day."""

import asyncio

import asyncpg
from loguru import logger

from fsm.engine import Clock
from fsm.kind import Instant
from storage.connections import POSTGRES_GONE
from storage.leases import jitter
from storage.log import Head, PublicLog
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

EVERY_SECONDS = 2.0
SIGN_MS = 60_000
"""A log that grows is signed no more often."""
SIGN_ANYWAY_MS = 3_600_000
"""A log that does not grow is signed as often as this, so that its silence is seen."""
DAY_MS = 86_400_000
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)


class LogKeeper:
    """Appends and signs. Harmless to run twice at once; a lease sees to it that only one process does the work.

    Args:
        log: the public log.
        clock: when heads are signed.
        outbox: sends the daily post.
        channel: chat id of the channel that gets it; 0 for none.
    """

    def __init__(self, log: PublicLog, clock: Clock, outbox: Outbox, channel: int) -> None:
        self._log = log
        self._clock = clock
        self._outbox = outbox
        self._channel = channel

    async def keep(self, _fence: int = 0) -> None:
        """Append and sign now and then, until cancelled."""
        while True:
            try:
                await self.turn()
            except AWAY as problem:
                logger.debug("the public log waits for PostgreSQL: {}", type(problem).__name__)
            await asyncio.sleep(jitter(EVERY_SECONDS))

    async def turn(self) -> None:
        """Append what is noted; sign if it is time to."""
        added = await self._log.append()
        last, now = await self._log.last_head(), self._clock.now()
        if last is None or now - last.at >= SIGN_ANYWAY_MS or (now - last.at >= SIGN_MS and await self._grown(last)):
            last = await self._log.sign(now)
        if added:
            logger.debug("the public log has {} new leaves", added)
        if self._channel:
            await self._post(last, now)

    async def _grown(self, head: Head) -> bool:
        return bool(await self._log.leaves(head.size, 1))

    async def _post(self, head: Head, now: Instant) -> None:
        """Post a head to the channel, once a day: the id of the message is the day's."""
        text = (
            f"<code>{head.size}:{head.root}</code>\n{head.at}\n<code>{head.key}</code>\n<code>{head.signature}</code>"
        )
        await self._outbox.put(
            Outgoing(
                id=f"log-head:{now // DAY_MS}",
                chat_id=self._channel,
                method="sendMessage",
                params={"text": text, "parse_mode": "HTML"},
                priority=Priority.COSMETIC,
                created_at=now,
            )
        )
