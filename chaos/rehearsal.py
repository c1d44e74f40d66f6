"""Rehearsal of a rollout: two versions on one set of stores, an analysis, and a rollback if the new version is bad.

python -m chaos.rehearsal                       # this version beside the commit before it: is it promoted?
python -m chaos.rehearsal --bad slow            # and made bad: is it rolled back, with no game lost?
python -m chaos.rehearsal --bad /path/file.py   # a module that this version imports at its start
python -m chaos.rehearsal --bad /path/file.diff # a change that is applied to a copy of this version
python -m chaos.rehearsal --canary /path        # another checkout

People play games of all kinds all the time. A real Prometheus scrapes both versions, `deploy/rollout/rollout.py` judges
them, and its command `undo systemd` stops the new one. Afterwards the audit of the chaos suite checks that nothing is
lost, nothing is there twice, and every game has its end. Exits with 0 if all is as it should be.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.observe.result_checks import ResultChecks
from chaos import audit, people
from chaos.acts import END_SECONDS, FAILOVER_MS, PRIZE_POOL, Act, Setting, cast
from chaos.audit import Findings, Window
from chaos.replicas import ROOT, Replica, free_port
from deploy.rollout import rollout
from fsm.registry import KINDS
from storage.archive import Archive
from storage.codec import Codec
from storage.connections import postgres_pool
from storage.embedded import tied_to_this_process
from storage.people import People
from storage.set_aside import SetAside

WAYS = Path(__file__).parent / "bad_versions"
ROLLOUT = ROOT / "deploy" / "rollout" / "rollout.py"
PROMETHEUS = shutil.which("prometheus")
PROMOTE, ROLL_BACK, HOLD = 0, 1, 3
"""Exit status of the analysis for each verdict."""
BEFORE_SECONDS, WATCH_SECONDS = 25, 75
LIMITS = """\
# A busy test machine is slower than production, and less even.
updates = 100
games = 3
warm_up = 15
# Two bots, players, Telegram's stand-in, both stores and Prometheus share a few cores here, and the stable bot restarts
# in the middle: the feed of a good version was ten seconds late. In production nothing of this is so, and 10 stands.
overdue = 20
stalls = 0.05
margin = 0.3
confirmations = 3
memory_mb = 5
memory_share = 0.03
balanced = true
[objectives]
tombola_tap_seconds = 1.0
tombola_deadline_lateness_seconds = 2.5
"""
NO_LIMITS = {
    "TOMBOLA_TELEGRAM__SEND_RATE": "1000",
    "TOMBOLA_TELEGRAM__CHAT_RATE": "30",
    "TOMBOLA_TELEGRAM__GROUP_PER_MINUTE": "1000",
}
SYSTEMCTL = """\
#!/bin/sh
# In place of systemd: asks the rehearsal to stop the canary, and waits until it has.
echo "$@" > "$REHEARSAL/asked"
for _ in $(seq 300); do [ -e "$REHEARSAL/stopped" ] && exit 0; sleep 0.1; done
exit 1
"""


@dataclass(slots=True)
class Rehearsed:
    """The outcome of a rehearsal.

    Attributes:
        verdict: exit status of the analysis.
        said: the lines that it printed.
        found: findings of the audit.
        undone: True if the canary was stopped through the script.
    """

    verdict: int = HOLD
    said: list[str] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)
    undone: bool = False


def checkout(revision: str, folder: Path) -> Path:
    """Write the tree of a commit to a folder. Raises CalledProcessError."""
    folder.mkdir()
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    return folder


def made_bad(way: str, folder: Path) -> Path:
    """Copy this version to a folder and make it bad. Raises CalledProcessError and OSError."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    folder.mkdir()
    packed = subprocess.run(
        ["tar", "-c", "--null", "--files-from=-"], cwd=ROOT, input=listed.stdout, capture_output=True, check=True
    )
    subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    if not way:
        return folder
    patch = WAYS / f"{way}.py" if (WAYS / f"{way}.py").exists() else Path(way).resolve(strict=True)
    if patch.suffix == ".py":
        (folder / "bad_version.py").write_bytes(patch.read_bytes())
        with (folder / "bot" / "__init__.py").open("a") as package:
            package.write("\nimport bad_version  # noqa\n")
    else:
        subprocess.run(["git", "apply", "--unsafe-paths", f"--directory={folder}", str(patch)], cwd="/", check=True)
    return folder


