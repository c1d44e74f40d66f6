"""Recurring games in PostgreSQL.

A recurring game is a row with its next occurrence. Everything that changes it compares the row's version, so that of
two processes, or a process and a host, one is first and the other reads again. Methods raise asyncpg's errors.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from fsm.kind import ChatTopic, Host, Instant
from fsm.schedule import Schedule
from storage.audit import wrote
from storage.connections import Pool, bounded_transaction
from storage.jobs import NewJob, enqueue

MOST_RECURRING: Final = 10
"""Maximum number of recurring games of a chat."""

COLUMNS = """
id, chat_id, topic_id, template_id, unit, every, weekdays, month_day, minute, starts_on, announce_minutes, paused,
skip_on, zone, next_on, next_at, announced_on, last_on, last_outcome, opening, host_id, host_name, version
"""
_OF_CHAT = f"SELECT {COLUMNS} FROM recurring_games WHERE chat_id = $1 ORDER BY id LIMIT $2"  # noqa: S608
_ONE = f"SELECT {COLUMNS} FROM recurring_games WHERE chat_id = $1 AND id = $2"  # noqa: S608
_DUE = f"""
SELECT {COLUMNS} FROM recurring_games WHERE paused = '' AND wake_at <= $1 ORDER BY wake_at, id LIMIT $2
"""  # noqa: S608
_PAGE = f"SELECT {COLUMNS} FROM recurring_games WHERE id > $1 ORDER BY id LIMIT $2"  # noqa: S608
_ADD = """
INSERT INTO recurring_games (
    chat_id, topic_id, template_id, unit, every, weekdays, month_day, minute, starts_on, announce_minutes, zone,
    next_on, next_at, wake_at, host_id, host_name
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
WHERE (SELECT count(*) FROM recurring_games WHERE chat_id = $1) < $17
RETURNING id
"""
_SAVE = """
UPDATE recurring_games SET
    template_id = $3, unit = $4, every = $5, weekdays = $6, month_day = $7, minute = $8, starts_on = $9,
    announce_minutes = $10, paused = $11, skip_on = $12, zone = $13, next_on = $14, next_at = $15, wake_at = $16,
    announced_on = $17, last_on = $18, last_outcome = $19, opening = $20, host_id = $21, host_name = $22,
    version = version + 1, updated_at = now()
WHERE id = $1 AND version = $2
RETURNING id
"""
_DELETE = "DELETE FROM recurring_games WHERE chat_id = $1 AND id = $2 RETURNING id"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringGame:
    """A game that is opened from a template again and again.

    Attributes:
        id: its number; 0 before it is stored.
        chat_topic: the place of its games.
        template_id: the template, which may have been deleted.
        schedule: the days and the time.
        announce_minutes: minutes by which an announcement is ahead; 0 for none.
        paused: the reason of a pause: `host`, `template`, `not-a-host`; empty if it runs.
        skip_on: a date that is left out; None for none.
        zone: the time zone that `next_at` was computed with.
        next_on: local date of the next occurrence.
        next_at: its instant.
        announced_on: date of the latest occurrence that was announced; None for none.
        last_on: date of the latest occurrence that is over; None for none.
        last_outcome: its end: `opened`, `busy`, `missed`, `muted`, `removed`, `refused`; empty for none.
        opening: id of the game that opens the next occurrence, once a process has begun to open it; else empty.
        host: the person, or the group, in whose name its games are opened.
        version: number of changes.
    """

    id: int = 0
    chat_topic: ChatTopic
    template_id: int
    schedule: Schedule
    announce_minutes: int = 0
    paused: str = ""
    skip_on: date | None = None
    zone: str
    next_on: date
    next_at: Instant
    announced_on: date | None = None
    last_on: date | None = None
    last_outcome: str = ""
    opening: str = ""
    host: Host
    version: int = 0

    @property
    def announces_at(self) -> Instant:
        """The time of the announcement; that of the occurrence if there is none."""
        return self.next_at - self.announce_minutes * 60_000

    @property
    def wakes_at(self) -> Instant:
        """The next time at which something is to be done."""
        return self.next_at if self.announced_on == self.next_on else self.announces_at


class RecurringGames:
    """Repository of recurring games."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_chat(self, chat_id: int) -> list[RecurringGame]:
        """Return the recurring games of a chat, the oldest first."""
        return [game_of_row(row) for row in await self._pool.fetch(_OF_CHAT, chat_id, MOST_RECURRING)]

    async def one(self, chat_id: int, recurring_id: int) -> RecurringGame | None:
        """Return one recurring game of a chat, or None if the chat has none with this id."""
        row = await self._pool.fetchrow(_ONE, chat_id, recurring_id)
        return None if row is None else game_of_row(row)

    async def add(self, new: RecurringGame) -> int | None:
        """Store a recurring game. Returns its id; None if the chat has too many."""
        place, schedule = new.chat_topic, _columns(new.schedule)
        found: int | None = await self._pool.fetchval(
            _ADD, place.chat_id, place.topic_id, new.template_id, *schedule, new.announce_minutes, new.zone,
            new.next_on, _moment(new.next_at), _moment(new.wakes_at), new.host.id, new.host.name, MOST_RECURRING,
        )  # fmt: skip
        if found is not None:
            wrote("add-recurring", chat_id=place.chat_id, target=found)
        return found

    async def save(
        self, known: RecurringGame, new: RecurringGame, *, action: str = "change-recurring", job: NewJob | None = None
    ) -> bool:
        """Store a change, and enqueue a job in its transaction. Returns False if the row has changed since it was read.

        ``action`` names the change in the audit log.
        """
        async with bounded_transaction(self._pool) as connection:
            saved = await connection.fetchval(
                _SAVE, known.id, known.version, new.template_id, *_columns(new.schedule), new.announce_minutes,
                new.paused, new.skip_on, new.zone, new.next_on, _moment(new.next_at), _moment(new.wakes_at),
                new.announced_on, new.last_on, new.last_outcome, new.opening, new.host.id, new.host.name,
            )  # fmt: skip
            if saved is not None and job is not None:
                await enqueue(connection, job)
        if saved is not None:
            wrote(action, chat_id=known.chat_topic.chat_id, target=known.id)
        return saved is not None

    async def delete(self, chat_id: int, recurring_id: int, *, job: NewJob | None = None) -> bool:
        """Delete a recurring game, and enqueue a job in its transaction. Returns False if it is not there."""
        async with bounded_transaction(self._pool) as connection:
            found = await connection.fetchval(_DELETE, chat_id, recurring_id) is not None
            if found and job is not None:
                await enqueue(connection, job)
        if found:
            wrote("delete-recurring", chat_id=chat_id, target=recurring_id)
        return found

    async def due(self, now: Instant, limit: int) -> list[RecurringGame]:
        """Return the recurring games that have something to be done, the longest due first."""
        return [game_of_row(row) for row in await self._pool.fetch(_DUE, _moment(now), limit)]

    async def next_wake(self) -> Instant | None:
        """Return the next time at which one has something to be done; None if there is none."""
        found = await self._pool.fetchval("SELECT min(wake_at) FROM recurring_games WHERE paused = ''")
        return None if found is None else _instant(found)

    async def page(self, after: int, limit: int) -> list[RecurringGame]:
        """Return a page of all recurring games, by ascending id, after an id."""
        return [game_of_row(row) for row in await self._pool.fetch(_PAGE, after, limit)]


def _columns(schedule: Schedule) -> tuple[Any, ...]:
    return (
        schedule.unit,
        schedule.every,
        schedule.weekdays,
        schedule.month_day,
        schedule.minute,
        schedule.starts_on,
    )


def game_of_row(row: Any) -> RecurringGame:
    """Return the recurring game of a row with `COLUMNS`."""
    (
        id_, chat_id, topic_id, template_id, unit, every, weekdays, month_day, minute, starts_on, announce, paused,
        skip_on, zone, next_on, next_at, announced_on, last_on, last_outcome, opening, host_id, host_name, version,
    ) = row  # fmt: skip
    return RecurringGame(
        id=id_,
        chat_topic=ChatTopic(chat_id, topic_id),
        template_id=template_id,
        schedule=Schedule(
            unit=unit, every=every, weekdays=weekdays, month_day=month_day, minute=minute, starts_on=starts_on
        ),
        announce_minutes=announce,
        paused=paused,
        skip_on=skip_on,
        zone=zone,
        next_on=next_on,
        next_at=_instant(next_at),
        announced_on=announced_on,
        last_on=last_on,
        last_outcome=last_outcome,
        opening=opening,
        host=Host(host_id, host_name),
        version=version,
    )


def _moment(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


def _instant(moment: datetime) -> Instant:
    return round(moment.timestamp() * 1000)
