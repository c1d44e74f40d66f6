"""Sagas: whatever crashes, each step is done and undone completely."""

import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.tasks import Tasks
from fsm.kind import Rejected
from play.sagas import Notes, Saga, Step
from storage import keys
from storage.connections import Pool, postgres_pool, redis_client
from storage.job_runner import GiveUp, Run, Runner
from storage.jobs import CANCELLED, DEAD, DONE, UNFINISHED, Job, Jobs, NewJob
from storage.leases import Bell

NAME = "trip"
STEPS = ("flight", "hotel", "car")


class Killed(BaseException):
    """The death of a process, which nothing in it can handle."""


class Trip:
    """A saga with three bookings, which a test can let fail or die before or after an effect.

    Attributes:
        booked: the bookings that are held now.
        log: every effect, in order.
        faults: (step, moment) -> the error to raise there once; the moments are `before`, `after`, and `undo`.
    """

    def __init__(self, faults: dict[tuple[str, str], list[BaseException]] | None = None) -> None:
        self.booked: set[str] = set()
        self.log: list[str] = []
        self.faults = faults or {}
        self.saga = Saga(
            NAME, [Step(name, partial(self._book, name), partial(self._cancel, name)) for name in STEPS], attempts=3
        )

    def _fault(self, name: str, moment: str) -> None:
        if faults := self.faults.get((name, moment)):
            raise faults.pop(0)

    async def _book(self, name: str, run: Run, notes: Notes) -> str:
        self._fault(name, "before")
        assert notes.keys() == set(STEPS[: STEPS.index(name)])
        self.booked.add(name)
        self.log.append(f"+{name}")
        self._fault(name, "after")
        return f"{name} of {run.job.key}"

    async def _cancel(self, name: str, _: Run, __: Notes) -> None:
        self._fault(name, "undo")
        self.booked.discard(name)
        self.log.append(f"-{name}")


@pytest.fixture
def jobs(pool: Pool, redis: Redis) -> Jobs:
    return Jobs(pool, redis)


async def die(jobs: Jobs, trip: Trip, pool: Pool) -> bool:
    """Do the job in a process that dies. Returns False if it did not die."""
    claimed = await jobs.claim({NAME: 1}, "doomed")
    try:
        for job in claimed:
            await trip.saga.kind.work(Run(job, trip.saga.kind, jobs, time.monotonic() + 30))
    except Killed:
        await pool.execute("UPDATE jobs SET due_at = now() - interval '1 second'")
        return True
    return False


async def finish(jobs: Jobs, redis: Redis, trip: Trip) -> Job:
    """Let a healthy process do the job to its end."""
    tasks, bell = Tasks(lambda *_: None), Bell(redis, keys.JOBS_ENQUEUED)
    runner = Runner(jobs, [trip.saga.kind], "heir", bell, partial(tasks.spawn, vital=False))
    tasks.spawn("runner", runner.run())
    async with asyncio.timeout(60):
        while await jobs.page(statuses=UNFINISHED):
            await jobs._pool.execute("UPDATE jobs SET due_at = now() WHERE status = 'queued'")
            await jobs.ring()
            bell.ring()
            await asyncio.sleep(0.01)
    await tasks.close()
    (job,) = await jobs.page()
    return job


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_saga_goes_on_after_a_crash_at_any_point(
    step: str, moment: str, jobs: Jobs, pool: Pool, redis: Redis
) -> None:
    trip = Trip({(step, moment): [Killed()]})
    await jobs.enqueue(NewJob(NAME, "a"))
    assert await die(jobs, trip, pool)
    job = await finish(jobs, redis, trip)
    assert job.status == DONE
    assert trip.booked == set(STEPS)
    assert len(trip.log) == len(STEPS) + (moment == "after")


