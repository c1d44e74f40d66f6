"""Registry of the processes that run on these stores, for the people who operate them."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import msgspec
from redis.asyncio import Redis

from fsm.kind import Instant
from storage import keys
from storage.leases import STORE_GONE

TTL_MS: Final = 15_000
RENEW_SECONDS: Final = 5.0
LEAVE_SECONDS: Final = 1.0
MOST: Final = 1000


class Load(msgspec.Struct, frozen=True):
    """The load of a process.

    Attributes:
        processor: its share of one core, 0 to 1; more with threads.
        updates: updates of Telegram a second.
        tasks: background tasks.
        games: games in its memory.
    """

    processor: float = 0.0
    updates: float = 0.0
    tasks: int = 0
    games: int = 0


class Process(msgspec.Struct, frozen=True):
    """A process that runs.

    Attributes:
        name: unique name.
        roles: its roles, sorted.
        version: the version of the program.
        port: the port of its HTTP server.
        started_at: time of its start.
        seen_at: time of its last sign of life.
        host: the machine that it runs on.
        load: its figures since the sign of life before.
        leases: the jobs that it alone does now, by the names of their leases.
    """

    name: str
    roles: tuple[str, ...]
    version: str
    port: int
    started_at: Instant
    seen_at: Instant = 0
    host: str = ""
    load: Load = Load()
    leases: tuple[str, ...] = ()


class Processes:
    """The registry. Its methods raise the errors of redis-py."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def keep(self, described: Callable[[], Process]) -> None:
        """Keep a process registered as it describes itself, until cancelled; then remove it."""
        key, process = keys.processes_key(), described()
        try:
            while True:
                with contextlib.suppress(*STORE_GONE):  # the entry survives two failed renewals
                    seconds, _ = await self._redis.time()
                    process = described()
                    entry = msgspec.structs.replace(process, seen_at=seconds * 1000)
                    async with self._redis.pipeline(transaction=True) as pipe:
                        pipe.hset(key, process.name, msgspec.json.encode(entry))
                        pipe.pexpire(key, 4 * TTL_MS)
                        await pipe.execute()
                await asyncio.sleep(RENEW_SECONDS)
        finally:
            with contextlib.suppress(*STORE_GONE, TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    await self._redis.hdel(key, process.name)

    async def listed(self) -> list[Process]:
        """Return the processes that gave a sign of life within 15 seconds, by name. Forgets the others."""
        seconds, _ = await self._redis.time()
        now, found, dead = seconds * 1000, list[Process](), list[bytes | str]()
        for name, raw in (await self._redis.hgetall(keys.processes_key())).items():
            try:
                process = msgspec.json.decode(raw, type=Process)
            except (msgspec.DecodeError, RecursionError):  # of another version, which describes processes otherwise
                continue
            if abs(now - process.seen_at) > TTL_MS:
                dead.append(name)
            else:
                found.append(process)
        if dead:
            await self._redis.hdel(keys.processes_key(), *dead)
        return sorted(found, key=lambda each: each.name)[:MOST]
