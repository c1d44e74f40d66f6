"""``/recurring``: games that open by themselves, in a form that only the host who asked for it sees.

Its state is in its buttons, so nothing is stored before the host is done, and nothing expires. The form says in three
lines what it will make.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from fsm.kind import Rejected
from fsm.schedule import DAY, EVERY_DAY, MINUTES, MONTH, WEEK, Schedule, local_date
from handlers.commands.command import Command, for_hosts
from handlers.commands.newgame import game_link, settings_link
from handlers.context import UpdateContext
from handlers.opening import check_voice, note_chat
from handlers.views.message import Button, Message, rows
from handlers.views.recurring import announce_line, card, day_names, schedule_line, short_date
from play.numbers import HIGHEST_ID, whole
from play.texts import Markup
from play.zones import city
from storage.recurring import RecurringGame
from storage.templates import Template

FORM = "rec:"
"""Prefix of callback data. After it comes an action, and its arguments."""
RHYTHMS = (f"{WEEK}1", f"{WEEK}2", f"{DAY}1", f"{MONTH}1")
"""The rhythms that the form offers, one after the other; the API has others."""
AHEAD = (30, 60, 180, 1440, 0, 10)
"""The minutes ahead that the form offers, one after the other."""
FRIDAY, EVENING = 4, 20 * 60
STEPS = (-60, -15, 15, 60)
"""The minutes by which the buttons of the form move the time of day."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The recurring game that a form would make, as its buttons carry it."""

    template_id: int
    rhythm: str = RHYTHMS[0]
    days: int = 1 << FRIDAY
    """Days of the week as bits; the day of the month in a monthly rhythm."""
    minute: int = EVENING
    ahead: int = AHEAD[0]

    def data(self, action: str) -> str:
        """Return the callback data of a button that keeps all this."""
        return f"{FORM}{action}:{self.template_id}:{self.rhythm}:{self.days}:{self.minute}:{self.ahead}"

    def schedule(self, starts_on: date) -> Schedule:
        """Return the schedule."""
        unit, every = self.rhythm[:-1], int(self.rhythm[-1])
        return Schedule(
            unit=unit,
            every=every,
            weekdays=self.days if unit == WEEK else 0,
            month_day=self.days if unit == MONTH else 0,
            minute=self.minute,
            starts_on=starts_on,
        )


def _wanted(arguments: list[str]) -> Wanted | None:
    """Return the form that the arguments of a button stand for; None if they are forged."""
    if len(arguments) != 5 or arguments[1] not in RHYTHMS:
        return None
    template_id, days, minute, ahead = (whole(text, HIGHEST_ID) for text in (arguments[0], *arguments[2:]))
    if template_id is None or days is None or minute is None or ahead not in AHEAD or minute >= MINUTES:
        return None
    low, high = (1, 31) if arguments[1].startswith(MONTH) else (1, EVERY_DAY)
    return Wanted(template_id, arguments[1], days, minute, ahead) if low <= days <= high else None


async def recurring(context: UpdateContext) -> None:
    """Handle ``/recurring``: list the group's recurring games. Raises ``Muted``."""
    await note_chat(context)
    await check_voice(context, context.chat_topic)
    await context.whisper(await _list(context))


async def tap(context: UpdateContext, data: str) -> None:
    """Handle a tap on the list or the form."""
    context = replace(context, locale=context.own_locale)  # `whisper` answers a tap to this person alone
    action, *arguments = data.removeprefix(FORM).split(":")
    try:
        shown = await _shown(context, action, arguments)
    except Rejected as refusal:
        await context.toast(context.deps.play.texts.refusal(context.own_locale, refusal), alert=True)
        return
    await context.whisper(shown)
    await context.toast()


