"""Restoring of live games from PostgreSQL after Redis lost them.

A game is restored only if Redis lacks it, or has an older version than PostgreSQL, and never over a later version: so
any number of processes may do this at once, and at any time. A game that Redis lacks is restored only if the projector
has read everything of the game's shard: a game that ended in Redis, and was deleted there, is live in PostgreSQL until
its end has been projected. A game of which Redis has an older version was certainly lost in part, so it need not wait.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
from loguru import logger
from redis.asyncio import Redis

from fsm.engine import Stored
from fsm.kind import Game, Instant
from storage import keys
from storage.archive import Archive
from storage.codec import Codec, UnreadableGame
from storage.connections import POSTGRES_GONE, Pool
from storage.games import LIVE_TTL_MS, RedisGames
from storage.scripts import script

PAGE = 500
GROUP = "projector"
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)

_LIVE = """
SELECT id, kind, version FROM games WHERE status NOT IN ('completed', 'cancelled') AND id > $1 ORDER BY id LIMIT $2
"""
_ENDED = """
SELECT DISTINCT ON (chat_id, topic_id) id, kind, version FROM games WHERE ended_at > $1
ORDER BY chat_id, topic_id, ended_at DESC LIMIT $2
"""
_KIND_OF_LIVE = "SELECT kind FROM games WHERE id = $1 AND status NOT IN ('completed', 'cancelled')"
ANY_TOKEN = b"any"
"""Token of a feed for a restoration that need not wait for its unread events."""
VERSIONS = "SELECT id, kind, version FROM games WHERE id = ANY($1::text[])"
_TOKEN = script("storage", "rebuild_token")
_RESTORE = script("storage", "rebuild_restore", LIVE_TTL_MS=LIVE_TTL_MS)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The outcome of a rebuild."""

    games: tuple[Game, ...]
    """The games that this process restored, in their present state: their players should be told."""
    left: tuple[str, ...]
    """Ids of games that Redis lacks and that were not restored. Try again later.

    The projector has not read all of their shard yet, or their events can't be read.
    """


async def rebuild(
    pool: Pool, redis: Redis, codec: Codec, games: RedisGames, restored: list[Game] | None = None
) -> Rebuilt:
    """Restore the games that Redis has lost. Costs little if it has lost none.

    Restored games are also appended to ``restored``, so that an interruption loses none of them. Raises the errors of
    asyncpg and redis-py.
    """
    put_back: list[Game] = []
    left: list[str] = []
    archive, last = Archive(pool, codec), ""
    while True:
        tokens = await _tokens(redis, games.shards)  # before the query: a later event changes the token
        rows = await pool.fetch(_LIVE, last, PAGE)
        if not rows:
            break
        last = rows[-1]["id"]
        for game_id, kind in await _lacking(redis, rows):
            stored = await _folded(archive, game_id, kind)
            if stored is None:
                left.append(game_id)
                continue
            answer = await _restore(redis, codec, games, stored, tokens.get(keys.shard_of_game(game_id), b""))
            if answer == 1:
                put_back.append(stored.state)
                if restored is not None:
                    restored.append(stored.state)
            elif answer < 0:
                left.append(game_id)
    if put_back:
        logger.warning("Redis had lost {} live games; restored them from PostgreSQL", len(put_back))
    if left:
        logger.warning("{} live games are missing from Redis and cannot be restored yet", len(left))
    return Rebuilt(tuple(put_back), tuple(left))


async def bring_forward(
    pool: Pool, redis: Redis, codec: Codec, games: RedisGames, restored: list[Game] | None = None
) -> Rebuilt:
    """Restore every game that is newer in PostgreSQL than in Redis, ended ones too, then the games that Redis lacks.

    For a Redis that lost its last writes. If an earlier call was interrupted, ``restored`` has the games that it
    restored; this call appends its own and returns all of them, and the caller tells their chats.

    Raises the errors of asyncpg and redis-py.
    """
    put_back: list[Game] = [] if restored is None else restored
    before = len(put_back)
    left: list[str] = []
    archive = Archive(pool, codec)
    async for ids in games_in(redis):
        rows = await pool.fetch(VERSIONS, ids)
        for game_id, kind in await _lacking(redis, rows):
            stored = await _folded(archive, game_id, kind)
            if stored is None:
                left.append(game_id)
            elif await _restore(redis, codec, games, stored, b"") == 1:
                put_back.append(stored.state)
    if newer := len(put_back) - before:
        logger.warning("Redis had older versions of {} games than PostgreSQL; restored the newer ones", newer)
    rebuilt = await rebuild(pool, redis, codec, games, put_back)
    return Rebuilt(tuple(put_back), (*left, *rebuilt.left))


