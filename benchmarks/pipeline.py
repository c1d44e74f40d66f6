"""Processor time of a tap in each process that it passes: ingress, worker, Redis and PostgreSQL.

A pipeline has stores of its own, so that no other server's work is counted. The processor time of a run ends when the
worker has handled all taps of the run. The boards that the worker sends belong to it too: as many a second as
Telegram's limits let through.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType

import asyncpg

from benchmarks import stacks
from benchmarks.load import Report
from benchmarks.machine import ROOT, SERVER_CORE, cpu_seconds, free_port, parent_of, running
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stack, Stores
from benchmarks.taps import asleep, awake, checked, missing_in_postgres
from benchmarks.world import World
from handlers.kinds.registry import CONSUMERS
from storage.embedded import embedded_postgres, embedded_redis
from storage.feed import Feed

RATE = 3000.0
"""Taps a second: many, but few enough for one core."""
GROUPS = ("projector", "boards", *CONSUMERS)
"""Groups of the feed whose work belongs to a tap."""
WHOLE = "whole"
DATABASE = 0
SETTLING_SECONDS = 40.0
"""Time for which a new worker may show the games that it found, which is not part of a measurement."""


@dataclass(frozen=True)
class Pipeline:
    """An ingress and a worker with stores of their own.

    Attributes:
        ingress: the server that is loaded.
        stores: the stores.
        processes: name of a process -> its id.
        feeds: the worker's groups of the feed.
    """

    ingress: Stack
    stores: Stores
    processes: Mapping[str, int]
    feeds: tuple[Feed, ...]

    async def measured(self, plan: Plan, rate: float) -> tuple[dict[str, float], Report]:
        """Do one run. Return the microseconds of processor time a tap by process, and the report of the run."""
        async with awake(self.ingress):
            before = {name: cpu_seconds(pid) for name, pid in self.processes.items()}
            report = await checked(self.ingress, plan.run(self.ingress.port, rate=rate), self.stores)
            await self.handled()
            each = 1e6 / max(1, report.done)
            costs = {name: (cpu_seconds(pid) - before[name]) * each for name, pid in self.processes.items()}
        return {**costs, WHOLE: sum(costs.values())}, report

    async def handled(self) -> None:
        """Wait until the worker has handled all entries of the feed."""
        for feed in self.feeds:
            while (await feed.lag()).entries:  # noqa: ASYNC110 -- another process reads
                await asyncio.sleep(0.02)

    async def lost(self) -> int:
        """Return the number of acknowledged taps that PostgreSQL lacks after the worker has handled all."""
        connection = await asyncpg.connect(self.stores.postgres_database(DATABASE))
        try:
            return await missing_in_postgres(connection, self.ingress.done)
        finally:
            await connection.close()


@asynccontextmanager
async def pipeline(
    directory: Path,
    api: str,
    plan: Plan,
    world: World,
    *,
    name: str = "pipeline",
    root: Path = ROOT,
    more: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Pipeline]:
    """Run a pipeline in which every player has tapped once.

    Args:
        directory: directory for the data of the stores; created if missing.
        api: address of the Bot API.
        plan: extent of the measurement.
        world: the games.
        name: name of the ingress in messages and logs.
        root: directory of the source.
        more: further variables of the environment of both processes.
    """
    await asyncio.to_thread(directory.mkdir, 0o755)
    async with AsyncExitStack() as lifetime:
        postgres = await lifetime.enter_async_context(embedded_postgres(directory))
        redis = await lifetime.enter_async_context(embedded_redis(directory))
        stores = Stores(directory, postgres, redis, api)
        made = stacks.tombola(stores, world, DATABASE, name=name, root=root, more=more)
        ingress = await lifetime.enter_async_context(made)
        await lifetime.enter_async_context(stacks.loaded(ingress, stores, plan.seed))
        await asleep(ingress, stores, lifetime)
        port = free_port()
        environment = {**stacks.tombola_environment(stores, port, DATABASE, root), **more}
        log = directory / f"{name}-worker.log"
        command = stacks.tombola_command("--role", "worker")
        started = running(command, core=SERVER_CORE, env=environment, log=log, root=root)
        worker = await lifetime.enter_async_context(started)
        await stacks.answering(port, worker, log)
        shards = [feed.rpartition(":")[2] for feed in ingress.feeds]
        found = Pipeline(
            ingress,
            stores,
            {
                "ingress": ingress.pid,
                "worker": worker.pid,
                "redis": int((await ingress.redis.info("server"))["process_id"]),
                "postgres": await _postmaster(stores),
            },
            tuple(Feed(ingress.redis, shards, group, owner="benchmark") for group in GROUPS),
        )
        await _settled(found)
        yield found


async def _postmaster(stores: Stores) -> int:
    """Return the id of PostgreSQL's first process, the parent of all others."""
    connection = await asyncpg.connect(stores.postgres)
    try:
        backend: int = await connection.fetchval("SELECT pg_backend_pid()")
        return parent_of(backend)
    finally:
        await connection.close()


async def _settled(found: Pipeline) -> None:
    """Wait until a new worker has read the feed and shown the games that it found, but not for long."""
    await found.handled()
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLING_SECONDS):
            while True:
                before = cpu_seconds(found.processes["worker"])
                await asyncio.sleep(1)
                if cpu_seconds(found.processes["worker"]) - before < 0.1:
                    return


def cores(whole: float) -> float:
    """Return the cores that 10,000 taps a second take, of a tap's processor time in microseconds."""
    return whole / 100


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the whole pipeline at 3,000 taps a second."""
    costs: dict[str, list[float]] = {}
    async with pipeline(stores.directory / "pipeline", stores.api, plan, plan.world()) as measured:
        for _ in range(plan.few()):
            found, report = await measured.measured(plan, RATE)
            say(f"  {told(found)} us a tap, {report.rate:,.0f}/s")
            for name, cost in found.items():
                costs.setdefault(name, []).append(cost)
        lost = await measured.lost()
    return [
        *(row(f"pipeline.{name}_us", "us", values) for name, values in costs.items()),
        row("pipeline.cores", "cores", [cores(value) for value in costs[WHOLE]]),
        row("pipeline.lost", "taps", [lost]),
    ]


def told(costs: Mapping[str, float]) -> str:
    """Return costs by process as text."""
    return ", ".join(f"{name} {cost:.0f}" for name, cost in costs.items())


def medians(costs: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each process over runs."""
    return {name: median(run[name] for run in costs) for name in costs[0]}