async def _shown(context: UpdateContext, action: str, arguments: list[str]) -> Message:
    """Do what a button says, and return the window that follows. A forged button leads to the list."""
    desk, actor, chat_id = context.deps.play.recurring, context.actor, context.chat_topic.chat_id
    if action == "n":
        return await _templates(context)
    if action in {"f", "c"} and (wanted := _wanted(arguments)) is not None:
        if action == "f":
            return await _form(context, wanted)
        schedule = wanted.schedule(await _today(context))
        made = await desk.add(actor, context.chat_topic, wanted.template_id, schedule, wanted.ahead)
        return await _card(context, made, context.text("rec-created"))
    number = whole(arguments[0], HIGHEST_ID, 1) if arguments else None
    if number is None:
        return await _list(context)
    match action:
        case "s" if (on := _date(arguments)) is not None:
            return await _card(context, await desk.skip(actor, chat_id, number, on))
        case "u":
            return await _card(context, await desk.unskip(actor, chat_id, number))
        case "p":
            return await _card(context, await desk.pause(actor, chat_id, number))
        case "r":
            return await _card(context, await desk.resume(actor, chat_id, number))
        case "d":
            return await _sure(context, await desk.one(actor, chat_id, number))
        case "dd":
            await desk.delete(actor, chat_id, number)
            return await _list(context)
        case _:
            return await _card(context, await desk.one(actor, chat_id, number))


def _date(arguments: list[str]) -> date | None:
    try:
        return datetime.strptime(arguments[1], "%Y%m%d").replace(tzinfo=UTC).date()
    except (IndexError, ValueError):
        return None


async def _list(context: UpdateContext) -> Message:
    texts, locale = context.deps.play.texts, context.locale
    found = await context.deps.play.recurring.of_chat(context.actor, context.chat_topic.chat_id)
    templates = await _by_id(context)
    parts = [context.text("rec-list" if found else "rec-none")]
    parts += [card(each, templates.get(each.template_id), texts, locale) for each in found]
    named = [(each, templates.get(each.template_id)) for each in found]
    buttons = [
        Button(f"⭐ {template.name}" if template else "⚠️", data=f"{FORM}g:{each.id}") for each, template in named
    ]
    return Message("\n\n".join(parts), (*rows(buttons, 2), (_button(context, "rec-new", "n"),)))


async def _by_id(context: UpdateContext) -> dict[int, Template]:
    found = await context.deps.play.templates.of_chat(context.actor, context.chat_topic.chat_id)
    return {each.id: each for each in found}


async def _templates(context: UpdateContext) -> Message:
    found = (await _by_id(context)).values()
    back = _button(context, "dlg-back", "l")
    if not found:
        link = Button(context.label("rec-to-form"), url=game_link(context, None))
        return Message(context.text("rec-no-templates"), ((link,), (back,)))
    buttons = [Button(f"⭐ {each.name}", data=Wanted(each.id).data("f")) for each in found]
    return Message(context.text("rec-which"), (*rows(buttons, 2), (back,)))


async def _form(context: UpdateContext, wanted: Wanted) -> Message:
    play, locale, chat_id = context.deps.play, context.locale, context.chat_topic.chat_id
    template = await play.templates.one(context.actor, chat_id, wanted.template_id)
    zone = await play.recurring.zone(chat_id)
    schedule = wanted.schedule(await _today(context))
    text = context.text(
        "rec-form",
        name=template.name,
        schedule=schedule_line(schedule, zone, play.texts, locale),
        announce=announce_line(wanted.ahead, play.texts, locale),
    )
    rhythm = RHYTHMS[(RHYTHMS.index(wanted.rhythm) + 1) % len(RHYTHMS)]
    days = 1 if rhythm.startswith(MONTH) else 1 << FRIDAY
    ahead = AHEAD[(AHEAD.index(wanted.ahead) + 1) % len(AHEAD)]
    times = [
        Button(
            f"{'−' if step < 0 else '+'}{play.texts.duration(locale, abs(step) * 60_000)}",
            data=replace(wanted, minute=(wanted.minute + step) % MINUTES).data("f"),
        )
        for step in STEPS
    ]
    label = context.label(f"rec-rhythm-{schedule.unit}", every=schedule.every)
    to_rhythm = Button(f"🔁 {label}", data=replace(wanted, rhythm=rhythm, days=days).data("f"))
    ahead_label = context.label(
        "rec-announce", minutes=wanted.ahead, ahead=play.texts.duration(locale, wanted.ahead * 60_000)
    )
    to_ahead = Button(ahead_label, data=replace(wanted, ahead=ahead).data("f"))
    to_zone = Button(f"🌍 {city(zone, locale)}", url=settings_link(context.deps.bot_username, chat_id))
    create = Button(context.label("rec-create"), data=wanted.data("c"), style="success")
    return Message(
        text,
        (
            *_day_buttons(wanted, locale),
            tuple(times),
            (to_rhythm,),
            (to_ahead,),
            (to_zone,),
            (_button(context, "dlg-back", "n"), create),
        ),
    )


