"""Weeks, months and quarters: the periods for which figures are counted.

A game counts in the periods in which it ended. All periods are in UTC, and weeks are those of ISO 8601, which begin on
Monday: with the time zone of a chat, a change of the zone would move games that have been counted to other periods.
"""

from datetime import UTC, datetime, timedelta

WEEK, MONTH, QUARTER = "week", "month", "quarter"


def period_at(length: str, at: datetime) -> str:
    """Return the name of the period of a length at a time: `2026-W48`, `2026-11` or `2026-Q4`."""
    at = at.astimezone(UTC)
    if length == WEEK:
        year, week, _ = at.isocalendar()
        return f"{year:04}-W{week:02}"
    return f"{at.year:04}-{at.month:02}" if length == MONTH else f"{at.year:04}-Q{(at.month + 2) // 3}"


def bounds(period: str) -> tuple[datetime, datetime]:
    """Return the beginning of a period, and the beginning of the next one."""
    year, name = int(period[:4]), period[5:]
    if name.startswith("W"):
        first = datetime.fromisocalendar(year, int(name[1:]), 1).replace(tzinfo=UTC)
        return first, first + timedelta(days=7)
    months = 3 if name.startswith("Q") else 1
    month = 3 * int(name[1:]) - 2 if name.startswith("Q") else int(name)
    after = month + months
    return datetime(year, month, 1, tzinfo=UTC), datetime(year + after // 13, (after - 1) % 12 + 1, 1, tzinfo=UTC)


def previous(period: str) -> str:
    """Return the period of the same length before this one."""
    return period_at(length_of(period), bounds(period)[0] - timedelta(days=1))


def length_of(period: str) -> str:
    """Return the length of a period: `WEEK`, `MONTH` or `QUARTER`."""
    return {"W": WEEK, "Q": QUARTER}.get(period[5:6], MONTH)


def last_weeks(at: datetime, count: int) -> list[str]:
    """Return the names of the last weeks, oldest first, ending with the week of a time."""
    return [period_at(WEEK, at - timedelta(weeks=count - 1 - number)) for number in range(count)]
