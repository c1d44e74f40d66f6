"""A reader of the whole feed for live updates: one for a process, outside the consumer groups.

It keeps the newest entries in memory, so that a client which lost its connection can get the entries that it missed
without another read of Redis. It holds back no trimming: entries that were trimmed before they were read are missing,
and the versions of the games show it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import RedisError

from storage import keys
from storage.connections import REDIS_GONE
from storage.feed import BATCH, BLOCK_MS, KEEP_ENTRIES, Entry, entry_of
from storage.leases import jitter

RETRY_SECONDS: Final = 0.2
STILL_SECONDS: Final = 20.0
"""Time without an answer of Redis after which entries may have been trimmed before they were read."""


class Position(NamedTuple):
    """The id of an entry in its stream."""

    ms: int
    seq: int

    @classmethod
    def of(cls, id_: str) -> "Position":
        """Return the position of an entry's id. Raises ValueError."""
        ms, _, seq = id_.partition("-")
        return cls(int(ms), int(seq))


START: Final = Position(0, 0)
Handle = Callable[[Sequence[Entry]], None]


class FeedTail:
    """The newest entries of all shards, and a reader that follows them.

    Args:
        redis: the client for commands that wait.
        shards: names of all shards.
    """

    def __init__(self, redis: Redis, shards: Sequence[str]) -> None:
        self._redis = redis
        self._shards = {keys.feed_key(shard).encode(): shard for shard in shards}
        self._entries: dict[str, deque[tuple[Position, Entry]]] = {}
        self._kept_from: dict[str, Position] = {}
        self._moved: asyncio.Future[None] | None = None
        """Done when the tail has read more; None if nobody waits for it."""
        self._read_at = 0.0
        """Monotonic time of the last answer of Redis."""
        self.positions: dict[str, Position] = {}
        """Shard -> the last entry that was read. Empty while the tail is not followed."""
        self.caught_up = asyncio.Event()
        """Set while the entries that were in the streams at the start have been read."""

    async def follow(self, handle: Handle, lost: Callable[[], None]) -> None:
        """Read all entries and pass them on, until cancelled.

        Args:
            handle: gets the entries of each read that is made after the tail has caught up, in the order of each shard.
            lost: called when reading continues after an error, because Redis may have lost entries that were read.
        """
        failed = False
        try:
            while True:
                try:
                    if not self.caught_up.is_set():
                        await self._catch_up()
                    # A process that stood still may have missed entries that were trimmed meanwhile.
                    failed = failed or time.monotonic() - self._read_at > STILL_SECONDS
                    before = dict(self.positions) if failed else {}
                    entries = await self._read(BLOCK_MS)
                    if failed:
                        await self._note_trimmed(before)
                except (*REDIS_GONE, RedisError) as problem:
                    logger.debug("the feed is not read: {}", type(problem).__name__)
                    failed = True
                    await asyncio.sleep(jitter(RETRY_SECONDS))
                    continue
                if entries:
                    handle(entries)
                if failed:
                    failed = False
                    lost()
        finally:
            self._forget()

    async def last(self, shard: str) -> Position:
        """Return the position of the newest entry of a shard, as Redis has it. Raises redis-py's errors."""
        found: Any = await self._redis.xrevrange(keys.feed_key(shard), count=1)
        return Position.of(found[0][0].decode()) if found else START

    async def reached(self, shard: str, position: Position) -> None:
        """Wait until the tail has read a shard up to a position."""
        while self.positions.get(shard, START) < position:
            if self._moved is None:
                self._moved = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._moved)

    def covers(self, shard: str, position: Position) -> bool:
        """Return whether memory has every entry of a shard after a position."""
        return position >= self._kept_from.get(shard, START)

    def since(self, shard: str, position: Position) -> list[Entry]:
        """Return the entries of a shard after a position, as far as memory has them."""
        found = []
        for at, entry in reversed(self._entries.get(shard, ())):
            if at <= position:
                break
            found.append(entry)
        return found[::-1]

    def of_game(self, game_id: str, version: int) -> list[Entry]:
        """Return the entries of a game that begin after a version, as far as memory has them."""
        found = []
        for _, entry in reversed(self._entries.get(keys.shard_of_game(game_id), ())):
            if entry.game_id == game_id:
                if entry.first_version <= version:
                    break
                found.append(entry)
        return found[::-1]

    # -- reading ------------------------------------------------------------------------------------------------

    async def _catch_up(self) -> None:
        """Read all entries that the streams have."""
        # Begin behind the trimmed entries. Their last one counts as read, so that a client which has it is up to date.
        self._kept_from = await self._trimmed()
        self._entries = {shard: deque() for shard in self._shards.values()}
        self.positions = dict(self._kept_from)
        while len(await self._read(1)) >= BATCH:
            pass
        await self._note_trimmed(dict.fromkeys(self.positions, START))
        self.caught_up.set()

    async def _trimmed(self) -> dict[str, Position]:
        """Return the position up to which each shard has been trimmed."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards.values():
                pipe.get(keys.kept_from_key(shard))
            kept: list[bytes | None] = await pipe.execute()
        # The record is the first id that was kept.
        return {
            shard: START if id_ is None else _before(Position.of(id_.decode()))
            for shard, id_ in zip(self._shards.values(), kept, strict=True)
        }

    async def _note_trimmed(self, before: Mapping[str, Position]) -> None:
        """Note the shards that were trimmed beyond these positions, from which a read began: entries may be missing."""
        for shard, position in (await self._trimmed()).items():
            if position > before[shard]:
                self._kept_from[shard] = max(self._kept_from[shard], position)

    async def _read(self, block_ms: int) -> list[Entry]:
        """Read the next entries, in the order of each shard; empty if none arrives in time."""
        positions: dict[Any, Any] = {key: "{}-{}".format(*self.positions[shard]) for key, shard in self._shards.items()}
        answer: Any = await self._redis.xread(positions, count=BATCH, block=block_ms)
        self._read_at = time.monotonic()
        entries = [entry for key, rows in answer for entry in self._parsed(self._shards[key], rows)]
        if self._moved is not None and answer:
            self._moved.set_result(None)
            self._moved = None
        return entries

    def _parsed(self, shard: str, rows: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> Iterator[Entry]:
        kept = self._entries[shard]
        for id_, fields in rows:
            position = self.positions[shard] = Position.of(id_.decode())
            try:
                entry = entry_of(id_.decode(), shard, fields)
            except (KeyError, ValueError):
                continue  # the consumer groups report it
            kept.append((position, entry))
            if len(kept) > KEEP_ENTRIES:
                self._kept_from[shard] = kept.popleft()[0]
            yield entry

    def _forget(self) -> None:
        self.positions = {}
        self._entries.clear()
        self.caught_up.clear()


def _before(position: Position) -> Position:
    return Position(position.ms, position.seq - 1) if position.seq else Position(position.ms - 1, 2**63)
