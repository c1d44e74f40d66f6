"""Rendering of Pick Your Number: the board in every phase, the result, a player's own board, the summary of a proof.

The board is made for a phone in a busy group. It has a button for each number if there are few numbers. Otherwise, and
if the rules hide the owners, it has counts and the missing players, and a player picks on their own board.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import ceil

from fsm import draw
from fsm.kind import PlayerId
from fsm.lobby import CANCELLED, COMPLETED, PLAYERS_JOINING, WAITING_FOR_PLAYERS, Standing
from fsm.pick_number import (
    DRAWING,
    KIND,
    NORMAL,
    NUMBER_SELECTION,
    REVERSE,
    SECRETLY,
    PickNumberGame,
    is_void,
)
from handlers.views import lobby
from handlers.views.message import Apart, Button, Message, Row, rows
from play.texts import Markup, Texts, name_html

COLUMNS = 5
PER_PAGE = 25
ON_BOARD = 30
"""Largest range of numbers that the group's board shows: six rows of buttons, which a phone shows without scrolling."""
SINGLE_PAGE = 35
"""Largest range of numbers that a player's own board shows on one page."""
NAMES, FEWER_NAMES = 300, 120
"""Room for lists of names on the board, in UTF-16 units: about eight lines of a phone, and about three."""
REST = 1500
"""Room for the players without a place below a result, where they are folded."""
SHOWN_NUMBERS = 25
"""Number of drawn numbers that are shown; the latest ones."""
SHOWN_OUT = 6
"""Number of eliminated players that are shown; the latest ones."""
TAKEN, OWN = "✕", "✓"

LOBBY = frozenset({WAITING_FOR_PLAYERS, PLAYERS_JOINING})


# -- the board --------------------------------------------------------------------------------------------------


def board(state: PickNumberGame, texts: Texts, locale: str, *, bot_username: str = "") -> Message:
    """Render the board of the group."""
    game = KIND.view(state, None)
    title = lobby.title_html(game, texts, locale, KIND)
    match game.phase:
        case phase if phase in LOBBY:
            about = _about(game, texts, locale)
            return lobby.lobby(game, game.rules, KIND, texts, locale, title=title, about=about)
        case phase if phase == NUMBER_SELECTION:
            return _selection(game, texts, locale, title, bot_username=bot_username)
        case phase if phase == DRAWING:
            text = lobby.paragraphs(title, *_draw_so_far(game, texts, locale), _seal(game, texts, locale))
            return Message(text)  # without buttons: hosts can neither extend nor stop a draw
        case phase if phase == COMPLETED:
            return _result(game, texts, locale, bot_username)
        case _ if is_void(game):
            return _void(game, texts, locale, title)
        case _:
            return lobby.cancelled(game, KIND, texts, locale, title)


def _about(game: PickNumberGame, texts: Texts, locale: str) -> str:
    """Render the mode, the prizes, and the use of the beacon."""
    rules = game.rules
    mode = "pick-number-about-reverse" if rules.mode == REVERSE else "pick-number-about"
    lines = [
        texts.html(locale, mode, winners=rules.winners),
        lobby.prizes_html(rules, texts, locale),
        texts.html(locale, "pick-number-beacon-used", policy=rules.beacon_policy) if rules.beacon is not None else None,
    ]
    return "\n".join(line for line in lines if line)


def _selection(game: PickNumberGame, texts: Texts, locale: str, title: Markup, *, bot_username: str) -> Message:
    secret = game.rules.picks == SECRETLY
    text = lobby.paragraphs(
        title,
        texts.html(locale, "pick-number-pick-secretly" if secret else "pick-number-pick", highest=game.highest),
        _who_has_picked(game, texts, locale),
        _closes(game, texts, locale),
        _seal(game, texts, locale),
    )
    own = [Button(texts.plain(locale, "button-pick"), f"o:{game.id}:pick", style="primary")]
    if shows_numbers(game):
        own = [Button(texts.plain(locale, "button-pick-privately"), f"o:{game.id}")]
    if bot_username:
        own.append(Button(texts.plain(locale, "button-pick-in-chat"), url=lobby.deep_link(bot_username, game.id)))
    numbers = _numbers(game, 0, None) if shows_numbers(game) else ()
    return Message(text, (*numbers, *rows(own, 2), *lobby.host_buttons(game, KIND, texts, locale)))


