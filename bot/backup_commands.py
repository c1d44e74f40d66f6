"""The commands of operators for backups."""

import asyncio
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

from redis.asyncio import Redis

from bot import VERSION
from bot.clock import SystemClock
from bot.operator_commands import account, no_connection, say, told
from bot.settings import Settings
from storage import backup as backups
from storage.audit import SHELL, Audit, Trail, acting
from storage.backup_file import BackupError, Foot, new_identity
from storage.connections import postgres_pool, redis_client
from storage.embedded import stores
from storage.keys import shard_name
from storage.leases import STORE_GONE
from storage.processes import Processes

EVENTS = "game_events"


async def backup(settings: Settings, path: Path, recipients: list[str], *, new_key: bool = False) -> int:
    """Write a backup, or a new private key of age. Return the exit status."""
    if new_key:
        return await _told(_new_key(path))
    return await _told(_backup(settings, path, recipients))


async def restore(
    settings: Settings, path: Path, identity: Path | None, *, only_check: bool = False, confirmed: bool = False
) -> int:
    """Restore a backup, or only check it. Without ``confirmed`` it asks on the terminal. Return the exit status."""
    if only_check:
        return await _told(_check(path, identity))
    return await _told(_restore(settings, path, identity, confirmed=confirmed))


async def _told(work: Awaitable[int]) -> int:
    async def done() -> int:
        try:
            return await work
        except BackupError as error:
            say(f"{error}")
        except STORE_GONE as error:
            say(f"redis: {no_connection(error)}")
        return 1

    return await told(done())


async def _new_key(path: Path) -> int:
    public = await asyncio.to_thread(new_identity, path)
    say(f"the private key is in {path}: keep it where the backups are not")
    say(public)
    return 0


async def _backup(settings: Settings, path: Path, recipients: list[str]) -> int:
    began = time.monotonic()
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value())
    async with dsns as (postgres, cache), redis_client(cache) as redis:
        shards = [shard_name(index) for index in range(settings.redis.shards)]
        foot = await backups.back_up(postgres, redis, shards, path, version=VERSION, recipients=recipients)
    if not recipients:  # nobody but the owner of the private key can read an encrypted one
        _, read = await asyncio.to_thread(backups.check, path, None)
        if read != foot:
            raise BackupError(f"{path} differs from what was written")
    size = (await asyncio.to_thread(path.stat)).st_size / 1e6
    say(f"{path}: {_contents(foot)}, {size:.1f} MB, {time.monotonic() - began:.1f} s")
    return 0


async def _check(path: Path, identity: Path | None) -> int:
    head, foot = await asyncio.to_thread(backups.check, path, identity)
    say(f"{path} is whole: {_contents(foot)}, taken {head.taken_at}, schema {head.schema}, version {head.version}")
    return 0


async def _restore(settings: Settings, path: Path, identity: Path | None, *, confirmed: bool) -> int:
    head, _ = await asyncio.to_thread(backups.check, path, identity)
    dsns = stores(settings.data_dir, settings.database.dsn.get_secret_value(), settings.redis.dsn.get_secret_value())
    async with dsns as (postgres, cache), redis_client(cache) as redis:
        await _none_runs(redis)
        if not confirmed and not _asked(head.taken_at):
            return 1
        began = time.monotonic()
        async with postgres_pool(postgres) as pool:
            audit = Audit(pool, SystemClock())
            with acting(Trail(audit, SHELL, 0, None, account())):
                foot = await backups.restore(postgres, pool, redis, path, identity)
            await audit.flush()
        say(
            f"restored {_contents(foot)} in {time.monotonic() - began:.1f} s; start the bot: it restores the live games"
        )
    return 0


async def _none_runs(redis: Redis) -> None:
    """Raise ``BackupError`` if a process of the bot is registered."""
    if running := await Processes(redis).listed():
        names = ", ".join(f"{process.name} on {process.host}" for process in running[:5])
        raise BackupError(f"the bot runs: stop it first, and wait 15 seconds if it was killed ({names})")


def _asked(taken_at: str) -> bool:
    """Ask on the terminal whether all data may be replaced. Return False without a terminal or without a yes."""
    question = f"all present data is replaced by that of {taken_at}"
    if not sys.stdin.isatty():
        say(f"{question}: nothing done; --yes confirms it")
        return False
    sys.stdout.write(f"{question}. Type yes to go on: ")
    sys.stdout.flush()
    if sys.stdin.readline().strip() == "yes":
        return True
    say("nothing done")
    return False


def _contents(foot: Foot) -> str:
    rows = sum(table.rows for table in foot.tables.values())
    events = foot.tables[EVENTS].rows if EVENTS in foot.tables else 0
    waiting = f", {foot.entries} entries of the feed" if foot.entries else ""
    return f"{rows:,} rows, {events:,} of them events{waiting}"
