"""Schedules: the next occurrence, in every time zone and across every change of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm.kind import Instant
from fsm.lobby import BadRule
from fsm.schedule import DAY, EVERY_DAY, MONTH, WEEK, Schedule, instant_of, local_date

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC", "Europe/Madrid", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu",
        "Africa/Casablanca", "America/Havana", "Pacific/Apia", "Pacific/Chatham", "Asia/Gaza",
    )
]  # fmt: skip
"""Zones with half-hour changes, changes at midnight, several changes a year, and a whole day that was left out."""
dates = st.dates(date(2005, 1, 1), date(2037, 12, 31))
minutes = st.integers(0, 1439)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Draw a schedule of any unit."""
    unit, starts_on, minute = draw(st.sampled_from((DAY, WEEK, MONTH))), draw(dates), draw(minutes)
    match unit:
        case "day":
            return Schedule(unit=unit, every=draw(st.integers(1, 10)), minute=minute, starts_on=starts_on)
        case "week":
            days = draw(st.integers(1, EVERY_DAY))
            return Schedule(unit=unit, every=draw(st.integers(1, 4)), weekdays=days, minute=minute, starts_on=starts_on)
        case _:
            day = draw(st.integers(1, 31))
            return Schedule(unit=unit, every=draw(st.integers(1, 3)), month_day=day, minute=minute, starts_on=starts_on)


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> Instant:
    """Return an instant in UTC."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1000


def shown(moment: Instant, zone: ZoneInfo) -> datetime:
    """Return the local time at an instant."""
    return datetime.fromtimestamp(moment / 1000, UTC).astimezone(zone).replace(tzinfo=None)


@given(dates, minutes, st.sampled_from(ZONES))
def test_an_instant_is_the_first_at_which_the_clocks_show_the_time_or_have_passed_it(
    on: date, minute: int, zone: ZoneInfo
) -> None:
    wanted = datetime.combine(on, time(minute // 60, minute % 60))
    found = instant_of(on, minute, zone)
    assert shown(found, zone) >= wanted
    assert shown(found - 1000, zone) < wanted
    # No earlier instant of the same stretch of clocks shows it: the day before is searched in steps of a quarter.
    for back in range(15, 26 * 60, 15):
        assert shown(found - back * 60_000, zone) < wanted


@given(schedules(), st.sampled_from(ZONES), st.integers(ms(2005, 1, 1), ms(2037, 12, 31)))
def test_the_next_occurrence_is_after_the_moment_and_no_date_of_the_schedule_lies_between(
    schedule: Schedule, zone: ZoneInfo, moment: Instant
) -> None:
    found = schedule.next_after(moment, zone)
    assert schedule.instant(found, zone) > moment
    before = schedule.after(local_date(moment, zone) - timedelta(days=3))
    while before < found:
        assert schedule.instant(before, zone) <= moment
        before = schedule.after(before)
    assert before == found


@given(schedules(), dates)
def test_the_dates_of_a_schedule_are_those_that_its_words_say(schedule: Schedule, day: date) -> None:
    found = schedule.after(day)
    assert found > day
    assert found >= schedule.starts_on
    match schedule.unit:
        case "day":
            assert (found - schedule.starts_on).days % schedule.every == 0
        case "week":
            monday = schedule.starts_on - timedelta(days=schedule.starts_on.weekday())
            assert schedule.weekdays >> found.weekday() & 1
            assert (found - monday).days // 7 % schedule.every == 0
        case _:
            assert found.day == schedule.month_day or (found + timedelta(days=1)).day == 1


@given(schedules(), st.sampled_from(ZONES), st.integers(ms(2005, 1, 1), ms(2037, 12, 31)))
def test_an_occurrence_that_has_happened_never_comes_again_wherever_the_clock_is_turned(
    schedule: Schedule, zone: ZoneInfo, moment: Instant
) -> None:
    happened = schedule.next_after(moment, zone)
    for turned in (moment, moment - 86_400_000 * 40, schedule.instant(happened, zone) + 1):
        assert schedule.next_after(turned, zone, later_than=happened) > happened


@pytest.mark.parametrize(
    ("zone", "on", "minute", "expected"),
    [
        ("Europe/Madrid", date(2026, 3, 29), 150, ms(2026, 3, 29, 1)),  # 2:30 does not exist: 3:00 summer time
        ("Europe/Madrid", date(2026, 10, 25), 150, ms(2026, 10, 25, 0, 30)),  # 2:30 exists twice
        ("America/New_York", date(2026, 3, 8), 150, ms(2026, 3, 8, 7)),
        ("America/New_York", date(2026, 11, 1), 90, ms(2026, 11, 1, 5, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 4), 135, ms(2026, 10, 3, 15, 30)),  # 2:15 of half an hour's gap
        ("Australia/Lord_Howe", date(2026, 4, 5), 105, ms(2026, 4, 4, 14, 45)),  # 1:45 exists twice
        ("America/Havana", date(2026, 3, 8), 0, ms(2026, 3, 8, 5)),  # midnight does not exist
        ("Pacific/Apia", date(2011, 12, 30), 1200, ms(2011, 12, 30, 10)),  # the whole day was left out
    ],
)
def test_times_that_do_not_exist_and_times_that_exist_twice(
    zone: str, on: date, minute: int, expected: Instant
) -> None:
    assert instant_of(on, minute, ZoneInfo(zone)) == expected


def test_a_short_month_has_the_day_on_its_last() -> None:
    schedule = Schedule(unit=MONTH, month_day=31, minute=0, starts_on=date(2028, 1, 31))
    found = [date(2028, 1, 30)]
    for _ in range(4):
        found.append(schedule.after(found[-1]))
    assert found[1:] == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]


def test_every_other_week_is_counted_from_the_week_of_the_start() -> None:
    friday = Schedule(unit=WEEK, every=2, weekdays=0b1_0000, minute=0, starts_on=date(2026, 12, 2))
    assert friday.after(date(2026, 12, 1)) == date(2026, 12, 4)
    assert friday.after(date(2026, 12, 4)) == date(2026, 12, 18)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unit": "year"},
        {"every": 0},
        {"every": 53},
        {"weekdays": 0},
        {"weekdays": 128},
        {"month_day": 5},
        {"minute": 1440},
        {"minute": -1},
        {"unit": MONTH},
        {"unit": MONTH, "weekdays": 0, "month_day": 32},
        {"starts_on": date(9999, 1, 1)},
    ],
)
def test_a_schedule_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    good = {"unit": WEEK, "every": 1, "weekdays": 1, "minute": 0, "starts_on": date(2026, 1, 1)}
    Schedule(**good).check()  # type: ignore[arg-type]
    with pytest.raises(BadRule):
        Schedule(**{**good, **wrong}).check()  # type: ignore[arg-type]
