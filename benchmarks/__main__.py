"""Command line of the benchmarks. Writes `benchmarks/out/latest.json`.

python -m benchmarks [--quick] [--shape many-small|few-huge|one-game] [--seed N] [--runs N]
                       [--seconds S] [--only NAME ...] [--write-docs]

They compare taps against other stacks, and measure latency, losses, limits and memory. The server runs on one core; the
load generator and the stores run on the other.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from benchmarks import (
    api,
    crowd,
    finished,
    footprint,
    idle,
    limits,
    live,
    machine,
    pipeline,
    polling,
    projector,
    report,
    stacks,
    taps,
)
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stores
from benchmarks.telegram import bot_api
from benchmarks.world import SHAPES
from storage.embedded import embedded_postgres, embedded_redis
from storage.migrate import upgrade

OUT = Path(__file__).parent / "out"
Part = Callable[[Stores, Plan], Awaitable[Sequence[Row]]]


async def projected(stores: Stores, plan: Plan) -> Sequence[Row]:
    """Measure the projector on separate stores, at the highest measured rate of taps (if any) and above it."""
    events = int(plan.seconds * 10_000)
    highest = max((rate for name, rate in stores.rates.items() if name.startswith("tombola")), default=14_000)
    rates = {"": int(highest), "_stress": 14_000} if plan.seconds >= 2 else {"": 1000}
    found = await projector.measure(events, 1000, rates, 1)
    units = {"ms": "ms", "second": "/s"}
    return [row(name, units[name.rpartition("_")[2]], [value]) for name, value in found.items()]


async def crowded(_stores: Stores, plan: Plan) -> Sequence[Row]:
    """Measure a thousand games on separate stores.

    A quick run plays a few games for half a minute, only to show that the benchmark works.
    """
    machine.anywhere()  # the stacks are paused by now
    rows, found = await (crowd.measure(20, 0.5) if plan.games else crowd.measure(1000, 10, plan.seed))
    for what, details in found.breaches.items():
        say(f"  {what}: {len(details)}, as {details[0][:300]}")
    return rows


PARTS: Mapping[str, Part] = {
    "taps": taps.compared,
    "growth": taps.growth,
    "pipeline": pipeline.measure,
    "kill": taps.killed,
    "echo": limits.echo,
    "commits": limits.commits,
    "boards": limits.boards,
    "projector": projected,
    "polling": polling.measure,
    "start": footprint.start,
    "memory": footprint.games,
    "idle": idle.measure,
    "live": live.measure,
    "finished": finished.measure,
    "api": api.measure,
    "crowd": crowded,
}
"""Mapping of a name for `--only` to the measurement. The last one takes ten minutes.

