"""Operations: broadcasts, processes, health."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from api.endpoint import About, Call, Endpoint, Reply, moment_of
from play.access import Needs
from play.broadcasts import LONGEST, BroadcastTooLong
from play.texts import units

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


class ProcessView(msgspec.Struct, frozen=True):
    """A process of the bot that runs now.

    Attributes:
        name: the process's name: host, process id, and a random part.
        roles: its roles.
        version: the version of the program.
        port: the port of its HTTP server.
        started_at: the time of its start.
    """

    name: str
    roles: list[str]
    version: str
    port: int
    started_at: datetime


async def begin_broadcast(call: Call) -> Reply:
    """Send a message to all chats in which the bot may write, below the priority of games.

    Operators only. A job sends it, and goes on after a crash.
    """
    if units(call.body.text) > LONGEST:
        raise BroadcastTooLong(limit=LONGEST)
    job = await call.services.play.broadcasts.begin(call.actor, call.body.text, call.command_id)
    return Reply(body=BroadcastView(job))


async def list_processes(call: Call) -> list[ProcessView]:
    """List the processes that run now, each as it was at most 15 seconds ago."""
    return [
        ProcessView(each.name, list(each.roles), each.version, each.port, moment_of(each.started_at))
        for each in await call.services.stores.processes.listed()
    ]


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
        path="/processes",
        handle=list_processes,
        tag=OPERATIONS,
        needs=Needs.OPERATE,
        about=About.EVERYWHERE,
        result=list[ProcessView],
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
