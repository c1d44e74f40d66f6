"""Operations: broadcasts, processes, health."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, ChatId, Count, Cursor, Endpoint, Page, Reply
from api.jobs import Status
from api.values import moment_of
from play.access import Needs
from play.broadcasts import LONGEST, Broadcast, BroadcastTooLong
from play.jobs import UnknownJob
from play.texts import units
from storage.audit import LAST_ID, AuditEntry
from storage.processes import Load

OPERATIONS: Final = "operations"


class BroadcastBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to all chats.

    Attributes:
        text: the text, as it is shown; it has no markup.
    """

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class BroadcastView(msgspec.Struct, frozen=True):
    """A broadcast that has begun.

    Attributes:
        job: the id of the job that sends it; null if it had begun before.
    """

    job: int | None


class BroadcastsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page of the list of broadcasts.

    Attributes:
        limit: the number of broadcasts on a page.
        cursor: the position to continue from.
    """

    limit: Count = 20
    cursor: Cursor | None = None


class BroadcastSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A broadcast and its progress, in numbers of chats.

    Attributes:
        job: the id of the job that sends it.
        status: the status of the job; a cancelled one is still `queued` or `running` while it withdraws messages.
        text: its text.
        total: all its chats.
        waiting: those whose message is to be queued.
        queued: those whose message is queued, or on its way.
        sent: those that have the message.
        withdrawn: those from which the message was withdrawn, because the broadcast was cancelled.
        failed: those that did not get the message, by reason: `blocked` by the person, `removed` from the group,
            `no_rights` to write, `expired` in the queue, `skipped` because the chat had become inactive, `crowded` by
            other messages, `refused` by Telegram, `unknown` because of a crash.
        created_at: the time at which it began.
        updated_at: the time of the last change of its job.
    """

    job: int
    status: Status
    text: str
    total: int
    waiting: int
    queued: int
    sent: int
    withdrawn: int
    failed: dict[str, int]
    created_at: datetime
    updated_at: datetime


class ProcessView(msgspec.Struct, frozen=True):
    """A process of the bot that runs now.

    Attributes:
        name: the process's name: host, process id, and a random part.
        roles: its roles.
        version: the version of the program.
        port: the port of its HTTP server.
        started_at: the time of its start.
        host: the machine that it runs on.
        load: its figures over five seconds.
        leases: the jobs that it alone does now.
    """

    name: str
    roles: list[str]
    version: str
    port: int
    started_at: datetime
    host: str
    load: Load
    leases: list[str]


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Filters of the audit log.

    Attributes:
        chat: only writes about this chat.
        actor: only writes of this person.
        token: only writes with the token that has this prefix.
        target: only writes about this game, person, pack or token.
        limit: the number of rows on a page.
        cursor: the position to continue from.
    """

    chat: ChatId | None = None
    actor: ChatId | None = None
    token: Annotated[str, Meta(max_length=10)] | None = None
    target: Annotated[str, Meta(max_length=64)] | None = None
    limit: Count = 20
    cursor: Cursor | None = None


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the audit log.

    Attributes:
        id: the row's number.
        at: the time of receipt.
        face: `api`, `telegram` or `shell`.
        action: the write, such as `cancel` or `ban`.
        outcome: `done`, or the code of the refusal.
        actor_id: the person; 0 if it is unknown or nobody.
        token: the prefix of the token; empty for none.
        chat_id: the chat; null if the write is about none.
        target: the game, person, pack or token that it is about; empty for none.
        origin: the update of Telegram, or the client's address and the trace of its request.
    """

    id: int
    at: datetime
    face: str
    action: str
    outcome: str
    actor_id: int
    token: str
    chat_id: int | None
    target: str
    origin: str