def shows_numbers(game: PickNumberGame) -> bool:
    """Return whether the group's board has a button for each number."""
    return game.highest <= ON_BOARD and game.rules.picks != SECRETLY


def step(state: PickNumberGame) -> tuple[str, bool, int]:
    """Return the part of the state whose changes are shown at once: the phase, and the progress of the draw."""
    return state.phase, state.drawn is not None, state.shown


def _closes(game: PickNumberGame, texts: Texts, locale: str) -> Markup | None:
    if game.deadline is None:
        return None
    return texts.html(locale, "pick-number-closes", at=lobby.ending(game))


def _who_has_picked(game: PickNumberGame, texts: Texts, locale: str) -> str:
    picked, players = len(game.picks), len(game.players)
    if shows_numbers(game) and picked:
        entries = (_entry(game, player, number) for player, number in game.picks.items())
        listed = texts.listing(locale, entries, picked, budget=NAMES)
        lines: list[str] = [f"{texts.html(locale, 'pick-number-picked', picked=picked, players=players)} {listed}"]
    else:
        lines = [texts.html(locale, "pick-number-picked-count", picked=picked, players=players)]
    missing = players - picked
    if missing:
        waiting = (player for player in game.players.values() if player.id not in game.picks)
        who = lobby.names(waiting, missing, texts, locale, budget=FEWER_NAMES)
        lines.append(texts.html(locale, "pick-number-missing", names=who))
    return "\n".join(lines)


def _entry(game: PickNumberGame, player: PlayerId, number: int) -> str:
    return f"{_name(game, player)} ({number})"


def _name(game: PickNumberGame, player: PlayerId) -> Markup:
    known = game.players.get(player)
    return name_html(known.name if known is not None else "")


def _seal(game: PickNumberGame, texts: Texts, locale: str) -> Markup | None:
    """Render the commitment of a game of the first format; None for others, which announce it in a message to keep."""
    if game.commitment is None or game.statement:
        return None
    return texts.html(locale, "pick-number-seal", commitment=Markup(game.commitment))


def apart(state: PickNumberGame, texts: Texts, locale: str) -> Apart | None:
    """Show the draw in a message of its own."""
    if state.phase != DRAWING:
        return None
    over = texts.html(
        locale,
        "pick-number-over",
        title=state.title or texts.plain(locale, f"{KIND.slug}-name"),
        entries=len(state.owners),
    )
    return Apart(above=Message(lobby.paragraphs(over, _seal(state, texts, locale))))


# -- numbers as buttons -----------------------------------------------------------------------------------------


def pages(state: PickNumberGame) -> int:
    """Return the number of pages of the numbers; 1 outside the selection."""
    if state.phase != NUMBER_SELECTION or state.highest <= SINGLE_PAGE:
        return 1
    return ceil(state.highest / PER_PAGE)


def page_of(state: PickNumberGame, number: int) -> int:
    """Return the page of a number, counted from 0."""
    return (number - 1) // PER_PAGE if pages(state) > 1 else 0


def _span(game: PickNumberGame, page: int) -> tuple[int, int]:
    """Return the first and the last number of a page. A page beyond the end counts as the last."""
    count = pages(game)
    if count == 1:
        return 1, game.highest
    first = min(max(page, 0), count - 1) * PER_PAGE + 1
    return first, min(first + PER_PAGE - 1, game.highest)


def _numbers(game: PickNumberGame, page: int, own: int | None) -> tuple[Row, ...]:
    first, last = _span(game, page)
    owners, game_id = game.owners, game.id
    return rows([_number_button(game_id, n, n in owners, n == own) for n in range(first, last + 1)], COLUMNS)


@lru_cache(maxsize=16_384)
def _number_button(game_id: str, number: int, taken: bool, own: bool) -> Button:  # noqa: FBT001 -- keys of the cache
    data = f"p:{game_id}:{number}"
    if own:
        return Button(f"{OWN} {number}", data, style="success")
    return Button(f"{TAKEN} {number}", disabled=True) if taken else Button(str(number), data)


