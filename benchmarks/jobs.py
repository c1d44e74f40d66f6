"""Speed of jobs, and a comparison with pgqueuer where that is installed.

python -m benchmarks.jobs [--jobs 3000] [--runs 3]

Real embedded stores with production durability; the jobs do nothing. For the comparison run it in an environment that
also has pgqueuer (`uv pip install pgqueuer`), which Tombola does not need. Both get one process, and 32 jobs at once.

The last line tells whether a worker that was frozen until its claim had expired can still complete the job that another
worker has taken over since.
"""

import argparse
import asyncio
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from loguru import logger
from redis.asyncio import Redis

from bot.tasks import Tasks
from storage import keys
from storage.connections import Pool, in_transaction, postgres_pool, redis_client
from storage.embedded import embedded_postgres, embedded_redis
from storage.job_runner import JobKind, Run, Runner
from storage.jobs import DONE, JobLost, Jobs, NewJob, enqueue
from storage.leases import Bell
from storage.migrate import upgrade

KIND = "nothing"
AT_ONCE = 32
LONGEST_SECONDS = 120.0


class Progress:
    """Counts the jobs that are done, and tells when all are."""

    def __init__(self, total: int) -> None:
        self._left = total
        self.all = asyncio.Event()

    def one(self) -> None:
        """Count one job."""
        self._left -= 1
        if self._left == 0:
            self.all.set()


async def rate(count: int, work: Callable[[], Awaitable[object]]) -> float:
    """Return `count` divided by the duration of the work in seconds."""
    began = time.perf_counter()
    await work()
    return count / (time.perf_counter() - began)


