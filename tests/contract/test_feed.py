"""The feed on a real Redis: delivery at least once, in order, with takeover, without loss."""

import asyncio
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from fsm.engine import Unavailable
from storage import feed as feed_module
from storage import keys
from storage.connections import redis_client, redis_ready
from storage.embedded import embedded_redis
from storage.feed import BATCH, FLOWING, GATHER_SECONDS, Entry, Feed, Flow, Unprocessable
from storage.leases import RELEASED, Bell
from tests.contract.played import Heard, drain, feed_of, rows, until

SHARDS = ("00", "01", "02")


def fields_of(shard: str, version: int) -> dict[Any, Any]:
    return {"g": shard + "a" * 12, "v": version, "k": "pick_number", "p": "x", "d": "17", "r": b"[]"}


async def put(redis: Redis, shard: str, version: int = 0) -> None:
    await redis.xadd(keys.feed_key(shard), fields_of(shard, version))


async def fill(redis: Redis, entries: int, first: int = 0) -> None:
    async with redis.pipeline(transaction=False) as pipe:
        for number in range(first, first + entries):
            shard = SHARDS[number % len(SHARDS)]
            pipe.xadd(keys.feed_key(shard), fields_of(shard, number))
        await pipe.execute()


def in_order(entries: Sequence[Entry]) -> bool:
    """Return whether each shard's entries are in the order of the stream, without repetition."""
    return all(
        [e.first_version for e in entries if e.shard == shard]
        == sorted({e.first_version for e in entries if e.shard == shard})
        for shard in SHARDS
    )


class Reading:
    """A feed that reads in the background."""

    def __init__(self, feed: Feed, handle: Heard) -> None:
        self.feed = feed
        self.heard = handle
        self.task = asyncio.create_task(feed.run(handle))

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})

    async def die(self) -> None:
        """Stop without releasing the lease, like a killed process."""

        async def not_released() -> None:
            pass

        self.feed._lease.release = not_released  # type: ignore[method-assign]
        await self.stop()


async def test_every_entry_is_handled_once_and_in_the_order_of_its_shard(redis: Redis) -> None:
    await fill(redis, 1000)
    heard = Heard()
    await drain(feed_of(redis, SHARDS), heard)
    assert len(heard.entries) == 1000
    assert in_order(heard.entries)
    assert heard.batches < 20


async def test_an_entry_has_what_the_commit_gave(redis: Redis) -> None:
    await put(redis, "01", 41)
    heard = Heard()
    await drain(feed_of(redis, SHARDS), heard)
    entry = heard.entries[0]
    assert (entry.shard, entry.game_id, entry.first_version) == ("01", "01" + "a" * 12, 42)
    assert (entry.kind, entry.phase, entry.deadline, entry.records) == ("pick_number", "x", 17, b"[]")


async def test_news_are_handled_as_they_come(redis: Redis) -> None:
    reading = Reading(feed_of(redis, SHARDS), Heard())
    await until(lambda: reading.feed.reading)
    for number in range(1, 6):
        await put(redis, "00", number)
        heard = reading.heard.entries
        await until(lambda: heard and heard[-1].first_version == number + 1)  # noqa: B023 - awaited in the loop
    await reading.stop()


async def test_entries_that_flow_are_all_handled_in_order(redis: Redis) -> None:
    reading = Reading(feed_of(redis, SHARDS), Heard())
    await until(lambda: reading.feed.reading)
    for number in range(3 * FLOWING):
        await fill(redis, 1, number)
        if number < FLOWING:
            await until(lambda: len(reading.heard.entries) == number + 1)  # noqa: B023 - awaited in the loop
    await until(lambda: len(reading.heard.entries) == 3 * FLOWING)
    assert in_order(reading.heard.entries)
    await reading.stop()


def test_entries_gather_only_while_they_flow() -> None:
    flow, quick, slow = Flow(), GATHER_SECONDS / 2, GATHER_SECONDS
    assert [flow.pause(quick, 1) for _ in range(FLOWING)] == [0.0] * (FLOWING - 1) + [GATHER_SECONDS]
    assert flow.pause(quick, 1) == GATHER_SECONDS
    assert flow.pause(slow, 1) == 0, "a lone tap is read at once, and so is the next"
    assert flow.pause(quick, 1) == 0


def test_entries_of_a_backlog_do_not_gather() -> None:
    flow = Flow()
    assert [flow.pause(0.0, BATCH) for _ in range(2 * FLOWING)] == [0.0] * 2 * FLOWING
    assert flow.pause(0.0, BATCH - 1) == GATHER_SECONDS


