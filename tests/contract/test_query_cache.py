"""The query cache: the same answers as without it, one query for a burst, a bound, and nothing kept unheard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from fsm.registry import KINDS
from storage import keys
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import Pool
from storage.figures import Figures
from storage.people import People
from storage.periods import QUARTER, period_at
from storage.query_cache import QueryCache, announce
from tests.contract.played import House, until

LONG = 3600.0
"""A lifetime beyond any test: an answer that changes was dropped."""
CHATS = (-1, -2)
THIS_SEASON = period_at(QUARTER, datetime.now(UTC))


@asynccontextmanager
async def hearing(redis: Redis, **bounds: Any) -> AsyncIterator[QueryCache]:
    """Run a cache."""
    cache = QueryCache(redis, **{"seconds": LONG, **bounds})
    running = asyncio.create_task(cache.run())
    await until(lambda: cache.hears)
    try:
        yield cache
    finally:
        running.cancel()
        await asyncio.wait({running})


async def answers(archive: Archive) -> list[Any]:
    """Return the answers to all queries that are cached."""
    figures = Figures(archive._pool, archive.cache)
    asked: list[Awaitable[Any]] = [figures.around(chat, THIS_SEASON, 1) for chat in (0, *CHATS)]
    asked += [figures.leaderboard(chat, period, 5) for chat in (0, *CHATS) for period in ("", THIS_SEASON)]
    for chat in (0, *CHATS):
        asked += [archive.leaderboard(chat, kind, 10) for kind in (None, "pick_number", "quiz")]
        asked += [archive.player_stats(player, chat) for player in (1, 2, 3)]
    for chat_id in (None, *CHATS):
        asked += [archive.history(chat_id, None, 5), archive.ended(5, chat_id=chat_id, player_id=2)]
    return [await each for each in asked]


async def test_with_the_cache_all_answers_are_those_without_it_after_every_event(pool: Pool, redis: Redis) -> None:
    house = House(pool, redis)
    house.projector.on_figures = partial(announce, redis)
    people = People(pool, redis)
    plain = Archive(pool, Codec(KINDS))

    async with hearing(redis) as cache, hearing(redis) as elsewhere:
        caches = [Archive(pool, Codec(KINDS), each) for each in (cache, elsewhere)]

        async def alike() -> None:
            await house.project()
            async with asyncio.timeout(60):
                for archive in caches:
                    while await answers(archive) != await answers(plain):  # noqa: ASYNC110
                        await asyncio.sleep(0.01)  # the announcement is on its way

        await alike()
        for chat in (*CHATS, -1):
            game = await house.begin((1, 2, 3), chat_id=chat)
            await alike()
            await house.finish(game)
            await alike()
        await house.cancel(await house.begin((1, 2), chat_id=-2))
        await alike()
        await people.set_listed(1, listed=True)
        await alike()
        moving = await house.begin((1, 2), chat_id=-2)
        await house.move(moving, -1)
        await alike()
        await people.chat_migrated(-1, -2)
        await alike()
        assert cache.outcomes["hit"] > 0, "nothing was compared"


async def test_an_announcement_drops_the_answers_about_its_chats_and_about_all_chats_alone(redis: Redis) -> None:
    async with hearing(redis) as cache:
        for chat in (0, -1, -2):
            assert await cache.answer(chat, "best", told([chat])) == [chat]
        await announce(redis, (-1,))
        await until(lambda: cache.rows == 2)
        assert await cache.answer(-2, "best", told(["asked again"])) == [-2]
        assert await cache.answer(-1, "best", told(["asked again"])) == ["asked again"]
        assert await cache.answer(0, "best", told(["asked again"])) == ["asked again"]
        await redis.publish(keys.FIGURES_CHANGED, "garbage")
        await until(lambda: cache.rows == 0)


async def test_of_a_burst_one_makes_the_query_also_if_the_first_is_cancelled(redis: Redis) -> None:
    made, go = 0, asyncio.Event()

    async def slow() -> list[int]:
        nonlocal made
        made += 1
        await go.wait()
        return [made]

    async with hearing(redis) as cache:
        burst = [asyncio.create_task(cache.answer(-1, "best", slow)) for _ in range(50)]
        await until(lambda: made == 1)
        burst[0].cancel()
        await until(lambda: made == 2)
        go.set()
        assert await asyncio.gather(*burst[1:]) == [[2]] * 49
        assert (cache.outcomes["miss"], cache.outcomes["shared"]) == (2, 48)


async def test_an_error_is_told_to_all_who_asked_and_is_not_kept(redis: Redis) -> None:
    go = asyncio.Event()

    async def failing() -> list[int]:
        await go.wait()
        raise OSError("away")

    async with hearing(redis) as cache:
        burst = [asyncio.create_task(cache.answer(-1, "best", failing)) for _ in range(3)]
        go.set()
        assert [type(error) for error in await asyncio.gather(*burst, return_exceptions=True)] == [OSError] * 3
        assert await cache.answer(-1, "best", told([1])) == [1]


async def test_an_answer_from_before_a_change_is_neither_kept_nor_given_to_those_who_ask_after_it(redis: Redis) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def old() -> list[str]:
        begun.set()
        await go.wait()
        return ["old"]

    async with hearing(redis) as cache:
        first = asyncio.create_task(cache.answer(-1, "best", old))
        await begun.wait()
        cache.drop([-1])
        assert await cache.answer(-1, "best", told(["new"])) == ["new"]
        go.set()
        assert await first == ["old"]
        assert await cache.answer(-1, "best", told(["newer"])) == ["new"]


async def test_the_number_of_rows_is_bounded_and_the_longest_unasked_go_first(redis: Redis) -> None:
    async with hearing(redis, most_rows=30) as cache:
        for number in range(1, 11):
            await cache.answer(-number, "best", told([number] * 4))
            await cache.answer(0, "best", told([]))
        assert cache.rows <= 30
        assert await cache.answer(0, "best", told(["asked again"])) == []
        assert await cache.answer(-1, "best", told(["asked again"])) == ["asked again"]
        assert await cache.answer(-50, "best", told([1] * 100)) == [1] * 100
        assert cache.rows <= 30


async def test_an_answer_expires_even_if_its_change_is_never_announced(redis: Redis) -> None:
    async with hearing(redis, seconds=0) as cache:
        assert [await cache.answer(-1, "best", told([number])) for number in (1, 2)] == [[1], [2]]


async def test_nothing_is_kept_while_changes_are_not_heard(redis: Redis) -> None:
    async with hearing(redis) as cache:
        await cache.answer(-1, "best", told([1]))
    assert cache.rows == 0
    assert [await cache.answer(-1, "best", told([number])) for number in (1, 2)] == [[1], [2]]
    assert cache.outcomes["off"] == 2


@pytest.mark.parametrize("asked", [{"limit": 2}, {"limit": 3}])
async def test_callers_get_lists_of_their_own(pool: Pool, redis: Redis, asked: dict[str, int]) -> None:
    async with hearing(redis) as cache:
        archive = Archive(pool, Codec(KINDS), cache)
        (await archive.leaderboard(0, None, **asked)).append(None)  # type: ignore[arg-type]
        assert await archive.leaderboard(0, None, **asked) == []
        assert archive.uncached.cache is None


def told(rows: list[Any]) -> Callable[[], Awaitable[list[Any]]]:
    """Return a query that has these rows."""

    async def query() -> list[Any]:
        return rows

    return query
