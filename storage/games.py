"""Live games in Redis: the engine's ``GameStore``, the index of deadlines, and who plays where.

One script commits a game: it compares the version and knows no rule of any game. What is written is a snapshot now and
then and the records since (the tail), so that a commit costs the same however large the game is.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from fsm.engine import Commit, CommitResult, Stored, Unavailable
from fsm.kind import Instant, Place
from storage import keys
from storage.codec import Codec

LIVE_TTL_MS = 3 * 86_400_000
"""A live game nobody touched for this long is gone; no deadline is further away than a day."""
SNAPSHOT_EVERY = 32
"""Events between two snapshots, at least; a large game writes them less often."""

COMMIT = """
local version = tonumber(redis.call('HGET', KEYS[1], 'v') or '0')
if version ~= tonumber(ARGV[1]) then return 'conflict' end
local records = ARGV[3]
if records == '' then return 'committed' end
local game_id, snapshot, ttl = ARGV[4], ARGV[5], ARGV[6]
local limit = tonumber(ARGV[9])
if limit > 0 then
  for _, member in ipairs(redis.call('SMEMBERS', KEYS[5])) do
    local here = string.sub(member, 1, 2) == string.sub(game_id, 1, 2)  -- a game whose chat migrated lives elsewhere
    if here and redis.call('EXISTS', ARGV[10] .. member) == 0 then redis.call('SREM', KEYS[5], member) end
  end
  if redis.call('SCARD', KEYS[5]) >= limit then return 'occupied' end
  redis.call('SADD', KEYS[5], game_id)
  redis.call('HSET', KEYS[1], 'k', ARGV[11])
end
if snapshot ~= '' then
  redis.call('HSET', KEYS[1], 'v', ARGV[2], 's', snapshot)
  redis.call('DEL', KEYS[2])
  redis.call('PEXPIRE', KEYS[5], ARGV[12])
else
  redis.call('HSET', KEYS[1], 'v', ARGV[2])
  redis.call('RPUSH', KEYS[2], records)
  redis.call('PEXPIRE', KEYS[2], ttl)
end
redis.call('PEXPIRE', KEYS[1], ttl)
if ARGV[8] == '' then
  redis.call('ZREM', KEYS[3], game_id)
elseif redis.call('ZADD', KEYS[3], 'CH', ARGV[8], game_id) == 1 then
  redis.call('PUBLISH', KEYS[3], game_id .. ' ' .. ARGV[8])
