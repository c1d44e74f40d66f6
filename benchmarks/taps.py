"""Taps: all stacks under the same load in turn, latencies, and a check that acknowledged taps were kept.

One server runs at a time; the others are paused (SIGSTOP).
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from random import Random
from statistics import median
from typing import Any

import asyncpg

from benchmarks import stacks
from benchmarks.load import Report, Run
from benchmarks.machine import cpu_seconds, free_port, running
from benchmarks.plan import CONNECTIONS, Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stack, Stores
from benchmarks.world import planned

SHARE = 0.6
"""Share of the highest rate at which latencies are measured."""
WORKERS = 2
SEVERAL = f"tombola.{WORKERS}workers"
NAMES = ("tombola", "aiogram_typical", "aiogram_lean", "grammy", "ntba", SEVERAL)
COMMANDED = ("tombola", "aiogram_lean", "aiogram_typical")
SMALL, BIG = 10, 1000
"""Players of the two game sizes whose taps are compared."""
DRAIN_SECONDS = 180.0
GROWTH_DATABASE, KILLED_DATABASE = 12, 13


class Fleet:
    """All compared stacks, of which one runs at a time."""

    def __init__(self, stores: Stores, plan: Plan) -> None:
        self.stores = stores
        self.plan = plan
        self.stacks: dict[str, Stack] = {}
        self.rates: dict[str, list[float]] = {}
        self.costs: dict[str, list[float]] = {}
        """Server's processor time for each tap, in microseconds."""
        self.reports: list[Report] = []
        """Reports of the runs at a share of the highest rate."""

    async def start(self, lifetime: AsyncExitStack) -> None:
        """Start all stacks, and let every player tap once."""
        plan, world = self.plan, self.plan.world()
        names = [name for name in NAMES if name == "tombola" or plan.wants("taps", name)]
        problem = await stacks.install_node() if stacks.NODE & set(names) else ""
        if problem:
            say(f"  without the baselines in Node.js: {problem}")
            names = [name for name in names if name not in stacks.NODE]
        for database, name in enumerate(names):
            if name in ("tombola", SEVERAL):
                workers = WORKERS if name == SEVERAL else 1
                made = stacks.tombola(self.stores, world, database, name=name, workers=workers)
            else:
                made = stacks.baseline(self.stores, world, database, name=name)
            stack = self.stacks[name] = await lifetime.enter_async_context(made)
            await lifetime.enter_async_context(stacks.loaded(stack, self.stores, plan.seed))
            await asleep(stack, self.stores, lifetime)
            say(f"  {name} runs; everybody has tapped once")

    def awake(self, name: str) -> AbstractAsyncContextManager[Stack]:
        """Resume one of the stacks for the block."""
        return awake(self.stacks[name])

    async def compare(self) -> list[Row]:
        """Measure the highest rates, with the stacks alternating, and the latencies below them."""
        for number in range(self.plan.runs):
            for name in self.stacks:
                async with self.awake(name) as stack:
                    before = cpu_seconds(stack.pid)
                    report = await checked(stack, self.plan.run(stack.port), self.stores)
                    cost = (cpu_seconds(stack.pid) - before) / max(1, report.done) * 1e6
                self.rates.setdefault(name, []).append(report.rate)
                self.costs.setdefault(name, []).append(cost)
                p95 = report.latencies.get("p95", 0.0)
                say(f"  {number + 1}: {name} {report.rate:,.0f}/s, p95 {p95:.1f} ms, {cost:.0f} us of processor a tap")
                if name == "tombola" and self.plan.wants("latency"):
                    await self._latency(report.rate)
        self.stores.rates.update({name: median(values) for name, values in self.rates.items()})
        return [
            *(row(f"taps.{name}", "/s", values) for name, values in self.rates.items()),
            *(row(f"cpu.{name}", "us", values) for name, values in self.costs.items()),
            *(
                row(f"tap.{name}_ms", "ms", [report.latencies[name] for report in self.reports])
                for name in ("p50", "p95", "p99", "max")
                if self.reports
            ),
        ]

    async def _latency(self, rate: float) -> None:
        """Measure latencies in an open loop, at a share of the rate that the stack has just reached."""
        async with self.awake("tombola") as stack:
            report = await checked(stack, self.plan.run(stack.port, rate=SHARE * rate), self.stores)
        self.reports.append(report)
        times = ", ".join(f"{name} {value:.1f} ms" for name, value in report.latencies.items())
        say(f"     at {SHARE * rate:,.0f}/s: {times}")

    async def commands(self) -> list[Row]:
        """Measure an ordinary command, which aiogram handles."""
        rows = []
        for name in COMMANDED:
            if name in self.stacks:
                values = []
                for _ in range(self.plan.few()):
                    async with self.awake(name) as stack:
                        report = await checked(stack, self.plan.run(stack.port, commands=True), self.stores)
                    values.append(report.rate)
                say(f"  commands: {name} {median(values):,.0f}/s")
                rows.append(row(f"commands.{name}", "/s", values))
        return rows

    async def lost(self) -> list[Row]:
        """Count taps answered "done" that a store lacks."""
        lost = 0
        for name, stack in self.stacks.items():
            gone = await stack.lost()
            say(f"  {name}: {len(stack.done):,} taps answered, {gone} of them not in Redis")
            lost += gone
        return [row("taps.lost", "taps", [lost + await lost_in_postgres(self.stores, self.stacks["tombola"])])]


