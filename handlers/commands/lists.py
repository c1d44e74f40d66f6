"""Lists and figures from the archive: live games, a person's results, ended games."""

from collections.abc import Sequence

from fsm.achievements import BY_NAME
from fsm.engine import Unavailable
from fsm.kind import Rejected
from fsm.lobby import COMPLETED
from handlers.commands import results, weeks
from handlers.context import UpdateContext, answered
from handlers.views.message import Button
from handlers.views.times import moment
from play.access import Needs
from play.numbers import whole
from play.prizes import money
from play.texts import Markup, name_html, shorten
from storage.archive import PlayerStats, Row, Winner

PAGE = 10
"""Lines of a list. With the longest titles and names they still fit one message."""
SEPARATOR = " · "
ENDED, LISTED = "hist:", "listed:"
"""Prefixes of callback data: ``hist:<page>``, ``listed:<0|1>``."""
MOST_PAGES = 1000
PRIZE_UNITS = 40
"""Longest prize in the list of ended games, in UTF-16 units."""


async def games(context: UpdateContext) -> None:
    """Handle ``/games``: list the live games of the chat; in private, those that the person plays in."""
    deps = context.deps
    if context.private:
        mine = await deps.stores.archive.live_game_of_player(context.person.id)
        found = [game for game_id in mine[:PAGE] if (game := await deps.stores.archive.game(game_id)) is not None]
    else:
        found = list(await deps.stores.archive.live_games(context.chat_topic.chat_id, PAGE, 0))
    if not found:
        await context.reply("cmd-games-none-private" if context.private else "cmd-games-none")
        return
    lines = [
        context.text(
            "cmd-games-line",
            title=context.title(game.title, game.kind),
            game=Markup(game.id),
            phase=context.phase(game.kind, game.status),
            count=game.players,
        )
        for game in found
    ]
    link = f"https://t.me/{deps.bot_username}?start=g_"
    keyboard = [
        [Button(context.label("cmd-games-open", title=context.title(game.title, game.kind)), url=link + game.id)]
        for game in found
    ]
    await context.answer("\n".join([context.text("cmd-games-title"), *lines]), keyboard)


async def stats(context: UpdateContext) -> None:
    """Handle ``/stats``: show the person's figures, or those of the author of the message that they reply to.

    The figures of another person are those of this group only; those of other groups are private.
    """
    reply = answered(context.message)
    author = reply.from_user if reply else None
    if author is not None and not author.is_bot:
        player_id, name = author.id, author.full_name
    else:
        player_id, name = context.person.id, context.person.name
    chat_id = context.deps.play.access.chat_of_figures(context.actor, player_id, context.chat_topic.chat_id)
    found = await context.deps.stores.archive.player_stats(player_id, chat_id)
    if not found:
        await context.reply("cmd-stats-none", name=name)
        return
    lines = []
    for each in found:
        parts = [context.text("cmd-stats-line", kind=context.title("", each.kind), games=each.games, wins=each.wins)]
        parts += prizes_of(context, each)
        if each.points:  # only some kinds have points
            parts.append(context.text("cmd-stats-points", points=each.points, streak=each.best_streak))
        lines.append(SEPARATOR.join(parts))
    earned = await context.deps.stores.achievements.of_player(player_id, chat_id)
    if earned:
        names = [f"{BY_NAME[each.name].mark} {context.text(f'achievement-{each.name}')}" for each in earned]
        lines += ["", Markup(SEPARATOR.join(names))]
    html = "\n".join([context.text("cmd-stats-title", name=name), *lines])
    await context.answer(html, [[weeks.of_player(context, player_id)]])


def prizes_of(context: UpdateContext, row: Row | PlayerStats) -> list[Markup]:
    """Return the totals of a player's prizes, one for each currency; none if there are none."""
    texts, locale = context.deps.play.texts, context.locale
    totals = {"": row.prizes, **row.totals}
    shown = [money(texts, locale, total, currency) for currency, total in totals.items() if total]
    return [context.text("cmd-prizes", prizes=Markup(" + ".join(shown)))] if shown else []


# -- ended games ------------------------------------------------------------------------------------------------


async def history(context: UpdateContext) -> None:
    """Handle ``/history``: list the games that ended in the chat; in private, those of the person."""
    html, keyboard = await _ended(context, 0)
    await context.answer(html, keyboard)


async def _ended(context: UpdateContext, page: int) -> tuple[str, list[list[Button]]]:
    chat, player = (None, context.person.id) if context.private else (context.chat_topic.chat_id, None)
    found = await context.deps.stores.archive.history(chat, player, PAGE + 1, page * PAGE)
    lines = [
        context.text(
            "cmd-history-line",
            title=context.title(game.title, game.kind),
            game=Markup(game.id),
            # A quiz without a right answer is completed without a winner.
            status="nobody" if game.status == COMPLETED and not game.winners else game.status,
            players=game.players,
            winners=_names(context, game.winners),
            when=moment(game.ended_at, "D"),
        )
        for game in found[:PAGE]
    ] or [context.text("cmd-history-none")]
    title = context.text("cmd-history-own" if context.private else "cmd-history-chat")
    void = 0 if context.private else await context.deps.stores.archive.void_games(context.chat_topic.chat_id)
    if void:
        lines.append(context.text("cmd-history-void", void=void))
    keyboard = _pages(context, ENDED, page, more=len(found) > PAGE)
    if found and not context.private and await _is_host(context):
        keyboard.append([Button(context.label("results-get"), url=results.link(context))])
    return "\n".join([title, *lines]), keyboard


async def _is_host(context: UpdateContext) -> bool:
    """Return whether to show a button for hosts. The button's target authorises the person again."""
    try:
        await context.authorise(Needs.HOST)
    except (Rejected, Unavailable):
        return False
    return True


def _names(context: UpdateContext, winners: Sequence[Winner]) -> Markup:
    """Return the names of the first three winners with their prizes.

    Each name is isolated, as a right-to-left name would reorder the others.
    """
    return Markup(", ".join(_name(context, winner) for winner in winners[:3]))


def _name(context: UpdateContext, winner: Winner) -> Markup:
    texts, locale = context.deps.play.texts, context.locale
    amount = money(texts, locale, winner.prize, winner.currency) if winner.prize else ""
    prize = shorten(winner.award, PRIZE_UNITS) or amount
    name = name_html(winner.name)
    return context.text("cmd-history-winner", name=name, prize=prize) if prize else name


# -- taps -------------------------------------------------------------------------------------------------------


def _pages(context: UpdateContext, prefix: str, page: int, *, more: bool) -> list[list[Button]]:
    row = []
    if page > 0:
        row.append(Button(context.label("cmd-page-back"), data=f"{prefix}{page - 1}"))
    if more and page < MOST_PAGES:
        row.append(Button(context.label("cmd-page-on"), data=f"{prefix}{page + 1}"))
    return [row] if row else []


async def tap_ended(context: UpdateContext, data: str) -> None:
    """Handle a tap that turns the page of the ended games."""
    await context.edit(*await _ended(context, _page(data.removeprefix(ENDED))))
    await context.toast()


def _page(text: str) -> int:
    return whole(text, MOST_PAGES) or 0
