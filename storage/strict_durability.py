"""Strict durability: a command is acknowledged only when both Redis and PostgreSQL have it.

A commit to Redis is written to PostgreSQL at once, by the projector's own code; the projector finds it there when it
reads the feed later. If earlier events of another process are still on their way, that game waits for them, and no
other game does. A command whose confirmation comes too late is not acknowledged, though it may take effect: sent again,
it is recognized as a duplicate, and the duplicate too is acknowledged only when PostgreSQL has it.

A game that Redis lacks is looked up in PostgreSQL and restored, before anybody is told that there is no such game.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from loguru import logger
from redis.exceptions import RedisError

from fsm.engine import Commit, CommitResult, Committed, GameStore, Record, Stored, Unavailable
from storage import keys
from storage.codec import Codec
from storage.connections import POSTGRES_AGAIN
from storage.feed import Entry
from storage.leases import jitter
from storage.projector import Projector
from storage.rebuild import AWAY

CONFIRM_SECONDS = 5.0
FIRST_DELAY, LONGEST_DELAY = 0.005, 0.25
WRITERS = 2
"""Maximum number of connections that confirm at once. Commits that arrive meanwhile are confirmed together."""
BATCH = 512
REMEMBERED = 20_000

Spawn = Callable[[str, Coroutine[Any, Any, None]], Any]
"""A function that runs a named coroutine in an owned task. Raises `RuntimeError` if the process is stopping."""


@dataclass(slots=True)
class _Waiting:
    """A commit that PostgreSQL has not confirmed yet."""

    commit: Commit
    entry: Entry
    result: "asyncio.Future[Committed]"
    delay: float = FIRST_DELAY
    """Delay before the next try, in seconds, if earlier events of the game are still on their way."""
    given_up: asyncio.TimerHandle | None = None

    def tell(self, result: Committed) -> None:
        """Deliver the outcome, unless the commit has timed out."""
        if self.given_up is not None:
            self.given_up.cancel()
        if not self.result.done():
            self.result.set_result(result)


class StrictGames:
    """A `GameStore` in front of another, which acknowledges a commit of that store when PostgreSQL has it too.

    Args:
        store: the live games in Redis.
        projector: writes commits to PostgreSQL.
        codec: encodes them for the projector.
        spawn: runs a named coroutine in an owned task.
        put_back: restores a game from PostgreSQL over any version in Redis.
        restore_missing: restores a live game that Redis lacks; returns False if PostgreSQL has no such game.
    """

    def __init__(
        self,
        store: GameStore,
        projector: Projector,
        codec: Codec,
        spawn: Spawn,
        put_back: Callable[[str], Awaitable[object]] | None = None,
        restore_missing: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self._store = store
        self._projector = projector
        self._codec = codec
        self._spawn = spawn
        self._put_back = put_back
        self._restore_missing = restore_missing
        self._waiting: deque[_Waiting] = deque()
        self._writers = 0
        self._confirmed: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """Incarnation and version that PostgreSQL is known to have, by game."""

    async def load(self, game_id: str) -> Stored | None:
        """Return a game, or None if neither store has it as a live one. Raises `Unavailable` and `UnreadableGame`."""
        stored = await self._store.load(game_id)
        # Asked only about a game that Redis lacks: one to be opened, one that is over, or one that a failover has lost.
        if stored is None and await self._restored(game_id):
            stored = await self._store.load(game_id)
            if stored is None:  # lost again
                raise Unavailable("a game in PostgreSQL is missing from Redis")
        return stored

    async def _restored(self, game_id: str) -> bool:
        """Restore a game that Redis lacks, if it is live in PostgreSQL. Raises `Unavailable` and `UnreadableGame`."""
        if self._restore_missing is None or not keys.is_game_id(game_id):
            return False
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                return await self._restore_missing(game_id)
        except (*AWAY, RedisError) as problem:  # includes TimeoutError
            raise Unavailable(f"cannot tell whether PostgreSQL has the game: {type(problem).__name__}") from problem

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records after a known state, confirmed or not. Raises `Unavailable`."""
        return await self._store.records_since(game_id, known)

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Commit. A commit that PostgreSQL does not confirm in time ends as `Unavailable`."""
        results, loop = list(await self._store.commit(commits)), asyncio.get_running_loop()
        for index, commit in enumerate(commits):
            if results[index] is not CommitResult.COMMITTED:
                continue
            # A check of a version that PostgreSQL is known to have, such as a duplicate's, needs no confirmation.
            if not commit.records and self._confirmed.get(commit.game_id) == (commit.incarnation, commit.version):
                continue
            one = _Waiting(commit, self._entry(commit), loop.create_future())
            one.given_up = loop.call_later(
                CONFIRM_SECONDS, one.tell, Unavailable("PostgreSQL has not confirmed in time")
            )
            results[index] = one.result
            self._put(one)
        return results

    def _put(self, one: _Waiting) -> None:
        """Queue a commit for confirmation together with the others that wait."""
        self._waiting.append(one)
        if self._writers < WRITERS:
            self._writers += 1
            try:
                self._spawn("confirmations", self._confirm())
            except RuntimeError:
                self._writers -= 1
                self._give_up()

    async def _confirm(self) -> None:
        """Write queued commits to PostgreSQL until the queue is empty."""
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                batch = sorted((one for one in batch if not one.result.done()), key=lambda one: one.commit.game_id)
                for one in await self._write(batch) if batch else ():
                    asyncio.get_running_loop().call_later(jitter(one.delay), self._put, one)
                    one.delay = min(2 * one.delay, LONGEST_DELAY)
        except asyncio.CancelledError:
            self._waiting.extend(batch)  # nobody may be left waiting for an outcome
            self._give_up()
            raise
        finally:
            self._writers -= 1

    async def _write(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Try to confirm a batch once. Returns the commits to try again."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                left = await self._projector.write([one.entry for one in batch], gaps=False)
        except POSTGRES_AGAIN as problem:  # includes TimeoutError
            logger.warning("strict durability: repeating a write to PostgreSQL: {}", type(problem).__name__)
            return batch
        except Exception:  # noqa: BLE001 - committed in Redis, so the projector deals with it; nobody is told "done"
            if len(batch) > 1:  # one game's error must not fail its neighbours
                return [each for one in batch for each in await self._write([one])]
            logger.exception("strict durability: PostgreSQL refused a commit")
            await self._put_right(batch[0].commit.game_id)
            batch[0].tell(Unavailable("PostgreSQL refused"))
            return []
        for one in batch:
            if one.commit.game_id not in left:
                self._remember(one.commit)
                one.tell(CommitResult.COMMITTED)
        return [one for one in batch if one.commit.game_id in left]

    async def _put_right(self, game_id: str) -> None:
        """Restore a game from PostgreSQL before any command is decided on the refused version."""
        if self._put_back is None:
            return
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._put_back(game_id)
        except (*POSTGRES_AGAIN, RedisError, Unavailable) as problem:
            logger.bind(game=game_id).error("strict durability: cannot restore the game: {}", type(problem).__name__)

    def forget(self) -> None:
        """Forget all confirmations: PostgreSQL has lost transactions."""
        self._confirmed.clear()

    def _give_up(self) -> None:
        """End all waiting commits as `Unavailable`, because the process is stopping."""
        while self._waiting:
            self._waiting.popleft().tell(Unavailable("the process is stopping"))

    def _entry(self, commit: Commit) -> Entry:
        """Return the feed's entry for a commit. For a mere comparison it holds no events, only the last command id."""
        state = commit.state
        first = commit.expected + 1
        records = self._codec.encode_records(commit.kind, commit.records)
        shard = keys.shard_of_game(commit.game_id)
        after = next(reversed(commit.seen), "") if isinstance(commit.seen, dict) else ""
        return Entry("", shard, commit.game_id, first, commit.kind.name, state.phase, state.deadline, records, after)

    def _remember(self, commit: Commit) -> None:
        self._confirmed[commit.game_id] = commit.incarnation, commit.version
        self._confirmed.move_to_end(commit.game_id)
        if len(self._confirmed) > REMEMBERED:
            self._confirmed.popitem(last=False)
