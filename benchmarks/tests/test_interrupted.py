"""An interrupted benchmark leaves no process behind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


def descendants(pid: int) -> set[int]:
    """Return the ids of all processes below one."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return set()
    return {int(child) for child in children} | {one for child in children for one in descendants(int(child))}


def runs_the_server(pid: int) -> bool:
    """Return whether a process is the server under test, which starts after the stores. "echo" is the cheapest one."""
    try:
        return b"benchmarks.baselines.echo" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_nothing_is_left_of_a_benchmark_that_is_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "benchmarks", "--quick", "--only", "echo", "--out", str(tmp_path / "out.json"))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE):
            while not any(runs_the_server(pid) for pid in descendants(process.pid)):
                assert process.returncode is None
                await asyncio.sleep(0.02)
        below = descendants(process.pid)
        process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            await process.wait()
            while any(lives(pid) for pid in below):  # noqa: ASYNC110 -- no event when a grandchild ends
                await asyncio.sleep(0.02)
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGKILL)
