"""Results of games as files: the exports of the API, and the spreadsheet that a group's hosts get."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

import msgspec
from babel.numbers import get_decimal_symbol

from fsm.kind import Instant
from play.packs import separator
from play.texts import Texts
from questions.pack_writer import harmless, write_csv
from storage.archive import Archive, FinishedGame, Result

GAMES_A_READ: Final = 100
ROWS_A_READ: Final = 500
MOST_ROWS: Final = 1_000_000
"""Number of rows after which an export ends; the next one continues with the parameter `until`."""
CHUNK: Final = 65_536
HOSTS_ROWS: Final = 10_000
"""Most rows in a spreadsheet for hosts. The file is made in memory and is about a megabyte."""
HOSTS_TIME: Final = timedelta(days=365)
COLUMNS: Final = (
    "title", "kind", "status", "opened", "ended", "name", "number", "points", "place", "prize", "currency", "award",
    "game", "player",
)  # fmt: skip
"""Columns of the spreadsheet for hosts; the texts ``results-column-…`` have their names."""


class ResultRow(msgspec.Struct, frozen=True):
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


@dataclass(frozen=True, slots=True)
class HostsFile:
    """The results of a group as CSV. ``complete`` is False if there were more rows than the file may have."""

    content: bytes
    rows: int
    complete: bool


async def results(
    archive: Archive, chat_id: int, *, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[list[ResultRow]]:
    """Yield the results of some games at a time, so that an export needs no more memory than a page."""
    rows = 0
    after: tuple[Instant, str] | None = None
    if until is not None:
        after = (_instant(until) - 1, "")  # the position before the first game that ended earlier
    start = None if since is None else _instant(since)
    while found := await archive.ended(GAMES_A_READ, chat_id=chat_id, after=after):
        after = found[-1][0], found[-1][1].id
        chosen = [game for at, game in found if start is None or at >= start]
        async for page in _pages(archive, chosen):
            rows += len(page)
            yield page
        if len(chosen) < len(found) or rows >= MOST_ROWS:
            return


async def _pages(archive: Archive, games: Sequence[FinishedGame]) -> AsyncIterator[list[ResultRow]]:
    """Yield the results of games in pages, because one game may have ten thousand players."""
    together: list[str] = []
    players = 0
    for number, game in enumerate(games, 1):
        together.append(game.id)
        players += game.players
        if players < ROWS_A_READ and number < len(games):
            continue
        offset = 0
        while found := await archive.results(together, ROWS_A_READ, offset):
            yield [_row(result) for result in found]
            offset += len(found)
            if len(found) < ROWS_A_READ:
                break
        together, players = [], 0


def _row(result: Result) -> ResultRow:
    return ResultRow(
        game_id=result.id,
        kind=result.kind,
        title=result.title,
        chat_id=result.chat_id,
        status=result.status,
        opened_at=_moment(result.opened_at),
        ended_at=_moment(result.ended_at),
        player_id=result.player_id,
        name=result.name,
        number=result.number,
        points=result.points,
        place=result.place,
        prize=result.prize,
        currency=result.currency,
        award=result.award,
    )


def _moment(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _instant(moment: datetime) -> Instant:
    return round(moment.astimezone(UTC).timestamp() * 1000)


# -- files of the API -------------------------------------------------------------------------------------------


async def to_csv(pages: AsyncIterator[list[ResultRow]]) -> AsyncIterator[bytes]:
    """Yield a CSV file with the byte order mark by which Excel recognizes UTF-8. No cell can run as a formula."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(ResultRow.__struct_fields__)
    yield "\ufeff".encode()
    async for page in pages:
        writer.writerows(_cells(row) for row in page)
        yield target.getvalue().encode()
        target.seek(0)
        target.truncate()
    yield target.getvalue().encode()


async def to_lines(pages: AsyncIterator[list[ResultRow]]) -> AsyncIterator[bytes]:
    """Yield JSON, an object in each line."""
    encoder = msgspec.json.Encoder()
    async for page in pages:
        yield encoder.encode_lines(page)


async def to_xlsx(pages: AsyncIterator[list[ResultRow]]) -> AsyncIterator[bytes]:
    """Yield a workbook. It is written to a temporary file row by row, because a ZIP file's index comes last."""
    from openpyxl import Workbook  # noqa: PLC0415 -- slow to import, and rarely needed

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(ResultRow.__struct_fields__))
    async for page in pages:
        await asyncio.to_thread(_append, sheet, page)
    with tempfile.TemporaryFile() as file:
        await asyncio.to_thread(book.save, file)
        file.seek(0)
        while chunk := await asyncio.to_thread(_chunk, file):
            yield chunk


def _append(sheet: Any, page: Sequence[ResultRow]) -> None:
    for row in page:
        sheet.append(_cells(row))


def _chunk(file: BinaryIO) -> bytes:
    return file.read(CHUNK)


def _cells(row: ResultRow) -> list[Any]:
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


# -- the spreadsheet for hosts ----------------------------------------------------------------------------------


async def hosts_file(
    archive: Archive, chat_id: int, *, at: Instant, texts: Texts, locale: str, zone: str, kinds: Mapping[str, str]
) -> HostsFile:
    """Return the results of a chat's last year as CSV, in the form that spreadsheets expect in the language.

    Args:
        archive: the ended games.
        chat_id: the chat.
        at: the time.
        texts: the texts of the columns.
        locale: the host's language.
        zone: the time zone of the times.
        kinds: kind -> its name in the language.
    """
    rows: list[ResultRow] = []
    async for page in results(archive, chat_id, since=_moment(at) - HOSTS_TIME):
        rows += page
        if len(rows) > HOSTS_ROWS:
            break
    chosen = rows[:HOSTS_ROWS]
    content = await asyncio.to_thread(_hosts_csv, chosen, texts, locale, zone, kinds)
    return HostsFile(content, len(chosen), complete=len(rows) <= HOSTS_ROWS)


def _hosts_csv(rows: Sequence[ResultRow], texts: Texts, locale: str, zone: str, kinds: Mapping[str, str]) -> bytes:
    names = [texts.plain(locale, f"results-column-{column}") for column in COLUMNS]
    there, sign = ZoneInfo(zone), get_decimal_symbol(locale)
    cells = [
        [
            row.title or kinds[row.kind],
            kinds[row.kind],
            texts.plain(locale, "results-status", status=row.status),
            *(f"{moment.astimezone(there):%Y-%m-%d %H:%M}" for moment in (row.opened_at, row.ended_at)),
            row.name,
            "" if row.number is None else str(row.number),
            str(row.points),
            "" if row.place is None else str(row.place),
            f"{row.prize.normalize():f}".replace(".", sign) if row.prize else "",
            row.currency,
            row.award,
            row.game_id,
            str(row.player_id),
        ]
        for row in rows
    ]
    return write_csv([names, *cells], separator(locale))