The names of stacks, `latency` and `commands` select within `taps`.
"""
WITHIN_TAPS = frozenset({*taps.NAMES, "latency", "commands"})

WORDS = {
    "taps.tombola": "picks answered after their durable commit, one server process",
    f"taps.{taps.SEVERAL}": "picks on two server processes, sharing two cores with stores and load generator",
    "taps.aiogram_typical": "a typical aiogram bot",
    "taps.aiogram_lean": "the leanest aiogram bot",
    "taps.grammy": "grammY, Fastify, ioredis",
    "taps.ntba": "node-telegram-bot-api, Express, ioredis",
    "tap.p95_ms": "95th percentile at 60 % of the previous run's rate, from the time when the tap was due",
    "tap.p99_ms": "99th percentile, measured likewise",
    "taps.lost": "acknowledged, but missing in Redis or PostgreSQL",
    "taps.before_kill": "acknowledged before the server was killed",
    "taps.lost_by_kill": "acknowledged before the kill, but missing in Redis or PostgreSQL afterwards",
    "cpu.tombola": "server's processor time for a tap",
    "pipeline.ingress_us": "processor time of a tap at 3,000 a second in the ingress",
    "pipeline.worker_us": "in the worker: PostgreSQL's rows, and the boards that Telegram's limits let through",
    "pipeline.redis_us": "in Redis, which syncs each commit to disk",
    "pipeline.postgres_us": "in PostgreSQL",
    "pipeline.whole_us": "in all of them",
    "pipeline.lost": "acknowledged, but not in PostgreSQL",
    "pipeline.cores": "whole pipeline, cores for 10,000 taps a second",
    "echo.http": "the same HTTP server with a fixed reply",
    "commits.redis": "commits of Redis alone, each synced to disk, a hundred at a time",
    "board.ms": "processor time of rendering a board of fifty players and a hundred numbers",
    "projector.steady_events_per_second": "the highest measured rate of taps",
    "projector.lag_p95_ms": "from an entry in the feed to its commit in PostgreSQL",
    "game.bytes_process": "process memory of a live game of 20 after all picks",
    "game.bytes_redis": "memory in Redis of a live game of 20 after all picks",
    "start.seconds": "from the start of the ingress to its first answered tap",
    "memory.idle_mb": "ingress, aiogram loaded",
    "memory.idle_worker_mb": "worker, which never loads aiogram",
    "memory.1000_games_mb": "ingress with 1,000 live games of 20",
    "idle.polling_wakeups": "times that an idle bot with all roles wakes up, all threads, polling",
    "idle.polling_cpu_percent": "processor time of that bot, of one core",
    "idle.webhook_wakeups": "times that an idle bot with all roles wakes up, all threads, webhook",
    "idle.webhook_cpu_percent": "processor time of that bot, of one core",
    "live.p50_ms": "from a commit to 400 clients of live updates, 20 commits a second, one server core",
    "live.p95_ms": "95th percentile, measured likewise",
    "live.cpu_us": "server's processor time for a message to one client",
    "live.idle_kb": "server's memory for one of 5,000 clients that only wait",
    "live.idle_cpu_percent": "processor time with all of them, of one core",
    "commands.tombola": "/help, through aiogram, the reply in the outbox",
    "commands.aiogram_lean": "a command, answered in the webhook's reply",
    "polling.p95_ms": "95th percentile at 300 taps a second, from the tap's arrival at Telegram to its answer",
    "polling.p99_ms": "99th percentile, measured likewise",
    "polling.unanswered": "polled, but never answered",
    "crowd.games": "games with ten players each that showed their result exactly once, within Telegram's limits",
    "crowd.taps": "taps during these games",
    "crowd.errors": "lost, doubled, late, refused, wrong or logged errors",
    "crowd.deadline_late_ms": "greatest delay of a deadline",
    "crowd.tap_p95_ms": "from the tap to its answer, through the sandbox",
    "crowd.memory_mb": "peak of the bot with all roles",
    "finished.games": "archive of a year in PostgreSQL, ten players each; 10,000 of the games are also in Redis",
    "finished.tap_cpu_ratio": "processor time of a tap with the archive, relative to none",
    "finished.tap_p50_ratio": "median latency of a tap at 1,000 taps a second, relative to none",
    "finished.tap_p95_ratio": "95th percentile of that latency; dominated by the disk, so a wide range says little",
    "finished.projector_ratio": "projector's time for an event, relative to none",
    "finished.history_ms": "/history of a chat with up to 3,000 games",
    "finished.own_history_ms": "/history of a person, in private",
    "finished.stats_ms": "/stats",
    "finished.leaderboard_ms": "/leaderboard of a chat",
    "finished.leaderboard_of_all_ms": "/leaderboard of all 20,000 people",
    "finished.last_page_ms": "the thousandth page of that leaderboard",
    "finished.archive_ms": "load of a finished game from its events",
    "finished.live_in_chat_ms": "/games of a chat",
    "finished.live_of_player_ms": "/games of a person",
    "finished.slowest_p95_ms": "95th percentile of the slowest read",
    "api.read_p50_ms": "reads of the API at 500 a second, beside a game of 1,000 with 1,000 taps a second",
    "api.read_p95_ms": "95th percentile of these reads; both servers share one core",
    "api.read_cpu": "processor time of a read in the process with the role web",
    "api.reads_failed": "reads that were not answered with 200, or not at all",
    "api.tap_p95_alone_ms": "95th percentile of the taps without reads",
    "api.tap_p95_beside_ms": "95th percentile of the taps beside the reads",
    "api.tap_p95_ratio": "the same, relative to no reads",
    "tap.cost_1000_to_10": "processor time of a tap in a game of 1,000, relative to a game of 10",
}


async def measure(plan: Plan, parts: Sequence[str]) -> list[Row]:
    """Run these parts and return all their rows."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="tombola-bench-") as name:
        os.chmod(name, 0o755)  # noqa: S103, PTH101 -- PostgreSQL runs as another user if this one is root
        directory = Path(name)
        async with AsyncExitStack() as stack:
            postgres = await stack.enter_async_context(embedded_postgres(directory))
            redis = await stack.enter_async_context(embedded_redis(directory))
            api = await stack.enter_async_context(bot_api())
            await upgrade(postgres)
            stores = Stores(directory, postgres, redis, api)
            try:
                for part in parts:
                    say(part)
                    rows += await PARTS[part](stores, plan)
            finally:
                _keep_logs(directory)
    return rows


