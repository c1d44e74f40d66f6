"""``/leaderboard``: the best players of a week, a month, a season or ever, and the rows around a person.

The list that a command shows in a group is everybody's. A tap on it opens a list of the person's own, which only they
turn. Names of a group are shown in that group, and in private to its members; the list of all groups has the players
who agreed to it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from fsm.kind import ChatTopic
from handlers.commands import weeks
from handlers.commands.lists import LISTED, MOST_PAGES, PAGE, SEPARATOR, prizes_of
from handlers.context import UpdateContext
from handlers.views import lobby
from handlers.views.message import Button, Message
from play.access import Needs
from play.numbers import HIGHEST_ID, whole
from play.seasons import season_length, season_name
from play.texts import Markup, name_html, shorten
from storage.archive import Row
from storage.periods import MONTH, WEEK, period_at

BEST = "top:"
"""Prefix of callback data: ``top:<chat|0>:<period>:<page>``, ``top:<chat|0>:<period>:me``; of old lists without the
period."""
SEASON, EVER = "s", "a"
PERIODS: Final[Mapping[str, str]] = {"w": "week", "m": "month", SEASON: "season", EVER: "ever"}
"""Letter in callback data -> end of the ids of its texts."""
ME = "me"
OWN_GROUPS = 5
"""Number of a person's groups that are offered in private."""
GROUP_TITLE = 30


async def leaderboard(context: UpdateContext) -> None:
    """Handle ``/leaderboard``: show the chat's best players; in private, those of all chats who have agreed to it."""
    await context.show(await _list(context, 0 if context.private else context.chat_topic.chat_id, EVER, "0"))


async def tap_best(context: UpdateContext, data: str) -> None:
    """Handle a tap that turns a page, or chooses another period or list; the person sees the result alone."""
    chat, period, page = _read(data.removeprefix(BEST))
    chat_id = context.chat_topic.chat_id
    if context.private and chat:
        await context.authorise(Needs.LOOK, ChatTopic(chat))
        chat_id = chat
    elif context.private or not chat:  # buttons can be forged: a group shows no other group's list
        chat_id = 0
    await context.whisper(await _list(context, chat_id, period, page))
    await context.toast()


async def tap_listed(context: UpdateContext, data: str) -> None:
    """Handle a tap that lists the person in the global leaderboard or removes them from it; show the leaderboard."""
    await context.deps.stores.people.set_listed(context.person.id, listed=data == f"{LISTED}1")
    await context.whisper(await _list(context, 0, EVER, "0"))
    await context.toast()


def _read(data: str) -> tuple[int, str, str]:
    """Return chat, letter of the period, and page of a button."""
    parts = data.split(":")
    chat, period, page = parts[:3] if len(parts) > 2 else (parts[0], EVER, parts[-1])
    digits = whole(chat.removeprefix("-"), HIGHEST_ID) or 0
    return -digits if chat.startswith("-") else digits, period if period in PERIODS else EVER, page


async def _list(context: UpdateContext, chat_id: int, period: str, page: str) -> Message:
    """Render a leaderboard: a page of it, or the rows around the person."""
    figures, length = context.deps.stores.figures, await season_length(context.deps.stores.people, chat_id)
    now = datetime.fromtimestamp(context.received / 1000, UTC)
    name = "" if period == EVER else period_at({"w": WEEK, "m": MONTH}.get(period, length), now)
    number = 0 if page == ME else min(whole(page, MOST_PAGES) or 0, MOST_PAGES)
    if page == ME:
        rows = await figures.around(chat_id, name, context.person.id)
    else:
        rows = await figures.leaderboard(chat_id, name, PAGE + 1, number * PAGE)
    title = context.text(f"cmd-best-title-{PERIODS[period]}", list=context.text(_title(context, chat_id)))
    lines = [title, *(_line(context, row) for row in rows[:PAGE])]
    if not rows:
        lines.append(context.text("cmd-best-without-you" if page == ME else f"cmd-best-none-{PERIODS[period]}"))
    if chat_id and period == SEASON:
        lines += await _champion(context, chat_id)
    if not chat_id:
        lines.append(context.text("cmd-best-listed"))
    keyboard = await _keyboard(context, chat_id, period, number, more=page != ME and len(rows) > PAGE)
    return Message("\n".join(lines), tuple(tuple(row) for row in keyboard))


