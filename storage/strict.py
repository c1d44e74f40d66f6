"""Strict durability: a command is acknowledged only when PostgreSQL has it as well as Redis.

What Redis has committed is written to PostgreSQL at once, by the projector's own code; when the projector reads it in
the feed later it finds it there. Where another process's earlier events are still on their way, this one waits for
them, and no other game does. A command whose confirmation did not come in time is not acknowledged, though it may have
happened: sent again, it is found to be a duplicate, and that too is answered only when PostgreSQL has it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from loguru import logger

from fsm.engine import Commit, CommitResult, Committed, GameStore, Stored, Unavailable
from storage import keys
from storage.codec import Codec
from storage.connections import POSTGRES_AGAIN
from storage.feed import Entry
from storage.leases import jitter
from storage.projector import Projector

CONFIRM_SECONDS = 5.0
FIRST_DELAY, LONGEST_DELAY = 0.005, 0.25
REMEMBERED = 20_000


Spawn = Callable[[str, Coroutine[Any, Any, None]], Any]
"""Runs something by that name in a task that somebody owns. Raises `RuntimeError` where the process is stopping."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A commit that PostgreSQL is still to confirm."""

    commit: Commit
    entry: Entry
    result: "asyncio.Future[Committed]"


class StrictGames:
    """A `GameStore` in front of another, which acknowledges when PostgreSQL has what that one committed."""

    def __init__(self, store: GameStore, projector: Projector, codec: Codec, spawn: Spawn) -> None:
        self._store = store
        self._projector = projector
        self._codec = codec
        self._spawn = spawn
        self._confirmed: OrderedDict[str, int] = OrderedDict()
        """Game -> a version that PostgreSQL is known to have."""

    async def load(self, game_id: str) -> Stored | None:
        """The game, or None. Raises `Unavailable`."""
        return await self._store.load(game_id)

    async def commit(self, commits: Sequence[Commit]) -> "Sequence[Committed | asyncio.Future[Committed]]":
        """Commit. What PostgreSQL is to confirm is `Unavailable` where it has not in time."""
        results, waiting = list(await self._store.commit(commits)), list[_Waiting]()
        for index, commit in enumerate(commits):
            if results[index] is not CommitResult.COMMITTED:
                continue
            if self._confirmed.get(commit.game_id, 0) >= commit.version:
                self._remember(commit)
                continue
            late: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
            results[index] = late
            waiting.append(_Waiting(commit, self._entry(commit), late))
        if waiting:
            try:
                self._spawn("confirmation", self._confirm(sorted(waiting, key=lambda one: one.commit.game_id)))
            except RuntimeError:
                self._tell(waiting, Unavailable("the process is stopping"))
        return results

    async def _confirm(self, waiting: list[_Waiting]) -> None:
        """Write commits to PostgreSQL, and tell each when it is there, or when it is not known to be there in time."""
        delay = FIRST_DELAY
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                while waiting:
                    waiting = await self._write(waiting)
                    if waiting:
                        await asyncio.sleep(jitter(delay))
                        delay = min(2 * delay, LONGEST_DELAY)
        except TimeoutError:
            pass
        finally:
            self._tell(waiting, Unavailable("PostgreSQL has not confirmed in time"))

    async def _write(self, waiting: list[_Waiting]) -> list[_Waiting]:
        """Try once. Returns those that PostgreSQL has not yet."""
        try:
            left = await self._projector.write([one.entry for one in waiting], gaps=False)
        except POSTGRES_AGAIN as problem:
            logger.warning("strict: PostgreSQL is asked again: {}", type(problem).__name__)
            return waiting
        except Exception:  # noqa: BLE001 - Redis has committed: the projector deals with it, and nobody is told "done"
            if len(waiting) > 1:  # one game's trouble is not its neighbours'
                return [each for one in waiting for each in await self._write([one])]
            logger.exception("strict: PostgreSQL refused")
            self._tell(waiting, Unavailable("PostgreSQL refused"))
            return []
        for one in waiting:
            if one.commit.game_id not in left:
                self._remember(one.commit)
                one.result.set_result(CommitResult.COMMITTED)
        return [one for one in waiting if one.commit.game_id in left]

    def _tell(self, waiting: Iterable[_Waiting], result: Committed) -> None:
        for one in waiting:
            one.result.set_result(result)

    def _entry(self, commit: Commit) -> Entry:
        """What the feed gets of this commit; where it only compares, an entry of no events after what it compared."""
        state = commit.state
        first = commit.expected + 1
        records = self._codec.encode_records(commit.kind, commit.records)
        shard = keys.shard_of_game(commit.game_id)
        return Entry("", shard, commit.game_id, first, commit.kind.name, state.phase, state.deadline, records)

    def _remember(self, commit: Commit) -> None:
        self._confirmed[commit.game_id] = commit.version
        self._confirmed.move_to_end(commit.game_id)
        if len(self._confirmed) > REMEMBERED:
            self._confirmed.popitem(last=False)