def _day_buttons(wanted: Wanted, locale: str) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of the days of the week, or those that move the day of the month."""
    if wanted.rhythm.startswith(DAY):
        return ()
    if wanted.rhythm.startswith(MONTH):
        steps = [(step, (wanted.days - 1 + step) % 31 + 1) for step in (-5, -1, 1, 5)]
        return (
            tuple(
                Button(f"{step:+}".replace("-", "−"), data=replace(wanted, days=day).data("f")) for step, day in steps
            ),
        )
    found = []
    for day, name in enumerate(day_names(locale)):
        on = wanted.days >> day & 1
        # The last day cannot be taken away: a tap on it changes nothing.
        toggled = wanted.days ^ 1 << day or wanted.days
        found.append(Button(f"✓{name}" if on else name, data=replace(wanted, days=toggled).data("f")))
    return (tuple(found[:4]), tuple(found[4:]))


async def _card(context: UpdateContext, each: RecurringGame, note: Markup | None = None) -> Message:
    template = (await _by_id(context)).get(each.template_id)
    parts = [note, card(each, template, context.deps.play.texts, context.locale)]
    text = "\n\n".join(part for part in parts if part)
    dated: list[Button] = []
    buttons: list[Button] = []
    if each.paused:
        buttons.append(_button(context, "rec-resume", f"r:{each.id}"))
    else:
        on = each.next_on
        skip = context.label("rec-skip", date=short_date(on, context.locale))
        dated.append(Button(skip, data=f"{FORM}s:{each.id}:{on:%Y%m%d}"))
        if each.skip_on is not None:
            back = context.label("rec-unskip", date=short_date(each.skip_on, context.locale))
            dated.append(Button(back, data=f"{FORM}u:{each.id}"))
        buttons.append(_button(context, "rec-pause", f"p:{each.id}"))
    buttons.append(_button(context, "rec-delete", f"d:{each.id}"))
    # A button with a date is too long for half a row on a phone.
    return Message(text, (*rows(dated, 1), *rows(buttons, 2), (_button(context, "dlg-back", "l"),)))


async def _sure(context: UpdateContext, each: RecurringGame) -> Message:
    template = (await _by_id(context)).get(each.template_id)
    text = "\n\n".join([card(each, template, context.deps.play.texts, context.locale), context.text("rec-delete-sure")])
    yes = Button(context.label("rec-delete"), data=f"{FORM}dd:{each.id}", style="danger")
    return Message(text, ((yes, _button(context, "dlg-back", f"g:{each.id}")),))


async def _today(context: UpdateContext) -> date:
    zone = await context.deps.play.recurring.zone(context.chat_topic.chat_id)
    return local_date(context.received, ZoneInfo(zone))


def _button(context: UpdateContext, text_id: str, data: str) -> Button:
    return Button(context.label(text_id), data=f"{FORM}{data}")


COMMANDS: dict[str, Command] = {"recurring": for_hosts(recurring)}
