"""A process frozen in the middle of a transaction (SIGSTOP): others continue, and it does no harm when it resumes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from storage.connections import Pool
from storage.migrate import downgrade, upgrade
from storage.public_log import PublicLog
from storage.seeds import Seeds
from tests.contract.played import House

FREEZES = """
import asyncio, os, signal, sys
import storage.connections as connections
import storage.migrate as migrate
import storage.people as people
import storage.projector as projector
from fsm.registry import KINDS
from storage.codec import Codec
from storage.games import RedisGames

dsn, redis_dsn, what = sys.argv[1:]

def frozen(work):
    once = [None]
    async def freeze_and(*arguments):
        found = await work(*arguments)
        if once:
            once.pop()
            os.kill(os.getpid(), signal.SIGSTOP)
        return found
    return freeze_and

async def project(pool, redis):
    from storage.feed import Feed
    from tests.contract.played import SHARDS
    shards = RedisGames(redis, Codec(KINDS), shards=SHARDS).shards
    projector._check = frozen(projector._check)
    await Feed(redis, shards, "projector", owner="frozen").run(projector.Projector(pool).handle)

async def move(pool, redis):
    people.move_chat = frozen(people.move_chat)
    await people.People(pool, redis).chat_migrated(-1, -2)

async def append(pool, redis):
    import storage.public_log as public_log
    public_log._grow = frozen(public_log._grow)
    await public_log.PublicLog(pool, Codec(KINDS)).append()

async def wait(pool, redis):
    # The statement is new to the connection, so that Parse waits for the lock on the table.
    connections._LIMITS = connections._LIMITS.replace(str(connections.TRANSACTION_SECONDS), "5")
    while True:
        try:
            async with connections.bounded_transaction(pool) as connection:
                await connection.execute("SELECT pg_advisory_xact_lock(77)")
                await connection.fetch("SELECT FROM prizes WHERE place > $1", 0)
        except connections.POSTGRES_AGAIN:
            pass

async def main():
    if what == "migrate":
        from alembic import command
        upgrade = command.upgrade
        def upgraded(*arguments):
            upgrade(*arguments)
            os.kill(os.getpid(), signal.SIGSTOP)
        command.upgrade = upgraded
        await migrate.upgrade(dsn)
        return
    async with connections.postgres_pool(dsn) as pool, connections.redis_client(redis_dsn) as redis:
        await {"project": project, "move": move, "append": append, "wait": wait}[what](pool, redis)

asyncio.run(main())
"""


@asynccontextmanager
async def frozen(dsn: str, redis_dsn: str, what: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process until it has frozen itself in its transaction; it is ended after the block."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FREEZES, dsn, redis_dsn, what, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(_stopped, child.pid):
                assert child.returncode is None, "it ended before it froze"
                await asyncio.sleep(0.02)
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


def _stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


async def test_the_projectors_successor_goes_on_while_the_holder_is_frozen_in_its_transaction(
    pool: Pool, redis: Redis, postgres_dsn: str, redis_dsn: str
) -> None:
    house = House(pool, redis)
    games = [await house.play(chat_id=-number - 1) for number in range(3)]
    async with frozen(postgres_dsn, redis_dsn, "project") as child:
        async with asyncio.timeout(60):  # PostgreSQL ends the frozen session after some seconds
            await house.project(owner="successor")
        assert await pool.fetchval("SELECT count(*) FROM games WHERE status = 'completed'") == len(games)
        os.kill(child.pid, signal.SIGCONT)
        assert child.stderr is not None
        async with asyncio.timeout(60):  # it notices that its session has ended and that its lease has expired
            while b" lost" not in await child.stderr.readline():
                assert child.returncode is None
    assert await pool.fetchval("SELECT count(*) FROM prizes") == len(games)
    assert await pool.fetchval("SELECT sum(version) FROM games") == house.projector.events


async def test_a_process_frozen_while_it_moves_a_chat_holds_up_nobody_for_long(
    pool: Pool, redis: Redis, postgres_dsn: str, redis_dsn: str
) -> None:
    house = House(pool, redis)
    game_id = await house.open(chat_id=-1)
    await house.project()
    async with frozen(postgres_dsn, redis_dsn, "move") as child:
        await house.cancel(game_id)
        await house.project()
        assert await pool.fetchval("SELECT status FROM games") == "cancelled"
        os.kill(child.pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            assert await child.wait() == 0, "it tries again"
    assert await pool.fetchval("SELECT chat_id FROM games") == -2


async def test_a_process_frozen_while_it_appends_to_the_public_log_holds_up_no_other(
    pool: Pool, redis: Redis, postgres_dsn: str, redis_dsn: str
) -> None:
    house = House(pool, redis)
    await Seeds(pool).take(-1)
    log = PublicLog(pool, house.codec)
    async with frozen(postgres_dsn, redis_dsn, "append"), asyncio.timeout(60):
        while not await log.leaves(0, 1):
            with suppress(asyncpg.LockNotAvailableError):
                await log.append()


async def test_a_process_frozen_between_the_two_halves_of_a_statement_frees_its_locks(
    pool: Pool, postgres_dsn: str, redis_dsn: str
) -> None:
    if await pool.fetchval("SELECT current_setting('transaction_timeout', true) IS NULL"):
        pytest.skip("before PostgreSQL 17 nothing limits such a session")
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", FREEZES, postgres_dsn, redis_dsn, "wait")
    try:
        async with asyncio.timeout(60), pool.acquire() as connection:
            async with connection.transaction():
                await connection.execute("LOCK TABLE prizes IN ACCESS EXCLUSIVE MODE")
                while not await connection.fetchval(  # noqa: ASYNC110 - what another process does
                    "SELECT count(*) FROM pg_locks WHERE relation = 'prizes'::regclass AND NOT granted"
                ):
                    await asyncio.sleep(0.02)
                os.kill(child.pid, signal.SIGSTOP)
            while not await connection.fetchval("SELECT pg_try_advisory_lock(77)"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            await connection.execute("SELECT pg_advisory_unlock(77)")
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def test_a_process_frozen_while_it_migrates_keeps_others_from_starting_for_long(
    redis_dsn: str, empty_database: str
) -> None:
    async with frozen(empty_database, redis_dsn, "migrate"):
        async with asyncio.timeout(90):
            assert await upgrade(empty_database)
        await downgrade(empty_database, "base")
