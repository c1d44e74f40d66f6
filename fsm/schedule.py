"""Schedules: the days and the time of day at which something recurs, in a time zone.

An occurrence is a local date. It happens at one instant: a local time that the clocks skip is moved to the first
instant after the gap, and one that they show twice happens the first time.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from fsm.kind import Instant
from fsm.lobby import check_bounds, check_choice

DAY, WEEK, MONTH = UNITS = ("day", "week", "month")
MINUTES = 24 * 60
"""Minutes of a day."""
MOST_DAYS, MOST_WEEKS, MOST_MONTHS = 366, 52, 12
EVERY_DAY = 0b111_1111
"""All days of the week; Monday is the lowest bit."""
LAST_YEAR = 9000
"""Year after which nothing recurs any more, so that no date runs out of the calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Every so many days, weeks on some days of the week, or months on a day, from a date on, at a local time."""

    unit: str
    every: int = 1
    weekdays: int = 0
    """Days of the week as bits, Monday the lowest; 0 unless the unit is a week."""
    month_day: int = 0
    """Day of the month; a shorter month has it on its last day. 0 unless the unit is a month."""
    minute: int
    """Local time in minutes since midnight."""
    starts_on: date
    """First possible date; days, weeks and months are counted from it."""

    def check(self) -> None:
        """Raise ``BadRule`` at the first field outside its bounds."""
        check_choice("unit", self.unit, UNITS)
        check_bounds("every", self.every, 1, {DAY: MOST_DAYS, WEEK: MOST_WEEKS, MONTH: MOST_MONTHS}[self.unit])
        check_bounds("weekdays", self.weekdays, *((1, EVERY_DAY) if self.unit == WEEK else (0, 0)))
        check_bounds("month_day", self.month_day, *((1, 31) if self.unit == MONTH else (0, 0)))
        check_bounds("minute", self.minute, 0, MINUTES - 1)
        check_bounds("starts_on", self.starts_on.year, 1970, LAST_YEAR)

    def after(self, day: date) -> date:
        """Return the first date of the schedule later than ``day``."""
        return next(self._from(max(self.starts_on, day + timedelta(days=1))))

    def instant(self, on: date, zone: tzinfo) -> Instant:
        """Return the instant of the occurrence of a date."""
        return instant_of(on, self.minute, zone)

    def next_after(self, moment: Instant, zone: tzinfo, *, later_than: date | None = None) -> date:
        """Return the date of the first occurrence whose instant is after ``moment``.

        ``later_than`` is the date of an occurrence that has happened: the next one is on a later date, wherever the
        clocks stand. None if there was none.
        """
        # Two days back, because a gap may move an occurrence of yesterday to today.
        day = local_date(moment, zone) - timedelta(days=2)
        if later_than is not None:
            day = max(day, later_than)
        day = self.after(day)
        while self.instant(day, zone) <= moment:
            day = self.after(day)
        return day

    def _from(self, day: date) -> Iterator[date]:
        """Yield the dates of the schedule from ``day`` on, which is not before ``starts_on``."""
        match self.unit:
            case "day":
                yield day + timedelta(days=-(day - self.starts_on).days % self.every)
            case "week":
                yield from self._weeks(day)
            case _:
                yield from self._months(day)

    def _weeks(self, day: date) -> Iterator[date]:
        first = self.starts_on - timedelta(days=self.starts_on.weekday())
        while True:
            if (day - first).days // 7 % self.every == 0 and self.weekdays >> day.weekday() & 1:
                yield day
            day += timedelta(days=1)

    def _months(self, day: date) -> Iterator[date]:
        first = self.starts_on.year * 12 + self.starts_on.month - 1
        month = day.year * 12 + day.month - 1
        while True:
            year, number = divmod(month, 12)
            last = calendar.monthrange(year, number + 1)[1]
            found = date(year, number + 1, min(self.month_day, last))
            if (month - first) % self.every == 0 and found >= day:
                yield found
            month += 1


def local_date(moment: Instant, zone: tzinfo) -> date:
    """Return the date that a calendar in the time zone shows at an instant."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).date()


def instant_of(on: date, minute: int, zone: tzinfo) -> Instant:
    """Return the instant at which clocks in the time zone show a time of a date; see the top of this module."""
    wanted = datetime.combine(on, time(minute // 60, minute % 60))
    found = wanted.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != wanted:
        # No clock shows this time. With the offsets after and before the gap it lies before and after the change.
        before = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
        found = _change(before, found, zone)
    return int(found.timestamp()) * 1000


def _change(low: datetime, high: datetime, zone: tzinfo) -> datetime:
    """Return the second between two instants from which on the zone has another offset than at the first of them."""
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high
