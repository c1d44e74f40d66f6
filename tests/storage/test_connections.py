"""Connection pools: options, waits and retries."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from storage.connections import (
    POSTGRES_GONE,
    REDIS_GONE,
    Connection,
    PinnedConnections,
    Pool,
    in_transaction,
    packed,
    postgres_pool,
    redis_client,
    redis_ready,
)


async def test_encoded_json_passes_through_untouched(pool: Pool) -> None:
    for document in (b'{"a": 1}', '{"a": "\N{SNOWMAN}"}'):
        stored = await pool.fetchval("SELECT $1::jsonb", document)
        assert isinstance(stored, bytes)
        assert json.loads(stored) == json.loads(document)
    rows = await pool.fetch("SELECT unnest($1::jsonb[]) AS number", [b"1", b"2"])
    assert [row["number"] for row in rows] == [b"1", b"2"]


async def test_a_session_has_a_name_and_a_limit_for_statements(postgres_dsn: str) -> None:
    async with postgres_pool(postgres_dsn, application_name="tombola-test", statement_timeout_seconds=0.5) as pool:
        assert await pool.fetchval("SHOW application_name") == "tombola-test"
        assert await pool.fetchval("SHOW timezone") == "UTC"
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("SELECT pg_sleep(10)")
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_connection_comes_back_without_a_query_of_its_own_but_with_its_transaction_ended(
    postgres_dsn: str,
) -> None:
    last = "SELECT query FROM pg_stat_activity WHERE pid = $1"
    async with postgres_pool(postgres_dsn, pool_max=1) as pool, postgres_pool(postgres_dsn, pool_max=1) as observer:
        session = await pool.fetchval("SELECT pg_backend_pid()")
        assert await observer.fetchval(last, session) == "SELECT pg_backend_pid()"
        async with pool.acquire() as connection:
            await connection.execute("BEGIN; SET LOCAL lock_timeout = '77s'; CREATE TABLE left_behind ()")
        assert await pool.fetchval("SELECT pg_backend_pid()") == session
        assert await pool.fetchval("SHOW lock_timeout") != "77s"
        assert await pool.fetchval("SELECT to_regclass('left_behind')") is None


async def test_a_command_that_is_not_answered_in_time_is_given_up(postgres_dsn: str) -> None:
    async with postgres_pool(postgres_dsn, command_timeout_seconds=0.5) as pool:
        with pytest.raises(TimeoutError):
            await pool.execute("SELECT pg_sleep(10)")
        assert await pool.fetchval("SELECT 1") == 1


async def test_work_waits_for_a_connection_of_a_full_pool(postgres_dsn: str) -> None:
    async with postgres_pool(postgres_dsn, pool_max=2) as pool:
        assert sum(await asyncio.gather(*(pool.fetchval("SELECT 1") for _ in range(50)))) == 50
        assert pool.get_size() <= 2


async def test_a_pool_is_refused_after_the_time_given_where_no_server_is(tmp_path: Path) -> None:
    with pytest.raises(POSTGRES_GONE):
        async with postgres_pool(f"postgresql://u@/d?host={tmp_path}", start_timeout_seconds=0.1):
            pass


async def test_a_wrong_database_is_refused_at_once(postgres_server: str) -> None:
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        async with postgres_pool(postgres_server.replace("@/postgres?", "@/missing?")):
            pass


async def test_a_transaction_is_repeated_after_a_lost_connection(pool: Pool) -> None:
    tries = 0

    async def work(connection: Connection) -> int:
        nonlocal tries
        tries += 1
        await connection.execute("INSERT INTO feed_checkpoints (shard, position) VALUES ('00', '1-0')")
        if tries == 1:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return tries

    assert await in_transaction(pool, work) == 2
    assert await pool.fetchval("SELECT count(*) FROM feed_checkpoints") == 1


async def test_two_transactions_in_each_others_way_both_get_through(pool: Pool) -> None:
    await pool.execute("INSERT INTO feed_checkpoints (shard, position) VALUES ('00', ''), ('01', '')")
    both = asyncio.Barrier(2)
    met = False

    async def work(connection: Connection, *shards: str) -> None:
        nonlocal met
        await connection.execute("SET LOCAL deadlock_timeout = '10ms'")
        for shard in shards:
            await connection.execute("UPDATE feed_checkpoints SET position = position || 'x' WHERE shard = $1", shard)
            if not met:
                await both.wait()
                met = True

    await asyncio.gather(
        in_transaction(pool, lambda connection: work(connection, "00", "01")),
        in_transaction(pool, lambda connection: work(connection, "01", "00")),
    )
    assert {row["position"] for row in await pool.fetch("SELECT position FROM feed_checkpoints")} == {"xx"}


async def test_a_mistake_in_the_work_is_not_repeated(pool: Pool) -> None:
    tries = 0

    async def work(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        await connection.execute("SELECT nonsense")

    with pytest.raises(asyncpg.UndefinedColumnError):
        await in_transaction(pool, work)
    assert tries == 1


async def test_every_query_is_observed_with_the_time_that_it_took(postgres_dsn: str) -> None:
    seconds: list[float] = []
    async with postgres_pool(postgres_dsn, pool_max=1, observe=seconds.append) as pool:
        before = len(seconds)
        await pool.fetchval("SELECT $1::int", 7)
        await pool.execute("SELECT pg_sleep(0.05)")
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetch("SELECT 1")
    assert len(seconds) >= before + 3
    assert max(seconds) >= 0.05


async def test_redis_work_waits_for_a_connection_rather_than_fail(redis_dsn: str) -> None:
    async with redis_client(redis_dsn, pool_size=2) as client:
        assert max(await asyncio.gather(*(client.incr("count") for _ in range(500)))) == 500
        assert len(await client.client_list()) <= 3


async def test_a_redis_command_is_not_repeated_behind_the_callers_back(redis: Redis, redis_dsn: str) -> None:
    async with redis_client(redis_dsn, pool_size=1, timeout_seconds=30) as client:
        own = await client.client_id()
        taking = asyncio.create_task(take(client))
        while not (await redis.info("clients"))["blocked_clients"]:
            pass
        await redis.client_kill_filter(_id=str(own))
        with pytest.raises(RedisConnectionError):
            await taking
        await redis.rpush("queue", "nobody takes this")
        assert await redis.llen("queue") == 1


async def take(client: Redis) -> object:
    return await client.blpop(["queue"], 0)


async def test_a_connection_that_died_in_the_pool_is_replaced_unseen(redis: Redis, redis_dsn: str) -> None:
    async with redis_client(redis_dsn, pool_size=1) as client:
        own = await client.client_id()
        await redis.client_kill_filter(_id=str(own))
        assert await client.set("mark", "kept")
        assert await client.client_id() != own


async def test_redis_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    async with redis_client(f"unix://{tmp_path}/s") as client:
        with pytest.raises(REDIS_GONE):
            await redis_ready(client, timeout_seconds=0.1)


async def test_a_redis_that_answers_is_ready(redis: Redis) -> None:
    await redis_ready(redis)


def test_a_dsn_of_something_else_is_refused() -> None:
    async def connect() -> None:
        async with redis_client("http://cache"):
            pass

    with pytest.raises(ValueError, match="redis://"):
        asyncio.run(connect())


@pytest.fixture(params=[1, 16], ids=["small pool", "pool"])
async def client(request: pytest.FixtureRequest, redis_dsn: str) -> AsyncGenerator[Redis]:
    """Return a client whose pool keeps no connection, and one whose pool keeps some."""
    async with redis_client(redis_dsn, pool_size=request.param) as found:
        yield found


async def test_commands_in_one_piece_have_their_answers_in_order_errors_among_them(client: Redis) -> None:
    commands = [
        packed("SET", "a", 1),
        packed("LPUSH", "a", "x"),
        packed("EVALSHA", "0" * 40, 0),
        packed("GET", "a"),
    ]
    connections = PinnedConnections(client, 2)
    done, wrong, unknown, value = await connections.exchange(commands)
    assert (done, value) == (b"OK", b"1")
    assert isinstance(wrong, ResponseError)
    assert isinstance(unknown, NoScriptError)
    assert await connections.exchange([]) == []
    assert await client.get("a") == b"1"


async def test_answers_that_do_not_come_in_time_are_not_taken_for_those_of_the_next(client: Redis) -> None:
    connections = PinnedConnections(client, 2)
    await connections.exchange([packed("PING")])
    for waiting in (
        connections.exchange([packed("BLPOP", "nothing", 30), packed("PING")], seconds=0.05),
        asyncio.wait_for(connections.exchange([packed("BLPOP", "nothing", 30)]), 0.05),
    ):
        with pytest.raises((RedisTimeoutError, TimeoutError)):
            await waiting
        assert await connections.exchange([packed("ECHO", "mine")]) == [b"mine"]


async def test_connections_for_commands_in_one_piece_are_kept_and_replaced_unseen(redis: Redis, redis_dsn: str) -> None:
    who = [packed("CLIENT ID")]
    async with redis_client(redis_dsn, pool_size=8, client_name="kept") as client:
        connections = PinnedConnections(client, 2)
        together = {tuple(own) for own in await asyncio.gather(*(connections.exchange(who) for _ in range(5)))}
        assert len(together) == 5
        first, second = await connections.exchange(who), await connections.exchange(who)
        assert first == second
        await redis.client_kill_filter(_id=str(first[0]))
        assert (second := await connections.exchange(who)) not in (first, [])
        pool: Any = client.connection_pool
        await pool.update_active_connections_for_reconnect()  # redis-py does this if a server is about to move
        assert await connections.exchange(who) == second  # the last use, after which the connection is released
        assert await connections.exchange(who) not in (first, second)
        for _ in range(20):  # kept and failed connections leave room for everybody
            with pytest.raises(RedisTimeoutError):
                await connections.exchange([packed("BLPOP", "nothing", 30)], seconds=0.001)
        assert max(await asyncio.gather(*(client.incr("count") for _ in range(50)))) == 50
    while any(each["name"] == "kept" for each in await redis.client_list()):
        pass  # they are closed with the client; the server notices a little later


async def test_of_a_small_pool_no_connection_is_kept(redis_dsn: str) -> None:
    async with redis_client(redis_dsn, pool_size=1, timeout_seconds=1) as client:
        connections = PinnedConnections(client, 2)
        await connections.exchange([packed("PING")])
        assert await client.ping()