@pytest.mark.parametrize("refusal", [GiveUp("full"), Rejected()])
@pytest.mark.parametrize("crashes", [(), ("car",), ("hotel",), ("flight",), ("car", "hotel", "flight")])
async def test_a_refused_step_is_undone_with_all_before_it_although_processes_die(
    refusal: Exception, crashes: Sequence[str], jobs: Jobs, pool: Pool, redis: Redis
) -> None:
    trip = Trip({("car", "after"): [refusal], **{(name, "undo"): [Killed()] for name in crashes}})
    await jobs.enqueue(NewJob(NAME, "a"))
    while await die(jobs, trip, pool):
        pass
    job = await finish(jobs, redis, trip)
    assert trip.booked == set()
    assert [entry for entry in trip.log if entry[0] == "-"] == ["-car", "-hotel", "-flight"]
    assert (job.status, job.error) == (CANCELLED, str(refusal) or "Rejected")


async def test_a_saga_without_attempts_left_is_undone_and_can_be_sent_again(jobs: Jobs, redis: Redis) -> None:
    trip = Trip({("hotel", "before"): [OSError("no route") for _ in range(3)]})
    await jobs.enqueue(NewJob(NAME, "a"))
    job = await finish(jobs, redis, trip)
    assert (job.status, trip.log) == (DEAD, ["+flight", "-hotel", "-flight"])
    assert "no route" in job.error
    await jobs.send_again(job.id)
    assert (await finish(jobs, redis, trip)).status == DONE
    assert trip.booked == set(STEPS)


async def test_a_cancelled_saga_is_undone_from_the_step_that_it_had_reached(
    jobs: Jobs, pool: Pool, redis: Redis
) -> None:
    trip = Trip({("hotel", "after"): [Killed()]})
    await jobs.enqueue(NewJob(NAME, "a"))
    assert await die(jobs, trip, pool)
    (job,) = await jobs.page()
    assert await jobs.cancel(job.id)
    assert (await finish(jobs, redis, trip)).status == CANCELLED
    assert trip.booked == set()


# -- a real death -----------------------------------------------------------------------------------------------

DOOMED = """
import asyncio, sys
from tests.contract.test_sagas import work_slowly
asyncio.run(work_slowly(*sys.argv[1:]))
"""
COUNTERS = 50


def counting(redis: Redis, *, hang_at: int) -> Saga:
    """Return a saga of fifty steps; each adds its number to a set in Redis. At `hang_at` it waits for ever."""

    async def step(number: int, _: Run, __: Notes) -> None:
        await redis.rpush("steps", number)
        if number == hang_at:
            await asyncio.Event().wait()

    return Saga(NAME, [Step(str(number), partial(step, number)) for number in range(COUNTERS)])


async def work_slowly(postgres: str, redis_dsn: str) -> None:
    """Do jobs in a process that hangs in step 20, until it is killed."""
    async with postgres_pool(postgres) as pool, redis_client(redis_dsn) as redis:
        tasks, bell = Tasks(lambda *_: None), Bell(redis, keys.JOBS_ENQUEUED)
        kind = counting(redis, hang_at=20).kind
        await Runner(Jobs(pool, redis), [kind], "doomed", bell, partial(tasks.spawn, vital=False)).run()


async def test_another_process_goes_on_where_a_killed_one_was(
    pool: Pool, postgres_dsn: str, redis: Redis, redis_dsn: str, jobs: Jobs
) -> None:
    await jobs.enqueue(NewJob(NAME, "a"))
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DOOMED, postgres_dsn, redis_dsn, cwd=Path(__file__).parents[2]
    )
    try:
        async with asyncio.timeout(120):
            while await redis.llen("steps") < 21:  # noqa: ASYNC110 -- another process adds
                await asyncio.sleep(0.02)
    finally:
        doomed.kill()
        await doomed.wait()
    await pool.execute("UPDATE jobs SET due_at = now() - interval '1 second'")
    trip = Trip()
    trip.saga = counting(redis, hang_at=-1)
    assert (await finish(jobs, redis, trip)).status == DONE
    steps: Any = await redis.lrange("steps", 0, -1)
    # Step 20 was running at the death, so it is repeated; no other step is.
    assert [int(step) for step in steps] == [*range(21), *range(20, COUNTERS)]
