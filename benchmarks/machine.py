"""This machine: which core runs what, processes and their memory, free ports."""

import asyncio
import os
import platform
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from storage.embedded import tied_to_this_process

ROOT = Path(__file__).parent.parent
SERVER_CORE, LOAD_CORE = 0, 1
PAGE = os.sysconf("SC_PAGE_SIZE")


def pin(core: int, pid: int = 0) -> None:
    """Keep a process (0: this one) on a core, where the system lets us and has it."""
    if sys.platform == "linux" and core in os.sched_getaffinity(os.getppid()) | os.sched_getaffinity(0) | {0, 1}:
        with suppress(OSError):
            os.sched_setaffinity(pid, {core})


def anywhere(pid: int = 0) -> None:
    """Let a process (0: this one), and what it starts, run on every core."""
    if sys.platform == "linux":
        os.sched_setaffinity(pid, range(os.cpu_count() or 1))


def processor_time() -> list[int]:
    """What the processors have done since the start, by kind, as ``/proc/stat`` has it; empty where that is not."""
    try:
        return [int(ticks) for ticks in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    except OSError:
        return []


def stolen(before: Sequence[int]) -> str:
    """What share of the processors' time since then the host gave to others; empty where the system does not say."""
    spent = [now - then for then, now in zip(before, processor_time(), strict=True)]
    return f", {spent[7] / sum(spent):.1%} of the processors' time went to other machines of the host" if spent else ""


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def resident_bytes(pid: int) -> int:
    """Memory of a process and its children, as far as it is in RAM; 0 where the system does not say."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return own + sum(resident_bytes(int(child)) for child in children)


def described() -> str:
    """One line about the machine."""
    model = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line for line in lines if line.startswith("model name")).partition(":")[2].strip()
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    core: int | None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    root: Path = ROOT,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process, on that core (None: wherever), until the end of the block; its group is stopped then."""
    with open(log or os.devnull, "ab") as output:  # noqa: ASYNC230, PTH123 -- before anything is measured
        process = await asyncio.create_subprocess_exec(
            *tied_to_this_process(),
            *command,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=output,
            cwd=root, env={**os.environ, **(env or {})}, start_new_session=True, limit=1 << 24,
        )  # fmt: skip
    if core is not None:
        pin(core, process.pid)
    else:
        anywhere(process.pid)
    try:
        yield process
    finally:
        await stopped(process)


async def stopped(process: asyncio.subprocess.Process, *, seconds: float = 15) -> None:
    """Ask a process to stop, and insist."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and its living children have used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)
