"""Command line of the chaos suite; the exit status is non-zero if an invariant was broken."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from chaos.acts import ROLES, Setting, performed
from chaos.audit import Findings, as_json
from chaos.troubles import planned

OUT = Path(__file__).parent / "out"
SHOWN = 5
"""Number of printed breaches of each sort."""


def main() -> int:
    """Run the suite from the command line."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the plan and of people's actions")
    parser.add_argument("--rounds", type=int, default=24, help="number of troubles")
    parser.add_argument(
        "--mode", choices=("polling", "webhook", "both"), default="both", help="way of receiving updates"
    )
    parser.add_argument("--replicas", type=int, default=3)
    parser.add_argument("--tables", type=int, default=16, help="number of groups that play concurrently")
    parser.add_argument("--people", type=int, default=4, help="number of people in each group")
    parser.add_argument("--only", default="", help="prefix of the kinds of trouble, such as kill")
    parser.add_argument(
        "--minute", action="store_true", help="add a minute without PostgreSQL, and a minute of 502 from Telegram"
    )
    parser.add_argument("--strict", action="store_true", help="run with strict durability")
    parser.add_argument("--split", action="store_true", help=f"give each replica one role: {', '.join(ROLES)}")
    parser.add_argument("--keep", type=Path, help="leave logs and data in this directory")
    parser.add_argument("--out", type=Path, default=OUT / "chaos.json", help="file for the figures")
    given = parser.parse_args()
    if given.split and given.replicas < 2 * len(ROLES):
        parser.error(f"--split: every role needs two replicas, so at least {2 * len(ROLES)}")
    try:
        planned(given.seed, 1, given.replicas, strict=given.strict, only=given.only)
    except ValueError as problem:
        parser.error(f"--only: {problem}")
    modes = ("polling", "webhook") if given.mode == "both" else (given.mode,)
    shares = {"polling": given.rounds - given.rounds // 3, "webhook": given.rounds // 3}
    results: dict[str, Findings] = {}
    for mode in modes:
        rounds = shares[mode] if given.mode == "both" else given.rounds
        setting = Setting(given.seed, mode, given.replicas, given.tables, given.people, given.strict, split=given.split)
        plan = planned(given.seed, rounds, given.replicas, minute=given.minute, strict=given.strict, only=given.only)
        print(f"\n{mode}, seed {given.seed}, {len(plan)} rounds, {given.replicas} replicas", flush=True)
        where = given.keep / mode if given.keep else None
        if where is not None:
            where.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        _, found = asyncio.run(performed(setting, plan, where))
        found.figures["seconds"] = round(time.monotonic() - began)
        results[mode] = found
        _print(mode, found)
    _write(given.out, given, results)
    return 1 if any(found.breaches for found in results.values()) else 0


def _print(mode: str, found: Findings) -> None:
    width = max(len(name) for name in found.figures)
    print(f"\n  {mode}")
    for name, value in found.figures.items():
        print(f"  {name:<{width}}  {value:>12}")
    if not found.breaches:
        print("\n  nothing lost, nothing twice, nothing stuck")
    for what, details in found.breaches.items():
        print(f"\n  BREACH: {what}: {len(details)}")
        for detail in details[:SHOWN]:
            print(f"    {detail}")


def _write(path: Path, given: argparse.Namespace, results: dict[str, Findings]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "seed": given.seed,
        "rounds": given.rounds,
        "replicas": given.replicas,
        "passed": not any(found.breaches for found in results.values()),
        "acts": {mode: as_json(found) for mode, found in results.items()},
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
