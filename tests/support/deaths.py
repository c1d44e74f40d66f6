"""Deaths of a process at every step of a job, each followed by a fresh process."""

import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest

from storage.connections import Pool
from storage.job_runner import JobKind, Run
from storage.jobs import Job, Jobs

MOST_STEPS = 500


class Killed(BaseException):
    """The death of a process, which nothing in it can handle."""


class Deaths:
    """Lets a worker die before and after each effect of each step of a job.

    Args:
        patch: replaces methods.
        jobs: the jobs; their writes are effects too.
        pool: makes the claims of the dead expire.
        effects: objects with the names of the methods that have effects.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, jobs: Jobs, pool: Pool, effects: Iterable[tuple[Any, Sequence[str]]]
    ) -> None:
        self._jobs, self._pool = jobs, pool
        self._run: Run | None = None
        self._died: set[tuple[str, str, bytes]] = set()
        self.count = 0
        """Number of the deaths."""
        for owner, names in [*effects, (jobs, ("record", "run_again", "end"))]:
            for name in names:
                patch.setattr(owner, name, self._deadly(getattr(owner, name)))

    def _deadly(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def deadly(*args: Any, **more: Any) -> Any:
            self._reach("before", method.__name__)
            answer = await method(*args, **more)
            self._reach("after", method.__name__)
            return answer

        return deadly

    def _reach(self, moment: str, name: str) -> None:
        """Die at a moment at which no process has died since the last recorded step."""
        if self._run is None:
            return
        point = moment, name, self._run.progress
        if point not in self._died:
            self._died.add(point)
            self.count += 1
            raise Killed

    async def attempt(self, kind: JobKind) -> Job | None:
        """Do the due job of a kind, in processes of which each dies at another moment, until one survives.

        Returns the job, which is over or waits; None if there is no such job.
        """
        self._died.clear()
        job: Job | None = None
        for _ in range(MOST_STEPS):
            await self._pool.execute("UPDATE jobs SET due_at = now() WHERE status IN ('queued', 'running')")
            claimed = await self._jobs.claim({kind.name: 1}, "doomed")
            if not claimed:
                return None if job is None else await self._jobs.get(job.id)
            job = claimed[0]
            run = Run(job, kind, self._jobs, math.inf, cancelling=job.cancelling)
            self._run = run
            try:
                if run.cancelling:
                    assert kind.undo is not None
                    await kind.undo(run, "cancelled")
                else:
                    await kind.work(run)
                if not run.ended:
                    await run.end()
            except Killed:
                continue
            finally:
                self._run = None
            return await self._jobs.get(run.job.id)
        raise AssertionError("too many steps")
