"""Circuit breakers of the stores: fast refusals during an outage, and none because of an answer."""

import asyncio

import asyncpg
import pytest

from fsm.engine import CommitResult, Stored, Unavailable
from storage.breakers import FAILURES, Circuit, GuardedPool, GuardedStore, PostgresAwayError
from storage.connections import Pool, postgres_pool


class Away:
    """An unavailable store that counts its calls."""

    def __init__(self) -> None:
        self.asked = 0
        self.back = False

    async def load(self, _game_id: str) -> Stored | None:
        self.asked += 1
        if not self.back:
            raise Unavailable("away")
        return None

    async def records_since(self, _game_id: str, _known: Stored) -> None:
        raise NotImplementedError

    async def commit(self, _commits: object) -> list[CommitResult | Exception]:
        raise NotImplementedError


async def test_a_store_that_is_away_is_soon_asked_no_more_and_then_asked_again() -> None:
    store, circuit = Away(), Circuit("redis")
    guarded = GuardedStore(store, circuit)
    for _ in range(FAILURES + 10):
        with pytest.raises(Unavailable):
            await guarded.load("game")
    assert store.asked == FAILURES
    assert circuit.state == "opened"
    store.back = True
    async with asyncio.timeout(60):
        while circuit.state != "closed":
            try:
                assert await guarded.load("game") is None
            except Unavailable:
                await asyncio.sleep(0.05)
    assert store.asked == FAILURES + 1


async def test_an_error_that_is_an_answer_opens_no_circuit(pool: Pool) -> None:
    guarded = GuardedPool(pool, Circuit("postgres"))
    for _ in range(FAILURES + 1):
        with pytest.raises(asyncpg.UndefinedTableError):
            await guarded.fetch("SELECT * FROM nothing_of_the_kind")
    assert await guarded.fetchval("SELECT 7") == 7


async def test_nobody_waits_for_ever_for_a_connection_of_a_pool_that_others_hold(postgres_dsn: str) -> None:
    async with postgres_pool(postgres_dsn, pool_max=1) as pool, pool.acquire():
        guarded = GuardedPool(pool, Circuit("postgres"), seconds=0.05)
        with pytest.raises(TimeoutError):
            await guarded.fetchval("SELECT 1")
        with pytest.raises(TimeoutError):
            await guarded.acquire()


async def test_a_postgresql_that_is_away_is_refused_as_an_error_that_callers_know() -> None:
    pool = await asyncpg.create_pool("postgresql://nobody@/nothing?host=/nowhere", min_size=0, max_size=1)
    guarded, last = GuardedPool(pool, Circuit("postgres")), None
    for _ in range(FAILURES + 1):
        with pytest.raises(OSError) as found:  # noqa: PT011 -- callers catch every kind of OSError
            await guarded.fetchval("SELECT 1")
        last = found.value
    assert isinstance(last, PostgresAwayError)
    pool.terminate()