async def test_groups_are_independent(redis: Redis) -> None:
    await fill(redis, 10)
    first, second = Heard(), Heard()
    await drain(feed_of(redis, SHARDS, "a"), first)
    await drain(feed_of(redis, SHARDS, "b"), second)
    assert first.entries == second.entries


async def test_one_process_reads_and_another_takes_over_when_it_stops(redis: Redis) -> None:
    bell = Bell(redis, RELEASED)
    listening = asyncio.create_task(bell.listen())
    await until(lambda: bell.rings)
    first = Reading(feed_of(redis, SHARDS, owner="a", released=bell), Heard())
    await until(lambda: first.feed.reading)
    second = Reading(feed_of(redis, SHARDS, owner="b", released=bell), Heard())
    await fill(redis, 30)
    await until(lambda: first.feed.handled == 30)
    assert not second.heard.entries
    await first.stop()
    await fill(redis, 30, first=30)
    await until(lambda: len(second.heard.entries) == 30)
    assert in_order(first.heard.entries + second.heard.entries)
    await second.stop()
    listening.cancel()
    await asyncio.wait({listening})


async def test_what_a_dead_process_had_taken_is_handled_by_another(redis: Redis) -> None:
    await fill(redis, 30)
    stuck = asyncio.Event()

    async def never(_: Sequence[Entry]) -> None:
        stuck.set()
        await asyncio.Event().wait()

    first = Reading(feed_of(redis, SHARDS, owner="a"), Heard(never))
    await stuck.wait()
    await first.die()
    second = Reading(feed_of(redis, SHARDS, owner="b"), Heard())
    await until(lambda: len(second.heard.entries) == 30)
    assert in_order(second.heard.entries)
    await second.stop()


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionRefusedError("away"),
        Unavailable("away"),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.DiskFullError("full"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.InterfaceError("connection is closed"),
        TimeoutError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_store_that_is_away_is_waited_for(redis: Redis, problem: Exception) -> None:
    await fill(redis, 12)
    failures = [problem] * 3

    async def flaky(_: Sequence[Entry]) -> None:
        if failures:
            raise failures.pop()

    feed, heard = feed_of(redis, SHARDS), Heard(flaky)
    await drain(feed, heard)
    assert not failures
    assert len(heard.entries) == 12
    assert (heard.batches, feed.set_aside) == (1, 0)


async def test_a_poisoned_entry_is_set_aside_and_the_others_are_handled_in_order(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "FIRST_DELAY", 0.001)
    await fill(redis, 100)
    tries: Counter[int] = Counter()

    async def chokes(entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.first_version in {18, 61}:
                tries[entry.first_version] += len(entries) == 1
                raise KeyError(entry.first_version)

    feed, heard = feed_of(redis, SHARDS), Heard(chokes)
    await drain(feed, heard)
    assert {e.first_version for e in heard.entries} == set(range(1, 101)) - {18, 61}
    assert in_order(heard.entries)
    assert tries == {18: feed_module.TRIES, 61: feed_module.TRIES}
    aside = [keys.aside_key(shard, "projector") for shard in SHARDS]
    kept = [fields for key in aside for _, fields in await rows(redis, key)]
    assert {(fields[b"v"], fields[b"error"]) for fields in kept} == {(b"17", b"KeyError: 18"), (b"60", b"KeyError: 61")}
    assert all([not await redis.exists(key) or await redis.pttl(key) > 0 for key in aside])


async def test_what_is_said_to_be_unprocessable_is_not_tried_again(redis: Redis) -> None:
    await put(redis, "00")
    tries = []

    async def refuses(entries: Sequence[Entry]) -> None:
        tries.append(entries)
        raise Unprocessable("never")

    feed = feed_of(redis, SHARDS)
    await drain(feed, refuses)
    assert len(tries) == feed.set_aside == 1


async def test_a_reader_that_alone_can_not_reach_a_store_lets_another_process_read(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PATIENCE_SECONDS", 0.0)

    async def cut_off(_: Sequence[Entry]) -> None:
        raise ConnectionRefusedError

    first = Reading(feed_of(redis, SHARDS), Heard(cut_off))
    await until(lambda: first.feed.reading)
    second = Reading(feed_of(redis, SHARDS), Heard())
    await fill(redis, 9)
    await until(lambda: len(second.heard.entries) >= 9)
    await first.stop()
    await second.stop()
    assert in_order(second.heard.entries)


async def test_where_nothing_more_can_be_set_aside_the_group_stands_still_and_drops_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(feed_module, "ASIDE_LIMIT", 2)
    for version in range(5):
        await put(redis, "00", version)
    broken = True
    tries = Counter[int]()

    async def refuses(entries: Sequence[Entry]) -> None:
        if broken:
            tries[entries[0].first_version] += 1
            raise Unprocessable("never")

    reading = Reading(feed_of(redis, SHARDS), Heard(refuses))
    await until(lambda: tries[3] >= 5)
    assert reading.feed.set_aside == 2
    broken = False
    await until(lambda: len(reading.heard.entries) == 3)
    await reading.stop()


async def test_how_much_is_set_aside_is_known_to_whoever_asks(redis: Redis) -> None:
    await fill(redis, 3)
    for shard in SHARDS[:2]:
        await redis.xadd(keys.feed_key(shard), {"nothing": "of ours"})
    await drain(feed_of(redis, SHARDS), Heard())
    assert await feed_of(redis, SHARDS, owner="another").aside() == 2
    assert await feed_of(redis, SHARDS, "boards").aside() == 0


async def test_what_is_no_entry_is_set_aside(redis: Redis) -> None:
    await put(redis, "00", 1)
    for _ in range(2):
        await redis.xadd(keys.feed_key("00"), {"junk": "1"})
    await put(redis, "00", 2)
    await redis.xadd(keys.feed_key("00"), {"junk": "2"})
    feed, heard = feed_of(redis, SHARDS), Heard()
    await drain(feed, heard)
    assert [e.first_version for e in heard.entries] == [2, 3]
    assert feed.set_aside == await redis.xlen(keys.aside_key("00", "projector")) == 3


async def test_only_what_every_group_is_done_with_is_trimmed(redis: Redis) -> None:
    await fill(redis, 30)
    await drain(feed_of(redis, SHARDS, "a"), Heard())
    other = feed_of(redis, SHARDS, "b")
    await other._join()
    await other.trim(keep_ms=0)
    assert sum([await redis.xlen(keys.feed_key(shard)) for shard in SHARDS]) == 30
    await drain(other, Heard())
    await other.trim(keep_ms=0)
    assert sum([await redis.xlen(keys.feed_key(shard)) for shard in SHARDS]) == 0
    await fill(redis, 3)
    await drain(feed_of(redis, SHARDS, "a"), heard := Heard())
    assert len(heard.entries) == 3


async def test_a_group_that_nobody_reads_any_more_holds_nothing_back_unless_it_is_the_projector(redis: Redis) -> None:
    await fill(redis, 9)
    for group in ("gone", "projector"):
        await feed_of(redis, SHARDS, group)._join()
    reader = feed_of(redis, SHARDS, "a")
    await drain(reader, Heard())
    await reader.trim(keep_ms=0)
    assert await redis.xlen(keys.feed_key("00")) == 3
    await drain(feed_of(redis, SHARDS), Heard())
    await reader.trim(keep_ms=0)
    assert await redis.xlen(keys.feed_key("00")) == 0


async def test_the_lag_counts_what_waits_and_says_how_old_it_is(redis: Redis) -> None:
    feed = feed_of(redis, SHARDS)
    assert await feed.lag() == (0, 0)
    await fill(redis, 7)
    lag = await feed.lag()
    assert lag.entries == 7
    assert 0 <= lag.ms < 5000
    await drain(feed, Heard())
    assert await feed.lag() == (0, 0)


async def test_a_redis_that_lost_everything_is_noticed_and_read_on(redis: Redis) -> None:
    calls = []

    async def renewed() -> None:
        calls.append(1)

    await fill(redis, 5)
    reading = Reading(feed_of(redis, SHARDS, renewed=renewed), Heard())
    await until(lambda: len(reading.heard.entries) == 5)
    assert len(calls) == 1
    await redis.flushall()
    # An id below all that were read, as if the clock had also gone back.
    await redis.xadd(
        keys.feed_key("00"), {"g": "00" + "b" * 12, "v": 0, "k": "x", "p": "x", "d": "", "r": "[]"}, id="5-5"
    )
    await until(lambda: len(reading.heard.entries) == 6)
    assert len(calls) == 2
    await reading.stop()


async def test_redis_killed_in_the_middle_loses_nothing(store_directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=store_directory) as directory:
        async with embedded_redis(Path(directory)) as dsn, redis_client(dsn, timeout_seconds=2) as redis:
            await fill(redis, 300)
            reading = Reading(feed_of(redis, SHARDS), Heard())
            await until(lambda: reading.heard.entries)
            os.kill((await redis.info("server"))["process_id"], signal.SIGKILL)
            await redis_ready(redis)
            await fill(redis, 30, first=300)
            await until(lambda: len({(e.shard, e.first_version) for e in reading.heard.entries}) == 330, 20)
            await reading.stop()
