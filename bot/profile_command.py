"""The command `python -m bot profile`: ask a running process for a profile of itself."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Final

from bot.clock import SystemClock
from bot.operator_commands import account, say, told
from bot.settings import Settings
from storage.audit import SHELL, Audit, Trail, acting
from storage.connections import postgres_pool, redis_client
from storage.embedded import stores
from storage.processes import Process, Processes
from storage.profiles import GRACE_SECONDS, Profiles

ASK_AGAIN_SECONDS: Final = 0.5


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """Profile the process that was named. Return the exit status."""
    return await told(_run(settings, given.process, given.seconds, given.output))


async def _run(settings: Settings, named: str, seconds: int, output: Path) -> int:
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value())
    async with dsns as (postgres, cache), postgres_pool(postgres) as pool, redis_client(cache) as redis:
        running = await Processes(redis).listed()
        found = [each for each in running if _is(each, named)]
        if len(found) != 1:
            say("no such process" if not found else "several processes have this id; give the name of one:")
            for each in found or running:
                say(f"  {each.name}  {','.join(each.roles)}")
            return 1
        audit = Audit(pool, SystemClock())
        with acting(Trail(audit, SHELL, 0, None, account())):
            stacks = await _fetched(Profiles(redis), found[0].name, seconds)
        await audit.flush()
    if stacks is None:
        say("no profile: another one of that process is under way, or the process has ended")
        return 1
    if str(output) == "-":
        sys.stdout.write(stacks)
        return 0
    await asyncio.to_thread(output.write_text, stacks)
    spent = sum(int(line.rpartition(" ")[2]) for line in stacks.splitlines()) / 1e6
    say(f"{output}: {spent:.2f} s of processor time in {seconds} s; open it with speedscope or flamegraph.pl")
    return 0


def _is(process: Process, named: str) -> bool:
    """Return whether a process has this name or this id on its machine."""
    return named in {process.name, *process.name.split(":")[1:2]}


async def _fetched(profiles: Profiles, process: str, seconds: int) -> str | None:
    """Ask for a profile and wait for it. Returns None if there is none."""
    profile = await profiles.ask(process, seconds)
    if profile is None:
        return None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds + GRACE_SECONDS):
            while (found := await profiles.get(profile)) is not None:
                if found.ready:
                    return found.stacks
                await asyncio.sleep(ASK_AGAIN_SECONDS)
    return None