def _turning(game: PickNumberGame, page: int, verb: str) -> tuple[Row, ...]:
    """Return the row of buttons that turn pages, with the range of the numbers in its middle."""
    first, last = _span(game, page)
    return lobby.turning(game, page, pages(game), verb, f"{first}-{last} / {game.highest}")


# -- the draw ---------------------------------------------------------------------------------------------------


def _draw_so_far(game: PickNumberGame, texts: Texts, locale: str) -> tuple[str | None, ...]:
    """Render paragraphs: the numbers drawn so far, and their effect."""
    if game.drawn is None:
        return _awaiting_beacon(game, texts, locale)
    rules = game.rules
    if not game.drawn:
        return (texts.html(locale, "pick-number-drum-roll", entries=len(game.owners)),)
    numbers = texts.html(locale, "pick-number-drawn", numbers=_sequence(game, game.drawn))
    hits = [number for number in game.drawn if number in game.owners]
    meaning = _knocked_out if rules.mode == REVERSE else _found
    return (numbers, *meaning(game, hits, texts, locale))


def _awaiting_beacon(game: PickNumberGame, texts: Texts, locale: str) -> tuple[str | None, ...]:
    """Render the paragraphs that name the awaited round and its time; if it is late, the consequence too."""
    beacon, round_ = game.rules.beacon, game.beacon_round
    if beacon is None or round_ is None:
        return ()
    due = beacon.due(round_)
    awaiting = texts.html(locale, "pick-number-awaiting-beacon", round=Markup(round_), at=lobby.moment(due))
    late = game.format != 1 and game.deadline is not None and game.deadline > due + beacon.wait_ms
    return awaiting, texts.html(locale, "pick-number-beacon-late", policy=game.rules.beacon_policy) if late else None


def _sequence(game: PickNumberGame, drawn: Sequence[int]) -> Markup:
    """Render the numbers in the order of the draw, with players' numbers in bold."""
    last = drawn[-SHOWN_NUMBERS:]
    written = ", ".join(f"<b>{number}</b>" if number in game.owners else str(number) for number in last)
    return Markup(f"… {written}" if len(drawn) > len(last) else written)


def _found(game: PickNumberGame, hits: Sequence[int], texts: Texts, locale: str) -> tuple[str | None, ...]:
    """Render the winners so far and the number of places left, in normal mode."""
    lines = [
        texts.html(
            locale,
            "pick-number-place",
            mark=Markup(lobby.mark(place)),
            name=_name(game, game.owners[number]),
            number=number,
        )
        for place, number in enumerate(hits, start=1)
    ]
    left = min(game.rules.winners, len(game.owners)) - len(hits)
    more = texts.html(locale, "pick-number-places-left", left=left) if left > 0 else None
    return "\n".join(lines), more


def _knocked_out(game: PickNumberGame, hits: Sequence[int], texts: Texts, locale: str) -> tuple[str | None, ...]:
    """Render the eliminated players, latest first, and the remaining ones, in reverse mode."""
    out = [_entry(game, game.owners[number], number) for number in reversed(hits[-SHOWN_OUT:])]
    gone = texts.html(
        locale, "pick-number-out", out=len(hits), names=texts.listing(locale, out, len(hits), budget=FEWER_NAMES)
    )
    fallen = set(hits)
    standing = [(number, player) for number, player in game.owners.items() if number not in fallen]
    names = texts.listing(locale, (_entry(game, player, n) for n, player in standing), len(standing), budget=NAMES)
    return gone, texts.html(locale, "pick-number-standing", standing=len(standing), names=names)


# -- the result -------------------------------------------------------------------------------------------------


def _result(game: PickNumberGame, texts: Texts, locale: str, bot_username: str = "") -> Message:
    """Render the result: the winners with their prizes, then everything else folded."""
    text = lobby.paragraphs(
        lobby.results_html(game, texts, locale, KIND),
        "\n".join(_won(standing, texts, locale, lobby.mention(standing)) for standing in _winners(game)),
        lobby.folded(_aftermath(game, texts, locale)),
    )
    return Message(text, _after(game, texts, locale, bot_username))