async def begin_broadcast(call: Call) -> Reply:
    """Send a message to all chats in which the bot may write, below the priority of games.

    Operators only. A job sends it, and goes on after a crash.
    """
    if units(call.body.text) > LONGEST:
        raise BroadcastTooLong(limit=LONGEST)
    job = await call.services.play.broadcasts.begin(call.actor, call.body.text, call.command_id)
    return Reply(body=BroadcastView(job))


async def list_broadcasts(call: Call) -> Page:
    """List the broadcasts with their progress, latest first. Those that ended two weeks ago are gone."""
    query: BroadcastsQuery = call.query
    after = await position(call)
    found = await call.services.play.broadcasts.page(call.actor, None if after is None else int(after[0]), query.limit)
    more = (found[-1].job.id,) if len(found) == query.limit else None
    return Page([_broadcast(each) for each in found], more)


async def get_broadcast(call: Call) -> BroadcastSummary:
    """Return a broadcast with its progress. To cancel it, cancel its job: what was not sent is withdrawn."""
    return _broadcast(await call.services.play.broadcasts.get(call.actor, call.path["job"]))


def _broadcast(each: Broadcast) -> BroadcastSummary:
    return BroadcastSummary(
        job=each.job.id,
        status=each.job.status,  # type: ignore[arg-type]  # the table allows no other
        text=each.text,
        total=each.total,
        waiting=each.waiting,
        queued=each.queued,
        sent=each.sent,
        withdrawn=each.withdrawn,
        failed=dict(each.failed),
        created_at=each.job.created_at,
        updated_at=each.job.updated_at,
    )


async def list_processes(call: Call) -> list[ProcessView]:
    """List the processes that run now, each as it was at most 15 seconds ago."""
    return [
        ProcessView(
            each.name,
            list(each.roles),
            each.version,
            each.port,
            moment_of(each.started_at),
            each.host,
            each.load,
            list(each.leases),
        )
        for each in await call.services.stores.processes.listed()
    ]


async def list_audit(call: Call) -> Page:
    """List the audit log, latest first: every write of every face. Rows come within a second."""
    query: AuditQuery = call.query
    after = await position(call)
    found = await call.services.stores.audit.page(
        query.limit + 1,
        LAST_ID if after is None else int(after[0]),
        chat_id=query.chat,
        actor_id=query.actor,
        token=query.token,
        target=query.target,
    )
    page = [_audited(entry) for entry in found[: query.limit]]
    return Page(page, (page[-1].id,) if len(found) > query.limit else None)


def _audited(entry: AuditEntry) -> AuditView:
    return AuditView(
        id=entry.id,
        at=moment_of(entry.at),
        face=entry.face,
        action=entry.action,
        outcome=entry.outcome,
        actor_id=entry.actor_id,
        token=entry.token,
        chat_id=entry.chat_id,
        target=entry.target,
        origin=entry.origin,
    )


async def get_health(call: Call) -> dict[str, Any]:
    """Return the state of the dependencies of the process that answers."""
    return dict(await call.services.health())


ENDPOINTS: Final = (
    Endpoint(
        method="POST",
        path="/broadcasts",
        handle=begin_broadcast,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        body=BroadcastBody,
        result=BroadcastView,
        status=202,
        refuses=(BroadcastTooLong,),
        example={"text": "Tonight, 3:00 to 4:00: maintenance"},
    ),
    Endpoint(
        method="GET",
        path="/broadcasts",
        handle=list_broadcasts,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        query=BroadcastsQuery,
        result=BroadcastSummary,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/broadcasts/{job}",
        handle=get_broadcast,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=BroadcastSummary,
        refuses=(UnknownJob,),
    ),
    Endpoint(
        method="GET",
        path="/processes",
        handle=list_processes,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=list[ProcessView],
    ),
    Endpoint(
        method="GET",
        path="/audit",
        handle=list_audit,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        query=AuditQuery,
        result=AuditView,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/health",
        handle=get_health,
        tag=OPERATIONS,
        needs=Needs.LOOK,
        about=About.NOTHING,
        result=dict[str, Any],
    ),
)
