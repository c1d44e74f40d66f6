"""Parts that the messages of all kinds of games share: the lobby, prizes, places, times, the end."""

from collections.abc import Iterable
from math import isqrt
from typing import Any
from urllib.parse import urlencode

from fsm.kind import Command, Game, Instant, Kind, Player, PlayerId
from fsm.lobby import (
    CANCELLED,
    PLAYERS_JOINING,
    Cancel,
    Extend,
    Join,
    Leave,
    LobbyRules,
    Standing,
    StartNow,
    barred,
    conditions,
)
from fsm.prizes import PrizeRules, awards
from handlers.views.message import Button, Message, rows
from play import prizes
from play.texts import Markup, Texts, date_time, name_html, units
from telegram.outbox import ENDS, ENDS_UTC

MEDALS = ("🥇", "🥈", "🥉")
PARAGRAPH = "\n\n"
FOLDED = "<blockquote expandable>"
SHORT_PRIZES = 50
"""Longest prizes in words, in UTF-16 units, that are shown on one line; longer ones have a line each."""
FEW_PAGES = 5
"""Up to this number of pages there are no buttons that jump over pages."""
SHARED_NAME = 40
"""Longest name in a shared text, in characters: Telegram limits the length of a button's address."""


# -- titles, names and prizes -----------------------------------------------------------------------------------


def title_html(game: Game, texts: Texts, locale: str, kind: Kind[Any]) -> Markup:
    """Render the kind's sign and the game's title, or the kind's name if the title is empty."""
    title = game.title or texts.plain(locale, f"{kind.slug}-name")
    return texts.html(locale, "board-title", title=title, sign=Markup(texts.plain(locale, f"{kind.slug}-sign")))


def results_html(game: Game, texts: Texts, locale: str, kind: Kind[Any]) -> Markup:
    """Render the heading of a result."""
    return texts.html(locale, "board-results", title=game.title or texts.plain(locale, f"{kind.slug}-name"))


