"""Compare the processor time of a tap in a git revision and in the working tree.

python -m benchmarks.compare REVISION [--runs 9] [--seconds 3] [--rate 0] [--with NAME=VALUE ...]

Rates on a shared machine are not comparable; processor time of the same load is, if the two trees run alternately on
one core. Prints the medians of both trees, and the median of the ratios of consecutive runs. ``--with`` sets variables
of the environment for the working tree alone: `HEAD --with TOMBOLA_TRACING__ENDPOINT=...` shows the cost of a setting.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType

import msgspec

from benchmarks import stacks
from benchmarks.machine import ROOT, cpu_seconds
from benchmarks.plan import CONNECTIONS, Plan, say
from benchmarks.stacks import Stack, Stores
from benchmarks.taps import asleep, awake, checked
from benchmarks.telegram import bot_api
from benchmarks.world import TapGame, World
from storage import keys
from storage.embedded import embedded_postgres, embedded_redis
from storage.migrate import upgrade

BEFORE, AFTER = "before", "after"


@asynccontextmanager
async def checked_out(revision: str, directory: Path) -> AsyncIterator[Path]:
    """Yield a directory with the files of a revision; it is removed at the end of the block."""
    tree = directory / "tree"
    await _git("worktree", "add", "--quiet", "--detach", str(tree), revision)
    try:
        yield tree
    finally:
        await _git("worktree", "remove", "--force", str(tree))


async def _git(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec("git", *arguments, cwd=ROOT)
    if await process.wait():
        raise SystemExit(f"git {arguments[0]} failed")


def with_older_ids(world: World) -> World:
    """Return the games with ids of the older length. Every revision accepts them; the first ones accept no others."""

    def named(game: TapGame) -> TapGame:
        id_ = game.id[: 2 + keys.OLD_ID_DIGITS]
        return msgspec.structs.replace(game, id=id_, message=game.message.replace(game.id, id_))

    return World([named(game) for game in world.games])


async def compare(
    revision: str, plan: Plan, rate: float, more: Mapping[str, str] = MappingProxyType({})
) -> dict[str, list[float]]:
    """Return the processor time of a tap in microseconds, for each run of both trees.

    ``more`` adds to the environment of the working tree.
    """
    costs: dict[str, list[float]] = {BEFORE: [], AFTER: []}
    async with AsyncExitStack() as lifetime:
        directory = Path(lifetime.enter_context(tempfile.TemporaryDirectory(prefix="tombola-compare-")))
        os.chmod(directory, 0o755)  # noqa: S103, PTH101 -- PostgreSQL runs as another user if this one is root
        tree = await lifetime.enter_async_context(checked_out(revision, directory))
        postgres = await lifetime.enter_async_context(embedded_postgres(directory))
        redis = await lifetime.enter_async_context(embedded_redis(directory))
        api = await lifetime.enter_async_context(bot_api())
        await upgrade(postgres)
        stores = Stores(directory, postgres, redis, api)
        servers: list[Stack] = []
        for database, (name, root) in enumerate(((BEFORE, tree), (AFTER, ROOT))):
            world = with_older_ids(plan.world())
            added = more if name == AFTER else {}
            made = stacks.tombola(stores, world, database, name=name, root=root, more=added)
            server = await lifetime.enter_async_context(made)
            await lifetime.enter_async_context(stacks.loaded(server, stores, plan.seed))
            await asleep(server, stores, lifetime)
            servers.append(server)
        for number in range(plan.runs):
            for server in servers if number % 2 else reversed(servers):
                async with awake(server):
                    began = cpu_seconds(server.pid)
                    report = await checked(server, plan.run(server.port, rate=rate), stores)
                    cost = (cpu_seconds(server.pid) - began) / max(1, report.done) * 1e6
                costs[server.name].append(cost)
                say(f"  {number + 1}: {server.name} {cost:.0f} us a tap, {report.rate:,.0f}/s")
    return costs


def main() -> None:
    """Compare and print the result."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("revision", help="git revision to compare the working tree with")
    parser.add_argument("--runs", type=int, default=9, help="number of runs of each tree")
    parser.add_argument("--seconds", type=float, default=3.0, help="duration of each run")
    parser.add_argument("--rate", type=float, default=0.0, help="taps a second (default: the highest possible rate)")
    parser.add_argument(
        "--with", dest="more", nargs="+", default=[], metavar="NAME=VALUE", help="environment of the working tree"
    )
    given = parser.parse_args()
    more = dict(pair.split("=", 1) for pair in given.more)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM must stop the servers too
    stacks.quiet()
    costs = asyncio.run(compare(given.revision, Plan(runs=given.runs, seconds=given.seconds), given.rate, more))
    before, after = costs[BEFORE], costs[AFTER]
    ratio = median(new / old for old, new in zip(before, after, strict=True))
    load = f"{CONNECTIONS} connections, {f'{given.rate:,.0f} taps a second' if given.rate else 'closed loop'}"
    print(
        f"{given.revision}: {median(before):.0f} us of processor a tap; working tree: {median(after):.0f} us; "
        f"ratio {ratio:.2f}\n{given.runs} runs of {given.seconds:g} s in turns, {load}, "
        f"load average {os.getloadavg()[0]:.1f}, Python {sys.version.partition(' ')[0]}"
    )


if __name__ == "__main__":
    main()
