"""Figures and lists from the archive: live games, one's results, the best, what has ended."""

from collections.abc import Sequence

from handlers.context import UpdateContext, answered
from handlers.views import lobby
from handlers.views.message import Button
from handlers.written import moment
from play.texts import Markup, name_html
from storage.archive import Row

PAGE = 10
"""Lines of a list: with the longest titles and names it is still one message."""
SEPARATOR = " · "
BEST, ENDED = "top:", "hist:"
"""Callback data: ``top:<chat|0>:<page>``, ``hist:<c|p>:<page>``."""
MOST_PAGES = 1000


async def games(incoming: UpdateContext) -> None:
    """The live games of the chat; in private, those that the person plays in."""
    deps = incoming.deps
    if incoming.private:
        mine = await deps.archive.live_game_of_player(incoming.person.id)
        found = [game for game_id in mine[:PAGE] if (game := await deps.archive.game(game_id)) is not None]
    else:
        found = list(await deps.archive.live_games(incoming.place.chat_id, PAGE, 0))
    if not found:
        await incoming.reply("cmd-games-none-private" if incoming.private else "cmd-games-none")
        return
    lines = [
        incoming.text(
            "cmd-games-line",
            title=incoming.title(game.title, game.kind),
            game=Markup(game.id),
            phase=game.status,
            count=game.players,
        )
        for game in found
    ]
    link = f"https://t.me/{deps.bot_username}?start=g_"
    keyboard = [
        [Button(incoming.label("cmd-games-open", title=incoming.title(game.title, game.kind)), url=link + game.id)]
        for game in found
    ]
    await incoming.answer("\n".join([incoming.text("cmd-games-title"), *lines]), keyboard)


async def stats(incoming: UpdateContext) -> None:
    """The figures of the person, or of whom they answer."""
    reply = answered(incoming.message)
    author = reply.from_user if reply else None
    if author is not None and not author.is_bot:
        player_id, name = author.id, author.full_name
    else:
        player_id, name = incoming.person.id, incoming.person.name
    found = await incoming.deps.archive.player_stats(player_id)
    if not found:
        await incoming.reply("cmd-stats-none", name=name)
        return
    lines = []
    for each in found:
        parts = [incoming.text("cmd-stats-line", kind=each.kind, games=each.games, wins=each.wins)]
        if each.prizes:
            parts.append(incoming.text("cmd-prizes", prizes=each.prizes))
        if each.points:  # in kinds that have them
            parts.append(incoming.text("cmd-stats-points", points=each.points, streak=each.best_streak))
        lines.append(SEPARATOR.join(parts))
    await incoming.answer("\n".join([incoming.text("cmd-stats-title", name=name), *lines]))


# -- the best ---------------------------------------------------------------------------------------------------


async def leaderboard(incoming: UpdateContext) -> None:
    """The best of the chat; in private, of all chats."""
    html, keyboard = await _best(incoming, 0 if incoming.private else incoming.place.chat_id, 0)
    await incoming.answer(html, keyboard)


async def _best(incoming: UpdateContext, chat_id: int, page: int) -> tuple[str, list[list[Button]]]:
    rows = await incoming.deps.archive.leaderboard(chat_id, None, PAGE + 1, page * PAGE)
    title = incoming.text("cmd-best-chat" if chat_id else "cmd-best-all")
    lines = [_best_line(incoming, row) for row in rows[:PAGE]] or [incoming.text("cmd-best-none")]
    keyboard = _pages(incoming, f"{BEST}{chat_id}:", page, more=len(rows) > PAGE)
    if not incoming.private:
        other = (
            Button(incoming.label("cmd-best-show-all"), data=f"{BEST}0:0")
            if chat_id
            else Button(incoming.label("cmd-best-show-chat"), data=f"{BEST}{incoming.place.chat_id}:0")
        )
        keyboard.append([other])
    return "\n".join([title, *lines]), keyboard


def _best_line(incoming: UpdateContext, row: Row) -> str:
    """A player's line: what there is none of is not said."""
    name, mark = name_html(row.name), Markup(lobby.mark(row.place))
    parts = [incoming.text("cmd-best-line", mark=mark, name=name, wins=row.wins, games=row.games)]
    if row.prizes:
        parts.append(incoming.text("cmd-prizes", prizes=row.prizes))
    if row.points:
        parts.append(incoming.text("cmd-points", points=row.points))
    return SEPARATOR.join(parts)


# -- what has ended ---------------------------------------------------------------------------------------------


async def history(incoming: UpdateContext) -> None:
    """The games that ended in the chat; in private, the person's own."""
    html, keyboard = await _ended(incoming, 0)
    await incoming.answer(html, keyboard)


async def _ended(incoming: UpdateContext, page: int) -> tuple[str, list[list[Button]]]:
    chat, player = (None, incoming.person.id) if incoming.private else (incoming.place.chat_id, None)
    found = await incoming.deps.archive.history(chat, player, PAGE + 1, page * PAGE)
    lines = [
        incoming.text(
            "cmd-history-line",
            title=incoming.title(game.title, game.kind),
            game=Markup(game.id),
            status=game.status,
            players=game.players,
            winners=_names(game.winners),
            when=moment(game.ended_at, "D"),
        )
        for game in found[:PAGE]
    ] or [incoming.text("cmd-history-none")]
    title = incoming.text("cmd-history-own" if incoming.private else "cmd-history-chat")
    return "\n".join([title, *lines]), _pages(incoming, ENDED, page, more=len(found) > PAGE)


def _names(winners: Sequence[tuple[int, str, object]]) -> Markup:
    """The first winners, each for itself: a name written from right to left must not turn the others around."""
    return Markup(", ".join(name_html(name) for _, name, _ in winners[:3]))


# -- taps -------------------------------------------------------------------------------------------------------


def _pages(incoming: UpdateContext, prefix: str, page: int, *, more: bool) -> list[list[Button]]:
    row = []
    if page > 0:
        row.append(Button(incoming.label("cmd-page-back"), data=f"{prefix}{page - 1}"))
    if more and page < MOST_PAGES:
        row.append(Button(incoming.label("cmd-page-on"), data=f"{prefix}{page + 1}"))
    return [row] if row else []


async def tap_best(incoming: UpdateContext, data: str) -> None:
    """Another page of the best, or of other chats."""
    chat, _, page = data.removeprefix(BEST).partition(":")
    # A chat's list is shown in that chat alone, whatever a forged button says.
    chat_id = incoming.place.chat_id if chat != "0" and not incoming.private else 0
    await incoming.edit(*await _best(incoming, chat_id, _page(page)))
    await incoming.toast()


async def tap_ended(incoming: UpdateContext, data: str) -> None:
    """Another page of what has ended."""
    await incoming.edit(*await _ended(incoming, _page(data.removeprefix(ENDED))))
    await incoming.toast()


def _page(text: str) -> int:
    return min(int(text), MOST_PAGES) if text.isdecimal() and len(text) < 6 else 0