async def put_back(pool: Pool, redis: Redis, codec: Codec, games: RedisGames, game_id: str) -> Game | None:
    """Restore a game from PostgreSQL, over any version in Redis. Returns it, or None if PostgreSQL lacks it.

    For strict durability, after Redis continued from a version that PostgreSQL refuses: none of that was acknowledged.
    Raises the errors of asyncpg and redis-py.
    """
    kind = await pool.fetchval("SELECT kind FROM games WHERE id = $1", game_id)
    stored = None if kind is None else await _folded(Archive(pool, codec), game_id, kind)
    if stored is None:
        return None
    await _restore(redis, codec, games, stored, b"", force=True)
    logger.bind(game=game_id).error(
        "Redis and PostgreSQL disagree; restored version {} from PostgreSQL", stored.version
    )
    return stored.state


async def restore_missing(pool: Pool, redis: Redis, codec: Codec, games: RedisGames, game_id: str) -> bool:
    """Restore a live game that Redis lacks. Returns False if PostgreSQL has no live game of that id.

    For strict durability, in which PostgreSQL has everything that was acknowledged. Therefore the events that the
    projector has not read yet, for which `rebuild` waits, take nothing back: their commands were not answered.

    Raises:
        UnreadableGame: PostgreSQL has the game, but it cannot be folded.
        AWAY: one of these errors of asyncpg, or those of redis-py.
    """
    kind = await pool.fetchval(_KIND_OF_LIVE, game_id)
    if kind is None:
        return False
    stored = await _folded(Archive(pool, codec), game_id, kind)
    if stored is None:
        raise UnreadableGame(f"Redis lacks game {game_id}, and its events in PostgreSQL can't be read")
    if await _restore(redis, codec, games, stored, ANY_TOKEN) == 1:
        logger.bind(game=game_id).warning("Redis lacked a live game; restored version {}", stored.version)
    return True


async def games_in(redis: Redis) -> AsyncIterator[list[str]]:
    """Yield the ids of all games in Redis, in pages."""
    page: list[str] = []
    async for key in redis.scan_iter(match=keys.game_pattern(), count=PAGE):
        page.append(key.decode().rpartition(":")[2])
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


async def forgotten(pool: Pool, redis: Redis, codec: Codec, *, since: Instant) -> list[Stored]:
    """Return each chat's last game that ended after `since` and that Redis lacks, perhaps before its result was shown.

    Redis keeps an ended game for longer than that, so a missing one was lost. Raises the errors of asyncpg and
    redis-py.
    """
    rows = await pool.fetch(_ENDED, datetime.fromtimestamp(since / 1000, UTC), PAGE)
    archive = Archive(pool, codec)
    found = [await _folded(archive, game_id, kind) for game_id, kind in (await _lacking(redis, rows) if rows else ())]
    return [stored for stored in found if stored is not None and stored.kind.machine.is_final(stored.state.phase)]


async def _tokens(redis: Redis, shards: Sequence[str]) -> Mapping[str, bytes]:
    """Return the last id of each shard's stream, for the shards that the projector has read to the end."""
    script = redis.register_script(_TOKEN)
    found = {shard: await script(keys=[keys.feed_key(shard)], args=[GROUP]) for shard in shards}
    return {shard: token for shard, token in found.items() if token is not None}


async def _lacking(redis: Redis, rows: Sequence[Any]) -> list[tuple[str, str]]:
    """Return id and kind of the games that Redis lacks or has in an older version."""
    async with redis.pipeline(transaction=False) as pipe:
        for row in rows:
            pipe.hget(keys.game_key(row["id"]), "v")
        versions = await pipe.execute()
    return [
        (row["id"], row["kind"])
        for row, version in zip(rows, versions, strict=True)
        if int((version or b"0").partition(b"/")[0]) < row["version"]
    ]


async def _folded(archive: Archive, game_id: str, kind: str) -> Stored | None:
    try:
        return await archive.folded(game_id, kind)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 -- unreadable events, or rules that raise: the other games are restored
        logger.bind(game=game_id).opt(exception=error).error("a game can't be put back: {}", error)
        return None


async def _restore(
    redis: Redis, codec: Codec, games: RedisGames, stored: Stored, token: bytes, *, force: bool = False
) -> int:
    """Restore a game unless that could undo something; ``force`` skips the checks.

    Returns 1 if it was restored, 0 if Redis has this version by now, and -1 if the shard has unread events, which may
    contain the game's end.
    """
    state = stored.state
    shard = keys.shard_of_game(state.id)
    names = [
        keys.feed_key(shard),
        keys.game_key(state.id),
        keys.tail_key(state.id),
        keys.deadlines_key(shard),
        keys.topic_key(shard, state.place),
    ]
    snapshot = codec.encode_snapshot(state, stored.seen)
    deadline = "" if state.deadline is None else str(state.deadline)
    version, kind = str(stored.version), stored.kind.name
    final = stored.kind.machine.is_final(state.phase)
    ttl = games.keep_finished_ms if final else LIVE_TTL_MS
    arguments: list[str | bytes | int] = [GROUP, token, state.id, version, kind, snapshot, deadline, ttl]
    arguments.append(secrets.token_hex(4))  # a new incarnation: versions cached by other processes no longer match
    arguments += [int(final), int(force)]
    answer = int(await redis.register_script(_RESTORE)(keys=names, args=arguments))
    if answer == 1 and not final:
        await games.settle_in(state.place, state.id)
    return answer
