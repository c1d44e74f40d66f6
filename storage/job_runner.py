"""The runner of jobs: claims due jobs, does them, renews their claims, and retries, buries or cancels them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from loguru import logger

from fsm.kind import Rejected
from storage.connections import POSTGRES_GONE, Connection
from storage.jobs import CANCELLED, DEAD, DONE, LEASE_SECONDS, Job, JobLost, Jobs
from storage.leases import Bell, heed_cancellation, jitter

POLL_SECONDS = 5.0
"""Longest time between two looks at the table: the bell may miss a ring, and the claims of dead processes expire."""
AWAY_SECONDS = 1.0
"""Pause after PostgreSQL was found to be away."""
RELEASE_SECONDS = 1.0
"""Limit for putting a job back when the process stops; after that its claim expires by itself."""
AWAY = (*POSTGRES_GONE, asyncpg.PostgresError)


class GiveUp(Exception):
    """An attempt's verdict that trying again is useless: the job goes to the dead-letter list."""


class TryAgain(Exception):
    """An attempt's wish to be repeated after some seconds, instead of after the usual back-off."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of job, and how it is done.

    Attributes:
        name: its name.
        work: does a job. It must be harmless to repeat from the last recorded progress.
        undo: ends a cancelled job or one without attempts left; None if there is nothing to undo.
        at_once: jobs of the kind that one process does at once.
        attempts: attempts without progress before a job is dead.
        first_seconds: delay before the second attempt; it doubles each time, and a random part is taken off.
        longest_seconds: longest such delay.
    """

    name: str
    work: Callable[["Run"], Awaitable[None]]
    undo: Callable[["Run", str], Awaitable[None]] | None = None
    at_once: int = 4
    attempts: int = 10
    first_seconds: float = 2.0
    longest_seconds: float = 3600.0

    def delay(self, attempts: int) -> float:
        """Return the delay in seconds after so many failed attempts."""
        return jitter(min(self.longest_seconds, self.first_seconds * 2 ** min(attempts - 1, 32)))


@dataclass(slots=True)
class Run:
    """One attempt at a job. Its writes are refused once another process has claimed the job."""

    job: Job
    kind: JobKind
    jobs: Jobs
    safe_until: float
    """Monotonic time until which the claim certainly is ours."""
    task: "asyncio.Task[None] | None" = None
    lost: bool = False
    cancelling: bool = False
    ended: bool = False
    progress: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the stored progress."""
        self.progress = self.job.progress

    @property
    def last(self) -> bool:
        """Return True if this is the last attempt before the job is dead. Progress grants new attempts."""
        return self.progress == self.job.progress and self.job.attempts >= self.kind.attempts

    def check(self) -> None:
        """Raise `JobLost` if the claim may have expired, e.g. because this process was frozen.

        For use right before an effect outside PostgreSQL.
        """
        if self.lost or time.monotonic() >= self.safe_until:
            raise JobLost(self.job.id)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction that commits only while the claim is ours. Raises `JobLost`."""
        async with self.jobs.transaction(self.job) as connection:
            yield connection

    async def record(self, progress: bytes, connection: "Connection | None" = None) -> None:
        """Store the progress, optionally in a transaction of `transaction`. Raises `JobLost`."""
        await self.jobs.record(self.job, progress, connection)
        self.progress = progress

    async def end(self, status: str = DONE, reason: str = "", connection: "Connection | None" = None) -> None:
        """End the job, optionally in a transaction of `transaction`. Raises `JobLost`."""
        await self.jobs.end(self.job, status, reason, connection)
        self.ended = True

    async def again(self, seconds: float, connection: "Connection | None" = None) -> None:
        """Put the job back, to run again after some seconds, as a success. Raises `JobLost`."""
        await self.jobs.run_again(self.job, seconds, connection=connection)
        self.ended = True


