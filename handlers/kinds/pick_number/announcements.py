"""The two announcements of a draw, which are never edited: the start with the commitment, and the final entries.

They stay in the players' chat, so that players can check a proof against them. The figures to keep are folded, because
most players need only the line above them.
"""

from dataclasses import dataclass

from fsm import draw
from fsm.pick_number import KIND, REVERSE, PickNumberGame
from handlers.views import lobby
from handlers.views.message import Button, Message
from play.texts import Markup, Texts, name_html, units

FOLDED = 3000
"""Longest list of entries, in UTF-16 units, that is shown folded in the message. A longer list is sent as a file."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message, and the text of the file that it accompanies; None if the message has room for everything."""

    message: Message
    file: str | None = None


def opening(game: PickNumberGame, texts: Texts, locale: str) -> Announcement:
    """Render the start of picking, with the commitment and the rules that are fixed with it."""
    rules, reserved, beacon = game.rules, game.reserved, game.rules.beacon
    lines = [
        texts.html(
            locale,
            "pick-number-bound-reverse" if rules.mode == REVERSE else "pick-number-bound",
            winners=rules.winners,
            highest=game.highest,
        ),
        lobby.prizes_html(rules, texts, locale),
        texts.html(locale, "pick-number-bound-absent", policy=rules.absent),
        texts.html(locale, "pick-number-bound-beacon", chain=Markup(beacon.chain[:8]), policy=rules.beacon_policy)
        if beacon is not None
        else texts.html(locale, "pick-number-bound-alone"),
        texts.html(locale, "pick-number-bound-fresh")
        if reserved is None
        else texts.html(
            locale,
            "pick-number-bound-seed",
            number=reserved.number,
            size=reserved.size,
            root=Markup(reserved.root[:16]),
        ),
    ]
    head = texts.html(
        locale,
        "pick-number-sealed",
        commitment=Markup(game.commitment or ""),
        game=Markup(game.id),
    )
    begun = texts.html(locale, "pick-number-begun", title=_title(game, texts, locale), highest=game.highest)
    kept = lobby.folded("\n".join([head, *(line for line in lines if line)]))
    button = Button(texts.plain(locale, "button-pick"), f"o:{game.id}", style="primary")
    return Announcement(Message(f"{begun}\n{kept}", ((button,),)))


def closing(game: PickNumberGame, texts: Texts, locale: str) -> Announcement:
    """Render the announcement of the entries, their digest, and the beacon's round with its time."""
    beacon, round_ = game.rules.beacon, game.beacon_round
    over = texts.html(locale, "pick-number-over", title=_title(game, texts, locale), entries=len(game.owners))
    head = texts.html(
        locale,
        "pick-number-final",
        entries=len(game.owners),
        digest=Markup(draw.digest(game.id, game.highest, game.owners)),
        game=Markup(game.id),
    )
    if beacon is not None and round_ is not None:
        due = lobby.moment(beacon.due(round_), "dT")
        head = Markup(f"{head}\n{texts.html(locale, 'pick-number-final-beacon', round=Markup(round_), at=due)}")
    listed = "\n".join(
        f"{number} · {name_html(game.players[game.owners[number]].name)}" for number in sorted(game.owners)
    )
    if units(listed) <= FOLDED:
        kept = lobby.folded(f"{head}\n{listed}")
        return Announcement(Message(f"{over}\n{kept}"))
    file = draw.canonical_entries(game.id, game.highest, game.owners).decode()
    return Announcement(Message(f"{over}\n{head}\n{texts.html(locale, 'pick-number-final-file')}"), file)


def _title(game: PickNumberGame, texts: Texts, locale: str) -> str:
    return game.title or texts.plain(locale, f"{KIND.slug}-name")
