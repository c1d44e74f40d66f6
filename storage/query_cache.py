"""Query cache: answers to queries of figures that many people ask, in the memory of a process.

An answer is dropped when the projector has written the end of a game of its chat, or when another write that changes
figures is announced, and after ``LIFETIME_SECONDS`` in any case, in case an announcement is lost. The cache is below
all decisions on access and all views: it keeps rows under the whole query that found them, and no responses.
"""

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, Final, TypeVar

from loguru import logger
from redis.asyncio import Redis

from storage import keys
from storage.leases import STORE_GONE, jitter

LIFETIME_SECONDS: Final = 30.0
MOST_ROWS: Final = 20_000
"""Number of rows that a process keeps, some tens of megabytes. The answers that were not asked longest go first."""
ALL_CHATS: Final = 0

T = TypeVar("T")
Key = tuple[int, Hashable]
"""The chat that an answer is about, or ``ALL_CHATS``, and the query."""


async def announce(redis: Redis, chats: Iterable[int]) -> None:
    """Tell the caches of all processes that figures of chats have changed, and so the figures of all chats."""
    try:
        await redis.publish(keys.FIGURES_CHANGED, ",".join(map(str, chats)))
    except STORE_GONE as problem:
        logger.warning("cannot announce that figures have changed: {}", type(problem).__name__)


class QueryCache:
    """Keeps answers while `run` hears of changes; without it every query is made.

    Of callers who ask the same at once, one makes the query, in each process.

    Args:
        redis: announces changes; the client for commands that wait.
        seconds: lifetime of an answer.
        most_rows: the number of rows that are kept.
    """

    def __init__(self, redis: Redis, *, seconds: float = LIFETIME_SECONDS, most_rows: int = MOST_ROWS) -> None:
        self._redis = redis
        self._seconds = seconds
        self._most_rows = most_rows
        self._hears = False
        self._kept: OrderedDict[Key, tuple[float, Any]] = OrderedDict()
        """The time until which an answer is fresh, and the answer."""
        self._asked: dict[Key, asyncio.Future[Any]] = {}
        """Queries that are being made, for those who ask the same meanwhile."""
        self._of_chat: defaultdict[int, set[Key]] = defaultdict(set)
        """Keys of ``_kept`` by chat."""
        self.rows = 0
        """Number of rows that are kept."""
        self.outcomes: Counter[str] = Counter()
        """Questions by outcome: ``hit``, ``miss``, ``shared`` (somebody else was just asking), ``off``."""

    @property
    def hears(self) -> bool:
        """True while changes are heard, and so answers are kept."""
        return self._hears

    async def answer(self, chat_id: int, query: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to a query about a chat (``ALL_CHATS``: all chats). Callers must not change it.

        Raises the errors of ``make``.
        """
        if not self._hears:
            self.outcomes["off"] += 1
            return await make()
        key = (chat_id, query)
        while True:
            found = self._kept.get(key)
            if found is not None and time.monotonic() < found[0]:
                self._kept.move_to_end(key)
                self.outcomes["hit"] += 1
                known: T = found[1]
                return known
            asked = self._asked.get(key)
            if asked is None:
                self.outcomes["miss"] += 1
                return await self._make(key, make)
            try:
                shared: T = await asyncio.shield(asked)
            except asyncio.CancelledError:
                if not asked.cancelled():
                    raise  # this caller is cancelled; otherwise the one who was asking is, and the next one asks
            else:
                self.outcomes["shared"] += 1
                return shared

    async def _make(self, key: Key, make: Callable[[], Awaitable[T]]) -> T:
        asked = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            made = await make()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                asked.cancel()
            else:
                asked.set_exception(error)
                asked.exception()  # it counts as retrieved, even if nobody else has asked
            raise
        else:
            asked.set_result(made)
            # After a change in between, `drop` has removed the question: the answer may be from before the change.
            if self._asked.get(key) is asked:
                self._keep(key, made)
            return made
        finally:
            if self._asked.get(key) is asked:
                del self._asked[key]

    def _keep(self, key: Key, made: Any) -> None:
        self._remove(key)
        self._kept[key] = (time.monotonic() + self._seconds, made)
        self._of_chat[key[0]].add(key)
        self.rows += _weight(made)
        while self.rows > self._most_rows and self._kept:
            self._remove(next(iter(self._kept)))

    def _remove(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.rows -= _weight(found[1])
            of_chat = self._of_chat[key[0]]
            of_chat.discard(key)
            if not of_chat:
                del self._of_chat[key[0]]

    # -- changes ------------------------------------------------------------------------------------------------

    def drop(self, chats: Iterable[int]) -> None:
        """Drop the answers about chats, and those about all chats."""
        changed = {ALL_CHATS, *chats}
        for chat_id in changed:
            for key in list(self._of_chat.get(chat_id, ())):
                self._remove(key)
        for key in [key for key in self._asked if key[0] in changed]:
            del self._asked[key]

    def drop_all(self) -> None:
        """Drop all answers."""
        self._kept.clear()
        self._of_chat.clear()
        self._asked.clear()
        self.rows = 0

    async def run(self) -> None:
        """Hear of changes by any process, until cancelled."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(keys.FIGURES_CHANGED)
                    while True:
                        message = await pubsub.get_message(timeout=30)
                        if message is not None:
                            self._heard(message)
            except STORE_GONE as problem:
                logger.debug("changes of figures are not heard: {}", type(problem).__name__)
            finally:
                self._hears = False
                self.drop_all()
            await asyncio.sleep(jitter(0.5))

    def _heard(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._hears = True
        elif message["type"] == "message":
            try:
                self.drop([int(chat) for chat in message["data"].decode().split(",") if chat])
            except ValueError:  # from another program on this Redis
                logger.warning("ignored a malformed announcement: {!r}", message["data"][:64])
                self.drop_all()


def _weight(made: Any) -> int:
    """Return the number of rows that an answer counts as."""
    return 1 + (len(made) if isinstance(made, list) else 0)