def moment(at: Instant, form: str = "r") -> Markup:
    """Render a point in time, which apps show in the reader's time zone; old apps show UTC.

    Rounds up to whole seconds, so that no countdown ends before its deadline.
    """
    unix = -(-at // 1000)  # rounded up
    minutes = unix // 60 % 1440
    return Markup(date_time(unix, f"{minutes // 60:02}:{minutes % 60:02} UTC", form))


def ending(game: Game) -> Markup:
    """Render the end of the phase; a placeholder for the sender if the time begins when the chat sees the message."""
    if game.to_run is None:
        return moment(game.deadline or 0)
    return Markup(date_time(ENDS, f"{ENDS_UTC} UTC"))


def names(players: Iterable[Player], total: int, texts: Texts, locale: str, *, budget: int = 600) -> Markup:
    """Render players' names, as many as fit ``budget`` UTF-16 units."""
    return texts.listing(locale, (name_html(player.name) for player in players), total, budget=budget)


def mark(place: int, *, won: bool = True) -> str:
    """Return a medal for the first three places, the number for others, and for players who have won nothing."""
    return MEDALS[place - 1] if won and place <= len(MEDALS) else f"{place}."


def medal(place: int) -> str:
    """Return a medal for any place; beyond the third all have the same."""
    return MEDALS[place - 1] if place <= len(MEDALS) else "🏅"


def mention(standing: Standing) -> Markup:
    """Render a name as a link to the person."""
    return _mention(standing.player_id, standing.name)


def mention_of(player: Player) -> Markup:
    """Render a player's name as a link to the person. In a new message it notifies them."""
    return _mention(player.id, player.name)


def _mention(player_id: PlayerId, name: str) -> Markup:
    return Markup(f'<a href="tg://user?id={player_id}">{name_html(name)}</a>')


def prizes_html(rules: PrizeRules, texts: Texts, locale: str) -> Markup | None:
    """Render the prizes, by place if there are several; None if there are none."""
    if rules.prizes:
        return _words_html(rules, texts, locale)
    if not rules.prize_pool:
        return None
    pool = prizes.money(texts, locale, rules.prize_pool, rules.currency)
    if rules.winners == 1:
        return texts.html(locale, "board-prize", pool=pool)
    amounts = [award.amount for award in awards(rules, range(1, rules.winners + 1))]
    shares = " · ".join(
        f"{mark(place)} {texts.number(locale, amount)}" for place, amount in enumerate(amounts, start=1) if amount
    )
    return texts.html(locale, "board-prizes", pool=pool, shares=Markup(shares))


def _words_html(rules: PrizeRules, texts: Texts, locale: str) -> Markup:
    first = rules.prizes[0]
    if rules.winners == 1:
        return texts.html(locale, "board-prize", pool=first)
    if set(rules.prizes) == {first} and len(rules.prizes) == rules.winners:
        return texts.html(locale, "board-prize-each", pool=first, winners=rules.winners)
    listed = [
        texts.html(locale, "board-prize-place", mark=Markup(mark(place)), prize=prize)
        for place, prize in enumerate(rules.prizes, start=1)
    ]
    short = sum(map(units, rules.prizes)) <= SHORT_PRIZES
    joined = " · ".join(listed) if short else "\n".join(["", *listed])
    return texts.html(locale, "board-prizes-words", prizes=Markup(joined))


def has_prize(standing: Standing) -> bool:
    """Return whether a participant has won a prize."""
    return bool(standing.prize or standing.award)


def prize_text(standing: Standing, texts: Texts, locale: str) -> str:
    """Return the prize of one participant as a text: words, or an amount with its currency; empty if there is none."""
    return standing.award or (prizes.money(texts, locale, standing.prize, standing.currency) if standing.prize else "")


def paragraphs(*parts: str | None) -> str:
    """Join the parts that are not empty with blank lines."""
    return PARAGRAPH.join(part for part in parts if part)


# -- the lobby --------------------------------------------------------------------------------------------------


def lobby(
    game: Game, rules: LobbyRules, kind: Kind[Any], texts: Texts, locale: str, *, title: Markup, about: str
) -> Message:
    """Render the message of the lobby. ``about`` describes the game; players and missing players follow."""
    count = len(game.players)
    who = texts.html(locale, "lobby-players", players=count, seats=rules.capacity)
    if count:
        who = Markup(f"{who}\n{names(game.players.values(), count, texts, locale, budget=400)}")
    host = texts.html(locale, "lobby-host", host=name_html(game.host.name))
    without = len(barred(rules))
    others = texts.html(locale, "lobby-without-winners", count=without) if without else None
    text = paragraphs(
        title, about, conditions_html(rules, texts, locale), others, who, _what_next(game, rules, texts, locale), host
    )
    return Message(text, lobby_buttons(game, rules, kind, texts, locale))


def conditions_html(rules: object, texts: Texts, locale: str) -> Markup | None:
    """Render the conditions to join in one line; None if there are none."""
    wanted = conditions(rules)
    if not wanted:
        return None
    named = texts.html(locale, "condition-channel", channel=Markup(wanted.channel)) if wanted.link else None
    parts = [
        named or (texts.html(locale, "condition-private-channel") if wanted.channel else None),
        texts.html(locale, "condition-known", days=wanted.known_days) if wanted.known_days else None,
        texts.html(locale, "condition-boost") if wanted.booster else None,
        texts.html(locale, "condition-premium") if wanted.premium else None,
    ]
    return texts.html(locale, "lobby-conditions", conditions=Markup(" · ".join(part for part in parts if part)))


def _what_next(game: Game, rules: LobbyRules, texts: Texts, locale: str) -> Markup | None:
    if game.deadline is None:
        return None
    if game.phase == PLAYERS_JOINING:
        return texts.html(locale, "lobby-joining", deadline=moment(game.deadline))
    missing = max(1, rules.min_players - len(game.players))
    return texts.html(locale, "lobby-waiting", missing=missing, deadline=moment(game.deadline))


def lobby_buttons(
    game: Game, rules: LobbyRules, kind: Kind[Any], texts: Texts, locale: str
) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of the lobby: join and leave, the hosts' actions, and the rules."""

    def offer(command: type[Command], text_id: str, verb: str, style: str | None = None) -> Button | None:
        if not kind.machine.permits(game.phase, command):
            return None
        return Button(texts.plain(locale, text_id), f"{verb}:{game.id}", style=style)

    enough = len(game.players) >= rules.min_players
    start = offer(StartNow, "button-start", "s", "primary") if enough else None
    link = conditions(rules).link
    channel = Button(f"@{link.removeprefix('t.me/')}", url=f"https://{link}") if link else None
    explain = Button(texts.plain(locale, "button-rules"), f"h:{kind.name}")
    return (
        *rows([offer(Join, "button-join", "j", "success"), offer(Leave, "button-leave", "l")], 2),
        *rows([channel], 1),
        *rows([start, offer(Extend, "button-extend", "e")], 2),
        *rows([explain, offer(Cancel, "button-cancel", "x")], 2),
    )


def host_buttons(game: Game, kind: Kind[Any], texts: Texts, locale: str) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of the hosts' actions that the game's phase permits."""
    offers = ((Extend, "button-extend", "e"), (Cancel, "button-cancel", "x"))
    return rows(
        [
            Button(texts.plain(locale, text_id), f"{verb}:{game.id}")
            for command, text_id, verb in offers
            if kind.machine.permits(game.phase, command)
        ],
        2,
    )


def folded(html: str) -> str:
    """Wrap lines in a quotation that apps show folded after its first lines."""
    return f"{FOLDED}{html}</blockquote>"


def turning(game: Game, page: int, count: int, verb: str, here: str) -> tuple[tuple[Button, ...], ...]:
    """Return the row of buttons that turn pages; no row if there is one page.

    The buttons keep their places on all pages, as the first page follows the last. Beyond ``FEW_PAGES`` the outer
    buttons jump over several pages. ``here`` is the label in the middle; a row of five has room for the page number
    only.
    """
    if count == 1:
        return ()
    page = min(max(page, 0), count - 1)

    def to(label: str, step: int) -> Button:
        return Button(label, f"{verb}:{game.id}:{(page + step) % count}")

    middle = Button(here if count <= FEW_PAGES else f"{page + 1}/{count}", f"{verb}:{game.id}")
    if count <= FEW_PAGES:
        return ((to("‹", -1), middle, to("›", 1)),)
    jump = isqrt(count - 1) + 1  # about the square root: few jumps and few steps reach any page
    return ((to("«", -jump), to("‹", -1), middle, to("›", 1), to("»", jump)),)


def last_call(game: Game, kind: Kind[Any], texts: Texts, locale: str) -> Message:
    """Render the message of a lively chat that says when the game starts, with the button to join it."""
    title = game.title or texts.plain(locale, f"{kind.slug}-name")
    at = moment(game.deadline or 0, "T")
    text = texts.html(locale, "last-call", title=title, players=len(game.players), time=at)
    return Message(text, ((Button(texts.plain(locale, "button-join"), f"j:{game.id}", style="success"),),))


# -- the end ----------------------------------------------------------------------------------------------------


def over(game: Game, kind: Kind[Any], texts: Texts, locale: str) -> Message:
    """Render the board of a game whose result, or the reason of whose cancellation, is in a message below."""
    text_id = "board-called-off" if game.phase == CANCELLED else "board-over"
    return Message(paragraphs(title_html(game, texts, locale, kind), texts.html(locale, text_id)))


def cancelled(game: Game, kind: Kind[Any], texts: Texts, locale: str, title: Markup) -> Message:
    """Render the message of a game that ended without a result, with the reason."""
    own = f"{kind.slug}-cancelled-{game.cancel_reason}"
    reason = texts.html(locale, own) if texts.has(locale, own) else _reason(game, texts, locale)
    return Message(paragraphs(title, reason), (rematch_button(game, texts, locale),))


def _reason(game: Game, texts: Texts, locale: str) -> Markup:
    return texts.html(locale, "board-cancelled", reason=game.cancel_reason or "host")


def rematch_button(game: Game, texts: Texts, locale: str) -> tuple[Button, ...]:
    """Return the button that opens a rematch."""
    return (Button(texts.plain(locale, "button-rematch"), f"r:{game.id}", style="primary"),)


def share_button(game: Game, kind: Kind[Any], texts: Texts, locale: str, bot_username: str) -> Button | None:
    """Return the button that shares a result, with a link that adds the bot to another group; None without a link."""
    if not bot_username:
        return None
    title = game.title or texts.plain(locale, f"{kind.slug}-name")
    winner = next((standing.name for standing in getattr(game, "standings", ()) if standing.place == 1), None)
    if winner is None:
        words = texts.plain(locale, "share-text-nobody", title=title)
    else:
        words = texts.plain(locale, "share-text", title=title, winner=winner[:SHARED_NAME])
    query = urlencode({"url": f"https://t.me/{bot_username}?startgroup=new", "text": words})
    return Button(texts.plain(locale, "button-share"), url=f"https://t.me/share/url?{query}")


def own_cancelled(game: Game, kind: Kind[Any], texts: Texts, locale: str, title: Markup) -> Message:
    """Render a player's own board of a game that ended without a result."""
    return Message(cancelled(game, kind, texts, locale, title).text)


def deep_link(bot_username: str, game_id: str) -> str:
    """Return the link that opens a player's own board in the private chat."""
    return f"https://t.me/{bot_username}?start=g_{game_id}"
