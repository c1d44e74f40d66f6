"""Strict durability: a command is acknowledged only when PostgreSQL has it as well as Redis.

A commit to Redis is written to PostgreSQL at once, by the projector's own code; when the projector reads it in
the feed later it finds it there. Where another process's earlier events are still on their way, this one waits for
them, and no other game does. A command whose confirmation did not come in time is not acknowledged, though it may have
happened: sent again, it is found to be a duplicate, and that too is answered only when PostgreSQL has it.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from loguru import logger
from redis.exceptions import RedisError

from fsm.engine import Commit, CommitResult, Committed, GameStore, Stored, Unavailable
from storage import keys
from storage.codec import Codec
from storage.connections import POSTGRES_AGAIN
from storage.feed import Entry
from storage.leases import jitter
from storage.projector import Projector

CONFIRM_SECONDS = 5.0
FIRST_DELAY, LONGEST_DELAY = 0.005, 0.25
WRITERS = 2
"""Most connections that confirm at once; commits that come meanwhile are confirmed together."""
BATCH = 512
REMEMBERED = 20_000

Spawn = Callable[[str, Coroutine[Any, Any, None]], Any]
"""Runs something by that name in a task that somebody owns. Raises `RuntimeError` where the process is stopping."""


@dataclass(slots=True)
class _Waiting:
    """A commit that PostgreSQL is still to confirm."""

    commit: Commit
    entry: Entry
    result: "asyncio.Future[Committed]"
    delay: float = FIRST_DELAY
    """Until it is tried again, where events of the game before it are still on their way."""
    given_up: asyncio.TimerHandle | None = None

    def tell(self, result: Committed) -> None:
        """Deliver the outcome, unless it was given up."""
        if self.given_up is not None:
            self.given_up.cancel()
        if not self.result.done():
            self.result.set_result(result)


class StrictGames:
    """A `GameStore` in front of another, which acknowledges when PostgreSQL has what that one committed."""

    def __init__(
        self,
        store: GameStore,
        projector: Projector,
        codec: Codec,
        spawn: Spawn,
        put_back: Callable[[str], Awaitable[object]] | None = None,
    ) -> None:
        self._store = store
        self._projector = projector
        self._codec = codec
        self._spawn = spawn
        self._put_back = put_back
        self._waiting: deque[_Waiting] = deque()
        self._writers = 0
        self._confirmed: OrderedDict[str, tuple[str, int]] = OrderedDict()
        """Game -> incarnation and version that PostgreSQL is known to have."""

    async def load(self, game_id: str) -> Stored | None:
        """The game, or None. Raises `Unavailable`."""
        return await self._store.load(game_id)

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Commit. A commit that PostgreSQL does not confirm in time ends as `Unavailable`."""
        results, loop = list(await self._store.commit(commits)), asyncio.get_running_loop()
        for index, commit in enumerate(commits):
            if results[index] is not CommitResult.COMMITTED:
                continue
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
        """Have it confirmed together with the others that wait."""
        self._waiting.append(one)
        if self._writers < WRITERS:
            self._writers += 1
            try:
                self._spawn("confirmations", self._confirm())
            except RuntimeError:
                self._writers -= 1
                self._give_up()

    async def _confirm(self) -> None:
        """Write what waits to PostgreSQL until nothing does."""
        batch: list[_Waiting] = []
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                batch = sorted((one for one in batch if not one.result.done()), key=lambda one: one.commit.game_id)
                for one in await self._write(batch) if batch else ():
                    asyncio.get_running_loop().call_later(jitter(one.delay), self._put, one)
                    one.delay = min(2 * one.delay, LONGEST_DELAY)
        except asyncio.CancelledError:
            self._waiting.extend(batch)
            self._give_up()
            raise
        finally:
            self._writers -= 1

    async def _write(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Try once. Returns those that PostgreSQL has not yet."""
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                left = await self._projector.write([one.entry for one in batch], gaps=False)
        except POSTGRES_AGAIN as problem:  # TimeoutError is one of them
            logger.warning("strict: PostgreSQL is asked again: {}", type(problem).__name__)
            return batch
        except Exception:  # noqa: BLE001 - Redis has committed: the projector deals with it, and nobody is told "done"
            if len(batch) > 1:  # one game's trouble is not its neighbours'
                return [each for one in batch for each in await self._write([one])]
            logger.exception("strict: PostgreSQL refused")
            await self._put_right(batch[0].commit.game_id)
            batch[0].tell(Unavailable("PostgreSQL refused"))
            return []
        for one in batch:
            if one.commit.game_id not in left:
                self._remember(one.commit)
                one.tell(CommitResult.COMMITTED)
        return [one for one in batch if one.commit.game_id in left]

    async def _put_right(self, game_id: str) -> None:
        """Put a game back as PostgreSQL has it, before any command is decided on the refused version."""
        if self._put_back is None:
            return
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._put_back(game_id)
        except (*POSTGRES_AGAIN, RedisError, Unavailable) as problem:
            logger.bind(game=game_id).error("strict: not put back: {}", type(problem).__name__)

    def forget(self) -> None:
        """Take nothing for confirmed any more: PostgreSQL has lost transactions."""
        self._confirmed.clear()

    def _give_up(self) -> None:
        """The process is stopping: nothing that waits is confirmed any more."""
        while self._waiting:
            self._waiting.popleft().tell(Unavailable("the process is stopping"))

    def _entry(self, commit: Commit) -> Entry:
        """What the feed gets of this commit; where it only compares, an entry of no events after what it compared."""
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
