"""Live games in Redis: the engine's ``GameStore``, the index of deadlines, and the live games of each chat topic.

One script commits a game: it compares the version and knows no rule of any game. A commit appends its records to the
tail, and a snapshot is written only now and then, so that a commit costs the same however large the game is.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from fsm.engine import MAX_FLIGHTS, Commit, CommitResult, Record, Stored, Unavailable
from fsm.kind import ChatTopic, Instant
from storage import keys
from storage.codec import Codec
from storage.connections import PinnedConnections, packed
from storage.scripts import script

LIVE_TTL_MS = 3 * 86_400_000
"""Lifetime of an untouched live game. A game with a deadline never gets there: no deadline is more than a day away."""
STUCK_TTL_MS = 900_000
"""Lifetime of the record of a game whose rules raise; longer than the pause between two attempts at its deadline."""
ID_BITS = 128
"""Random bits from which a game id is made; the id keeps 103 of them."""
RESERVED_MS = 86_400_000
"""Lifetime of a reserved id: Telegram delivers an update again for at most a day."""
SNAPSHOT_EVERY = 32
"""Least number of events between two snapshots; a large game writes them less often."""

GAMES_A_CALL = 64
"""Maximum number of games of one shard in one call of the script, during which Redis serves nobody else."""
KEYS_A_GAME, ARGUMENTS_A_GAME = 3, 11

COMMIT = script(
    "storage", "commit", LIVE_TTL_MS=LIVE_TTL_MS, KEYS_A_GAME=KEYS_A_GAME, ARGUMENTS_A_GAME=ARGUMENTS_A_GAME
)
"""Lua script that commits games of one shard independently; a failure of one is that game's result only."""
COMMIT_SHA = hashlib.sha1(COMMIT.encode(), usedforsecurity=False).hexdigest()
"""Name of the script in Redis."""
SINCE = script("storage", "records_since")
"""Lua script that reads the records of a game after a version."""
SINCE_SHA = hashlib.sha1(SINCE.encode(), usedforsecurity=False).hexdigest()


