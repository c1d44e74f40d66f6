"""The feed: the events of all games, read by groups of consumers, at least once and in order within each shard.

The commit script writes one stream for each shard. A lease gives each group one reader at a time for its shards. The
group's position in each stream advances after entries have been handled. A reader that dies leaves the position where
it was; the next reader continues there and may repeat the entries that the dead one was handling. Handlers are
idempotent on `(game_id, version)`.

The position is stored in a consumer group of Redis; its lists of pending entries are not used. With one reader, in
order, they add nothing to the position, and they cost Redis two writes for each entry and group.

If a store is away, the reader waits. An entry that can't be handled is set aside in a bounded stream; if that is full,
the group stops: nothing is dropped.
"""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import asyncpg
import msgspec
from loguru import logger
from redis.asyncio import Redis
from redis.exceptions import DataError as RedisDataError
from redis.exceptions import RedisError

from fsm.engine import Unavailable
from fsm.kind import Instant
from storage import keys
from storage.connections import POSTGRES_AGAIN
from storage.leases import Bell, Lease, LeaseLostError, jitter
from storage.scripts import script
from storage.ticks import next_tick

BATCH = 256
"""Maximum number of entries of one shard that are handled together."""
BLOCK_MS = 2500
"""Longest wait of one read for new entries; shorter than the client's own timeout."""
GATHER_SECONDS = 0.1
"""Longest time for which a reader lets entries gather while they flow."""
FLOWING = 10
"""Number of reads, each answered within `GATHER_SECONDS`, after which the entries are said to flow."""
TRIM_SECONDS = 5.0
KEEP_MS = 60_000
"""Time for which handled entries stay in the stream: PostgreSQL can be given again the events that it lost."""
KEEP_ENTRIES = 5_000
"""Length of a shard's stream, about 2 MB, above which handled entries are trimmed at once."""
ABANDONED_MS = 7 * 86_400_000
"""Time after which an unread group is abandoned and no longer holds back the trimming."""
TRIES = 5
"""Tries of an entry that fails by itself before it is set aside."""
FIRST_DELAY, LONGEST_DELAY = 0.05, 2.0
"""Shortest and longest delay between two tries, in seconds; it doubles each time."""
PATIENCE_SECONDS = 10.0
"""Time that a reader waits for a store, in seconds. Then another process may try: perhaps only this one is cut off."""
ASIDE_LIMIT = 1000
"""Maximum number of entries that a group may have set aside in a shard."""
ASIDE_TTL_MS = 30 * 86_400_000
LAG_LIMIT = 1000
"""Limit up to which the waiting entries of a shard are counted."""

_POSITION = script("storage", "feed_position")
_TRIM = script("storage", "feed_trim", KEEP_ENTRIES=KEEP_ENTRIES)
_LAG = script("storage", "feed_lag")


@dataclass(frozen=True, slots=True)
class Entry:
    """The events that one commit added to a game."""

    id: str
    """Id in the stream; empty if the entry did not come from a stream."""
    shard: str
    game_id: str
    first_version: int
    """The version of its first event."""
    kind: str
    phase: str
    """The game's phase after these events."""
    deadline: Instant | None
    """The phase's deadline after these events, or None."""
    records: bytes
    """The records as JSON, see `storage/codec.py`."""
    after: str = ""
    """Id of the game's last command before these events, if known."""

    @property
    def trace(self) -> str:
        """Return the trace id of the last command in it; empty if the records can't be read."""
        try:
            records = _read(self.records)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return ""
        return trace_of(records[-1].c) if records else ""

    @property
    def command_ids(self) -> list[str]:
        """Return the ids of all commands in it; empty if the records can't be read."""
        try:
            return [record.c for record in _read(self.records)]
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []


class _Record(msgspec.Struct):
    c: str


_read = msgspec.json.Decoder(list[_Record]).decode


def trace_of(command_id: str) -> str:
    """Return the trace id of a command: eight hex digits, computed from its id, so that all layers agree on it."""
    return f"{zlib.crc32(command_id.encode()):08x}"


class Lag(NamedTuple):
    """A group's unread entries: their number, at most `LAG_LIMIT` for each shard, and the age of the oldest."""

    entries: int
    ms: int


class Unprocessable(Exception):
    """A handler's verdict that retrying this entry is useless: it is set aside at once."""


