"""Operations on jobs for people: list, look, cancel, send again."""

from collections.abc import Sequence
from dataclasses import dataclass

from fsm.kind import ChatTopic, Rejected
from play.access import Access, Actor, Needs
from storage.jobs import MAX_PAGE, STATUSES, Job, Jobs


@dataclass(unsafe_hash=True)
class UnknownJob(Rejected):
    """There is no such job, or none that the actor may see."""


@dataclass(unsafe_hash=True)
class JobEnded(Rejected):
    """The job has ended already, so it cannot be cancelled."""


@dataclass(unsafe_hash=True)
class JobNotDead(Rejected):
    """The job is neither dead nor cancelled, so it cannot be sent again."""


class JobDesk:
    """Operations on jobs. Hosts see the jobs about their chat, operators see all."""

    def __init__(self, jobs: Jobs, access: Access) -> None:
        self._jobs = jobs
        self._access = access

    async def page(
        self,
        actor: Actor,
        chat_id: int | None,
        *,
        statuses: Sequence[str] = STATUSES,
        kind: str | None = None,
        before: int | None = None,
        limit: int = MAX_PAGE,
    ) -> list[Job]:
        """Return a page of jobs, newest first: those about a chat, or all if ``chat_id`` is None.

        Raises the errors of ``Access.authorise``.
        """
        await self._authorise(actor, chat_id)
        chats = None if chat_id is None else [chat_id]
        return await self._jobs.page(statuses=statuses, kind=kind, chats=chats, before=before, limit=limit)

    async def get(self, actor: Actor, job_id: int) -> Job:
        """Return a job. Raises ``UnknownJob``, also if the actor may not see it, so that ids tell nothing."""
        job = await self._jobs.get(job_id)
        if job is None:
            await self._authorise(actor, None)
            raise UnknownJob
        await self._authorise(actor, job.chat_id)
        return job

    async def cancel(self, actor: Actor, job_id: int) -> Job:
        """Cancel a job: one that has begun undoes its work first. Raises ``UnknownJob`` and ``JobEnded``."""
        await self.get(actor, job_id)
        if not await self._jobs.cancel(job_id):
            raise JobEnded
        return await self.get(actor, job_id)

    async def send_again(self, actor: Actor, job_id: int) -> Job:
        """Queue a dead or cancelled job again. Raises ``UnknownJob`` and ``JobNotDead``."""
        await self.get(actor, job_id)
        if not await self._jobs.send_again(job_id):
            raise JobNotDead
        return await self.get(actor, job_id)

    async def _authorise(self, actor: Actor, chat_id: int | None) -> None:
        if chat_id is None:
            await self._access.authorise(actor, None, Needs.OPERATE)
        else:
            await self._access.authorise(actor, ChatTopic(chat_id), Needs.HOST)
