"""Templates of chats, and recurring games."""

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.endpoint import About, Call, Endpoint, Handler, Reply, Title
from api.games import with_rules
from api.problems import InvalidRequest
from api.values import moment_of
from fsm.kind import ChatTopic, Rejected
from fsm.lobby import BadRule, BadTitle
from fsm.registry import KINDS
from fsm.schedule import MONTH, WEEK, Schedule, local_date
from play.access import Needs
from play.recurring import MOST_MINUTES_AHEAD, BeingChanged, NoSuchRecurring, TooManyRecurring
from play.templates import MAX_NAME, BadName, NoSuchTemplate, TooManyTemplates
from storage.recurring import RecurringGame
from storage.templates import Template

TAG: Final = "recurring games"
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_NAME: Final = {"minLength": 1, "maxLength": MAX_NAME, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
"""The bounds of a name. The type has wider ones, so that the refusal of a name is that of Telegram's face."""
TemplateId = Annotated[int, Meta(ge=1, le=2**53)]
Minutes = Annotated[int, Meta(ge=0, le=MOST_MINUTES_AHEAD)]


class TemplateView(msgspec.Struct, frozen=True, kw_only=True):
    """A template: the settings of a game under a name.

    Attributes:
        id: its number.
        name: its name.
        kind: the kind of game.
        title: the title of its games; empty for the name of the kind.
        rules: the rules that differ from the defaults, by the names that /settings and config.toml have.
    """

    id: int
    name: str
    kind: str
    title: str
    rules: dict[str, str]


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A template to save.

    Attributes:
        name: its name; a template of the same name is replaced.
        kind: the kind of game.
        title: the title of its games; empty for the name of the kind.
        rules: rules other than the defaults, by the names that /settings and config.toml have.
    """

    name: Annotated[str, Meta(extra_json_schema=_NAME)]
    kind: str
    title: Title = ""
    rules: dict[str, str] = {}


class ScheduleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Days and time, in the time zone of the chat.

    Attributes:
        unit: the unit of the rhythm.
        every: the number of days, weeks or months from one occurrence to the next.
        weekdays: the days of the week, for the unit `week`.
        month_day: the day of the month, for the unit `month`; a shorter month has it on its last day.
        time: the local time.
        starts_on: the first possible date, from which days, weeks and months are counted; null for today.
    """

    unit: Literal["day", "week", "month"]
    every: Annotated[int, Meta(ge=1, le=366)] = 1
    weekdays: list[Weekday] = []
    month_day: Annotated[int, Meta(ge=1, le=31)] | None = None
    time: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    starts_on: date | None = None


def _only_of(unit: str, field: str, given: dict[str, Any], absent: dict[str, Any]) -> dict[str, Any]:
    is_unit = {"properties": {"unit": {"const": unit}}, "required": ["unit"]}
    with_field = {"properties": {field: given}, "required": [field]}
    return {"if": is_unit, "then": with_field, "else": {"properties": {field: absent}}}


OF_UNITS: Final = {
    "allOf": [
        _only_of(WEEK, "weekdays", {"minItems": 1}, {"maxItems": 0}),
        _only_of(MONTH, "month_day", {"type": "integer"}, {"type": "null"}),
    ]
}
"""Part of the schema of ``ScheduleBody``: the fields that belong to a unit."""


class RecurringBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recurring game to make.

    Attributes:
        template_id: the template from which games are opened.
        topic_id: the topic of a forum; 0 outside forums.
        schedule: the days and the time.
        announce_minutes: minutes by which an announcement is ahead; 0 for none.
    """

    template_id: TemplateId
    topic_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    schedule: ScheduleBody
    announce_minutes: Minutes = 0


class RecurringChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Changes of a recurring game. A part that is left out stays.

    Attributes:
        template_id: the template from which games are opened.
        schedule: the days and the time.
        announce_minutes: minutes by which an announcement is ahead; 0 for none.
    """

    template_id: TemplateId | UnsetType = UNSET
    schedule: ScheduleBody | UnsetType = UNSET
    announce_minutes: Minutes | UnsetType = UNSET


class SkipBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An occurrence to leave out.

    Attributes:
        on: its local date; another one than that of the next occurrence changes nothing.
    """

    on: date


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """Days and time, in the time zone of the chat.

    Attributes:
        unit: `day`, `week` or `month`.
        every: the number of days, weeks or months from one occurrence to the next.
        weekdays: the days of the week, for the unit `week`.
        month_day: the day of the month, for the unit `month`; else null.
        time: the local time.
        starts_on: the date from which days, weeks and months are counted.
    """

    unit: str
    every: int
    weekdays: list[str]
    month_day: int | None
    time: str
    starts_on: date


class RecurringView(msgspec.Struct, frozen=True, kw_only=True):
    """A recurring game.

    Attributes:
        id: its number.
        template_id: the template from which games are opened.
        topic_id: the topic of a forum; 0 outside forums.
        schedule: the days and the time.
        time_zone: the time zone of the chat.
        announce_minutes: minutes by which an announcement is ahead; 0 for none.
        paused: the reason of a pause: `host`, `template`, `not-a-host`; null if it runs.
        skip_on: a date that is left out; null for none.
        next_on: the local date of the next occurrence.
        next_at: its time.
        last_on: the local date of the latest occurrence; null if there was none.
        last_outcome: its outcome: `opened`, `busy`, `missed`, `muted`, `removed`, `refused`, `template`, `not-a-host`;
            null if there was none.
        host_id: the person, or the chat itself, in whose name games are opened.
    """

    id: int
    template_id: int
    topic_id: int
    schedule: ScheduleView
    time_zone: str
    announce_minutes: int
    paused: str | None
    skip_on: date | None
    next_on: date
    next_at: datetime
    last_on: date | None
    last_outcome: str | None
    host_id: int


# -- templates --------------------------------------------------------------------------------------------------


async def list_templates(call: Call) -> list[TemplateView]:
    """List the templates of a chat, by name."""
    found = await call.services.play.templates.of_chat(call.actor, call.path["chat"])
    return [_template(each) for each in found]


async def save_template(call: Call) -> TemplateView:
    """Save a template, over one of the same name if there is one."""
    body, play, chat_id = call.body, call.services.play, call.path["chat"]
    if body.kind not in KINDS:
        raise InvalidRequest("Unknown kind of game - at `$.kind`")
    with_rules(play.openings.defaults[body.kind], body.rules)
    saved = await play.templates.save(call.actor, chat_id, body.name, body.kind, body.title, body.rules)
    return _template(await play.templates.one(call.actor, chat_id, saved))


async def delete_template(call: Call) -> None:
    """Delete a template. Harmless if there is none; recurring games that use it will be paused."""
    await call.services.play.templates.delete(call.actor, call.path["chat"], call.path["template"])


def _template(template: Template) -> TemplateView:
    return TemplateView(
        id=template.id,
        name=template.name,
        kind=template.kind,
        title=template.title,
        rules=dict(template.settings),
    )


# -- recurring games --------------------------------------------------------------------------------------------


async def list_recurring(call: Call) -> list[RecurringView]:
    """List the recurring games of a chat, the oldest first."""
    found = await call.services.play.recurring.of_chat(call.actor, call.path["chat"])
    return [_recurring(each) for each in found]


async def add_recurring(call: Call) -> Reply:
    """Make a recurring game. Its games are opened in the name of the chat."""
    body, desk, chat_id = call.body, call.services.play.recurring, call.path["chat"]
    made = await desk.add(
        call.actor,
        ChatTopic(chat_id, body.topic_id),
        body.template_id,
        await _schedule(call, body.schedule),
        body.announce_minutes,
    )
    return Reply(body=_recurring(made), headers={"location": f"/api/v1/chats/{chat_id}/recurring/{made.id}"})


async def get_recurring(call: Call) -> RecurringView:
    """Return a recurring game."""
    return _recurring(await call.services.play.recurring.one(call.actor, call.path["chat"], call.path["recurring"]))


async def change_recurring(call: Call) -> RecurringView:
    """Change a recurring game. From then on its games are opened in the name of the chat."""
    body = call.body
    schedule = None if isinstance(body.schedule, UnsetType) else await _schedule(call, body.schedule)
    return _recurring(
        await call.services.play.recurring.change(
            call.actor,
            call.path["chat"],
            call.path["recurring"],
            template_id=None if isinstance(body.template_id, UnsetType) else body.template_id,
            schedule=schedule,
            announce_minutes=None if isinstance(body.announce_minutes, UnsetType) else body.announce_minutes,
        )
    )


async def skip_recurring(call: Call) -> RecurringView:
    """Leave out the next occurrence. If it has been announced, the group is told."""
    desk = call.services.play.recurring
    return _recurring(await desk.skip(call.actor, call.path["chat"], call.path["recurring"], call.body.on))


async def unskip_recurring(call: Call) -> RecurringView:
    """Take back a skip, if its time has not come yet."""
    desk = call.services.play.recurring
    return _recurring(await desk.unskip(call.actor, call.path["chat"], call.path["recurring"]))


async def pause_recurring(call: Call) -> RecurringView:
    """Open no more games until it is resumed. If the next has been announced, the group is told."""
    desk = call.services.play.recurring
    return _recurring(await desk.pause(call.actor, call.path["chat"], call.path["recurring"]))


async def resume_recurring(call: Call) -> RecurringView:
    """Go on after a pause, with the next occurrence from now. Its games are then opened in the name of the chat."""
    desk = call.services.play.recurring
    return _recurring(await desk.resume(call.actor, call.path["chat"], call.path["recurring"]))


async def delete_recurring(call: Call) -> None:
    """Delete a recurring game. Harmless if there is none."""
    await call.services.play.recurring.delete(call.actor, call.path["chat"], call.path["recurring"])


async def _schedule(call: Call, body: ScheduleBody) -> Schedule:
    """Return the schedule of a body. Raises ``InvalidRequest``; bounds are checked by the desk."""
    if (body.unit == WEEK) != bool(body.weekdays):
        raise InvalidRequest("Days of the week belong to the unit week - at `$.schedule.weekdays`")
    if (body.unit == MONTH) != (body.month_day is not None):
        raise InvalidRequest("A day of the month belongs to the unit month - at `$.schedule.month_day`")
    zone = ZoneInfo(await call.services.play.recurring.zone(call.path["chat"]))
    hours, minutes = map(int, body.time.split(":"))
    return Schedule(
        unit=body.unit,
        every=body.every,
        weekdays=sum({1 << DAYS.index(day) for day in body.weekdays}),
        month_day=body.month_day or 0,
        minute=hours * 60 + minutes,
        starts_on=body.starts_on or local_date(call.received, zone),
    )


def _recurring(each: RecurringGame) -> RecurringView:
    schedule = each.schedule
    return RecurringView(
        id=each.id,
        template_id=each.template_id,
        topic_id=each.chat_topic.topic_id,
        schedule=ScheduleView(
            unit=schedule.unit,
            every=schedule.every,
            weekdays=[name for day, name in enumerate(DAYS) if schedule.weekdays >> day & 1],
            month_day=schedule.month_day or None,
            time=f"{schedule.minute // 60:02}:{schedule.minute % 60:02}",
            starts_on=schedule.starts_on,
        ),
        time_zone=each.zone,
        announce_minutes=each.announce_minutes,
        paused=each.paused or None,
        skip_on=each.skip_on,
        next_on=each.next_on,
        next_at=moment_of(each.next_at),
        last_on=each.last_on,
        last_outcome=each.last_outcome or None,
        host_id=each.host.id,
    )


STEP: Final[tuple[type[Rejected], ...]] = (NoSuchRecurring, BeingChanged)
"""Refusals of every change of a recurring game."""


def _of_chat(method: str, path: str, handle: Handler, needs: Needs, **more: Any) -> Endpoint:
    return Endpoint(
        method=method, path=f"/chats/{{chat}}{path}", handle=handle, tag=TAG, needs=needs, about=About.CHAT, **more
    )


def _step(path: str, handle: Handler, *refuses: type[Rejected], **more: Any) -> Endpoint:
    """Return the endpoint of a step of a recurring game."""
    return _of_chat(
        "POST",
        f"/recurring/{{recurring}}{path}",
        handle,
        Needs.HOST,
        result=RecurringView,
        refuses=(*STEP, *refuses),
        **more,
    )


FRIDAYS: Final = {"unit": WEEK, "weekdays": ["friday"], "time": "20:00"}

ENDPOINTS: Final = (
    _of_chat("GET", "/templates", list_templates, Needs.OPEN, result=list[TemplateView]),
    _of_chat(
        "POST",
        "/templates",
        save_template,
        Needs.HOST,
        body=TemplateBody,
        result=TemplateView,
        refuses=(BadName, BadTitle, BadRule, TooManyTemplates),
        example={"name": "Friday", "kind": "pick_number", "title": "Friday draw", "rules": {"winners": "2"}},
    ),
    _of_chat("DELETE", "/templates/{template}", delete_template, Needs.HOST, status=204),
    _of_chat("GET", "/recurring", list_recurring, Needs.LOOK, result=list[RecurringView]),
    _of_chat(
        "POST",
        "/recurring",
        add_recurring,
        Needs.HOST,
        body=RecurringBody,
        result=RecurringView,
        status=201,
        headers=("Location",),
        refuses=(NoSuchTemplate, TooManyRecurring, BadRule),
        example={"template_id": 1, "schedule": FRIDAYS, "announce_minutes": 30},
    ),
    _of_chat(
        "GET", "/recurring/{recurring}", get_recurring, Needs.LOOK, result=RecurringView, refuses=(NoSuchRecurring,)
    ),
    _of_chat(
        "PATCH",
        "/recurring/{recurring}",
        change_recurring,
        Needs.HOST,
        body=RecurringChange,
        result=RecurringView,
        refuses=(*STEP, NoSuchTemplate, BadRule),
        example={"schedule": {**FRIDAYS, "every": 2}, "announce_minutes": 0},
    ),
    _step("/skip", skip_recurring, body=SkipBody, example={"on": "2027-01-01"}),
    _step("/unskip", unskip_recurring),
    _step("/pause", pause_recurring),
    _step("/resume", resume_recurring, NoSuchTemplate),
    _of_chat("DELETE", "/recurring/{recurring}", delete_recurring, Needs.HOST, status=204),
)
