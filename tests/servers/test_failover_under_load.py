"""A failover of Redis, by Sentinels and in a cluster of three, while games are played by the whole bot."""

import asyncio
import itertools
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
from redis.exceptions import RedisError

from benchmarks.durability import RULES
from bot.settings import Durability
from fsm.engine import Unavailable
from fsm.kind import ChatTopic, Host
from fsm.lobby import Join, OpenGame
from fsm.pick_number import PickNumber
from storage import keys
from storage.redis_server import inspect_redis
from tests.e2e.conftest import Table, seated
from tests.servers import servers

GAMES = 24
"""Games in which somebody taps without a pause."""
DOWN_MS = 5_000
"""Silence after which a server counts as dead, in ms. A busy machine must not cause failovers by itself."""
BEFORE, AFTER = 2_000, 1_000
"""Number of taps that are acknowledged before the failure, and after it."""


@dataclass
class Servers:
    """Servers of which one is the primary.

    Attributes:
        dsn: the address for the bot.
        process: the process of the server that has the keys.
    """

    dsn: str
    process: asyncio.subprocess.Process


@dataclass
class Taps:
    """Taps in many games, and the ids and moments of those that were acknowledged."""

    table: Table
    acknowledged: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    stopped: bool = False

    async def open(self, number: int) -> str:
        """Open a game in a group of its own that is ready for picks. Returns its id."""
        host, *players = self.table.people[:3]
        group = self.table.box.control.add_group(f"Load {number}", host, players)
        place = ChatTopic(group.id)
        game_id = await self.table.bot.games.reserve_id(place, f"load:{number}")
        opening = OpenGame("pick_number", game_id, place, Host(host.id, host.first_name), "", RULES, 1000)
        await self._does(game_id, opening, "open")
        for player in players:
            await self._does(game_id, Join(player.id, player.first_name), f"join:{player.id}")
        return game_id

    async def tap(self, game_id: str) -> None:
        """Move a player from number to number until told to stop. A tap that is refused is repeated, as people do."""
        number = 0
        while not self.stopped:
            number += 1
            await self._does(game_id, PickNumber(self.table.people[1].id, number % 99 + 1), f"tap:{number}")

    async def _does(self, game_id: str, command: Any, name: str) -> None:
        while not self.stopped:
            try:
                await self.table.bot.engine.execute(game_id, command, command_id=f"{game_id}:{name}")
            except Unavailable:
                await asyncio.sleep(0.05)
                continue
            self.acknowledged.append(f"{game_id}:{name}")
            self.times.append(time.monotonic())
            return

    async def number(self, least: int) -> None:
        """Wait until so many taps have been acknowledged."""
        async with asyncio.timeout(120):
            while len(self.times) < least:  # noqa: ASYNC110 -- other tasks count
                await asyncio.sleep(0.02)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tombola-") as directory:
        yield Path(directory)


@pytest.fixture(autouse=True)
def layout() -> Iterator[None]:
    """Give the other tests the names of keys of a single server back."""
    yield
    keys.use_one_slot(cluster=False)


def binary() -> str:
    found = os.environ.get("STORES_REDIS") or servers.REDIS
    if found is None:
        pytest.skip("no redis-server (Debian: redis-server)")
    return found


async def until(condition: Any) -> None:
    """Wait until the condition is true."""
    async for attempt in stamina.retry_context(
        on=(AssertionError, RedisError, OSError), attempts=None, timeout=60, wait_max=0.2
    ):
        with attempt:
            assert await condition()


@asynccontextmanager
async def running(folder: Path, port: int, **settings: str) -> AsyncIterator[tuple[Any, asyncio.subprocess.Process]]:
    """Run a server. Yields a client and the process."""
    async with servers.redis_process(binary(), folder, port, **settings) as found:
        yield found


