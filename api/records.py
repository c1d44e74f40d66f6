"""The records of games: timeline, proof, the public log of draws, and results as files."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Page, Position, Reply, Stream
from api.problems import InvalidRequest, NotInLog
from api.values import moment_of
from fsm.kind import Kind, secrets_of
from fsm.registry import kind_of
from play.access import Needs
from play.exports import results, to_csv, to_lines, to_xlsx
from play.proofs import NothingToProve
from storage.archive import StoredEvent

RECORDS: Final = "records"
CSV_TYPE: Final = "text/csv"
LINES_TYPE: Final = "application/jsonl"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Moment = Annotated[datetime, Meta(tz=True)]


class EventView(msgspec.Struct, frozen=True):
    """An event of a game.

    Attributes:
        version: the number of the event, from 1.
        name: the stored name of its type.
        at: the time.
        command_id: the command that led to it: `tg:` an update of Telegram, `api:` a token's prefix
            and its idempotency key.
        data: its fields. Fields that are secret are absent while the game is live.
    """

    version: int
    name: str
    at: datetime
    command_id: str
    data: dict[str, Any]


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a timeline.

    Attributes:
        limit: the number of events on a page.
        cursor: the position to continue from.
    """

    limit: Count = 100
    cursor: Cursor | None = None


class HeadView(msgspec.Struct, frozen=True):
    """A signed head of the public log.

    Attributes:
        size: the number of leaves.
        root: the root of the Merkle tree, in hex.
        at: the time of signing, in milliseconds since 1970, as it is signed.
        key: the public key, Ed25519, in hex.
        signature: the signature, in hex.
    """

    size: int
    root: str
    at: int
    key: str
    signature: str


class ConsistencyQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two sizes of the log.

    Attributes:
        old: the number of leaves of the smaller tree.
        new: the number of leaves of the larger tree.
    """

    old: Position
    new: Position


class ConsistencyView(msgspec.Struct, frozen=True):
    """The proof that the log has only grown (RFC 9162, 2.1.4).

    Attributes:
        old: the number of leaves of the smaller tree.
        new: the number of leaves of the larger tree.
        path: the hashes, in hex.
    """

    old: int
    new: int
    path: list[str]


class ExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The games of an export.

    Attributes:
        format: the format of the file.
        since: only games that ended at this time or later.
        until: only games that ended before this time.
    """

    format: Literal["csv", "xlsx", "jsonl"] = "csv"
    since: Moment | None = None
    until: Moment | None = None


# -- timeline, proof, log ---------------------------------------------------------------------------------------


async def list_events(call: Call) -> Page:
    """List the events of a game, in order. They are as old as the projector's lag."""
    after = await position(call)
    state, limit = call.found.state, call.query.limit
    start = 0 if after is None else int(after[0])
    found = await call.services.stores.archive.events_after(state.id, start, limit + 1)
    kind = kind_of(state)
    live = not kind.machine.is_final(state.phase)
    page = [_event(kind, event, live=live) for event in found[:limit]]
    return Page(page, (page[-1].version,) if len(found) > limit else None)


def _event(kind: Kind[Any], event: StoredEvent, *, live: bool) -> EventView:
    data = msgspec.json.decode(event.data, type=dict[str, Any])
    if live:
        type_ = kind.events.get(event.name)
        # An event of a retired type says nothing of its secrets, so all its fields count as secret.
        data = {} if type_ is None else {name: data[name] for name in data.keys() - secrets_of(type_)}
    return EventView(event.version, event.name, moment_of(event.at), event.command_id, data)


async def get_proof(call: Call) -> Reply:
    """Return the proof of a finished draw, which `verify.py` and `verify.html` recompute offline."""
    return Reply(body=await call.services.play.proofs.document(call.found.state))


async def get_inclusion(call: Call) -> dict[str, Any]:
    """Return the proof that the public log of draws includes a game (RFC 9162, 2.1.3)."""
    found = await call.services.play.proofs.inclusion(call.found.state.id)
    if found is None:
        raise NotInLog
    return found


async def get_log_head(call: Call) -> HeadView:
    """Return the newest signed head of the public log of draws."""
    log = call.services.stores.log
    head = await log.last_head() or await log.sign(call.received)
    return HeadView(head.size, head.root, head.at, head.key, head.signature)


async def get_log_consistency(call: Call) -> ConsistencyView:
    """Return the proof that the public log of draws begins with a smaller one."""
    query: ConsistencyQuery = call.query
    try:
        path = await call.services.stores.log.consistency(query.old, query.new)
    except ValueError:
        raise InvalidRequest("Unknown sizes - at `$.new`") from None
    return ConsistencyView(query.old, query.new, path)


# -- exports ----------------------------------------------------------------------------------------------------


async def export_results(call: Call) -> Reply:
    """Export the results of a chat's ended games, latest first, a line for each participant."""
    query: ExportQuery = call.query
    archive = call.services.stores.archive.uncached
    rows = results(archive, call.path["chat"], since=query.since, until=query.until)
    name = f"results{call.path['chat']}.{query.format}"
    match query.format:
        case "csv":
            return Reply(body=Stream(to_csv(rows), f"{CSV_TYPE}; charset=utf-8", name))
        case "jsonl":
            return Reply(body=Stream(to_lines(rows), LINES_TYPE, name))
        case _:
            return Reply(body=Stream(to_xlsx(rows), XLSX_TYPE, name))


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/games/{game}/events",
        handle=list_events,
        tag=RECORDS,
        needs=Needs.LOOK,
        about=About.GAME,
        query=EventsQuery,
        result=EventView,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/games/{game}/proof",
        handle=get_proof,
        tag=RECORDS,
        needs=Needs.LOOK,
        about=About.GAME,
        people=True,
        result=dict[str, Any],
        refuses=(NothingToProve,),
    ),
    Endpoint(
        method="GET",
        path="/games/{game}/inclusion",
        handle=get_inclusion,
        tag=RECORDS,
        needs=Needs.LOOK,
        about=About.GAME,
        result=dict[str, Any],
        refuses=(NotInLog,),
    ),
    Endpoint(
        method="GET",
        path="/log/head",
        handle=get_log_head,
        tag=RECORDS,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        result=HeadView,
    ),
    Endpoint(
        method="GET",
        path="/log/consistency",
        handle=get_log_consistency,
        tag=RECORDS,
        needs=Needs.NOTHING,
        about=About.NOTHING,
        public=True,
        query=ConsistencyQuery,
        result=ConsistencyView,
    ),
    Endpoint(
        method="GET",
        path="/chats/{chat}/results",
        handle=export_results,
        tag=RECORDS,
        needs=Needs.LOOK,
        about=About.CHAT,
        query=ExportQuery,
        headers=("Content-Disposition",),
        streamed=True,
        media_types=(CSV_TYPE, LINES_TYPE, XLSX_TYPE),
    ),
)