async def rehearsed(
    stable: Path, canary: Path, where: Path, *, seed: int = 1, watch: float = WATCH_SECONDS, tables: int = 8
) -> Rehearsed:
    """Play, start the canary, let the analysis judge it, and audit everything."""
    done = Rehearsed()
    setting = Setting(seed, "webhook", 2, tables, seconds=(30, 3, 6, 0.1), root=stable, systems=0, idle=True)
    async with cast(setting, where) as act:
        first, second = act.replicas
        second.root = canary
        act.box.world.limits.enabled = False  # games end sooner, so that more of them are judged
        for replica in act.replicas:
            replica.env = {**replica.env, **NO_LIMITS, **_hosts_decide(replica.root)}
        await _start(act, first)
        rng = Random(seed)
        groups = [
            people.gather(act.box.control, number, 4, Random(rng.random()), act.diary) for number in range(tables)
        ]
        async with postgres_pool(act.postgres.dsn) as pool:
            for group in groups:
                await People(pool, act.redis).change_settings(group.chat.id, {"quiz": {"prize_pool": PRIZE_POOL}})
            checks = ResultChecks(Archive(pool, Codec(KINDS)), round(time.time() * 1000), SetAside())
            async with _prometheus(act, where) as url:
                playing = [asyncio.create_task(group.play()) for group in groups]
                try:
                    await asyncio.sleep(BEFORE_SECONDS)
                    await _judged(act, second, url, where, watch, done)
                    undone_at = round(time.time() * 1000)
                    await asyncio.sleep(5)
                finally:
                    for group in groups:
                        group.stopping = True
                _, late = await asyncio.wait(playing, timeout=END_SECONDS)
                for task in late:
                    task.cancel()
            settled = await act.settled()
            arguments = act.diary, act.box.control, act.postgres.dsn, act.redis, act.windows, 4
            done.found = await audit.audited(*arguments)
            if done.verdict == ROLL_BACK:  # people may have met errors of the bad version; no game may be lost
                told = done.found.breaches.pop("somebody was told of a bug", [])
                done.found.figures["errors that people were told of"] = len(told)
            if late or not settled:
                done.found.breach("stuck", f"{len(late)} groups, settled: {settled}")
            for death in first.deaths:
                done.found.breach("exits", death)
            await _results(checks, pool, done, undone_at)
    return done


def _hosts_decide(root: Path) -> dict[str, str]:
    """Return settings of the people who play, as far as a version knows them."""
    known = "host_joins" in (root / "config.toml").read_text()
    return {"TOMBOLA_GAMES__HOST_JOINS": "false", "TOMBOLA_WEB__PRIVATE_NETWORKS": "127.0.0.0/8"} if known else {}