async def compared(stores: Stores, plan: Plan) -> list[Row]:
    """Run all measurements that compare servers."""
    fleet = Fleet(stores, plan)
    async with AsyncExitStack() as lifetime:
        await fleet.start(lifetime)
        rows = await fleet.compare()
        if plan.wants("commands"):
            rows += await fleet.commands()
        return rows + await fleet.lost()


async def checked(stack: Stack, run: Run, stores: Stores) -> Report:
    """Do one run and print its failures."""
    report = await stack.run(run, stores.directory)
    if report.failed or report.missing or report.refused > report.done // 100:
        counts = f"{report.refused} refused, {report.failed} failed, {report.missing} missing"
        say(f"  {stack.name}: {counts} {report.example}")
    return report


async def asleep(stack: Stack, stores: Stores, lifetime: AsyncExitStack) -> None:
    """Let every player tap once, and pause the server until `awake`."""
    await checked(stack, Run(port=stack.port, seconds=0, connections=CONNECTIONS, everybody=True), stores)
    _signal(stack, signal.SIGSTOP)
    lifetime.callback(_signal, stack, signal.SIGCONT)


@asynccontextmanager
async def awake(stack: Stack) -> AsyncIterator[Stack]:
    """Resume a server for the block."""
    _signal(stack, signal.SIGCONT)
    await asyncio.sleep(0.2)
    try:
        yield stack
    finally:
        _signal(stack, signal.SIGSTOP)


def _signal(stack: Stack, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(stack.pid, number)


# -- lost taps --------------------------------------------------------------------------------------------------


async def lost_in_postgres(stores: Stores, stack: Stack) -> int:
    """Let a worker write everything to PostgreSQL. Returns the number of acknowledged taps that are missing there."""
    port = free_port()
    environment = stacks.tombola_environment(stores, port, stack.database)
    command = stacks.tombola_command("--role", "worker")
    async with running(command, core=None, env=environment, log=stores.directory / "worker.log") as worker:
        await stacks.answering(port, worker)
        connection = await asyncpg.connect(stores.postgres_database(stack.database))
        try:
            missing = await missing_in_postgres(connection, stack.done)
        finally:
            await connection.close()
    say(f"  {stack.name}: {missing} not in PostgreSQL")
    return missing


async def missing_in_postgres(connection: Any, done: set[int]) -> int:
    """Return the number of missing taps, once no more arrive."""
    until = time.perf_counter() + DRAIN_SECONDS
    while True:
        rows = await connection.fetch("SELECT command_id FROM game_events WHERE command_id LIKE 'tg:%'")
        missing = len(done - set(stacks.update_ids(found[0] for found in rows)))
        if not missing or time.perf_counter() > until:
            return missing
        await asyncio.sleep(1)


async def killed(stores: Stores, plan: Plan) -> list[Row]:
    """Kill the server during a run. Returns the count of acknowledged taps that are missing, which must be 0."""
    world = planned("many-small", games=50, players=plan.players)
    async with AsyncExitStack() as lifetime:
        stack = await lifetime.enter_async_context(stacks.tombola(stores, world, KILLED_DATABASE, name="killed"))
        await lifetime.enter_async_context(stacks.loaded(stack, stores, plan.seed, first_update=2_000_000_000))
        await checked(stack, Run(port=stack.port, seconds=0, connections=CONNECTIONS, everybody=True), stores)
        under_load = asyncio.create_task(stack.run(Run(port=stack.port, seconds=plan.seconds), stores.directory))
        await asyncio.sleep(plan.seconds * Random(plan.seed).uniform(0.3, 0.7))
        os.killpg(stack.pid, signal.SIGKILL)
        report = await under_load
        say(f"  killed after {report.done:,} taps; {report.missing} others had no answer")
        lost = await stack.lost() + await lost_in_postgres(stores, stack)
    return [row("taps.before_kill", "taps", [report.done]), row("taps.lost_by_kill", "taps", [lost])]


# -- growth -----------------------------------------------------------------------------------------------------


async def growth(stores: Stores, plan: Plan) -> list[Row]:
    """Measure the processor time of a tap in large games and in small ones."""
    costs: dict[int, list[float]] = {SMALL: [], BIG: []}
    for _ in range(plan.few()):
        for players, values in costs.items():
            values.append(await _cost(stores, plan, players))
            say(f"  in a game of {players}: {values[-1]:.0f} us of processor a tap")
    return [
        *(row(f"cpu.tombola_{players}_players", "us", values) for players, values in costs.items()),
        row("tap.cost_1000_to_10", "x", [big / small for small, big in zip(*costs.values(), strict=True) if small]),
    ]


async def _cost(stores: Stores, plan: Plan, players: int) -> float:
    world = planned(plan.shape, games=2000 // players, players=players)
    async with AsyncExitStack() as lifetime:
        made = stacks.tombola(stores, world, GROWTH_DATABASE, name=f"players{players}")
        stack = await lifetime.enter_async_context(made)
        await lifetime.enter_async_context(stacks.loaded(stack, stores, plan.seed))
        lifetime.push_async_callback(stack.redis.flushdb)
        await checked(stack, Run(port=stack.port, seconds=0, everybody=True), stores)
        before = cpu_seconds(stack.pid)
        report = await checked(stack, plan.run(stack.port), stores)
        return (cpu_seconds(stack.pid) - before) / max(1, report.done) * 1e6
