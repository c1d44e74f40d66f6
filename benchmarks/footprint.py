"""Start-up time and memory."""

import asyncio
import gc
import tracemalloc
from contextlib import AsyncExitStack
from typing import Any

from redis.asyncio import Redis

from benchmarks import stacks
from benchmarks.load import Run
from benchmarks.machine import SERVER_CORE, free_port, resident_bytes, running
from benchmarks.plan import CONNECTIONS, Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stores
from benchmarks.taps import checked
from benchmarks.world import SHARDS, Spot, TapGame, World, open_games, planned
from bot.clock import SystemClock, SystemEntropy
from fsm.engine import Engine
from fsm.pick_number import PickNumber
from fsm.registry import KINDS
from storage.codec import Codec
from storage.games import RedisGames
from storage.keys import feed_key

DATABASE = 11
GAMES = 1000
MB = 1_000_000


async def start(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the time from the start of a process to its first answer to a tap, and its memory."""
    world = planned("many-small", games=20)
    seconds, idle, workers = [], [], []
    for number in range(plan.few()):
        async with stacks.tombola(stores, world, DATABASE, name="start", tap=_first_tap(world, number)) as stack:
            seconds.append(stack.start_seconds)
            idle.append(resident_bytes(stack.pid) / MB)
            await stack.redis.flushdb()
        workers.append(await _worker_memory(stores))
        say(f"  first tap after {seconds[-1]:.2f} s; ingress {idle[-1]:.0f} MB, worker {workers[-1]:.0f} MB")
    return [
        row("start.seconds", "s", seconds),
        row("memory.idle_mb", "MB", idle),
        row("memory.idle_worker_mb", "MB", workers),
    ]


def _first_tap(world: World, number: int) -> bytes:
    return Spot(world.games[0], number % world.games[0].pickers).request(3_000_000_000 + number)


async def _worker_memory(stores: Stores) -> float:
    port = free_port()
    environment = stacks.tombola_environment(stores, port, DATABASE)
    command = stacks.tombola_command("--role", "worker")
    async with running(command, core=SERVER_CORE, env=environment, log=stores.directory / "worker.log") as process:
        await stacks.answering(port, process)
        await asyncio.sleep(1)
        return resident_bytes(process.pid) / MB


async def games(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the memory of live games.

    Covers a game of twenty, in a process and in Redis, and a process with a thousand games.
    """
    redis = Redis.from_url(stores.database(DATABASE))
    world = planned("many-small", games=GAMES)
    before: dict[str, Any] = await redis.info("memory")
    in_process = await _weighed_here(redis, world)
    after: dict[str, Any] = await redis.info("memory")
    feeds = [await redis.memory_usage(feed_key(f"0{shard}")) or 0 for shard in range(SHARDS)]
    in_redis = (after["used_memory"] - before["used_memory"] - sum(feeds)) / GAMES
    await redis.flushdb()
    await redis.aclose()
    say(f"  a game of twenty: {in_process:,.0f} bytes in the process, {in_redis:,.0f} in Redis")
    async with AsyncExitStack() as lifetime:
        stack = await lifetime.enter_async_context(stacks.tombola(stores, world, DATABASE, name="thousand"))
        await lifetime.enter_async_context(stacks.loaded(stack, stores, plan.seed))
        lifetime.push_async_callback(stack.redis.flushdb)
        await checked(stack, Run(port=stack.port, seconds=0, connections=CONNECTIONS, everybody=True), stores)
        memory = resident_bytes(stack.pid) / MB
    say(f"  {memory:.0f} MB with {GAMES} games in which all have picked")
    return [
        row("game.bytes_process", "bytes", [in_process]),
        row("game.bytes_redis", "bytes", [in_redis]),
        row("memory.1000_games_mb", "MB", [memory]),
    ]


async def _weighed_here(redis: Redis, world: World) -> float:
    """Return the bytes that a game allocates in an engine of this process, after everybody has picked."""
    engine = Engine(KINDS, RedisGames(redis, Codec(KINDS), shards=SHARDS), SystemClock(), SystemEntropy())
    gc.collect()
    tracemalloc.start()
    await open_games(engine, world)
    for number in range(world.players - 1):
        await asyncio.gather(*(_picked(engine, game, number) for game in world.games))
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await engine.close()
    return held / len(world.games)


async def _picked(engine: Engine, game: TapGame, number: int) -> None:
    pick = PickNumber(game.first_player + number, 2 * number + 1)
    await engine.execute(game.id, pick, command_id=f"tg:{1_000_000_000 + number}")
