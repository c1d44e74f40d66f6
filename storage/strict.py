"""Strict durability: a command is acknowledged only when PostgreSQL has it as well as Redis.

What Redis has committed is written to PostgreSQL at once, by the projector's own code; when the projector reads it in
the feed later it finds it there. Where another process's earlier events are still on their way, this one waits for
them. A command whose confirmation did not come in time is not acknowledged, though it may have happened: sent again,
it is found to be a duplicate, and that too is answered only when PostgreSQL has it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from loguru import logger

from fsm.engine import Commit, CommitResult, GameStore, Stored, Unavailable
from storage import keys
from storage.codec import Codec
from storage.connections import POSTGRES_AGAIN
from storage.feed import Entry
from storage.leases import jitter
from storage.projector import Projector

CONFIRM_SECONDS = 5.0
FIRST_DELAY, LONGEST_DELAY = 0.005, 0.25
REMEMBERED = 20_000


class StrictGames:
    """A `GameStore` in front of another, which acknowledges when PostgreSQL has what that one committed."""

    def __init__(self, store: GameStore, projector: Projector, codec: Codec) -> None:
        self._store = store
        self._projector = projector
        self._codec = codec
        self._confirmed: OrderedDict[str, int] = OrderedDict()
        """Game -> a version that PostgreSQL is known to have."""

    async def load(self, game_id: str) -> Stored | None:
        """The game, or None. Raises `Unavailable`."""
        return await self._store.load(game_id)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[CommitResult | Exception]:
        """Commit, then wait for PostgreSQL; `Unavailable` for those of which it is not known that it has them."""
        results = list(await self._store.commit(commits))
        waiting = {
            commit.game_id: self._entry(commit)
            for commit, result in zip(commits, results, strict=True)
            if result is CommitResult.COMMITTED and self._confirmed.get(commit.game_id, 0) < commit.version
        }
        unconfirmed = await self._confirm(waiting)
        for index, commit in enumerate(commits):
            if commit.game_id in unconfirmed:
                results[index] = Unavailable("PostgreSQL has not confirmed in time")
            elif results[index] is CommitResult.COMMITTED:
                self._remember(commit)
        return results

    async def _confirm(self, waiting: Mapping[str, Entry]) -> frozenset[str]:
        """Write entries to PostgreSQL. Returns the games of which it is not known in time that they are there."""
        left, delay = frozenset(waiting), FIRST_DELAY
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                while left:
                    try:
                        left = await self._projector.write([waiting[game_id] for game_id in sorted(left)], gaps=False)
                    except POSTGRES_AGAIN as problem:
                        logger.warning("strict: PostgreSQL is asked again: {}", type(problem).__name__)
                    if left:
                        await asyncio.sleep(jitter(delay))
                        delay = min(2 * delay, LONGEST_DELAY)
        except TimeoutError:
            pass
        except Exception:  # noqa: BLE001 - Redis has committed: the projector deals with it, and nobody is told "done"
            if len(left) > 1:  # one game's trouble is not its neighbours'
                return frozenset().union(*[await self._confirm({game_id: waiting[game_id]}) for game_id in left])
            logger.exception("strict: PostgreSQL refused")
        return left

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
