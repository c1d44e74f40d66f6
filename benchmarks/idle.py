"""Wake-ups and processor time of a bot that has nothing to do."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks import stacks
from benchmarks.machine import SERVER_CORE, free_port, running
from benchmarks.plan import Plan, say
from benchmarks.report import Row, row
from benchmarks.stacks import Stores
from sandbox.app import serve

DATABASE = 9
MODES = ("polling", "webhook")


async def measure(stores: Stores, plan: Plan) -> list[Row]:
    """Measure a bot with all roles, for each way of receiving updates."""
    return [each for mode in MODES for each in await measure_mode(stores, plan, mode)]


async def measure_mode(stores: Stores, plan: Plan, mode: str) -> list[Row]:
    """Start a bot, let the work that follows a start finish, and count for as long as all runs take."""
    seconds = plan.seconds * plan.runs
    async with AsyncExitStack() as stack:
        box, port = await stack.enter_async_context(serve()), free_port()
        await stores.made(DATABASE)
        environment = {
            **stacks.tombola_environment(stores, port, DATABASE),
            "TOMBOLA_TELEGRAM__TOKEN": box.token,
            "TOMBOLA_TELEGRAM__API_BASE": box.url,
            "TOMBOLA_TELEGRAM__MODE": mode,
        }
        log = stores.directory / f"idle-{mode}.log"
        command = stacks.tombola_command()
        bot = await stack.enter_async_context(running(command, core=SERVER_CORE, env=environment, log=log))
        await stacks.answering(port, bot)
        await stacks.ready(port)
        await asyncio.sleep(2 * plan.seconds)
        woken, spent = counted(bot.pid)
        await asyncio.sleep(seconds)
        woken, spent = (after - before for after, before in zip(counted(bot.pid), (woken, spent), strict=True))
    say(f"  {mode}: {woken / seconds:.1f} wake-ups a second, {spent / seconds:.2%} of a core")
    return [
        row(f"idle.{mode}_wakeups", "/s", [woken / seconds]),
        row(f"idle.{mode}_cpu_percent", "%", [100 * spent / seconds]),
    ]


def counted(pid: int) -> tuple[float, float]:
    """Return the voluntary context switches and the processor seconds of a process's threads; 0 without ``/proc``."""
    woken = nanoseconds = 0
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        try:
            status, spent = (thread / "status").read_text(), (thread / "schedstat").read_text()
        except OSError:  # the thread has just ended
            continue
        woken += next(int(each.split()[1]) for each in status.splitlines() if each.startswith("voluntary_ctxt"))
        nanoseconds += int(spent.split()[0])  # finer than the ticks of `stat`, of which an idle second has none
    return woken, nanoseconds / 1e9