class RedisGames:
    """The live games of all processes. ``shards`` is fixed for the life of a deployment."""

    def __init__(self, redis: Redis, codec: Codec, *, shards: int, keep_finished_ms: int = 86_400_000) -> None:
        self._redis = redis
        self._commits = PinnedConnections(redis, MAX_FLIGHTS)
        self._codec = codec
        self.keep_finished_ms = keep_finished_ms
        self.shards = tuple(keys.shard_name(index) for index in range(shards))

    def through(self, redis: Redis) -> "RedisGames":
        """Return the same games, accessed through another client."""
        return RedisGames(redis, self._codec, shards=len(self.shards), keep_finished_ms=self.keep_finished_ms)

    def _pipeline(self, *, atomic: bool = False) -> Any:
        return self._redis.pipeline(transaction=atomic)

    # -- the engine's port --------------------------------------------------------------------------------------

    async def load(self, game_id: str) -> Stored | None:
        """Return a game, or None if Redis does not have it. Raises ``Unavailable`` and ``UnreadableGame``."""
        if not keys.is_game_id(game_id):
            return None
        # Snapshot and tail are read in one transaction: a commit in between would be applied twice or not at all. A
        # pipeline of redis-py would cost three times as much.
        *_, answer = await _reached(
            self._commits.exchange(
                [
                    packed("MULTI"),
                    packed("HMGET", keys.game_key(game_id), "k", "v", "s"),
                    packed("LRANGE", keys.tail_key(game_id), 0, -1),
                    packed("EXEC"),
                ]
            )
        )
        if not isinstance(answer, list):
            raise Unavailable(f"Redis refused: {answer}")
        (kind_name, version, snapshot), tail = answer
        if kind_name is None or snapshot is None:
            return None
        kind = self._codec.kind(kind_name.decode())
        state, seen = self._codec.decode_snapshot(kind, snapshot)
        for raw in tail:
            for record in self._codec.decode_records(kind, raw):
                state = kind.fold(state, record.events)
                seen[record.command_id] = record.at
        count, _, incarnation = version.decode().partition("/")
        return Stored(kind, state, int(count), seen, incarnation)

    async def records_since(self, game_id: str, known: Stored) -> Sequence[Record] | None:
        """Return the records that a game has more than a known state; None if only ``load`` can tell.

        That is the case if a snapshot has replaced some of them in the tail, or if the state is from a history that the
        loss of a store has undone. Raises ``Unavailable`` and ``UnreadableGame``.
        """
        last = next(reversed(known.seen.items()), None)
        if last is None:
            return None
        call = packed(
            "EVALSHA", SINCE_SHA, 2, keys.game_key(game_id), keys.tail_key(game_id), known.version, known.incarnation
        )
        (answer,) = await _reached(self._commits.exchange([call]))
        if isinstance(answer, NoScriptError):
            await _reached(self._redis.script_load(SINCE))
            (answer,) = await _reached(self._commits.exchange([call]))
        if isinstance(answer, ResponseError):
            raise Unavailable(f"Redis refused: {answer}")
        if answer is None:
            return None
        more, tail = answer
        found: list[Record] = []
        for raw in reversed(tail):
            for record in reversed(self._codec.decode_records(known.kind, raw)):
                if more <= 0:
                    # The record that led to the known version. A command that is repeated after a loss has a new time.
                    return found[::-1] if more == 0 and (record.command_id, record.at) == last else None
                more -= len(record.events)
                found.append(record)
        return None

    async def commit(self, commits: Sequence[Commit]) -> Sequence[CommitResult | Exception]:
        """Commit each game independently, all in one round trip.

        Returns a result or an error for each commit. Raises ``Unavailable`` if it is unknown which commits were
        written.
        """
        results: dict[int, CommitResult | Exception] = {}
        calls = self.calls(commits, results)
        results |= await self._send(calls)
        missing = [call for call in calls if isinstance(results[call.indexes[0]], NoScriptError)]
        if missing:  # the first commit of all, or Redis was restarted empty
            await _reached(self._redis.script_load(COMMIT))
            results |= await self._send(missing)
        await self._leave_migrated(commits)
        return [results[index] for index in range(len(commits))]

    async def _leave_migrated(self, commits: Sequence[Commit]) -> None:
        """Remove ended games of migrated chats from chat topics in other shards, which the script can't reach."""
        for commit in commits:
            if commit.records and commit.kind.machine.is_final(commit.state.phase):
                chat_topic = commit.state.place
                if keys.shard_of_chat(chat_topic.chat_id, len(self.shards)) != keys.shard_of_game(commit.game_id):
                    await self.leave_topics(commit.game_id, [chat_topic])

    def calls(self, commits: Sequence[Commit], results: dict[int, CommitResult | Exception]) -> "list[Call]":
        """Build the calls of the script that these commits need.

        A commit that can't be encoded gets its error as result.
        """
        filling: dict[str, Call] = {}
        calls: list[Call] = []
        for index, commit in enumerate(commits):
            try:
                arguments = self._arguments(commit)
            except Exception as error:  # noqa: BLE001 -- one game's bug is not its neighbours'
                results[index] = error
                continue
            shard = keys.shard_of_game(commit.game_id)
            call = filling.get(shard)
            if call is None or len(call.indexes) >= GAMES_A_CALL:
                call = filling[shard] = Call(shard)
                calls.append(call)
            call.add(index, commit, arguments)
        return calls

    async def _send(self, calls: "Sequence[Call]") -> dict[int, CommitResult | Exception]:
        """Send the calls; return the results by the index of the commit."""
        if not calls:
            return {}
        # All calls go out in one write and are answered in order: a flight costs one round trip.
        answers = await _reached(self._commits.exchange([call.packed() for call in calls]))
        return {
            index: result
            for call, answer in zip(calls, answers, strict=True)
            for index, result in zip(call.indexes, call.results(answer), strict=True)
        }

    def _arguments(self, commit: Commit) -> tuple[Any, ...]:
        """Return the script's arguments for a game: exactly ``ARGUMENTS_A_GAME``, in the script's order."""
        game_id, state = commit.game_id, commit.state
        if not commit.records:
            # A commit without records only checks the version, as a read that must not be stale.
            return _written(commit.expected, commit), "", "", game_id, "", 0, "", "", 0, "", ""
        final = commit.kind.machine.is_final(state.phase)
        snapshot: bytes | str = ""
        every = max(SNAPSHOT_EVERY, len(state.players), len(commit.seen) // 4)
        if commit.expected == 0 or final or commit.expected // every != commit.version // every:
            seen = {**commit.seen, **{record.command_id: record.at for record in commit.records}}
            snapshot = self._codec.encode_snapshot(state, seen)
        return (
            _written(commit.expected, commit),
            _written(commit.version, commit),
            self._codec.encode_records(commit.kind, commit.records),
            game_id,
            snapshot,
            self.keep_finished_ms if final else LIVE_TTL_MS,
            state.phase,
            "" if state.deadline is None else state.deadline,
            commit.claim[1] if commit.claim else 0,
            commit.kind.name,
            "1" if final else "0",
        )

    # -- deadlines ----------------------------------------------------------------------------------------------

    async def due(self, now: Instant, *, limit: int = 1000) -> list[tuple[str, Instant]]:
        """Return games with a deadline at or before ``now``, the most overdue first; at most ``limit`` a shard."""
        return await self._deadlines("-inf", now, limit)

    async def deadlines(self, until: Instant, *, limit: int = 10_000) -> list[tuple[str, Instant]]:
        """Return games with a deadline up to ``until``, overdue ones included; at most ``limit`` of each shard."""
        return await self._deadlines("-inf", until, limit)

    async def _deadlines(self, low: str, high: Instant, limit: int) -> list[tuple[str, Instant]]:
        # Asked every second for as long as the bot runs. A pipeline of redis-py would set a timer for each shard.
        found = await _reached(
            self._commits.exchange(
                [
                    packed("ZRANGEBYSCORE", keys.deadlines_key(shard), low, high, "WITHSCORES", "LIMIT", 0, limit)
                    for shard in self.shards
                ]
            )
        )
        for refusal in found:
            if isinstance(refusal, Exception):
                raise Unavailable(f"Redis refused: {refusal}") from refusal
        return sorted(
            ((member.decode(), int(score)) for rows in found for member, score in rows), key=lambda row: row[1]
        )

    async def forget_deadline(self, game_id: str) -> None:
        """Remove a game that no longer exists from the index of deadlines."""
        await _reached(self._redis.zrem(keys.deadlines_key(keys.shard_of_game(game_id)), game_id))

    async def note_stuck(self, game_id: str, error: str) -> None:
        """Record that a game's rules raise at its deadline, for the health and metrics of all processes."""
        key = keys.stuck_key(keys.shard_of_game(game_id))
        async with self._pipeline() as pipe:
            pipe.hset(key, game_id, error)
            pipe.pexpire(key, STUCK_TTL_MS)
            await _reached(pipe.execute())

    async def clear_stuck(self, game_id: str) -> None:
        """Remove the record of ``note_stuck``."""
        await _reached(self._redis.hdel(keys.stuck_key(keys.shard_of_game(game_id)), game_id))

    async def overdue(self, now: Instant) -> "Overdue":
        """Return how long a deadline has waited for a process to fire it, and the games whose rules raise at theirs."""
        async with self._pipeline() as pipe:
            for shard in self.shards:
                pipe.hgetall(keys.stuck_key(shard))
            found = await _reached(pipe.execute())
        stuck = {game_id.decode(): error.decode(errors="replace") for row in found for game_id, error in row.items()}
        waiting = [at for game_id, at in await self.due(now, limit=1 + len(stuck)) if game_id not in stuck]
        return Overdue(now - waiting[0] if waiting else 0, stuck)

    # -- live games by place ------------------------------------------------------------------------------------

    async def live_in(self, chat_topic: ChatTopic) -> list[str]:
        """Return the ids of the live games of a chat's topic, in order of id."""
        shard = keys.shard_of_chat(chat_topic.chat_id, len(self.shards))
        members = await _reached(self._redis.smembers(keys.topic_key(shard, chat_topic)))
        return sorted(member.decode() for member in members)

    async def settle_in(self, chat_topic: ChatTopic, game_id: str) -> None:
        """Record that a live game is now played in ``chat_topic``, because its chat has migrated."""
        key = keys.topic_key(keys.shard_of_chat(chat_topic.chat_id, len(self.shards)), chat_topic)
        async with self._pipeline(atomic=True) as pipe:
            pipe.sadd(key, game_id)
            pipe.pexpire(key, LIVE_TTL_MS)
            await _reached(pipe.execute())

    async def leave_topics(self, game_id: str, chat_topics: Iterable[ChatTopic]) -> None:
        """Record that a game is no longer played in any of ``chat_topics``."""
        async with self._pipeline() as pipe:
            for chat_topic in chat_topics:
                for shard in {keys.shard_of_game(game_id), keys.shard_of_chat(chat_topic.chat_id, len(self.shards))}:
                    pipe.srem(keys.topic_key(shard, chat_topic), game_id)
            await _reached(pipe.execute())

    async def reserve_id(self, chat_topic: ChatTopic, command_id: str) -> str:
        """Return a random id for the game that a command opens in a chat topic; a repeat gets the same id.

        Raises ``Unavailable``.
        """
        key = keys.reservation_key(chat_topic, command_id)
        new = keys.new_game_id(chat_topic, len(self.shards), secrets.randbits(ID_BITS))
        async with self._pipeline(atomic=True) as pipe:
            pipe.set(key, new, nx=True, px=RESERVED_MS)
            pipe.get(key)
            _, reserved = await _reached(pipe.execute())
        return str(reserved.decode())


@dataclass(frozen=True, slots=True)
class Overdue:
    """Deadlines that have passed.

    Attributes:
        ms: age of the oldest deadline that no process has fired, in milliseconds.
        stuck: game -> error, for games whose rules raise at their deadline. These are set aside.
    """

    ms: int
    stuck: Mapping[str, str]


class Call:
    """One call of the commit script, for games of one shard."""

    def __init__(self, shard: str) -> None:
        self.indexes: list[int] = []
        self.keys: list[str] = [keys.deadlines_key(shard), keys.feed_key(shard)]
        self.arguments: list[Any] = [keys.game_key(shard)[: -len(shard)]]

    def add(self, index: int, commit: Commit, arguments: Iterable[Any]) -> None:
        """Add a game to the call; `index` is the position of its commit."""
        game_id = commit.game_id
        self.indexes.append(index)
        topic = keys.topic_key(keys.shard_of_game(game_id), commit.state.place)
        self.keys += (keys.game_key(game_id), keys.tail_key(game_id), topic)
        self.arguments += arguments

    def packed(self) -> bytes:
        """Encode the call in the Redis protocol."""
        return packed("EVALSHA", COMMIT_SHA, len(self.keys), *self.keys, *self.arguments)

    def results(self, answer: Any) -> list[CommitResult | Exception]:
        """Return the result of each game; an error of the whole call is the result of all."""
        if isinstance(answer, list) and len(answer) == len(self.indexes):
            return [_RESULTS.get(one) or Unavailable(f"Redis {one!r}") for one in answer]
        if isinstance(answer, ResponseError) and not isinstance(answer, NoScriptError):
            answer = Unavailable(str(answer))
        failure = answer if isinstance(answer, Exception) else Unavailable(f"Redis answered {answer!r}")
        return [failure] * len(self.indexes)


_RESULTS = {result.value.encode(): result for result in CommitResult}


def _written(version: int, commit: Commit) -> str:
    """Return a version as Redis stores it: after the loss of a store, with the mark of the game's new incarnation."""
    return f"{version}/{commit.incarnation}" if commit.incarnation else str(version)


async def _reached(call: Any) -> Any:
    """Await a Redis call; errors of redis-py and of the network become ``Unavailable``."""
    try:
        return await call
    except (TimeoutError, RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise Unavailable(f"Redis: {error}") from error
    except RedisError as error:
        raise Unavailable(f"Redis refused: {error}") from error
