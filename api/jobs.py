"""Jobs: the work that must not be lost, its dead-letter list, and imports of packs, which are jobs."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Page, Reply
from api.problems import InvalidRequest
from play.access import Needs
from play.guarded_http import MAX_URL, BadUrl, ForbiddenAddress
from play.jobs import JobEnded, JobNotDead, UnknownJob
from play.pack_imports import TooManyImports
from play.texts import DEFAULT_LOCALE
from storage.jobs import STATUSES, Job
from storage.questions import MAX_NAME

JOBS: Final = "jobs"
Status = Literal["queued", "running", "done", "dead", "cancelled"]


class JobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of the list of jobs.

    Attributes:
        status: only jobs in this status; `dead` is the dead-letter list.
        kind: only jobs of this kind.
        limit: the number of jobs on a page.
        cursor: the position to continue from.
    """

    status: Status | None = None
    kind: Annotated[str, Meta(max_length=40)] | None = None
    limit: Count = 20
    cursor: Cursor | None = None


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job.

    Attributes:
        id: its id.
        kind: its kind.
        status: its status.
        chat_id: the chat that it is about; null for none, or for all.
        attempts: attempts since the last progress.
        due_at: the time of the next attempt, if it is queued.
        error: the reason of the last failure; empty for none.
        created_at: the time at which it was enqueued.
        updated_at: the time of its last change.
    """

    id: int
    kind: str
    status: Status
    chat_id: int | None
    attempts: int
    due_at: datetime
    error: str
    created_at: datetime
    updated_at: datetime


class ImportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A pack to import.

    Attributes:
        url: the address of the file, with `https://`.
        name: the name of the pack; empty for that of the file.
        language: the language of the words in the file.
    """

    url: Annotated[str, Meta(min_length=9, max_length=MAX_URL)]
    name: Annotated[str, Meta(max_length=MAX_NAME)] = ""
    language: str = DEFAULT_LOCALE


class ImportView(msgspec.Struct, frozen=True):
    """An import that has begun.

    Attributes:
        job: the id of its job; null if it had begun before.
    """

    job: int | None


async def list_jobs(call: Call) -> Page:
    """List the jobs about all chats, latest first."""
    return await _page(call, None)


async def list_chat_jobs(call: Call) -> Page:
    """List the jobs about a chat, latest first."""
    return await _page(call, call.path["chat"])


async def get_job(call: Call) -> JobView:
    """Return a job."""
    return view_of(await call.services.play.jobs.get(call.actor, call.path["job"]))


async def cancel_job(call: Call) -> JobView:
    """Cancel a job. One that has begun undoes its work first, so it may still be running in the response."""
    return view_of(await call.services.play.jobs.cancel(call.actor, call.path["job"]))


async def repeat_job(call: Call) -> JobView:
    """Queue a dead or cancelled job again."""
    return view_of(await call.services.play.jobs.send_again(call.actor, call.path["job"]))


async def import_pack(call: Call) -> Reply:
    """Import a pack of questions from an address, as a job. No private network is called and no redirect followed."""
    body: ImportBody = call.body
    if body.language not in call.services.play.texts.LOCALES:
        raise InvalidRequest("Unknown language - at `$.language`")
    job = await call.services.play.imports.begin(
        call.path["chat"], body.url, key=call.command_id, name=body.name, locale=body.language
    )
    return Reply(body=ImportView(job))


async def _page(call: Call, chat_id: int | None) -> Page:
    query, after = call.query, await position(call)
    found = await call.services.play.jobs.page(
        call.actor,
        chat_id,
        statuses=STATUSES if query.status is None else [query.status],
        kind=query.kind,
        before=None if after is None else int(after[0]),
        limit=query.limit,
    )
    more = (found[-1].id,) if len(found) == query.limit else None
    return Page([view_of(job) for job in found], more)


def view_of(job: Job) -> JobView:
    """Return a job as the API shows it."""
    return JobView(
        id=job.id,
        kind=job.kind,
        status=job.status,  # type: ignore[arg-type]  # the table allows no other
        chat_id=job.chat_id,
        attempts=job.attempts,
        due_at=job.due_at,
        error=job.error,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def _row(method: str, path: str, handle: Any, **more: Any) -> Endpoint:
    row = {"tag": JOBS, "needs": Needs.OPERATE, "about": About.EVERYWHERE, "result": JobView, **more}
    return Endpoint(method=method, path=path, handle=handle, **row)


ENDPOINTS: Final = (
    _row("GET", "/jobs", list_jobs, query=JobsQuery, paged=True),
    _row("GET", "/jobs/{job}", get_job, refuses=(UnknownJob,)),
    _row("POST", "/jobs/{job}/cancel", cancel_job, refuses=(UnknownJob, JobEnded)),
    _row("POST", "/jobs/{job}/repeat", repeat_job, refuses=(UnknownJob, JobNotDead)),
    _row("GET", "/chats/{chat}/jobs", list_chat_jobs, needs=Needs.HOST, about=About.CHAT, query=JobsQuery, paged=True),
    _row(
        "POST",
        "/chats/{chat}/pack-imports",
        import_pack,
        needs=Needs.HOST,
        about=About.CHAT,
        body=ImportBody,
        result=ImportView,
        status=202,
        refuses=(BadUrl, ForbiddenAddress, TooManyImports),
        example={"url": "https://example.org/questions.csv", "name": "Rivers"},
    ),
)
