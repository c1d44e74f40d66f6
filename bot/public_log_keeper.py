"""Maintains the public log: appends the projector's notes, signs heads, posts one head a day."""

import asyncpg
from loguru import logger

from fsm.engine import Clock
from fsm.kind import Instant
from storage.connections import POSTGRES_GONE
from storage.public_log import Head, PublicLog
from storage.ticks import next_tick
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing

EVERY_SECONDS = 2.0
SIGN_MS = 60_000
"""Shortest interval between signatures while the log grows."""
SIGN_ANYWAY_MS = 3_600_000
"""Interval between signatures while the log does not grow, which prove that nothing was added."""
DAY_MS = 86_400_000
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)


class PublicLogKeeper:
    """Appends to the log and signs it. A lease gives the work to one process, but two at once would do no harm.

    Args:
        log: the public log.
        clock: the clock of the signatures.
        outbox: sends the daily post.
        channel: chat id of the channel for the daily post; 0 for none.
    """

    def __init__(self, log: PublicLog, clock: Clock, outbox: Outbox, channel: int) -> None:
        self._log = log
        self._clock = clock
        self._outbox = outbox
        self._channel = channel
        self._look_at = 0
        """Time of the next look at the newest head, if no leaf is added before."""

    async def keep(self, _fence: int = 0) -> None:
        """Append and sign regularly, until cancelled."""
        while True:
            try:
                await self.turn()
            except AWAY as problem:
                logger.debug("the public log waits for PostgreSQL: {}", type(problem).__name__)
            await next_tick(EVERY_SECONDS)

    async def turn(self) -> None:
        """Append the projector's notes. If the log has grown or a minute has passed, sign if due, and post."""
        added = await self._log.append()
        now = self._clock.now()
        if not added and now < self._look_at:
            return
        last = await self._log.last_head()
        if last is None or now - last.at >= SIGN_ANYWAY_MS or (now - last.at >= SIGN_MS and await self._grown(last)):
            last = await self._log.sign(now)
        if added:
            logger.debug("the public log has {} new leaves", added)
        if self._channel:
            await self._post(last, now)
        # A head younger than a minute may lack leaves, which the next one contains. Leaves after an older head are
        # added by a later turn of this process, which looks at once, or of another one, which has the lease then.
        due = last.at + SIGN_MS
        self._look_at = due if due > now else now + SIGN_MS

    async def _grown(self, head: Head) -> bool:
        return bool(await self._log.leaves(head.size, 1))

    async def _post(self, head: Head, now: Instant) -> None:
        """Post a head to the channel.

        The message id is derived from the day, so only the first post of a day is sent.
        """
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