@asynccontextmanager
async def sentinels(folder: Path) -> AsyncIterator[Servers]:
    """Run a primary, a replica, and three Sentinels that watch them."""
    first, second, *watching = (servers.free_port() for _ in range(5))
    async with AsyncExitStack() as stack:
        _, process_ = await stack.enter_async_context(running(folder / "1", first))
        replica, _ = await stack.enter_async_context(running(folder / "2", second, replicaof=f"127.0.0.1 {first}"))
        clients: list[Any] = []
        for port in watching:
            home = folder / str(port)
            home.mkdir()
            (home / "conf").write_text(
                f"port {port}\nbind 127.0.0.1\ndir {home}\nunixsocket {home}/s\n"
                f"sentinel monitor games 127.0.0.1 {first} 2\n"
                f"sentinel down-after-milliseconds games {DOWN_MS}\nsentinel failover-timeout games 10000\n"
            )
            command = (binary(), str(home / "conf"), "--sentinel")
            await stack.enter_async_context(servers.process(*command, log=home / "log"))
            await servers.answers(home)
            clients.append(servers.on_socket(home))
            stack.push_async_callback(clients[-1].aclose)

        async def complete() -> bool:
            link = (await replica.info("replication"))["master_link_status"]
            states = [(await each.sentinel_masters())["games"] for each in clients]
            return link == "up" and all(s["num-slaves"] == 1 and s["num-other-sentinels"] == 2 for s in states)

        await until(complete)
        hosts = ",".join(f"127.0.0.1:{port}" for port in watching)
        yield Servers(f"redis+sentinel://{hosts}/games/0", process_)


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Servers]:
    """Run a cluster of three primaries, each with a replica."""
    ports = [servers.free_port() for _ in range(6)]
    settings = {"cluster_enabled": "yes", "cluster_node_timeout": str(DOWN_MS), "cluster_config_file": "nodes.conf"}
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(running(folder / str(port), port, **settings)) for port in ports]
        command = ["--cluster", "create", *(f"127.0.0.1:{port}" for port in ports), "--cluster-replicas", "1"]
        cli = servers.REDIS_CLI
        if cli is None:
            pytest.skip("no redis-cli (Debian: redis-tools)")
        made = await asyncio.create_subprocess_exec(cli, *command, "--cluster-yes", stdout=asyncio.subprocess.PIPE)
        said, _ = await made.communicate()
        assert made.returncode == 0, said.decode()

        async def complete() -> bool:
            for client, _ in nodes:
                told: Any = await client.execute_command("CLUSTER", "INFO")
                link: Any = await client.info("replication")
                if b"cluster_state:ok" not in told or link.get("master_link_status", "up") != "up":
                    return False
            return True

        await until(complete)
        ranges: Any = await nodes[0][0].execute_command("CLUSTER SLOTS")
        slot = keys.cluster_slot()
        owner = next(int(primary[1]) for low, high, primary, *_ in ranges if low <= slot <= high)
        _, process_ = nodes[ports.index(owner)]
        others = ",".join(f"127.0.0.1:{port}" for port in ports if port != owner)
        yield Servers(f"redis+cluster://{others}", process_)


KINDS_OF_FAILOVER = {"sentinel": sentinels, "cluster": cluster}


async def lost(table: Table, acknowledged: list[str]) -> list[str]:
    """Return the acknowledged commands without an event in PostgreSQL, once all feeds have been read."""
    redis: Any = table.bot.redis

    async def read() -> bool:
        for shard in table.bot.games.shards:
            stream, groups = (
                await redis.xinfo_stream(keys.feed_key(shard)),
                await redis.xinfo_groups(keys.feed_key(shard)),
            )
            projector = next(group for group in groups if group["name"] == b"projector")
            if projector["last-delivered-id"] != stream["last-generated-id"]:
                return False
        return True

    await until(read)
    rows = await table.bot.pool.fetch(
        "SELECT unnest($1::text[]) AS id EXCEPT SELECT command_id FROM game_events", acknowledged
    )
    return [str(row["id"]) for row in rows]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "plain"])
@pytest.mark.parametrize("kind", KINDS_OF_FAILOVER)
async def test_a_failover_under_load_loses_no_acknowledged_tap_beyond_the_promise(
    kind: str,
    strict: bool,  # noqa: FBT001 -- a column of the table
    folder: Path,
    postgres_dsn: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with (
        KINDS_OF_FAILOVER[kind](folder) as found,
        seated(postgres_dsn, found.dsn, "polling", durability=Durability(strict=strict)) as table,
    ):
        report = await inspect_redis(table.bot.redis)
        assert (report.refusals, report.risks) == ([], [])
        assert any("unless durability.strict is on" in line for line in report.notes)
        own = await table.begin()
        taps = Taps(table)
        games = [await taps.open(number) for number in range(GAMES)]
        tasks = [asyncio.create_task(taps.tap(game_id)) for game_id in games]
        await taps.number(BEFORE)
        found.process.kill()
        at = time.monotonic()
        await found.process.wait()
        before = len(taps.times)
        known = {row["command_id"] for row in await table.bot.pool.fetch("SELECT command_id FROM game_events")}
        await taps.number(before + AFTER)
        taps.stopped = True
        await asyncio.gather(*tasks)
        pause = max(after - earlier for earlier, after in itertools.pairwise(taps.times) if after > at)
        missing = await lost(table, taps.acknowledged)
        figures = {"failover": kind, "strict": strict, "acknowledged": len(taps.times), "before": before}
        with capsys.disabled():
            print(json.dumps(figures | {"pause_s": round(pause, 1), "lost": len(missing)}))  # noqa: T201
        assert not known & set(missing)
        if strict:
            assert missing == []
        # A tap that was acknowledged after the failover is never lost.
        assert not set(missing) & set(taps.acknowledged[before + GAMES :])
        await table.finish(own)
