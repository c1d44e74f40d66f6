"""Public pages: the games, results and leaderboard of a chat that allows anybody to look at them.

No token is needed. The address of a chat can't be guessed, so only those who were told it find anything. People are
shown by the names that the game has shown in the chat. Their ids in Telegram are left out; only a proof has them, as
the chat has published it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from api.dispatch import found_game
from api.endpoint import About, Call, Endpoint, Handler, Reply
from api.figures import Period, WinnerView, ended_view, period_of
from api.problems import NotFound
from api.values import FoundGame, moment, moment_of
from api.views import rules_view
from fsm.kind import Game, PlayerId, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from fsm.registry import kind_of
from play.access import Needs
from play.proofs import NothingToProve
from play.public_chats import INDEXED, is_on
from storage.archive import FinishedGame
from storage.people import Chat

PUBLIC: Final = "public"
LIVE_SECONDS: Final = 1
"""Time for which a view of something that changes may be kept in a cache."""
SETTLED_SECONDS: Final = 10
"""The same for an ended game. An erasure may change it, and a chat may withdraw it, so it is never kept for long."""
MOST: Final = 20
"""Number of games, and of rows of the leaderboard."""
RULES: Final = ("mode", "winners", "min_players", "prize_pool", "currency", "questions", "question_seconds")
"""The rules that a public page shows. The others may name a private channel or another chat's pack."""
ENDED: Final = frozenset({COMPLETED, CANCELLED})


class PublicSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A game that is on, in a list.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        phase: the phase.
        title: the title; empty if the host gave none.
        players: the number of players.
        opened_at: the time of opening.
    """

    id: str
    kind: str
    phase: str
    title: str
    players: int
    opened_at: datetime


class PublicResult(msgspec.Struct, frozen=True, kw_only=True):
    """A game that has ended, in a list.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        title: the title; empty if the host gave none.
        status: `completed`, `cancelled` or `void`.
        players: the number of players.
        ended_at: the time of the end.
        winners: the winners, best first, at most ten.
    """

    id: str
    kind: str
    title: str
    status: str
    players: int
    ended_at: datetime
    winners: list[WinnerView]


class PublicChat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that shows its games to everybody.

    Attributes:
        title: the title.
        language: the language of the bot's messages in it.
        indexed: true if search engines may list its pages.
        live: the games that are on, latest first.
        ended: the games that ended last, latest first.
    """

    title: str
    language: str
    indexed: bool
    live: list[PublicSummary]
    ended: list[PublicResult]


class PublicGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game as a spectator without a name sees it. Players are numbered in joining order, from 1.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        phase: the phase.
        title: the title; empty if the host gave none.
        chat: the title of the chat.
        language: the language of the bot's messages in the chat.
        rules: the main rules, by name.
        players: the names of the players, in joining order.
        version: the number of the game's events.
        opened_at: the time of opening.
        ends_at: the time at which the phase ends; null if it does not end by itself.
        ended_at: the time of the end; null while the game is live.
        proven: true if the game has the proof of a draw.
        state: the part that belongs to the kind.
    """

    id: str
    kind: str
    phase: str
    title: str
    chat: str
    language: str
    rules: dict[str, str]
    players: list[str]
    version: int
    opened_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    proven: bool
    state: dict[str, Any]


class PublicRank(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a public leaderboard.

    Attributes:
        place: the place, from 1.
        name: the name.
        games: the number of games.
        wins: the number of games won.
        points: the sum of points.
    """

    place: int
    name: str
    games: int
    wins: int
    points: int


class PeriodQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time that a leaderboard covers.

    Attributes:
        period: only games that ended in the current week, month or season, in UTC; `all` for all time.
    """

    period: Period = "all"


async def get_public_chat(call: Call) -> Reply:
    """Return the games of a chat that allows anybody to look at them."""
    chat = await _chat(call)
    archive = call.services.stores.archive
    live = await archive.listed(MOST, chat_id=chat.id, live=True)
    ended = await archive.ended(MOST, chat_id=chat.id)
    view = PublicChat(
        title=chat.title,
        language=call.services.play.texts.pick(chat.locale),
        indexed=is_on(chat.settings, INDEXED),
        live=[
            PublicSummary(
                id=game.id,
                kind=game.kind,
                phase=game.status,
                title=game.title,
                players=game.players,
                opened_at=moment_of(game.opened_at),
            )
            for game in live
        ],
        ended=[_result(game) for _, game in ended],
    )
    return _cached(view, LIVE_SECONDS, chat)


async def get_public_leaderboard(call: Call) -> Reply:
    """List the best players of a chat that allows anybody to look, at most twenty."""
    chat = await _chat(call)
    period = await period_of(call, chat.id, call.query.period)
    rows = await call.services.stores.figures.leaderboard(chat.id, period, MOST, 0, kind=None)
    shown = [
        PublicRank(place=row.place, name=row.name, games=row.games, wins=row.wins, points=row.points) for row in rows
    ]
    return _cached(shown, SETTLED_SECONDS, chat)


async def get_public_game(call: Call) -> Reply:
    """Return a game of a chat that allows anybody to look at it, without the secrets of the game."""
    chat = await _chat(call)
    game = await _game(call, chat)
    view = _view(call, chat, game)
    return _cached(view, SETTLED_SECONDS if game.state.phase in ENDED else LIVE_SECONDS, chat)


async def get_public_proof(call: Call) -> Reply:
    """Return the proof of a finished draw of a chat that allows anybody to look at it, as `/fair` publishes it."""
    chat = await _chat(call)
    game = await _game(call, chat)
    return _cached(await call.services.play.proofs.document(game.state), SETTLED_SECONDS, chat)


async def _chat(call: Call) -> Chat:
    """Return the chat in the address. Raises ``NotFound``, the same for every address that shows nothing."""
    chat = await call.services.play.public.find(call.path["page"])
    if chat is None:
        raise NotFound
    return chat


async def _game(call: Call, chat: Chat) -> FoundGame:
    """Return the game in the address. Raises ``NotFound``, also for a game of another chat."""
    try:
        game = await found_game(call.services, call.path["game"])
    except UnknownGame:
        raise NotFound from None
    if not await call.services.play.public.has(chat, game.state.place.chat_id):
        raise NotFound
    return game


def _cached(body: Any, seconds: int, chat: Chat) -> Reply:
    headers = {"cache-control": f"public, max-age={seconds}"}
    if not is_on(chat.settings, INDEXED):
        headers["x-robots-tag"] = "noindex"
    return Reply(body=body, headers=headers)


def _result(game: FinishedGame) -> PublicResult:
    shown = ended_view(game)
    return PublicResult(
        id=shown.id,
        kind=shown.kind,
        title=shown.title,
        status=shown.status,
        players=shown.players,
        ended_at=shown.ended_at,
        winners=shown.winners,
    )


def _view(call: Call, chat: Chat, game: FoundGame) -> PublicGame:
    kind = kind_of(game.state)
    state = kind.view(game.state, None)
    seats = {player_id: seat for seat, player_id in enumerate(state.players, 1)}
    rules = rules_view(state.rules)
    return PublicGame(
        id=state.id,
        kind=kind.name,
        phase=state.phase,
        title=state.title,
        chat=chat.title,
        language=call.services.play.texts.pick(chat.locale),
        rules={name: rules[name] for name in RULES if name in rules},
        players=[player.name for player in state.players.values()],
        version=game.version,
        opened_at=moment_of(state.opened_at),
        ends_at=moment(state.ends_at),
        ended_at=moment(state.ended_at),
        proven=_is_proven(call, game.state),
        state=VIEWS.get(kind.name, _standings)(state, seats),
    )


def _is_proven(call: Call, state: Game) -> bool:
    return state.phase in ENDED and call.services.play.proofs.covers(state)


Seats = Mapping[PlayerId, int]
"""Player -> number by which a public page names them."""


def _standings(state: Any, seats: Seats) -> dict[str, Any]:
    names = ("name", "place", "prize", "number", "points", "currency", "award")
    return {
        "standings": [
            {"player": seats.get(each.player_id, 0), **{name: getattr(each, name) for name in names}}
            for each in state.standings
        ]
    }


def _numbers(state: Any, seats: Seats) -> dict[str, Any]:
    return {
        "highest": state.highest,
        "commitment": state.commitment,
        "owners": {str(number): seats.get(owner, 0) for number, owner in state.owners.items()},
        "drawn": state.drawn,
        **_standings(state, seats),
    }


def _quiz(state: Any, seats: Seats) -> dict[str, Any]:
    question = state.question
    shown = ("type", "text", "answers", "right", "rights", "number", "explanation")
    return {
        "index": state.index,
        "question": None if question is None else {name: getattr(question, name) for name in shown},
        "answered": len(state.replies),
        "remaining": state.remaining,
        "tally": state.tally,
        "scores": {str(seats.get(player, 0)): score.points for player, score in state.scores.items()},
        **_standings(state, seats),
    }


VIEWS: Final[Mapping[str, Callable[[Any, Seats], dict[str, Any]]]] = MappingProxyType(
    {"pick_number": _numbers, "quiz": _quiz}
)
"""Kind -> the function that makes the public part of its state. Of other kinds only the results are shown."""


def _public(path: str, handle: Handler, result: Any, **more: Any) -> Endpoint:
    row = {"method": "GET", "tag": PUBLIC, "needs": Needs.NOTHING, "about": About.NOTHING, "public": True, **more}
    return Endpoint(path=f"/public/{{page}}{path}", handle=handle, result=result, **row)


ENDPOINTS: Final = (
    _public("", get_public_chat, PublicChat),
    _public("/leaderboard", get_public_leaderboard, list[PublicRank], query=PeriodQuery),
    _public("/games/{game}", get_public_game, PublicGame),
    _public("/games/{game}/proof", get_public_proof, dict[str, Any], refuses=(NothingToProve,)),
)
