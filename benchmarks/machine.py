"""Access to this machine: cores, processes and their memory, free ports."""

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
    """Pin a process (0: this one) to a core, if the system permits it and has that core."""
    if sys.platform == "linux" and core in os.sched_getaffinity(os.getppid()) | os.sched_getaffinity(0) | {0, 1}:
        with suppress(OSError):
            os.sched_setaffinity(pid, {core})


def anywhere(pid: int = 0) -> None:
    """Let a process (0: this one) and its future children run on every core."""
    if sys.platform == "linux":
        os.sched_setaffinity(pid, range(os.cpu_count() or 1))


def processor_time() -> list[int]:
    """Return the processors' ticks since the boot by kind, as in ``/proc/stat``; empty on systems without it."""
    try:
        return [int(ticks) for ticks in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    except OSError:
        return []


def stolen(before: Sequence[int]) -> str:
    """Return the share of processor time that the host gave to other guests since ``before``.

    Returns an empty text if the system does not report it.
    """
    spent = [now - then for then, now in zip(before, processor_time(), strict=True)]
    return f", {spent[7] / sum(spent):.1%} of the processors' time went to other machines of the host" if spent else ""


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and its children; 0 if the system does not report it."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return own + sum(resident_bytes(int(child)) for child in children)


def described() -> str:
    """Return a one-line description of the machine."""
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
    """Run a process on a core (None: on any) during the block, then stop its process group."""
    with open(log or os.devnull, "ab") as output:  # noqa: ASYNC230, PTH123 -- runs before the measurement
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
    """Terminate a process; kill it if it still runs after `seconds`."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def parent_of(pid: int) -> int:
    """Return the id of a process's parent. Raises OSError on systems without ``/proc``."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and all its children, even ended ones; 0 if it is unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)