end
if ARGV[13] == '1' then redis.call('SREM', KEYS[5], game_id) end
redis.call('XADD', KEYS[4], '*', 'g', game_id, 'v', ARGV[1], 'k', ARGV[11], 'p', ARGV[7], 'd', ARGV[8], 'r', records)
return 'committed'
"""


class RedisGames:
    """The live games of all processes. ``shards`` is fixed for the life of a deployment."""

    def __init__(self, redis: Redis, codec: Codec, *, shards: int, keep_finished_ms: int = 86_400_000) -> None:
        self._redis = redis
        self._codec = codec
        self._keep_finished_ms = keep_finished_ms
        self._sha = ""
        self.shards = tuple(keys.shard_name(index) for index in range(shards))

    def _pipeline(self, *, atomic: bool = False) -> Any:
        return self._redis.pipeline(transaction=atomic)

    # -- the engine's port --------------------------------------------------------------------------------------

    async def load(self, game_id: str) -> Stored | None:
        """The game, or None. Raises ``Unavailable`` and ``UnreadableGame``."""
        if not keys.is_game_id(game_id):
            return None
        async with self._pipeline(atomic=True) as pipe:
            pipe.hmget(keys.game_key(game_id), "k", "v", "s")
            pipe.lrange(keys.tail_key(game_id), 0, -1)
            (kind_name, version, snapshot), tail = await _reached(pipe.execute())
        if kind_name is None or snapshot is None:
            return None
        kind = self._codec.kind(kind_name.decode())
        state, seen = self._codec.decode_snapshot(kind, snapshot)
        for raw in tail:
            for record in self._codec.decode_records(kind, raw):
                state = kind.fold(state, record.events)
                seen[record.command_id] = record.at
        return Stored(kind, state, int(version), seen)

    async def commit(self, commits: Sequence[Commit]) -> Sequence[CommitResult | Exception]:
        """Each commit for itself, all in one round trip. Raises ``Unavailable``: it is unknown what was written."""
        if not self._sha:
            self._sha = await _reached(self._redis.script_load(COMMIT))
        answers = await self._send(commits)
        if any(isinstance(answer, NoScriptError) for answer in answers):  # Redis was restarted empty
            self._sha = await _reached(self._redis.script_load(COMMIT))
            missing = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            again = await self._send([commits[index] for index in missing])
            for index, answer in zip(missing, again, strict=True):
                answers[index] = answer
        await self._leave_migrated(commits)
        return [_result(answer) for answer in answers]

    async def _leave_migrated(self, commits: Sequence[Commit]) -> None:
        """A game that ended in another chat than it began in also leaves the place that the script can't reach."""
        for commit in commits:
            place = commit.state.place
            elsewhere = keys.shard_of_chat(place.chat_id, len(self.shards)) != keys.shard_of_game(commit.game_id)
            if elsewhere and commit.records and commit.kind.machine.is_final(commit.state.phase):
                await self.leave_places(commit.game_id, [place])

    async def _send(self, commits: Sequence[Commit]) -> list[Any]:
        async with self._pipeline() as pipe:
            unencodable: dict[int, Exception] = {}
            for index, commit in enumerate(commits):
                try:
                    names, arguments = self._arguments(commit)
                except Exception as error:  # noqa: BLE001 -- one game's bug is not its neighbours'
                    unencodable[index] = error
                    continue
                pipe.evalsha(self._sha, len(names), *names, *arguments)
            sent = iter(await _reached(pipe.execute(raise_on_error=False)))
        return [unencodable.get(index) or next(sent) for index in range(len(commits))]

    def _arguments(self, commit: Commit) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        game_id, state = commit.game_id, commit.state
        shard = keys.shard_of_game(game_id)
        names = (
            keys.game_key(game_id),
            keys.tail_key(game_id),
            keys.deadlines_key(shard),
            keys.feed_key(shard),
            keys.place_key(shard, state.place),
        )
        if not commit.records:
            return names, (commit.expected, commit.version, "")
        final = commit.kind.machine.is_final(state.phase)
        snapshot: bytes | str = ""
        every = max(SNAPSHOT_EVERY, len(state.players), len(commit.seen) // 4)
        if commit.expected == 0 or final or commit.expected // every != commit.version // every:
            seen = {**commit.seen, **{record.command_id: record.at for record in commit.records}}
            snapshot = self._codec.encode_snapshot(state, seen)
        return names, (
            commit.expected,
            commit.version,
            self._codec.encode_records(commit.kind, commit.records),
            game_id,
            snapshot,
            self._keep_finished_ms if final else LIVE_TTL_MS,
            state.phase,
            "" if state.deadline is None else state.deadline,
            commit.claim[1] if commit.claim else 0,
            keys.game_key(game_id)[: -len(game_id)],
            commit.kind.name,
            LIVE_TTL_MS,
            "1" if final else "0",
        )

    # -- deadlines ----------------------------------------------------------------------------------------------

    async def due(self, now: Instant, *, limit: int = 1000) -> list[tuple[str, Instant]]:
        """Games whose deadline is at or before ``now``, the most overdue of each shard first."""
        return await self._deadlines("-inf", now, limit)

    async def deadlines(self, until: Instant, *, limit: int = 10_000) -> list[tuple[str, Instant]]:
        """Games with a deadline up to ``until``, due ones included."""
        return await self._deadlines("-inf", until, limit)

    async def _deadlines(self, low: str, high: Instant, limit: int) -> list[tuple[str, Instant]]:
        async with self._pipeline() as pipe:
            for shard in self.shards:
                pipe.zrangebyscore(keys.deadlines_key(shard), low, high, start=0, num=limit, withscores=True)
            found = await _reached(pipe.execute())
        return sorted(
            ((member.decode(), int(score)) for rows in found for member, score in rows), key=lambda row: row[1]
        )

    async def forget_deadline(self, game_id: str) -> None:
        """Take a game that no longer exists out of the index."""
        await _reached(self._redis.zrem(keys.deadlines_key(keys.shard_of_game(game_id)), game_id))

    # -- who plays where ----------------------------------------------------------------------------------------

    async def live_in(self, place: Place) -> list[str]:
        """The ids of the live games of a chat's topic, oldest id first."""
        shard = keys.shard_of_chat(place.chat_id, len(self.shards))
        members = await _reached(self._redis.smembers(keys.place_key(shard, place)))
        return sorted(member.decode() for member in members)

    async def settle_in(self, place: Place, game_id: str) -> None:
        """Note that a live game is now played in ``place``: its chat has migrated."""
        key = keys.place_key(keys.shard_of_chat(place.chat_id, len(self.shards)), place)
        async with self._pipeline(atomic=True) as pipe:
            pipe.sadd(key, game_id)
            pipe.pexpire(key, LIVE_TTL_MS)
            await _reached(pipe.execute())

    async def leave_places(self, game_id: str, places: Iterable[Place]) -> None:
        """Note that a game is no longer played in any of ``places``."""
        async with self._pipeline() as pipe:
            for place in places:
                for shard in {keys.shard_of_game(game_id), keys.shard_of_chat(place.chat_id, len(self.shards))}:
                    pipe.srem(keys.place_key(shard, place), game_id)
            await _reached(pipe.execute())

    def new_id(self, place: Place, command_id: str) -> str:
        """The id of the game that a command opens in a place."""
        return keys.new_game_id(place, command_id, len(self.shards))


def _result(answer: Any) -> CommitResult | Exception:
    if isinstance(answer, bytes):
        return CommitResult(answer.decode())
    if isinstance(answer, RedisError):
        return Unavailable(str(answer))
    if isinstance(answer, Exception):
        return answer
    return Unavailable(f"Redis answered {answer!r}")


async def _reached(call: Any) -> Any:
    """Await a Redis call; what means "not now" becomes ``Unavailable``."""
    try:
        return await call
    except (TimeoutError, RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise Unavailable(f"Redis: {error}") from error
    except RedisError as error:
        raise Unavailable(f"Redis refused: {error}") from error
