"""Sagas: work in steps that span systems, each with its compensation, as one job.

The number of the step is recorded before the step is done, so that a crash at any point leaves a record of all that may
have happened. After a crash the saga goes on with the recorded step. If a step is refused, the job is cancelled, or its
attempts are used up, the steps that may have been done are undone, the last first. Steps and compensations must be
harmless to repeat: their effects carry ids that are derived from the job.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from loguru import logger

from fsm.kind import Rejected
from storage.job_runner import GiveUp, JobKind, Run
from storage.jobs import CANCELLED, DEAD, DONE


class Later(Exception):
    """A step's wish to go on after some seconds. The step is neither done nor has it failed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


Notes = Mapping[str, Any]
"""Name of a step -> its result, as JSON values. They survive a crash together with the record of the step."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a saga.

    Attributes:
        name: its name.
        do: does the step, and returns its note. A refusal, ``Rejected`` or ``GiveUp``, has the saga undone.
        undo: undoes the step, which may have been done in part or not at all; None if there is nothing to undo.

    Both may raise ``Later``.
    """

    name: str
    do: Callable[[Run, Notes], Awaitable[Any]]
    undo: Callable[[Run, Notes], Awaitable[None]] | None = None


class _Progress(msgspec.Struct, frozen=True, omit_defaults=True):
    at: int = 0
    """The step that may have begun."""
    status: str = ""
    """The status in which the job is to end once all is undone; empty while the saga goes forward."""
    reason: str = ""
    notes: dict[str, Any] = {}


class Saga:
    """A kind of job that is done in steps.

    Args:
        name: name of the kind of job.
        steps: the steps, in order.
        at_once: sagas of this kind that one process does at once.
        attempts: attempts at one step before the saga is undone.
    """

    def __init__(self, name: str, steps: Sequence[Step], *, at_once: int = 4, attempts: int = 10) -> None:
        self._steps = tuple(steps)
        self.kind = JobKind(name=name, work=self._work, undo=self._undo, at_once=at_once, attempts=attempts)

    async def _work(self, run: Run) -> None:
        progress = _read(run)
        if progress.status and progress.at < 0:  # undone before, and sent again by an operator
            progress = _Progress()
        if progress.status:
            return await self._undo_from(run, progress)
        for number in range(progress.at, len(self._steps)):
            step = self._steps[number]
            run.check()
            try:
                note = await step.do(run, progress.notes)
            except (Rejected, GiveUp) as refusal:
                reason = str(refusal) or type(refusal).__name__
                logger.info("saga {} {}: {} is refused: {}", run.kind.name, run.job.key, step.name, reason)
                return await self._undo_from(run, _Progress(number, CANCELLED, reason, progress.notes))
            except Later as later:
                return await run.again(later.seconds)
            notes = progress.notes if note is None else {**progress.notes, step.name: note}
            progress = _Progress(number + 1, notes=notes)
            await run.record(msgspec.json.encode(progress))
        return await run.end(DONE)

    async def _undo(self, run: Run, reason: str) -> None:
        """Undo a saga that was cancelled, or that has no attempts left."""
        progress = _read(run)
        if not progress.status:
            status = CANCELLED if run.cancelling else DEAD
            progress = _Progress(progress.at, status, reason, progress.notes)
        await self._undo_from(run, progress)

    async def _undo_from(self, run: Run, progress: _Progress) -> None:
        # Recorded before anything is undone: from here on the saga only goes back, even if this process dies.
        await run.record(msgspec.json.encode(progress))
        for number in range(min(progress.at, len(self._steps) - 1), -1, -1):
            undo = self._steps[number].undo
            if undo is not None:
                run.check()
                try:
                    await undo(run, progress.notes)
                except Later as later:
                    return await run.again(later.seconds)
            progress = _Progress(number - 1, progress.status, progress.reason, progress.notes)
            await run.record(msgspec.json.encode(progress))
        return await run.end(progress.status, progress.reason)


def _read(run: Run) -> _Progress:
    return msgspec.json.decode(run.progress, type=_Progress)
