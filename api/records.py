"""The records of games: timeline, proof, the public log of draws, and results as files."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, BinaryIO, Final, Literal

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Page, Position, Reply, Stream
from api.problems import InvalidRequest, NotInLog
from api.values import moment_of
from fsm.kind import Instant, Kind, secrets_of
from fsm.registry import kind_of
from play.access import Needs
from play.proofs import NothingToProve
from questions.pack_writer import harmless
from storage.archive import Result, StoredEvent

RECORDS: Final = "records"
GAMES_A_READ: Final = 100
MOST_ROWS: Final = 1_000_000
"""Number of rows after which an export ends; the next one continues with the parameter `until`."""
CSV_TYPE: Final = "text/csv"
LINES_TYPE: Final = "application/jsonl"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHUNK: Final = 65_536
Moment = Annotated[datetime, Meta(tz=True)]


class EventView(msgspec.Struct, frozen=True):
    """An event of a game.

    Attributes:
        version: the number of the event, from 1.
        name: the stored name of its type.
        at: the time.
        command_id: the command that led to it: `tg:` an update of Telegram, `api:` an idempotency key.
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


class ResultView(msgspec.Struct, frozen=True):
    """The result of one participant of an ended game: a line of an export.

    Attributes:
        game_id: the game's id.
        kind: the kind of game.
        title: the title.
        chat_id: the chat.
        status: `completed` or `cancelled`.
        opened_at: the time of opening.
        ended_at: the time of the end.
        player_id: the participant's id in Telegram.
        name: the name that the game showed.
        number: the participant's number; null without one.
        points: the points.
        place: the place; null without one.
        prize: the amount of the prize, an exact decimal; 0 for a prize in words.
        currency: the currency of the amount; empty for none.
        award: the prize in words; empty if it is an amount.
    """

    game_id: str
    kind: str
    title: str
    chat_id: int
    status: str
    opened_at: datetime
    ended_at: datetime
    player_id: int
    name: str
    number: int | None
    points: int
    place: int | None
    prize: Decimal
    currency: str
    award: str


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
    rows = _results(call, query)
    name = f"results{call.path['chat']}.{query.format}"
    match query.format:
        case "csv":
            return Reply(body=Stream(_csv(rows), f"{CSV_TYPE}; charset=utf-8", name))
        case "jsonl":
            return Reply(body=Stream(_lines(rows), LINES_TYPE, name))
        case _:
            return Reply(body=Stream(_xlsx(rows), XLSX_TYPE, name))


async def _results(call: Call, query: ExportQuery) -> AsyncIterator[list[ResultView]]:
    """Yield the results of some games at a time, so that an export needs no more memory than a page."""
    archive, chat_id, rows = call.services.stores.archive.uncached, call.path["chat"], 0
    after: tuple[Instant, str] | None = None
    if query.until is not None:
        after = (_instant(query.until) - 1, "")  # the position before the first game that ended earlier
    since = None if query.since is None else _instant(query.since)
    while found := await archive.ended(GAMES_A_READ, chat_id=chat_id, after=after):
        after = found[-1][0], found[-1][1].id
        chosen = [game.id for at, game in found if since is None or at >= since]
        page = [_result(result) for result in await archive.results(chosen)]
        rows += len(page)
        yield page
        if len(chosen) < len(found) or rows >= MOST_ROWS:
            return


def _result(result: Result) -> ResultView:
    return ResultView(
        game_id=result.id,
        kind=result.kind,
        title=result.title,
        chat_id=result.chat_id,
        status=result.status,
        opened_at=moment_of(result.opened_at),
        ended_at=moment_of(result.ended_at),
        player_id=result.player_id,
        name=result.name,
        number=result.number,
        points=result.points,
        place=result.place,
        prize=result.prize,
        currency=result.currency,
        award=result.award,
    )


async def _csv(pages: AsyncIterator[list[ResultView]]) -> AsyncIterator[bytes]:
    """Yield a CSV file with the byte order mark by which Excel recognizes UTF-8. No cell can run as a formula."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(ResultView.__struct_fields__)
    yield "\ufeff".encode()
    async for page in pages:
        writer.writerows(_cells(row) for row in page)
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    yield target.getvalue().encode()


async def _lines(pages: AsyncIterator[list[ResultView]]) -> AsyncIterator[bytes]:
    encoder = msgspec.json.Encoder()
    async for page in pages:
        yield encoder.encode_lines(page)


async def _xlsx(pages: AsyncIterator[list[ResultView]]) -> AsyncIterator[bytes]:
    """Yield a workbook. It is written to a temporary file row by row, because a ZIP file's index comes last."""
    from openpyxl import Workbook  # noqa: PLC0415 -- slow to import, and rarely needed

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(ResultView.__struct_fields__))
    async for page in pages:
        await asyncio.to_thread(_append, sheet, page)
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while chunk := await asyncio.to_thread(_chunk, file):
            yield chunk


def _append(sheet: Any, page: Sequence[ResultView]) -> None:
    for row in page:
        sheet.append(_cells(row))


def _chunk(file: BinaryIO) -> bytes:
    return file.read(CHUNK)


def _cells(row: ResultView) -> list[Any]:
    """Return the cells of a row. Large ids are text, as spreadsheets round numbers of more than 15 digits."""
    return [
        row.game_id,
        row.kind,
        harmless(row.title),
        str(row.chat_id),
        row.status,
        row.opened_at.isoformat(timespec="milliseconds"),
        row.ended_at.isoformat(timespec="milliseconds"),
        str(row.player_id),
        harmless(row.name),
        "" if row.number is None else row.number,
        row.points,
        "" if row.place is None else row.place,
        str(row.prize),
        harmless(row.currency),
        harmless(row.award),
    ]


def _instant(moment: datetime) -> Instant:
    return round(moment.astimezone(UTC).timestamp() * 1000)


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
        media_types=(CSV_TYPE, LINES_TYPE, XLSX_TYPE),
    ),
)
