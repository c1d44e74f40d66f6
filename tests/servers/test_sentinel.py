"""A Redis watched by Sentinels: its primary is found, and after a failover the new one."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import stamina
from redis.exceptions import RedisError

from storage.connections import REDIS_GONE, PinnedConnections, packed, redis_client, redis_ready
from storage.redis_server import inspect_redis
from tests.servers import servers

PASSWORD = "p%40ss"
"""The password p@ss, as the address writes it."""


@dataclass
class Watched:
    """A primary and a replica, the Sentinels that watch them, and the address."""

    dsn: str
    primary: Any
    replica: Any
    sentinel: Any


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


@pytest_asyncio.fixture
async def watched(folder: Path) -> AsyncIterator[Watched]:
    """Run a primary, a replica and three Sentinels."""
    binary = servers.REDIS
    if binary is None:
        pytest.skip("no redis-server (Debian: redis-server)")
    first, second, *watching = (servers.free_port() for _ in range(5))
    secrets = {"requirepass": "p@ss", "masterauth": "p@ss"}
    async with AsyncExitStack() as stack:
        primary = await stack.enter_async_context(servers.redis(binary, folder / "1", first, **secrets))
        replica = await stack.enter_async_context(
            servers.redis(binary, folder / "2", second, replicaof=f"127.0.0.1 {first}", **secrets)
        )
        sentinel = None
        for port in watching:
            home = folder / str(port)
            home.mkdir()
            (home / "conf").write_text(
                f"port {port}\nbind 127.0.0.1\ndir {home}\nunixsocket {home}/s\n"
                f"sentinel monitor games 127.0.0.1 {first} 2\n"
                "sentinel auth-pass games p@ss\nsentinel down-after-milliseconds games 1000\n"
                "sentinel failover-timeout games 5000\n"
            )
            await stack.enter_async_context(servers.process(binary, str(home / "conf"), "--sentinel", log=home / "log"))
            await servers.answers(home)
            sentinel = servers.on_socket(home)
            stack.push_async_callback(sentinel.aclose)
        await until(lambda: linked(replica))
        await until(lambda: knows_all(sentinel))
        hosts = ",".join(f"127.0.0.1:{port}" for port in watching)
        yield Watched(f"redis+sentinel://:{PASSWORD}@{hosts}/games/0", primary, replica, sentinel)


async def until(condition: Any) -> None:
    """Wait until the condition is true."""
    async for attempt in stamina.retry_context(on=AssertionError, attempts=None, timeout=60, wait_max=0.2):
        with attempt:
            assert await condition()


async def linked(replica: Any) -> bool:
    found = await replica.info("replication")
    return bool(found["role"] == "slave" and found["master_link_status"] == "up")


async def knows_all(sentinel: Any) -> bool:
    state = (await sentinel.sentinel_masters())["games"]
    return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 2)


async def test_the_primary_is_found_and_looked_at(watched: Watched) -> None:
    async with redis_client(watched.dsn) as client:
        await redis_ready(client)
        report = await inspect_redis(client)
        assert report.refusals == []
        assert await client.set("mark", "kept")
    assert await watched.primary.get("mark") == b"kept"


async def test_after_a_failover_under_load_the_new_primary_has_all_that_two_servers_confirmed(watched: Watched) -> None:
    confirmed: set[int] = set()
    failed_over = asyncio.Event()

    async with redis_client(watched.dsn, pool_size=16, timeout_seconds=2) as client:
        pinned = PinnedConnections(client, 2)

        async def write(first: int) -> None:
            number = first
            while not failed_over.is_set() or number < first + 20:
                try:
                    # WAIT: a write that the replica also has can't be lost with the primary.
                    added, copies = await pinned.exchange([packed("SADD", "all", number), packed("WAIT", 1, 500)])
                    if copies == 1 and not isinstance(added, Exception):
                        confirmed.add(number)
                except REDIS_GONE:
                    await asyncio.sleep(0.05)
                number += 1

        async def fail() -> None:
            await until(lambda: enough(confirmed))
            await kill(watched.primary)
            await until(lambda: promoted(watched.replica))
            failed_over.set()

        await asyncio.gather(*(write(n * 1_000_000) for n in range(4)), fail())
        await redis_ready(client)
        assert await client.set("mark", "after")
        members = {int(member) for member in await watched.replica.smembers("all")}
    assert len(confirmed) > 100
    assert confirmed <= members


async def enough(confirmed: set[int]) -> bool:
    return len(confirmed) > 100


async def kill(server: Any) -> None:
    """End the server at once, like a power loss."""
    try:
        await server.execute_command("SHUTDOWN", "NOSAVE", "NOW", "FORCE")
    except (RedisError, OSError):
        return


async def promoted(replica: Any) -> bool:
    return bool((await replica.info("replication"))["role"] == "master")