def _winners(game: PickNumberGame) -> list[Standing]:
    return [standing for standing in game.standings if standing.place is not None]


def _won(standing: Standing, texts: Texts, locale: str, name: Markup) -> Markup:
    """Render one winner with number and prize."""
    return texts.html(
        locale,
        "pick-number-winner-prize" if lobby.has_prize(standing) else "pick-number-winner",
        mark=Markup(lobby.mark(standing.place or 0)),
        name=name,
        number=standing.number or 0,
        prize=lobby.prize_text(standing, texts, locale),
    )


def _void(game: PickNumberGame, texts: Texts, locale: str, title: Markup) -> Message:
    """Render the message of a void draw: the reason, and the revealed seed."""
    reason = texts.html(locale, "board-cancelled", reason=game.cancel_reason or "")
    opened = texts.html(
        locale, "pick-number-opened", commitment=Markup(game.commitment or ""), seed=Markup(game.seed or "")
    )
    return Message(lobby.paragraphs(title, reason, opened), _after(game, texts, locale))


def _after(game: PickNumberGame, texts: Texts, locale: str, bot_username: str = "") -> tuple[Row, ...]:
    """Return the buttons for a rematch, for the proof, and for sharing."""
    fair = Button(texts.plain(locale, "button-fair"), f"f:{game.id}")
    share = lobby.share_button(game, KIND, texts, locale, bot_username)
    return rows([*lobby.rematch_button(game, texts, locale), share, fair], 2)


def _aftermath(game: PickNumberGame, texts: Texts, locale: str) -> str:
    """Render the lines below the winners: the tally, the numbers, and all players without a place."""
    drawn = game.drawn or ()
    lines = [texts.html(locale, "pick-number-tally", players=len(game.players), drawn=len(drawn), highest=game.highest)]
    if drawn:
        lines.append(texts.html(locale, "pick-number-drawn", numbers=_sequence(game, drawn)))
    rest = [standing for standing in game.standings if standing.place is None and standing.number is not None]
    if rest:
        entries = (f"{name_html(standing.name)} ({standing.number})" for standing in rest)
        names = texts.listing(locale, entries, len(rest), budget=REST)
        lines.append(texts.html(locale, "pick-number-rest", names=names))
    without = [game.players[player] for player in game.absent if player not in game.assigned and player in game.players]
    if without:
        names = lobby.names(without, len(without), texts, locale, budget=NAMES)
        lines.append(texts.html(locale, "pick-number-without", names=names))
    if game.assigned:
        given = (_entry(game, player, number) for player, number in game.assigned.items())
        names = texts.listing(locale, given, len(game.assigned), budget=NAMES)
        lines.append(texts.html(locale, "pick-number-assigned", names=names))
    return "\n".join(lines)


# -- one player's own board -------------------------------------------------------------------------------------


def own_board(
    state: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str, page: int | None = None
) -> Message:
    """Render a player's own board: their number and the buttons to pick one.

    ``page`` is the page of the numbers, from 0; None for the page with the player's number, or else with the first
    free number.
    """
    game = KIND.view(state, player_id)
    title = lobby.title_html(game, texts, locale, KIND)
    if game.phase == CANCELLED:
        return lobby.own_cancelled(game, KIND, texts, locale, title)
    status = _STATUS.get(game.phase, _own_draw)(game, player_id, texts, locale)
    if game.phase != NUMBER_SELECTION or player_id not in game.players:
        return Message(lobby.paragraphs(title, status))
    own = game.picks.get(player_id)
    if page is None:
        page = page_of(game, own if own is not None else _first_free(game))
    deadline = _open_until(game, texts, locale)
    keyboard = (*_numbers(game, page, own), *_turning(game, page, "b"))
    return Message(lobby.paragraphs(title, status, deadline), keyboard)


def _first_free(game: PickNumberGame) -> int:
    """Return the lowest free number; 1 if all are taken."""
    return next((number for number in range(1, game.highest + 1) if number not in game.owners), 1)


def _open_until(game: PickNumberGame, texts: Texts, locale: str) -> Markup | None:
    """Render the end of the selection as a time of day, which stays true on an own board that is not edited again."""
    if game.ends_at is None:
        return None
    return texts.html(locale, "pick-number-open-until", time=lobby.moment(game.ends_at, "T"))


