"""Jobs: enqueued with their cause, done once visibly, retried, cancelled, and never lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.tasks import Tasks
from storage import keys
from storage.connections import Connection, Pool, in_transaction
from storage.job_runner import GiveUp, JobKind, Run, Runner, TryAgain
from storage.jobs import CANCELLED, DEAD, DONE, QUEUED, RUNNING, Job, JobLost, Jobs, NewJob, enqueue, wake
from storage.leases import Bell
from storage.retention import prune

KIND = "count"


@pytest.fixture
def jobs(pool: Pool, redis: Redis) -> Jobs:
    return Jobs(pool, redis)


Start = Callable[..., Runner]


@pytest_asyncio.fixture
async def start(jobs: Jobs, redis: Redis) -> AsyncIterator[Start]:
    """Return a function that starts a runner of one kind, like another process. All stop at the end."""
    started: list[Tasks] = []

    def start(work: Callable[[Run], Awaitable[None]], **options: object) -> Runner:
        tasks = Tasks(lambda *_: None)
        started.append(tasks)
        bell = Bell(redis, keys.JOBS_ENQUEUED)
        kind = JobKind(name=KIND, work=work, **{"first_seconds": 0.0, **options})  # type: ignore[arg-type]
        runner = Runner(jobs, [kind], f"runner {len(started)}", bell, partial(tasks.spawn, vital=False))
        tasks.spawn("bell", bell.listen())
        tasks.spawn("runner", runner.run())
        return runner

    yield start
    for tasks in started:
        await tasks.close()


async def wait_for(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until a condition is true."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 -- other processes change it
            await asyncio.sleep(0.01)


async def until(jobs: Jobs, status: str, key: str = "a") -> Job:
    """Wait until a job has a status, and return it."""

    async def found() -> bool:
        job = await jobs.find(KIND, key)
        return job is not None and job.status == status

    await wait_for(found)
    job = await jobs.find(KIND, key)
    assert job is not None
    return job


async def expire(pool: Pool) -> None:
    """Let all claims expire, and make all delayed jobs due."""
    await pool.execute("UPDATE jobs SET due_at = now() - interval '1 second' WHERE status IN ('queued', 'running')")


async def claim(jobs: Jobs) -> Job:
    (job,) = await jobs.claim({KIND: 1}, "me")
    return job


async def nothing(_: Run) -> None:
    """Do a job without any work."""


async def test_a_job_is_enqueued_with_its_cause_or_not_at_all(pool: Pool, jobs: Jobs) -> None:
    async def fail(connection: Connection) -> None:
        await enqueue(connection, NewJob(KIND, "undone"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await in_transaction(pool, fail)
    await in_transaction(pool, lambda connection: enqueue(connection, NewJob(KIND, "a", b'{"x": 1}', 7, 8)))
    (job,) = await jobs.page()
    assert (job.key, job.data, job.chat_id, job.asked_by, job.status) == ("a", b'{"x": 1}', 7, 8, QUEUED)


async def test_a_second_job_with_the_same_key_is_not_added(jobs: Jobs) -> None:
    (first,) = await jobs.enqueue(NewJob(KIND, "a"))
    assert await jobs.enqueue(NewJob(KIND, "a"), NewJob(KIND, "b")) == [first + 2]
    assert [job.key for job in await jobs.page()] == ["b", "a"]


async def test_two_processes_do_each_job_once(jobs: Jobs, start: Start) -> None:
    done = Counter[str]()

    async def work(run: Run) -> None:
        done[run.job.key] += 1

    await jobs.enqueue(*(NewJob(KIND, str(number)) for number in range(60)))
    start(work)
    start(work)
    async with asyncio.timeout(60):
        await asyncio.gather(*(until(jobs, DONE, str(number)) for number in range(60)))
    assert done == {str(number): 1 for number in range(60)}


async def test_a_process_that_wakes_up_late_can_write_nothing_about_a_job_that_another_has(
    pool: Pool, jobs: Jobs
) -> None:
    await jobs.enqueue(NewJob(KIND, "a"))
    frozen = await claim(jobs)
    assert await jobs.claim({KIND: 1}, "other") == []
    await expire(pool)
    heir = await claim(jobs)
    assert heir.fence > frozen.fence
    for write in (
        jobs.record(frozen, b'{"at": 9}'),
        jobs.end(frozen, DONE),
        jobs.run_again(frozen, 0),
    ):
        with pytest.raises(JobLost):
            await write
    with pytest.raises(JobLost):
        async with jobs.transaction(frozen):
            pass
    assert await jobs.renew([frozen, heir]) == {heir.id: False}
    await jobs.end(heir, DONE)
    found = await jobs.get(heir.id)
    assert found is not None
    assert (found.status, found.progress) == (DONE, b"{}")


async def test_an_effect_in_postgres_is_committed_with_the_end_of_its_job_or_not_at_all(jobs: Jobs) -> None:
    await jobs.enqueue(NewJob(KIND, "a"))
    job = await claim(jobs)

    async def take_effect(*, fail: bool) -> None:
        async with jobs.transaction(job) as connection:
            await enqueue(connection, NewJob("other", "effect"))
            await jobs.end(job, DONE, connection=connection)
            if fail:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await take_effect(fail=True)
    assert await jobs.find("other", "effect") is None
    assert (await until(jobs, RUNNING)).id == job.id
    await take_effect(fail=False)
    assert await jobs.find("other", "effect") is not None
    assert (await until(jobs, DONE)).id == job.id


async def test_a_job_that_fails_is_tried_again_and_then_waits_for_an_operator(jobs: Jobs, start: Start) -> None:
    tries = 0

    async def work(_: Run) -> None:
        nonlocal tries
        tries += 1
        if tries <= 5:
            raise OSError("no route")

    await jobs.enqueue(NewJob(KIND, "a"))
    runner = start(work, attempts=3)
    dead = await until(jobs, DEAD)
    assert (tries, dead.error, dead.attempts) == (3, "OSError: no route", 3)

    async def counted() -> bool:  # an attempt is counted after its result is in the database
        return runner.outcomes[KIND, "again"] == 2

    await wait_for(counted)
    assert await jobs.send_again(dead.id)
    await until(jobs, DONE)
    assert tries == 6
    assert not await jobs.send_again(dead.id)


async def test_delays_double_with_jitter_up_to_a_limit() -> None:
    kind = JobKind(name=KIND, work=nothing, first_seconds=2, longest_seconds=100)
    for attempt, most in ((1, 2), (2, 4), (3, 8), (7, 100), (1000, 100)):
        assert most / 2 <= kind.delay(attempt) <= most


async def test_a_verdict_ends_a_job_at_once_and_a_wish_sets_the_delay(jobs: Jobs, start: Start) -> None:
    async def work(run: Run) -> None:
        if run.job.key == "later":
            raise TryAgain("busy", 3600)
        raise GiveUp("no such thing")

    await jobs.enqueue(NewJob(KIND, "a"), NewJob(KIND, "later"))
    start(work)
    assert (await until(jobs, DEAD)).error == "GiveUp: no such thing"

    async def put_back() -> bool:
        return (await until(jobs, QUEUED, "later")).attempts == 1

    await wait_for(put_back)
    later = await until(jobs, QUEUED, "later")
    assert later.due_at - later.updated_at > timedelta(minutes=50)


async def test_a_job_goes_on_from_its_progress_and_progress_grants_new_attempts(jobs: Jobs, start: Start) -> None:
    seen = []

    async def work(run: Run) -> None:
        at = len(run.progress)
        seen.append(at)
        if at < 8:
            await run.record(b'"' + b"x" * (at - 1) + b'"')
            raise OSError("again")

    await jobs.enqueue(NewJob(KIND, "a"))
    start(work, attempts=2)
    await until(jobs, DONE)
    assert seen == [2, 3, 4, 5, 6, 7, 8]


async def test_a_job_that_kills_each_process_is_buried(pool: Pool, jobs: Jobs, start: Start) -> None:
    await jobs.enqueue(NewJob(KIND, "a"))
    for _ in range(2):
        await claim(jobs)  # a process that dies without a word
        await expire(pool)
    undone = []

    async def undo(_: Run, reason: str) -> None:
        undone.append(reason)

    start(nothing, attempts=2, undo=undo)
    dead = await until(jobs, DEAD)
    assert dead.error
    assert undone == [dead.error]


async def test_a_cancelled_job_undoes_its_work_also_if_it_had_not_begun(jobs: Jobs, start: Start) -> None:
    begun, undone = asyncio.Event(), []

    async def work(_: Run) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def undo(run: Run, _: str) -> None:
        undone.append(run.job.key)

    running, queued = await jobs.enqueue(NewJob(KIND, "queued", delay=3600), NewJob(KIND, "a"))
    start(work, undo=undo)
    await asyncio.wait_for(begun.wait(), 60)
    assert await jobs.cancel(queued)
    await until(jobs, CANCELLED, "queued")
    assert await jobs.cancel(running)
    await until(jobs, CANCELLED)
    assert undone == ["queued", "a"]
    assert not await jobs.cancel(running)


async def test_a_wake_up_during_a_run_makes_the_job_run_again(pool: Pool, jobs: Jobs, start: Start) -> None:
    runs = 0

    async def work(_: Run) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await wake(pool, KIND, [("a", None, None)])

    await wake(pool, KIND, [("a", -5, None)])
    start(work)
    await until(jobs, DONE)
    await wake(pool, KIND, [("a", -5, datetime.now(UTC) + timedelta(hours=1))])
    waiting = await until(jobs, QUEUED)
    assert (runs, waiting.chat_id, waiting.attempts) == (2, -5, 0)
    assert waiting.due_at > waiting.updated_at


async def test_a_stop_gives_the_running_jobs_to_other_processes_at_once(jobs: Jobs, redis: Redis) -> None:
    tasks, bell, begun = Tasks(lambda *_: None), Bell(redis, keys.JOBS_ENQUEUED), asyncio.Event()

    async def work(_: Run) -> None:
        begun.set()
        await asyncio.Event().wait()

    await jobs.enqueue(NewJob(KIND, "a"))
    kind = JobKind(name=KIND, work=work)
    tasks.spawn("runner", Runner(jobs, [kind], "me", bell, partial(tasks.spawn, vital=False)).run())
    await asyncio.wait_for(begun.wait(), 60)
    await tasks.close()
    heir = await claim(jobs)
    assert (heir.key, heir.attempts) == ("a", 1)


async def test_a_claim_that_is_lost_stops_the_work(pool: Pool, jobs: Jobs, start: Start) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(run: Run) -> None:
        run.check()
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await jobs.enqueue(NewJob(KIND, "a"))
    runner = start(work, at_once=1)
    await asyncio.wait_for(begun.wait(), 60)
    await pool.execute("UPDATE jobs SET fence = fence + 1, due_at = now() + interval '1 hour'")
    await jobs.ring()
    await asyncio.wait_for(stopped.wait(), 60)

    async def counted() -> bool:
        return bool(runner.outcomes[KIND, "lost"])

    await wait_for(counted)


async def test_jobs_are_listed_in_pages_counted_and_pruned(pool: Pool, jobs: Jobs) -> None:
    await jobs.enqueue(*(NewJob(KIND, str(number), chat_id=number % 2) for number in range(6)))
    first = await jobs.page(chats=[1], limit=2)
    assert [job.key for job in first] == ["5", "3"]
    assert [job.key for job in await jobs.page(chats=[1], before=first[-1].id)] == ["1"]
    assert await jobs.page(kind="other") == []
    for status in (DONE, DEAD):
        await jobs.end(await claim(jobs), status, "so")
    assert {(each.status, each.count) for each in await jobs.counts()} == {(QUEUED, 4), (DEAD, 1)}
    await pool.execute("UPDATE jobs SET updated_at = now() - interval '30 days'")
    now = round(datetime.now(UTC).timestamp() * 1000)
    pruned = await prune(pool, now, keep_events_days=365, keep_results_days=1095)
    assert (pruned.jobs, pruned.dead_jobs) == (1, 0)
    pruned = await prune(pool, now + 70 * 86_400_000, keep_events_days=365, keep_results_days=1095)
    assert (pruned.jobs, pruned.dead_jobs) == (0, 1)
    assert await jobs.next_due([KIND]) == 0
    assert await jobs.next_due(["other"]) is None
    assert await jobs.hasten(KIND, "5") is False
