"""Recovery, from Redis, of events that PostgreSQL lost in a failover and that the feed no longer has.

Redis keeps a game's state and its records since the last snapshot. If these reach back to PostgreSQL's version, they
are projected again. If not, an operator is told the game's id: its history, and perhaps a prize, is missing from
PostgreSQL.
"""

import asyncio
from typing import TYPE_CHECKING, Any

from loguru import logger
from redis.asyncio import Redis

from storage import keys
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Entry
from storage.games import RedisGames
from storage.projector import Projector
from storage.rebuild import VERSIONS, games_in

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTLE_SECONDS = 2.0
"""Time for which PostgreSQL may lag behind Redis without a loss, in seconds: commits pass through the feed."""


async def replay(pool: Pool, redis: Redis, codec: Codec, games: RedisGames, projector: Projector) -> None:
    """Bring PostgreSQL to Redis's version of every game; record unrecoverable games in `projector.lost`.

    Call it when the projector has read all of the feed. Raises `Rewind`, and the errors of asyncpg and redis-py.
    """
    behind = await _behind(pool, redis)
    if behind:
        await asyncio.sleep(SETTLE_SECONDS)
        await projector.check_again()  # a loss of this very moment is recovered from the feed
        still = await _behind(pool, redis)
        behind = {game_id: version for game_id, version in behind.items() if game_id in still}
    for game_id, version in behind.items():
        try:
            entry = await _from_tail(redis, codec, games, game_id)
            known = await pool.fetchval("SELECT version FROM games WHERE id = $1", game_id) or 0
            if known >= version:
                continue
            if entry is not None and entry.first_version <= known + 1:
                await projector.write([entry], gaps=False)
                logger.bind(game=game_id).warning("restored versions {} and later in PostgreSQL from Redis", known + 1)
                continue
        except (ValueError, KeyError, TypeError) as problem:
            logger.bind(game=game_id).opt(exception=problem).error("cannot read a game")
            known = 0
        projector.lost[game_id] = known + 1
        logger.bind(game=game_id).critical(
            "PostgreSQL has lost versions {} to {} of game {}, and no store has them", known + 1, version, game_id
        )


async def _behind(pool: Pool, redis: Redis) -> dict[str, int]:
    """Return, by game id, the version in Redis of each game whose version in PostgreSQL is older."""
    found: dict[str, int] = {}
    async for ids in games_in(redis):
        known: Mapping[str, int] = {row["id"]: row["version"] for row in await pool.fetch(VERSIONS, ids)}
        async with redis.pipeline(transaction=False) as pipe:
            for game_id in ids:
                pipe.hget(keys.game_key(game_id), "v")
            versions: list[bytes | None] = await pipe.execute()
        for game_id, raw in zip(ids, versions, strict=True):
            version = int((raw or b"0").partition(b"/")[0])
            if version > known.get(game_id, 0):
                found[game_id] = version
    return found


async def _from_tail(redis: Redis, codec: Codec, games: RedisGames, game_id: str) -> Entry | None:
    """Return the records since a game's last snapshot as one entry, or None if there are none."""
    stored = await games.load(game_id)
    tail: list[Any] = await redis.lrange(keys.tail_key(game_id), 0, -1)
    if stored is None or not tail:
        return None
    count = sum(len(record.events) for raw in tail for record in codec.decode_records(stored.kind, raw))
    records = b"[" + b",".join(raw[1:-1] for raw in tail) + b"]"
    state, first = stored.state, stored.version - count + 1
    return Entry(
        "", keys.shard_of_game(game_id), game_id, first, stored.kind.name, state.phase, state.deadline, records
    )
