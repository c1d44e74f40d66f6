"""Upper limits: the HTTP server alone, the commits of Redis alone, the rendering of a board."""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

import hiredis
from redis.asyncio import Redis

from benchmarks import stacks
from benchmarks.machine import SERVER_CORE, free_port, running
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stack, Stores
from benchmarks.taps import checked
from benchmarks.world import SHARDS, open_games, planned, playing
from bot.clock import SystemClock, SystemEntropy
from fsm.engine import Commit, Engine, Outcome, Record
from fsm.pick_number import KIND, NumberPicked
from fsm.registry import KINDS
from handlers.kinds.registry import of_state
from play.texts import Texts
from storage.codec import Codec
from storage.games import COMMIT, RedisGames

DATABASE = 14
GAMES = 100
"""Games in a flight: as many as Telegram opens connections."""
BOARDS = 50
"""Number of boards for each figure."""


async def echo(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the HTTP server with a fixed reply."""
    port, values = free_port(), []
    command = [sys.executable, "-m", "benchmarks.baselines.echo", str(port)]
    async with AsyncExitStack() as lifetime:
        log = stores.directory / "echo.log"
        process = await lifetime.enter_async_context(running(command, core=SERVER_CORE, log=log))
        await stacks.answering(port, process)
        unused = Redis.from_url(stores.database(DATABASE))
        lifetime.push_async_callback(unused.aclose)
        stack = Stack("echo", port, process.pid, unused, DATABASE, plan.world(), (), 0.0)
        await lifetime.enter_async_context(stacks.loaded(stack, stores, plan.seed))
        for _ in range(plan.runs):
            values.append((await checked(stack, plan.run(port), stores)).rate)
            say(f"  echo {values[-1]:,.0f}/s")
    return [row("echo.http", "/s", values)]


async def commits(stores: Stores, plan: Plan) -> list[Row]:
    """Measure durable commits of Redis when they arrive encoded and a hundred at a time."""
    redis: Redis = Redis.from_url(stores.database(DATABASE))
    games = RedisGames(redis, Codec(KINDS), shards=SHARDS)
    engine = Engine(KINDS, games, SystemClock(), SystemEntropy())
    world = planned("many-small", games=GAMES)
    opened = [await engine.look(state.id) for state in await open_games(engine, world)]
    await redis.script_load(COMMIT)
    values, done = [], 0
    for _ in range(plan.runs):
        flights = [_flight(games, opened, done + number) for number in range(max(10, int(plan.seconds * 100)))]
        done += len(flights)
        values.append(len(flights) * GAMES / await _sent(stores, flights))
        say(f"  Redis commits {values[-1]:,.0f}/s")
    await redis.flushdb()
    await redis.aclose()
    return [row("commits.redis", "/s", values)]


async def boards(_stores: Stores, plan: Plan) -> list[Row]:
    """Measure the rendering of a board of fifty players with a hundred numbers."""
    texts, state, values = Texts(), playing("00benchmark", -1, 1, 50), []
    for _ in range(plan.runs):
        began = time.process_time()
        for _ in range(BOARDS):
            of_state(state).board(state, texts, "en")
        values.append((time.process_time() - began) / BOARDS * 1000)
    say(f"  a board takes {min(values):.2f} ms")
    return [row("board.ms", "ms", values)]


def _flight(games: RedisGames, opened: Sequence[Outcome], number: int) -> tuple[int, bytes]:
    """Encode a commit of one pick for each game. Returns the number of replies to expect, and the request's bytes."""
    record = Record(f"tg:{number}", number, (NumberPicked(1, number % 40),))
    commits = [
        Commit(game.state.id, KIND, game.version + number, game.version + number + 1, game.state, (record,), {})
        for game in opened
    ]
    calls = games.calls(commits, {})
    return len(calls), b"".join(call.packed() for call in calls)


async def _sent(stores: Stores, flights: Sequence[tuple[int, bytes]]) -> float:
    """Return the seconds until all are committed, with two flights on the way at any time, like the engine."""
    reader, writer = await asyncio.open_unix_connection(stores.redis.removeprefix("unix://"))
    parser = hiredis.Reader()

    async def received(count: int) -> None:
        while count:
            answer = parser.gets()
            if answer is False:
                parser.feed(await reader.read(1 << 16))
                continue
            assert answer == b"OK" or set(answer) == {b"committed"}, answer
            count -= 1

    writer.write(b"SELECT %d\r\n" % DATABASE)
    await received(1)
    began, before = time.perf_counter(), 0
    for count, packed in flights:
        writer.write(packed)
        await received(before)
        before = count
    await received(before)
    seconds = time.perf_counter() - began
    writer.close()
    return seconds