class Rewind(Exception):
    """A handler's report that its store has lost handled entries: these shards must be read again after these ids."""

    def __init__(self, positions: Mapping[str, str]) -> None:
        super().__init__(f"to be read again: {dict(positions)}")
        self.positions = positions


class Flow:
    """Decides when a reader lets entries gather: a read of many entries costs little more than a read of one.

    It never does after a pause: the first events after a quiet moment, such as the tap of a lone player, are read at
    once.
    """

    def __init__(self) -> None:
        self._quick = 0

    def pause(self, waited: float, entries: int) -> float:
        """Return the seconds for which entries may gather after a read, which waited for its entries."""
        self._quick = self._quick + 1 if waited < GATHER_SECONDS else 0
        return GATHER_SECONDS if self._quick >= FLOWING and entries < BATCH else 0.0


Check = Callable[[Mapping[str, str], bool], Awaitable[object]]
"""A function that gets the id of the last handled entry by shard, and True if this process has just begun to read.

Raises `Rewind`.
"""
Handle = Callable[[Sequence[Entry]], Awaitable[object]]


class Feed:
    """A group of consumers of some shards.

    To divide a group's work, divide its shards among several instances: each has a lease of its own.

    Args:
        redis: client of the streams; one of its connections waits for new entries.
        shards: names of the shards to read.
        group: name of the group, e.g. `projector`.
        owner: unique name of this process.
        released: bell on released leases: with it another process takes over at once after a stop.
        renewed: called when the group had to be created: Redis is new, or was lost.
        begun: called each time that this process becomes the group's reader, before it reads.
        check: called when this process begins to read, and every few seconds, to find entries to be read again.
        caught_up: called when all entries have been read for the first time, and after some were read again.
    """

    def __init__(  # noqa: PLR0913 -- hooks, each by its name
        self,
        redis: Redis,
        shards: Sequence[str],
        group: str,
        *,
        owner: str,
        released: Bell | None = None,
        renewed: Callable[[], Awaitable[object]] | None = None,
        begun: Callable[[], Awaitable[object]] | None = None,
        check: Check | None = None,
        caught_up: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self.group = group
        self.handled = 0
        """Entries that this process has handled or set aside."""
        self.set_aside = 0
        """Entries that this process has set aside."""
        self._redis = redis
        self._shards = {keys.feed_key(shard).encode(): shard for shard in shards}
        self._lease = Lease(redis, f"{{feed:{group}}}:{shards[0]}", owner, released=released)
        self._renewed = renewed
        self._begun = begun
        self._check = check
        self._caught_up = caught_up
        self._positions: dict[bytes, bytes] = {}
        """Id of the last handled entry, by stream."""

    @property
    def reading(self) -> bool:
        """Return True if this process is the group's reader."""
        return self._lease.held

    async def run(self, handle: Handle) -> None:
        """Read and handle while this process holds the lease, and stand by while another does; until cancelled.

        Retries while a store is away; any other exception propagates.
        """
        await self._lease.run(lambda _: self._consume(handle))

    async def lag(self) -> Lag:
        """Return the group's lag over all its shards. Raises redis-py's errors."""
        found = await self._in_each_shard(_LAG, lambda _: [self.group, LAG_LIMIT])
        return Lag(sum(count for count, _ in found), max(age for _, age in found))

    async def aside(self) -> int:
        """Return the number of entries set aside over all its shards. Raises redis-py's errors."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in self._shards.values():
                pipe.xlen(keys.aside_key(shard, self.group))
            return sum(await pipe.execute())

    async def trim(self, *, keep_ms: int = KEEP_MS) -> int:
        """Delete the entries that every group has handled and that are older than `keep_ms`. Returns their number.

        Raises redis-py's errors.
        """
        found = await self._in_each_shard(
            _TRIM,
            lambda shard: [
                *(keys.reader_key(shard, ""), self.group, ABANDONED_MS, keep_ms),
                *(keys.kept_from_key(shard), ABANDONED_MS),
            ],
        )
        return sum(int(count) for count in found)

    async def _in_each_shard(self, script: str, arguments: Callable[[str], list[str | int]]) -> list[Any]:
        """Run a script on each shard's stream, in one round trip. Returns the results. Raises redis-py's errors."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key, shard in self._shards.items():
                pipe.eval(script, 1, key, *arguments(shard))
            found: list[Any] = await pipe.execute()
        return found

    # -- reading ------------------------------------------------------------------------------------------------

    async def _consume(self, handle: Handle) -> None:
        await self._join()
        if (begun := self._begun) is not None:
            await self._insist_on(begun)
        trim_at, first, caught_up, flow = time.monotonic(), True, False, Flow()
        while True:
            try:
                if time.monotonic() >= trim_at:
                    await self._ask(first=first)
                    await self.trim()
                    trim_at, first = time.monotonic() + jitter(TRIM_SECONDS), False
                asked = time.monotonic()
                entries = await self._read()
                if entries:
                    pause = flow.pause(time.monotonic() - asked, len(entries))
                    await self._deliver(handle, entries)
                    if pause:
                        await next_tick(pause)  # one wake-up for all groups of this process
                else:
                    await self._join()  # Redis may have come back without its groups
                    if not caught_up and self._caught_up is not None:
                        await self._insist_on(self._caught_up)
                    caught_up = True
            except Rewind as lost:
                await self._rewind(lost.positions)
                first = caught_up = False

    async def _ask(self, *, first: bool) -> None:
        """Call the check. Raises `Rewind` if entries must be read again."""
        if (check := self._check) is not None:
            positions = {self._shards[key]: position.decode() for key, position in self._positions.items()}
            await self._insist_on(lambda: check(positions, first))

    async def _insist_on(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do work that needs a store, waiting for the store.

        Raises the work's own error, `Rewind`, or `LeaseLostError`.
        """
        problem = await self._try(lambda _: work(), ())
        if problem is not None:
            raise problem

    async def _rewind(self, positions: Mapping[str, str]) -> None:
        """Move the positions of these shards back, as far as the stream still has their entries."""
        for shard, id_ in positions.items():
            key, position = keys.feed_key(shard).encode(), (id_ or "0-0").encode()
            await self._redis.xgroup_setid(key, self.group, position)
            self._positions[key] = position

    async def _join(self) -> None:
        """Load the group's positions. A group without one begins with the first entry that the stream still has."""
        made = False
        positions = await self._in_each_shard(_POSITION, lambda _: [self.group])
        for key, position in zip(self._shards, positions, strict=True):
            if not position:
                made = True
                await self._redis.xgroup_create(key, self.group, "0", mkstream=True)
            self._positions[key] = position or b"0-0"
        if made and (renewed := self._renewed) is not None:
            await self._insist_on(renewed)

    async def _read(self) -> list[Entry]:
        """Return the next entries of all shards, in order within each; empty if none arrives within `BLOCK_MS`."""
        positions: dict[Any, Any] = {**self._positions}
        answer: Any = await self._redis.xread(positions, count=BATCH, block=BLOCK_MS)
        return [entry for key, rows in answer for entry in await self._parsed(key, rows)]

    async def _parsed(self, key: bytes, rows: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
        """Return the entries before the first malformed row; set malformed rows at the front aside."""
        shard, entries = self._shards[key], list[Entry]()
        for id_, fields in rows:
            try:
                entries.append(entry_of(id_.decode(), shard, fields))
            except (KeyError, ValueError) as problem:
                if entries:
                    break  # the next read finds it at the front, when these entries have been handled
                logger.error("{} of shard {} is not an entry of the feed: {!r}", id_, shard, problem)
                await self._keep(shard, id_.decode(), fields, problem)
                await self._redis.xgroup_setid(key, self.group, id_)
                self._positions[key] = id_
        return entries

    async def _deliver(self, handle: Handle, entries: Sequence[Entry]) -> None:
        """Handle all entries and advance the position; isolate a failing entry by halving, which keeps the order."""
        problem = await self._try(handle, entries)
        if problem is None:
            # Only after handling: a crash in between repeats the entries, and handlers are idempotent.
            await self._move_on(entries)
        elif len(entries) > 1:
            await self._deliver(handle, entries[: len(entries) // 2])
            await self._deliver(handle, entries[len(entries) // 2 :])
        else:
            await self._insist(handle, entries[0], problem)

    async def _try(self, handle: Handle, entries: Sequence[Entry]) -> Exception | None:
        """Handle entries, waiting for stores that are away. Returns the error if it is the entries' own, else None.

        Raises `LeaseLostError` if a store stays away: then another process may try.
        """
        delay, given_up = FIRST_DELAY, time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                await handle(entries)
            except Rewind:
                raise
            except Exception as problem:  # noqa: BLE001 - classified here, never swallowed
                if not _stores_fault(problem):
                    return problem
                logger.warning("group {} waits for a store: {}: {}", self.group, type(problem).__name__, problem)
            else:
                return None
            if time.monotonic() > given_up:
                raise LeaseLostError
            await asyncio.sleep(jitter(delay))
            delay = min(2 * delay, LONGEST_DELAY)

    async def _insist(self, handle: Handle, entry: Entry, problem: Exception) -> None:
        """Retry an entry that fails by itself a few times, then set it aside. If there is no room, keep retrying."""
        delay, tries = FIRST_DELAY, 1
        while not ((isinstance(problem, Unprocessable) or tries >= TRIES) and await self._give_up(entry, problem)):
            logger.opt(exception=problem).warning("group {} can't handle {} yet", self.group, entry.id)
            await asyncio.sleep(jitter(delay))
            delay, tries = min(2 * delay, LONGEST_DELAY), tries + 1
            again = await self._try(handle, [entry])
            if again is None:
                await self._move_on([entry])
                return
            problem = again

    async def _move_on(self, entries: Sequence[Entry]) -> None:
        """Record that these entries, and all before them, are handled."""
        last = {keys.feed_key(entry.shard).encode(): entry.id.encode() for entry in entries}
        async with self._redis.pipeline(transaction=False) as pipe:
            for key, id_ in last.items():
                pipe.xgroup_setid(key, self.group, id_)
            await pipe.execute()
        self._positions |= last
        self.handled += len(entries)

    # -- entries that fail --------------------------------------------------------------------------------------

    async def _give_up(self, entry: Entry, problem: Exception) -> bool:
        """Set an entry aside. Returns False if there is no room: then the group must stop."""
        about = logger.bind(game=entry.game_id).opt(exception=problem)
        if await self._redis.xlen(keys.aside_key(entry.shard, self.group)) >= ASIDE_LIMIT:
            about.critical("group {} stands still: too many entries of shard {} are set aside", self.group, entry.shard)
            return False
        about.error("group {} sets {} of shard {} aside", self.group, entry.id, entry.shard)
        found: Any = await self._redis.xrange(keys.feed_key(entry.shard), entry.id, entry.id)
        await self._keep(entry.shard, entry.id, found[0][1] if found else {b"g": entry.game_id.encode()}, problem)
        await self._move_on([entry])
        return True

    async def _keep(self, shard: str, id_: str, fields: Mapping[bytes, bytes], problem: Exception) -> None:
        """Store a row of the feed in the set-aside stream, for a person to inspect."""
        key = keys.aside_key(shard, self.group)
        kept: Any = await self._redis.xrevrange(key, count=ASIDE_LIMIT)
        if any(row[b"id"] == id_.encode() for _, row in kept):
            return  # the entry was read again and is there already
        row: dict[Any, Any] = {**fields, b"id": id_, b"error": f"{type(problem).__name__}: {problem}"[:1000]}
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(key, row, maxlen=2 * ASIDE_LIMIT)
            pipe.pexpire(key, ASIDE_TTL_MS)
            await pipe.execute()
        self.set_aside += 1


def entry_of(id_: str, shard: str, fields: Mapping[bytes, bytes]) -> Entry:
    """Parse an entry. Raises KeyError, ValueError or TypeError if the fields are not those of an entry."""
    deadline = fields[b"d"]
    return Entry(
        id_,
        shard,
        fields[b"g"].decode(),
        int(fields[b"v"]) + 1,
        fields[b"k"].decode(),
        fields[b"p"].decode(),
        int(deadline) if deadline else None,
        fields[b"r"],
    )


def _stores_fault(problem: Exception) -> bool:
    """Return True if the error means that a store is away, full or refusing, rather than that the entry is bad."""
    if isinstance(problem, asyncpg.PostgresError):
        return str(problem.sqlstate)[:2] not in {"22", "23"}  # bad data, broken constraint
    if isinstance(problem, (ValueError, RedisDataError)):  # asyncpg's and redis-py's own refusals of a parameter
        return False
    return isinstance(problem, (*POSTGRES_AGAIN, RedisError, Unavailable))