def _title(context: UpdateContext, chat_id: int) -> str:
    if not chat_id:
        return "cmd-best-all"
    return "cmd-best-own-group" if context.private else "cmd-best-chat"


async def _champion(context: UpdateContext, chat_id: int) -> list[Markup]:
    """Return the line about the champion of the last season that is over; no line if there is none."""
    champions = [each for each in await context.deps.stores.figures.podiums(chat_id, 1) if each.place == 1]
    if not champions:
        return []
    names = Markup(", ".join(name_html(each.name) for each in champions))
    season = season_name(context.locale, champions[0].season)
    return [context.text("cmd-best-champion", season=season, names=names)]


async def _keyboard(context: UpdateContext, chat_id: int, period: str, page: int, *, more: bool) -> list[list[Button]]:
    prefix = f"{BEST}{chat_id}:{period}:"
    periods = [
        Button(_chosen(context.label(f"cmd-best-{name}"), letter == period), data=f"{BEST}{chat_id}:{letter}:0")
        for letter, name in PERIODS.items()
    ]
    turning = [Button(context.label("cmd-page-back"), data=f"{prefix}{page - 1}")] if page > 0 else []
    if more and page < MOST_PAGES:
        turning.append(Button(context.label("cmd-page-on"), data=f"{prefix}{page + 1}"))
    around = [Button(context.label("cmd-best-around-me"), data=f"{prefix}{ME}")]
    if chat_id:
        around.append(weeks.of_chat(context, chat_id))
    # Four to a row are too narrow for their labels on a phone.
    rows = (periods[:2], periods[2:], turning, around, *await _others(context, chat_id, period))
    return [row for row in rows if row]


def _chosen(label: str, chosen: bool) -> str:  # noqa: FBT001 -- one call
    return f"· {label} ·" if chosen else label


async def _others(context: UpdateContext, chat_id: int, period: str) -> list[list[Button]]:
    """Return the buttons that lead to other lists; in private also the one that lists the person for all groups."""
    if not context.private:
        if chat_id:
            return [[Button(context.label("cmd-best-show-all"), data=f"{BEST}0:{period}:0")]]
        here = f"{BEST}{context.chat_topic.chat_id}:{period}:0"
        return [[Button(context.label("cmd-best-show-chat"), data=here)]]
    stores = context.deps.stores
    rows = []
    if chat_id:
        rows.append([Button(context.label("cmd-best-show-all"), data=f"{BEST}0:{period}:0")])
    for own in await stores.figures.chats_of_player(context.person.id, OWN_GROUPS):
        chat = await stores.people.chat(own)
        if own != chat_id and chat is not None and chat.title:
            rows.append([Button(shorten(chat.title, GROUP_TITLE), data=f"{BEST}{own}:{period}:0")])
    listed = await stores.people.is_listed(context.person.id)
    label = context.label("cmd-best-hide-me" if listed else "cmd-best-show-me")
    return [*rows, [Button(label, data=f"{LISTED}{0 if listed else 1}")]]


def _line(context: UpdateContext, row: Row) -> str:
    """Return a player's line. Prizes and points of zero are left out."""
    name, mark = name_html(row.name), Markup(lobby.mark(row.place, won=row.wins > 0))
    parts = [context.text("cmd-best-line", mark=mark, name=name, wins=row.wins, games=row.games)]
    parts += prizes_of(context, row)
    if row.points:
        parts.append(context.text("cmd-points", points=row.points))
    line = SEPARATOR.join(parts)
    return Markup(f"<b>{line}</b>") if row.player_id == context.person.id and context.query is not None else line