async def _known(prometheus: rollout.Prometheus) -> None:
    """Wait until Prometheus has scraped the canary, thirty seconds at most: a bad version may never answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(  # noqa: ASYNC110 -- Prometheus tells nobody
                prometheus.ask, 'up{track="canary"} == 1', time.time()
            ):
                await asyncio.sleep(0.2)


async def _start(act: Act, replica: Replica) -> None:
    await replica.start()
    await replica.ready(act.session, 120)


async def _judged(act: Act, canary: Replica, url: str, where: Path, watch: float, done: Rehearsed) -> None:
    """Run the canary and its analysis; in the middle restart the stable version, so that the canary leads."""
    stable, _ = act.replicas
    begun = round(time.time() * 1000)
    try:
        await _start(act, canary)
    except TimeoutError:
        done.said.append("the canary was never ready")
    _targets(act, where, canary=True)
    await _known(rollout.Prometheus(url))
    analysing = asyncio.create_task(_analysed(url, where, watch))
    stopping = asyncio.create_task(_stopped_on_demand(canary, where))
    try:
        await asyncio.sleep(watch / 3)
        if not analysing.done():
            await stable.stop()
            await _start(act, stable)
        done.verdict, said = await analysing
        done.said += said
        if done.verdict == PROMOTE:
            await canary.stop()  # the rehearsal ends; a rollout would go on with the next process
    finally:
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        done.undone = (where / "stopped").exists()
        await canary.kill()
        # While a bad version had the leases, deadlines could be late: that is one of the ways of being bad.
        act.windows.append(Window(begun - 200, round(time.time() * 1000) + 2 * FAILOVER_MS, "the canary"))


async def _analysed(url: str, where: Path, watch: float) -> tuple[int, list[str]]:
    bin_, limits = where / "bin", where / "limits.toml"
    bin_.mkdir()
    (bin_ / "systemctl").write_text(SYSTEMCTL)
    (bin_ / "systemctl").chmod(0o755)
    limits.write_text(LIMITS)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROLLOUT), "analyse", "--prometheus", url, "--limits", str(limits)),
        *("--for", str(watch), "--every", "3", "--before", str(BEFORE_SECONDS)),
        *("--", sys.executable, str(ROLLOUT), "undo", "systemd"),
        env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "REHEARSAL": str(where)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said = []
    async for line in process.stdout:
        said.append(line.decode().rstrip())
        print(f"    {said[-1]}", flush=True)
    return await process.wait(), said


async def _stopped_on_demand(canary: Replica, where: Path) -> None:
    """Do the work of systemd: stop the canary when the script asks, and kill it if it does not stop."""
    while not (where / "asked").exists():  # noqa: ASYNC110 -- another process writes the file
        await asyncio.sleep(0.1)
    await canary.stop()
    (where / "stopped").touch()


@contextlib.asynccontextmanager
async def _prometheus(act: Act, where: Path) -> AsyncIterator[str]:
    """Run Prometheus for the block. Yields its address."""
    assert PROMETHEUS is not None
    port, config = free_port(), where / "prometheus.yml"
    _targets(act, where, canary=False)
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n"
        f"- {{job_name: tombola, file_sd_configs: [{{files: ['{where}/targets.json'], refresh_interval: 1s}}]}}\n"
    )
    with (where / "prometheus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *tied_to_this_process(),
            *(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={where}/prometheus"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


def _targets(act: Act, where: Path, *, canary: bool) -> None:
    """Tell Prometheus its targets. The label `track` sets the canary apart."""
    tracks = ("stable", "canary") if canary else ("stable",)
    rows = [
        {"targets": [f"127.0.0.1:{replica.port}"], "labels": {"track": track}}
        for replica, track in zip(act.replicas, tracks, strict=False)
    ]
    fresh = where / "targets.new"
    fresh.write_text(json.dumps(rows))
    fresh.rename(where / "targets.json")


async def _results(checks: ResultChecks, pool: object, done: Rehearsed, undone_at: int) -> None:
    """Compute all results again. A wrong one after the rollback, and a kind that nobody could play, are breaches."""
    await checks.look()
    opened = {row["id"]: row["opened_at"] for row in await pool.fetch("SELECT id, opened_at FROM games")}  # type: ignore[attr-defined]
    after = [game for game in checks.wrong if opened[game].timestamp() * 1000 > undone_at]
    completed = {row["kind"] for row in await pool.fetch("SELECT DISTINCT kind FROM games WHERE status = 'completed'")}  # type: ignore[attr-defined]
    for kind in people.LINES.keys() - completed:
        done.found.breach("not rehearsed", f"no game of {kind} was completed")
    if after:
        done.found.breach("wrong results after the rollback", f"{after}")
    done.found.figures |= {
        "results that hold": sum(count for (_, verdict), count in checks.checked.items() if verdict == "right"),
        "results that do not, all reported": len(checks.wrong),
    }


def main() -> int:
    """Rehearse from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos.rehearsal", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ways = ", ".join(sorted(each.stem for each in WAYS.glob("*.py")))
    parser.add_argument("--bad", default="", help=f"way of being bad: {ways}, or a .py or .diff file")
    parser.add_argument("--stable", default="HEAD^", help="commit of the stable version")
    parser.add_argument("--canary", type=Path, help="checkout of the new version; default: a copy of this one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=WATCH_SECONDS, help="longest time of the analysis")
    parser.add_argument("--keep", type=Path, help="leave logs and data in this directory")
    given = parser.parse_args()
    if PROMETHEUS is None:
        parser.error("no prometheus (Debian: prometheus)")
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as temporary:
        where = given.keep or Path(temporary)
        where.mkdir(parents=True, exist_ok=True)
        stable = checkout(given.stable, where / "stable")
        canary = given.canary or made_bad(given.bad, where / "canary")
        done = asyncio.run(rehearsed(stable, canary, where, seed=given.seed, watch=given.seconds))
    for name, value in done.found.figures.items():
        print(f"  {name:<50}  {value:>10}")
    for what, details in done.found.breaches.items():
        print(f"\n  BREACH: {what}: {len(details)}", *(f"    {detail}" for detail in details[:5]), sep="\n")
    verdict = {PROMOTE: "promoted", ROLL_BACK: "rolled back", HOLD: "held"}.get(done.verdict, "no verdict")
    print(f"\n  {verdict}; nothing lost, nothing twice" if not done.found.breaches else f"\n  {verdict}")
    expected = ROLL_BACK if given.bad or given.canary else PROMOTE
    return 0 if done.verdict == expected and not done.found.breaches else 1


if __name__ == "__main__":
    sys.exit(main())
