"""Compare the processor time of a tap in a git revision and in the working tree, process by process.

python -m benchmarks.compare REVISION [--runs 9] [--seconds 3] [--rate 3000] [--with NAME=VALUE ...]

Rates on a shared machine are not comparable; processor time of the same load is, if the two trees run alternately on
one core. Prints the medians of both trees, and the median of the ratios of consecutive runs, for ingress, worker,
Redis, PostgreSQL and all of them. ``--with`` sets variables of the environment for the working tree alone:
`HEAD --with TOMBOLA_TRACING__ENDPOINT=...` shows the cost of a setting.
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
from benchmarks.machine import ROOT
from benchmarks.pipeline import RATE, WHOLE, Pipeline, cores, medians, pipeline, told
from benchmarks.plan import CONNECTIONS, Plan, say
from benchmarks.telegram import bot_api
from benchmarks.world import TapGame, World
from storage import keys

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
) -> dict[str, list[dict[str, float]]]:
    """Return the processor time of a tap in microseconds by process, for each run of both trees.

    ``more`` adds to the environment of the working tree.
    """
    costs: dict[str, list[dict[str, float]]] = {BEFORE: [], AFTER: []}
    async with AsyncExitStack() as lifetime:
        directory = Path(lifetime.enter_context(tempfile.TemporaryDirectory(prefix="tombola-compare-")))
        os.chmod(directory, 0o755)  # noqa: S103, PTH101 -- PostgreSQL runs as another user if this one is root
        tree = await lifetime.enter_async_context(checked_out(revision, directory))
        api = await lifetime.enter_async_context(bot_api())
        compared: dict[str, Pipeline] = {}
        for name, root in ((BEFORE, tree), (AFTER, ROOT)):
            world = with_older_ids(plan.world())
            added = more if name == AFTER else {}
            made = pipeline(directory / name, api, plan, world, name=name, root=root, more=added)
            compared[name] = await lifetime.enter_async_context(made)
        for number in range(plan.runs):
            for name in costs if number % 2 else reversed(costs):
                found, report = await compared[name].measured(plan, rate)
                costs[name].append(found)
                say(f"  {number + 1}: {name} {told(found)} us a tap, {report.rate:,.0f}/s")
        for measured in compared.values():
            if lost := await measured.lost():
                raise SystemExit(f"{measured.ingress.name}: {lost} acknowledged taps are not in PostgreSQL")
    return costs


def main() -> None:
    """Compare and print the result."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("revision", help="git revision to compare the working tree with")
    parser.add_argument("--runs", type=int, default=9, help="number of runs of each tree")
    parser.add_argument("--seconds", type=float, default=3.0, help="duration of each run")
    parser.add_argument("--rate", type=float, default=RATE, help="taps a second; 0 for the highest possible rate")
    parser.add_argument(
        "--with", dest="more", nargs="+", default=[], metavar="NAME=VALUE", help="environment of the working tree"
    )
    given = parser.parse_args()
    more = dict(pair.split("=", 1) for pair in given.more)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # SIGTERM must stop the servers too
    stacks.quiet()
    costs = asyncio.run(compare(given.revision, Plan(runs=given.runs, seconds=given.seconds), given.rate, more))
    print(table(given.revision, costs[BEFORE], costs[AFTER]))
    load = f"{CONNECTIONS} connections, {f'{given.rate:,.0f} taps a second' if given.rate else 'closed loop'}"
    print(
        f"{given.runs} runs of {given.seconds:g} s in turns, {load}, "
        f"load average {os.getloadavg()[0]:.1f}, Python {sys.version.partition(' ')[0]}"
    )


def table(revision: str, before: list[dict[str, float]], after: list[dict[str, float]]) -> str:
    """Return the medians of both trees by process, and the median of the ratios of consecutive runs, as a table."""
    old, new = medians(before), medians(after)
    lines = [f"| us a tap | {revision} | working tree | ratio |", "|---|--:|--:|--:|"]
    for name in old:
        ratio = median(now[name] / max(then[name], 0.1) for then, now in zip(before, after, strict=True))
        lines.append(f"| {name} | {old[name]:.0f} | {new[name]:.0f} | {ratio:.2f} |")
    both = f"{cores(old[WHOLE]):.2f} | {cores(new[WHOLE]):.2f}"
    return "\n".join([*lines, f"| cores for 10,000 taps a second | {both} | |"])


if __name__ == "__main__":
    main()
