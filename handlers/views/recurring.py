"""Rendering of recurring games: the schedule in one line, and the state of each."""

from datetime import date

from babel.dates import format_date, get_day_names

from fsm.schedule import EVERY_DAY, MONTH, WEEK, Schedule
from handlers.views.times import moment
from play.texts import Markup, Texts
from play.zones import city
from storage.recurring import RecurringGame
from storage.templates import Template


def clock(minute: int) -> str:
    """Return a time of day, such as 20:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def day_names(locale: str) -> list[str]:
    """Return the short names of the days of the week, Monday first."""
    names = get_day_names("abbreviated", context="stand-alone", locale=locale)
    return [str(names[day]) for day in range(7)]


def short_date(on: date, locale: str) -> str:
    """Return a date with its day of the week, without the year."""
    return str(format_date(on, "EEE d MMM", locale=locale))


def schedule_line(schedule: Schedule, zone: str, texts: Texts, locale: str) -> Markup:
    """Render a schedule: days, time, rhythm and the city of the time zone."""
    days = ""
    if schedule.unit == WEEK and schedule.weekdays != EVERY_DAY:
        days = ", ".join(name for day, name in enumerate(day_names(locale)) if schedule.weekdays >> day & 1) + ","
    elif schedule.unit == MONTH:
        days = texts.plain(locale, "rec-month-day", day=schedule.month_day)
    every_day = schedule.unit == WEEK and schedule.weekdays == EVERY_DAY and schedule.every == 1
    rhythm = f"rec-rhythm-{'day' if every_day else schedule.unit}"
    line = texts.html(
        locale,
        "rec-schedule",
        days=Markup(days),
        time=Markup(clock(schedule.minute)),
        rhythm=texts.html(locale, rhythm, every=schedule.every),
        city=city(zone, locale),
    )
    return Markup(line.replace("  ", " "))


def announce_line(minutes: int, texts: Texts, locale: str) -> Markup:
    """Render the announcement of a recurring game."""
    return texts.html(locale, "rec-announce", minutes=minutes, ahead=texts.duration(locale, minutes * 60_000))


def card(each: RecurringGame, template: Template | None, texts: Texts, locale: str) -> Markup:
    """Render a recurring game: name, schedule, the next occurrence, and trouble with the last."""
    if template is None:
        lines = [texts.html(locale, "rec-no-template")]
    else:
        lines = [texts.html(locale, "rec-name", name=template.name)]
    lines.append(schedule_line(each.schedule, each.zone, texts, locale))
    if each.paused:
        lines.append(texts.html(locale, f"rec-paused-{each.paused}"))
    else:
        lines.append(texts.html(locale, "rec-next", time=moment(each.next_at, "wDt")))
        if each.skip_on is not None:
            lines.append(texts.html(locale, "rec-skipping", date=short_date(each.skip_on, locale)))
        if each.last_outcome and texts.has(locale, f"rec-last-{each.last_outcome}"):
            lines.append(texts.html(locale, f"rec-last-{each.last_outcome}"))
    return Markup("\n".join(lines))