class Runner:
    """Does jobs in this process.

    Args:
        jobs: the repository.
        kinds: the kinds of job that this process does.
        owner: unique name of this process.
        bell: rings when jobs have been enqueued.
        spawn: starts a task, by name and coroutine.

    Attributes:
        outcomes: number of ended attempts by kind and outcome: `done`, `again`, `dead`, `cancelled`, `lost`.
    """

    def __init__(
        self,
        jobs: Jobs,
        kinds: Sequence[JobKind],
        owner: str,
        bell: Bell,
        spawn: Callable[[str, Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    ) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._jobs = jobs
        self._kinds = {kind.name: kind for kind in kinds}
        self._owner = owner
        self._bell = bell
        self._spawn = spawn
        self._running: dict[int, Run] = {}

    async def run(self) -> None:
        """Do jobs until cancelled. While PostgreSQL is away, wait for it."""
        renewing = self._spawn("renewal of jobs", self._keep())
        try:
            while True:
                rings = self._bell.rings
                try:
                    wait = await self._begin_due()
                except AWAY as problem:
                    logger.debug("jobs wait for PostgreSQL: {}", type(problem).__name__)
                    wait = jitter(AWAY_SECONDS)
                heed_cancellation()
                await self._bell.after(rings, wait)
        finally:
            renewing.cancel()

    async def _begin_due(self) -> float:
        """Claim and begin due jobs. Returns the seconds until the next look."""
        busy = Counter(run.kind.name for run in self._running.values())
        room = {name: kind.at_once - busy[name] for name, kind in self._kinds.items() if kind.at_once > busy[name]}
        if not room:
            return POLL_SECONDS  # the end of a job wakes this loop earlier
        began = time.monotonic()
        for job in await self._jobs.claim(room, self._owner):
            self._begin(job, began)
            room[job.kind] -= 1
        # Due jobs of a kind without room must wait. Counted here, they would make this loop spin.
        next_due = await self._jobs.next_due([name for name, left in room.items() if left > 0])
        return POLL_SECONDS if next_due is None else min(POLL_SECONDS, max(0.05, next_due))

    def _begin(self, job: Job, began: float) -> None:
        if job.id in self._running:
            # Our own claim expired while the process was frozen, and this very process claimed the job again.
            self._drop(self._running[job.id])
        run = Run(job, self._kinds[job.kind], self._jobs, began + LEASE_SECONDS * 0.9, cancelling=job.cancelling)
        self._running[job.id] = run
        run.task = self._spawn(f"job {job.kind} {job.id}", self._do(run))

    def _drop(self, run: Run) -> None:
        run.lost = True
        if run.task is not None:
            run.task.cancel()

    # -- one job ------------------------------------------------------------------------------------------------

    async def _do(self, run: Run) -> None:
        try:
            outcome = await self._outcome(run)
        except JobLost:
            outcome = "lost"
            logger.warning("job {} {} was lost: its claim had expired", run.kind.name, run.job.id)
        except AWAY as problem:  # nothing could be recorded: the claim expires, and the job is tried again
            outcome = "lost"
            logger.warning("job {} {}: {}", run.kind.name, run.job.id, type(problem).__name__)
        finally:
            if self._running.get(run.job.id) is run:
                del self._running[run.job.id]
            self._bell.ring()
        self.outcomes[run.kind.name, outcome] += 1

    async def _outcome(self, run: Run) -> str:
        """Make one attempt and record its result. Returns its name."""
        job, kind = run.job, run.kind
        try:
            if run.cancelling or job.attempts > kind.attempts:
                reason = "cancelled" if run.cancelling else (job.error or "each process that tried it has died")
                return await self._undo(run, CANCELLED if run.cancelling else DEAD, reason)
            await kind.work(run)
        except asyncio.CancelledError:
            return await self._interrupted(run)
        except JobLost:
            raise
        except (GiveUp, Rejected) as verdict:
            logger.warning("job {} {} is dead: {}", kind.name, job.id, _words(verdict))
            await run.end(DEAD, _words(verdict))
            return DEAD
        except Exception as problem:  # noqa: BLE001 -- recorded, and retried with a limit
            return await self._failed(run, problem)
        if not run.ended:
            await run.end()
        return DONE

    async def _undo(self, run: Run, status: str, reason: str) -> str:
        try:
            if run.kind.undo is not None:
                await run.kind.undo(run, reason)
        except asyncio.CancelledError:
            return await self._interrupted(run)
        except (JobLost, *POSTGRES_GONE):
            raise
        except Exception as problem:  # noqa: BLE001 -- the compensation itself is retried, then left to an operator
            return await self._failed(run, problem, over=run.job.attempts >= 2 * run.kind.attempts)
        if not run.ended:
            await run.end(status, reason)
        return status

    async def _failed(self, run: Run, problem: Exception, *, over: bool | None = None) -> str:
        job, kind = run.job, run.kind
        if run.last if over is None else over:
            if over is None and kind.undo is not None:
                return await self._undo(run, DEAD, _words(problem))
            logger.opt(exception=problem).error("job {} {} is dead after {} attempts", kind.name, job.id, job.attempts)
            await run.end(DEAD, _words(problem))
            return DEAD
        delay = problem.seconds if isinstance(problem, TryAgain) else kind.delay(job.attempts)
        logger.warning("job {} {} is tried again in {:.1f} s: {!r}", kind.name, job.id, delay, problem)
        # An attempt that made progress starts a new count: `record` has set it to 1.
        attempts = job.attempts if run.progress == job.progress else 1
        await self._jobs.run_again(job, delay, _words(problem), attempts=attempts)
        return "again"

    async def _interrupted(self, run: Run) -> str:
        """Handle a cancelled task: the claim was lost, an operator has cancelled the job, or the process stops."""
        if run.lost:
            raise JobLost(run.job.id)
        if run.cancelling:
            # Uncancelled, because the cancellation was ours; the compensation may wait like any other work.
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            return await self._undo(run, CANCELLED, "cancelled")
        with suppress(*AWAY, JobLost, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._jobs.run_again(run.job, 0, attempts=max(0, run.job.attempts - 1))
                await self._jobs.ring()
        raise asyncio.CancelledError

    # -- renewal ------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Renew the claims three times within their lifetime, and stop the jobs that are lost or cancelled."""
        seen = self._bell.rings
        while True:
            await self._bell.after(seen, LEASE_SECONDS / 3)
            seen = self._bell.rings  # before the query, which may miss what a later ring announces
            try:
                await self._renew()
            except AWAY as problem:
                logger.warning("claims of jobs not renewed: {}", type(problem).__name__)
                await asyncio.sleep(jitter(AWAY_SECONDS))
            heed_cancellation()

    async def _renew(self) -> None:
        runs = [run for run in self._running.values() if not run.lost]
        if not runs:
            return
        began = time.monotonic()
        kept = await self._jobs.renew([run.job for run in runs])
        for run in runs:
            if run.job.id not in kept:
                if not run.ended and self._running.get(run.job.id) is run:
                    self._drop(run)
                continue
            run.safe_until = began + LEASE_SECONDS * 0.9
            if kept[run.job.id] and not run.cancelling:
                run.cancelling = True
                if run.task is not None:
                    run.task.cancel()


def _words(problem: BaseException) -> str:
    text = str(problem)
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__