async def ours(pool: Pool, redis: Redis, count: int) -> dict[str, float]:
    """Measure Tombola's jobs on an empty table."""
    await pool.execute("TRUNCATE jobs")
    jobs, progress, tasks = Jobs(pool, redis), Progress(count), Tasks(lambda *_: None)

    async def one_by_one() -> None:
        for number in range(count // 4):
            await in_transaction(pool, partial(enqueue_one, number))

    async def enqueue_one(number: int, connection: Any) -> None:
        await enqueue(connection, NewJob(KIND, f"one {number}", delay=86_400))

    async def work(_: Run) -> None:
        progress.one()

    async def run() -> None:
        tasks.spawn("runner", Runner(jobs, [kind], "me", bell, partial(tasks.spawn, vital=False)).run())
        await asyncio.wait_for(progress.all.wait(), LONGEST_SECONDS)

    kind, bell = JobKind(name=KIND, work=work, at_once=AT_ONCE), Bell(redis, keys.JOBS_ENQUEUED)
    tasks.spawn("bell", bell.listen())
    found = {
        "enqueue in a transaction each": await rate(count // 4, one_by_one),
        "enqueue in one statement": await rate(
            count, lambda: enqueue(pool, *(NewJob(KIND, str(n)) for n in range(count)))
        ),
        "done": await rate(count, run),
    }
    await tasks.close()
    return found


async def late_completion(pool: Pool, redis: Redis) -> bool:
    """Return whether a frozen worker completes the job that another has taken over."""
    await pool.execute("TRUNCATE jobs")
    jobs = Jobs(pool, redis)
    await jobs.enqueue(NewJob(KIND, "a"))
    (frozen,) = await jobs.claim({KIND: 1}, "frozen")
    await pool.execute("UPDATE jobs SET due_at = now() - interval '1 second'")
    (heir,) = await jobs.claim({KIND: 1}, "heir")
    with suppress(JobLost):
        await jobs.end(frozen, DONE)
    found = await jobs.get(heir.id)
    return found is None or found.status == DONE


# -- pgqueuer ---------------------------------------------------------------------------------------------------


async def pgqueuer(dsn: str, count: int) -> dict[str, float]:
    """Measure pgqueuer on empty tables."""
    library, db = import_module("pgqueuer"), import_module("pgqueuer.db")
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=10)
    driver = db.AsyncpgPoolDriver(pool)
    queries, progress = import_module("pgqueuer.queries").Queries(driver), Progress(count)
    with suppress(asyncpg.PostgresError):
        await queries.uninstall()
    await queries.install()

    async def one_by_one() -> None:
        for _ in range(count // 4):
            async with pool.acquire() as connection, connection.transaction():
                own = import_module("pgqueuer.queries").Queries(db.AsyncpgDriver(connection))
                await own.enqueue([KIND], [None], [0], execute_after=[timedelta(days=1)])

    manager = library.PgQueuer(driver)

    @manager.entrypoint(KIND)  # type: ignore[untyped-decorator]  # a library without types here
    async def work(_: Any) -> None:
        progress.one()

    async def run() -> None:
        running = asyncio.create_task(manager.run(batch_size=AT_ONCE))
        await asyncio.wait_for(progress.all.wait(), LONGEST_SECONDS)
        manager.shutdown.set()
        await asyncio.wait({running}, timeout=LONGEST_SECONDS)

    found = {
        "enqueue in a transaction each": await rate(count // 4, one_by_one),
        "enqueue in one statement": await rate(
            count, lambda: queries.enqueue([KIND] * count, [None] * count, [0] * count)
        ),
        "done": await rate(count, run),
    }
    await pool.close()
    return found


async def pgqueuer_late_completion(dsn: str) -> bool:
    """Return whether pgqueuer lets a frozen worker complete the job that another has taken over."""
    db = import_module("pgqueuer.db")
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
    queries = import_module("pgqueuer.queries").Queries(db.AsyncpgPoolDriver(pool))
    await queries.clear_queue()
    await queries.enqueue([KIND], [None], [0])
    parameters = {KIND: import_module("pgqueuer.queries").EntrypointExecutionParameter(concurrency_limit=0)}

    async def claim() -> Any:
        (job,) = await queries.dequeue(
            batch_size=1, entrypoints=parameters, queue_manager_id=uuid4(),
            global_concurrency_limit=None, heartbeat_timeout=timedelta(seconds=30),
        )  # fmt: skip
        return job

    frozen = await claim()
    await pool.execute("UPDATE pgqueuer SET heartbeat = now() - interval '1 hour'")
    await claim()
    await queries.log_jobs([(frozen, "successful", None)])
    left = await pool.fetchval("SELECT count(*) FROM pgqueuer")
    await pool.close()
    return not left


def import_seconds(module: str) -> float:
    """Return the time that importing a module adds to a process that has asyncpg, in seconds; best of three."""
    code = f"import asyncpg, time; began = time.perf_counter(); import {module}; print(time.perf_counter() - began)"
    return min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))


async def measure(count: int, runs: int) -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory(prefix="tombola-") as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240 -- nothing else runs yet
        async with embedded_postgres(Path(folder)) as dsn, embedded_redis(Path(folder)) as redis_dsn:
            await upgrade(dsn)
            async with postgres_pool(dsn) as pool, redis_client(redis_dsn, pool_size=64) as redis:
                show("tombola", [await ours(pool, redis, count) for _ in range(runs)])
                print(f"{'':10} a frozen worker's late completion is accepted: {await late_completion(pool, redis)}")
            if importlib.util.find_spec("pgqueuer") is None:
                print("pgqueuer   is not installed here")
                return
            show("pgqueuer", [await pgqueuer(dsn, count) for _ in range(runs)])
            print(f"{'':10} a frozen worker's late completion is accepted: {await pgqueuer_late_completion(dsn)}")
            print(f"{'':10} import: {import_seconds('pgqueuer') * 1000:.0f} ms")


def show(name: str, runs: list[dict[str, float]]) -> None:
    """Print the medians of some runs."""
    for figure in runs[0]:
        print(f"{name:10} {figure}: {statistics.median(run[figure] for run in runs):,.0f}/s")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    logger.remove()
    asyncio.run(measure(options.jobs, options.runs))


if __name__ == "__main__":
    main()