def _own_lobby(game: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup:
    return texts.html(locale, "own-joined" if player_id in game.players else "own-not-joined")


def _own_selection(game: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup:
    if player_id not in game.players:
        return texts.html(locale, "own-not-in-game")
    number = game.picks.get(player_id)
    if number is None:
        return texts.html(locale, "pick-number-own-pick", highest=game.highest)
    return texts.html(locale, "pick-number-own-number", number=number)


def _own_draw(game: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup:
    if player_id not in game.players:
        return texts.html(locale, "own-not-in-game")
    number = game.picks.get(player_id)
    if number is None:
        return texts.html(locale, "pick-number-own-without")
    if game.rules.mode == NORMAL or number not in (game.drawn or ()):
        return texts.html(locale, "pick-number-own-drawing", number=number)
    return texts.html(locale, "pick-number-own-out", number=number)


def _own_result(game: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup:
    """Render a player's result, and below it the winners."""
    podium = "\n".join(_won(each, texts, locale, name_html(each.name)) for each in _winners(game))
    return Markup(lobby.paragraphs(_own_part(game, player_id, texts, locale), podium))


def _own_part(game: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup:
    own = next((standing for standing in game.standings if standing.player_id == player_id), None)
    if own is None:
        return texts.html(locale, "own-not-in-game")
    if own.number is None:
        return texts.html(locale, "pick-number-own-without")
    if own.place is None:
        return texts.html(locale, "pick-number-own-lost", number=own.number)
    text_id = "pick-number-own-won-prize" if lobby.has_prize(own) else "pick-number-own-won"
    place = Markup(lobby.mark(own.place))
    return texts.html(locale, text_id, place=place, number=own.number, prize=lobby.prize_text(own, texts, locale))


_STATUS: dict[str, Callable[[PickNumberGame, PlayerId, Texts, str], Markup]] = {
    WAITING_FOR_PLAYERS: _own_lobby,
    PLAYERS_JOINING: _own_lobby,
    NUMBER_SELECTION: _own_selection,
    COMPLETED: _own_result,
}


# -- the proof ---------------------------------------------------------------------------------------------------


def proof_summary(state: PickNumberGame, texts: Texts, locale: str) -> Message:
    """Render the summary of the proof, as far as the draw has come. It fits a caption."""
    game = KIND.view(state, None)
    title = lobby.title_html(game, texts, locale, KIND)
    if game.commitment is None:
        return Message(lobby.paragraphs(title, texts.html(locale, "pick-number-proof-early")))
    if game.phase != COMPLETED and not is_void(game):
        sealed = texts.html(locale, "pick-number-proof-sealed", commitment=Markup(game.commitment))
        return Message(lobby.paragraphs(title, sealed))
    proof = texts.html(
        locale,
        "pick-number-proof",
        commitment=Markup(game.commitment),
        seed=Markup(game.seed or ""),
        digest=Markup(draw.digest(game.id, game.highest, game.owners)),
        entries=len(game.owners),
        highest=game.highest,
        drawn=len(game.drawn or ()),
    )
    beacon = None
    if game.beacon is not None:
        beacon = texts.html(locale, "pick-number-proof-beacon", round=Markup(game.beacon.round))
    elif game.beacon_round is not None and game.format == 1:
        beacon = texts.html(locale, "pick-number-proof-no-beacon", round=Markup(game.beacon_round))
    void = texts.html(locale, "pick-number-proof-void") if is_void(game) else None
    return Message(lobby.paragraphs(title, void, proof, beacon))


def own_line(state: PickNumberGame, player_id: PlayerId, texts: Texts, locale: str) -> Markup | None:
    """Render the line with a player's number for ``/status``; None if they have none."""
    number = state.picks.get(player_id)
    return None if number is None else texts.html(locale, "pick-number-own-line", number=number)


def late(state: PickNumberGame) -> tuple[PlayerId, ...]:
    """Return the players who have no number yet while they can still pick one."""
    if state.phase != NUMBER_SELECTION or state.to_run is not None:
        return ()
    return tuple(player for player in state.players if player not in state.picks)