def _keep_logs(directory: Path) -> None:
    """Copy the end of each server's log beside the results, unless the log is empty."""
    for log in directory.glob("*.log"):
        if log.stat().st_size:
            (OUT / log.name).write_bytes(log.read_bytes()[-100_000:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write the results. Returns 1 if a tap was lost."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM must stop the servers too
    plan = _plan(given)
    parts = [part for part in PARTS if plan.wants(part) or (part == "taps" and plan.wants(*WITHIN_TAPS))]
    OUT.mkdir(exist_ok=True)
    stacks.quiet()
    began, used = time.perf_counter(), machine.processor_time()
    rows = asyncio.run(measure(plan, parts))
    latest = given.out or OUT / "latest.json"
    latest.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))
    how = (
        f"Measured {time.strftime('%Y-%m-%d')} on {machine.described()}; {plan.shape}, seed {plan.seed}, "
        f"{plan.runs} runs of {plan.seconds:g} s; load average {os.getloadavg()[0]:.1f}{machine.stolen(used)}."
    )
    print(how, report.table(rows, WORDS), report.targets(rows), sep="\n\n")
    say(f"{time.perf_counter() - began:.0f} s; {latest}")
    if given.write_docs:
        report.write_docs(rows, WORDS, how)
    return int(any(found.median for found in rows if found.name in {"taps.lost", "taps.lost_by_kill", "pipeline.lost"}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="run for a few seconds, to check that everything works")
    parser.add_argument("--shape", choices=SHAPES, default="many-small", help="number and size of the games")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5, help="number of runs for each figure")
    parser.add_argument("--seconds", type=float, default=4.0, help="duration of each run")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help=f"measure only these: {', '.join(_names())}"
    )
    parser.add_argument("--out", type=Path, help="file for the rows (default: benchmarks/out/latest.json)")
    parser.add_argument("--write-docs", action="store_true", help="write table and plot into docs/")
    return parser


def _names() -> list[str]:
    return [*PARTS, *sorted(WITHIN_TAPS)]


def _plan(given: argparse.Namespace) -> Plan:
    unknown = set(given.only) - set(_names())
    if unknown:
        raise SystemExit(f"--only: {', '.join(sorted(unknown))}: not one of {', '.join(_names())}")
    plan = Plan(given.shape, given.seed, given.runs, given.seconds, frozenset(given.only))
    if given.quick:
        return Plan(given.shape, given.seed, 1, 0.5, frozenset(given.only), games=20, players=12)
    return plan


if __name__ == "__main__":
    sys.exit(main())
