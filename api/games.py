"""Games: lists, opening, and the steps of hosts and players."""

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, ChatId, Count, Cursor, Endpoint, Handler, Page, PersonId, Reply, Title
from api.problems import InvalidRequest
from api.values import FoundGame
from api.views import GameSummary, GameView, PlayerView, game_view, player_view, summary
from fsm.kind import ChatTopic, Command, NotNow, Rejected, TooLate
from fsm.lobby import (
    MAX_EXTENSION,
    AlreadyJoined,
    BadExtension,
    BadRule,
    BadTitle,
    Cancel,
    Extend,
    GameFull,
    Join,
    Leave,
    NotEnoughPlayers,
    NotInGame,
    PlaceTaken,
    Remove,
    StartNow,
    WonBefore,
)
from fsm.pick_number import AlreadyYours, DrawSealed, NumberOutOfRange, NumberTaken, PickNumber
from fsm.question import MOST_OPTIONS
from fsm.quiz import AlreadyAnswered, Answer, FromNextQuestion, LastQuestion, NoSuchAnswer, Paused, QuestionClosed
from fsm.registry import KINDS
from play.access import UNMET, Actor, Banned, BoostsUnreadable, ChannelUnreadable, Needs, NeedsAToken, NotAMember
from play.acting import JoinedElsewhere
from play.content import NoQuestions
from play.opening import StillPlayed
from play.rules import UnreadableSetting, names_of, with_settings
from play.texts import tidy

KIND_NAMES: Final = tuple(KINDS)
GAMES: Final = "games"


class GamesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Filters of the list of games.

    Attributes:
        chat: only games of this chat; without it, of all chats.
        phase: only games in this phase.
        kind: only games of this kind.
        live: true for live games only, false for ended ones only.
        limit: the number of games on a page.
        cursor: the position to continue from.
    """

    chat: ChatId | None = None
    phase: Annotated[str, Meta(max_length=40)] | None = None
    kind: Annotated[str, Meta(max_length=40)] | None = None
    live: bool | None = None
    limit: Count = 20
    cursor: Cursor | None = None


class OpenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A game to open.

    Attributes:
        chat_id: the chat.
        kind: the kind of game.
        topic_id: the topic of a forum; 0 outside forums.
        title: the title; empty for the name of the kind.
        rules: rules other than those of the chat, by the names that /settings and config.toml have.
    """

    chat_id: ChatId
    kind: Annotated[str, Meta(extra_json_schema={"enum": list(KIND_NAMES)})]
    topic_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    title: Title = ""
    rules: dict[str, str] = {}


class RematchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rematch to open.

    Attributes:
        without_winners: true if the winners so far, of the game and of those before it, may not join.
    """

    without_winners: bool = False


class ExtendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An extension of the phase.

    Attributes:
        seconds: the seconds by which the phase ends later.
    """

    seconds: Annotated[int, Meta(ge=1, le=MAX_EXTENSION // 1000)]


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who joins.

    Attributes:
        player_id: the person's id in Telegram.
        name: the name that the game shows.
    """

    player_id: PersonId
    name: Annotated[str, Meta(min_length=1, max_length=128)]


class PlayerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The player who moves.

    Attributes:
        player_id: the player's id in Telegram.
    """

    player_id: PersonId


class PickBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number for a player of Pick Your Number.

    Attributes:
        player_id: the player's id in Telegram.
        number: the number; an earlier pick of the player is given up.
    """

    player_id: PersonId
    number: Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A player's final answer to the open question of a quiz.

    Attributes:
        player_id: the player's id in Telegram.
        question: the question's index, from 0; another one than the open question is refused.
        choice: the answer's index, from 0, in the order of the game's state; a list of indices for a question with
            several right answers, or with items to put in order; a number, or an exact decimal as text, for a number.
    """

    player_id: PersonId
    question: Annotated[int, Meta(ge=0, le=1000)]
    choice: (
        Annotated[int, Meta(ge=-(10**12), le=10**12)]
        | Annotated[tuple[Annotated[int, Meta(ge=0, le=1000)], ...], Meta(max_length=MOST_OPTIONS)]
        | Annotated[Decimal, Meta(extra_json_schema={"pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$"})]
    )


async def list_games(call: Call) -> Page:
    """List games, latest first."""
    query = call.query
    after = await position(call)
    found = await call.services.stores.archive.listed(
        query.limit + 1,
        chat_id=query.chat,
        status=query.phase,
        kind=query.kind,
        live=query.live,
        after=None if after is None else (after[0], after[1]),
    )
    page = found[: query.limit]
    more = (page[-1].opened_at, page[-1].id) if len(found) > query.limit else None
    return Page([summary(game) for game in page], more)


async def get_game(call: Call) -> GameView:
    """Return a game, live or ended."""
    return game_view(call.found, call.viewer)


async def open_game(call: Call) -> Reply:
    """Open a game in a chat.

    The rules are those of the chat's settings, with the given ones on top.
    """
    body: OpenBody = call.body
    openings = call.services.play.openings
    if body.kind not in KINDS:
        raise InvalidRequest("Unknown kind of game - at `$.kind`")
    rules = with_rules(await openings.rules(body.chat_id, body.kind), body.rules)
    outcome = await openings.open_game(
        call.actor,
        ChatTopic(body.chat_id, body.topic_id),
        body.kind,
        body.title,
        rules,
        command_id=call.command_id,
        received=call.received,
    )
    game = FoundGame.of(outcome)
    return Reply(body=game_view(game, call.viewer), headers={"location": f"/api/v1/games/{game.state.id}"})


async def rematch_game(call: Call) -> Reply:
    """Open a game with the title and rules of an ended one, optionally without the winners so far."""
    body: RematchBody = call.body
    outcome = await call.services.play.openings.rematch(
        call.actor,
        call.found.state,
        without_winners=body.without_winners,
        command_id=call.command_id,
        received=call.received,
    )
    game = FoundGame.of(outcome)
    return Reply(body=game_view(game, call.viewer), headers={"location": f"/api/v1/games/{game.state.id}"})


async def join_game(call: Call) -> GameView:
    """Add a person to the players.

    The person must be a member of the group, not banned, and meet the conditions of the game. Telegram Premium is seen
    in Telegram alone, so no token can join a game for its owners. A session joins for its own person, with the name
    that Telegram has signed. Later moves of this player may be made by the API
    too.
    """
    body: JoinBody = call.body
    acting = call.services.play.acting
    person = Actor(body.player_id, body.name)
    if call.session is not None and body.player_id == call.actor.id:
        person = call.actor  # with the name that Telegram has signed
    await acting.authorise_join(call.actor, call.found.state, person)
    game = await execute(call, Join(person.id, tidy(person.name)))
    await acting.note_join(call.actor, game.state, body.player_id)
    return game_view(game, call.viewer)


async def leave_game(call: Call) -> GameView:
    """Take a player out, by their own wish. Only for players for whom the API has joined."""
    return game_view(await _move(call, Leave(call.path["player"]), call.path["player"]), call.viewer)


async def remove_player(call: Call) -> GameView:
    """Take a player out, by a host's decision."""
    return game_view(await execute(call, Remove(call.path["player"], call.actor.host.id)), call.viewer)


async def pick_number(call: Call) -> GameView:
    """Pick a number for a player. Only for players for whom the API has joined."""
    body: PickBody = call.body
    return game_view(await _move(call, PickNumber(body.player_id, body.number), body.player_id), call.viewer)


async def answer_question(call: Call) -> GameView:
    """Answer the open question for a player. Only for players for whom the API has joined."""
    body: AnswerBody = call.body
    return game_view(await _move(call, Answer(body.player_id, body.question, body.choice), body.player_id), call.viewer)


async def start_game(call: Call) -> GameView:
    """End the joining phase now."""
    return game_view(await execute(call, StartNow(call.actor.host.id)), call.viewer)


async def extend_game(call: Call) -> GameView:
    """Move the end of the phase further away."""
    return game_view(await execute(call, Extend(call.actor.host.id, call.body.seconds * 1000)), call.viewer)


async def cancel_game(call: Call) -> GameView:
    """End a game without a result. A draw that is sealed cannot be cancelled."""
    return game_view(await execute(call, Cancel(call.actor.host.id, "host")), call.viewer)


async def force_end_game(call: Call) -> GameView:
    """End a game without a result, as an operator. A sealed draw is published as void, with its seed and proof."""
    return game_view(await execute(call, Cancel(call.actor.host.id, "operator")), call.viewer)


async def list_players(call: Call) -> list[PlayerView]:
    """List the players of a game, in joining order."""
    return [player_view(player) for player in call.found.state.players.values()]


async def _move(call: Call, command: Command, player_id: int) -> FoundGame:
    await call.services.play.acting.authorise_move(call.actor, call.found.state, player_id)
    return await execute(call, command)


async def execute(call: Call, command: Command) -> FoundGame:
    """Execute a command on the game in the path, once for the request's key."""
    outcome = await call.services.play.engine.execute(
        call.found.state.id, command, command_id=call.command_id, received=call.received
    )
    return FoundGame.of(outcome)


def with_rules(rules: Any, given: dict[str, str]) -> Any:
    """Return rules with some changed. Raises ``InvalidRequest`` and ``BadRule``."""
    for name in given:
        if name not in names_of(rules):
            raise InvalidRequest(f"Unknown rule - at `$.rules.{name[:40]}`")
    try:
        return with_settings(rules, given)
    except UnreadableSetting as problem:
        raise InvalidRequest(f"Unreadable value - at `$.rules.{problem.args[0]}`") from None


STEP: Final[tuple[type[Rejected], ...]] = (NotNow, TooLate)
"""Refusals of every command to a game."""
ACTS: Final[tuple[type[Rejected], ...]] = (*STEP, NotInGame, JoinedElsewhere, Banned, NotAMember, NeedsAToken)
"""Refusals of every move in a player's name."""


def _step(path: str, handle: Handler, needs: Needs, **more: Any) -> Endpoint:
    """Return the endpoint of a step of a game."""
    row = {"method": "POST", "tag": GAMES, "about": About.GAME, "result": GameView, **more}
    return Endpoint(path=f"/games/{{game}}{path}", handle=handle, needs=needs, **row)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/games",
        handle=list_games,
        tag=GAMES,
        needs=Needs.LOOK,
        about=About.QUERY,
        query=GamesQuery,
        result=GameSummary,
        paged=True,
        people=True,
    ),
    Endpoint(
        method="POST",
        path="/games",
        handle=open_game,
        tag=GAMES,
        needs=Needs.OPEN,
        about=About.BODY,
        people=True,
        body=OpenBody,
        result=GameView,
        status=201,
        headers=("Location",),
        refuses=(PlaceTaken, BadTitle, BadRule, NoQuestions, ChannelUnreadable, BoostsUnreadable),
        example={"chat_id": -1001234567890, "kind": "pick_number", "title": "Friday", "rules": {"winners": "2"}},
    ),
    _step("", get_game, Needs.LOOK, method="GET", people=True),
    _step("/start", start_game, Needs.HOST, people=True, refuses=(*STEP, NotEnoughPlayers)),
    _step(
        "/extend",
        extend_game,
        Needs.HOST,
        people=True,
        body=ExtendBody,
        refuses=(*STEP, BadExtension),
        example={"seconds": 60},
    ),
    _step("/cancel", cancel_game, Needs.HOST, refuses=(*STEP, DrawSealed)),
    _step(
        "/rematch",
        rematch_game,
        Needs.HOST,
        body=RematchBody,
        status=201,
        headers=("Location",),
        refuses=(StillPlayed, PlaceTaken, BadRule, NoQuestions, ChannelUnreadable, BoostsUnreadable),
        example={"without_winners": True},
    ),
    _step("/force-end", force_end_game, Needs.OPERATE, refuses=STEP),
    _step("/players", list_players, Needs.LOOK, method="GET", people=True, result=list[PlayerView]),
    _step(
        "/players",
        join_game,
        Needs.ACT,
        people=True,
        body=JoinBody,
        refuses=(*STEP, AlreadyJoined, WonBefore, GameFull, LastQuestion, Banned, NotAMember, NeedsAToken, *UNMET),
        example={"player_id": 4242, "name": "Ann"},
    ),
    _step("/players/{player}", remove_player, Needs.HOST, method="DELETE", refuses=(*STEP, NotInGame)),
    _step("/players/{player}/leave", leave_game, Needs.ACT, people=True, refuses=ACTS),
    _step(
        "/picks",
        pick_number,
        Needs.ACT,
        people=True,
        body=PickBody,
        refuses=(*ACTS, NumberTaken, NumberOutOfRange, AlreadyYours),
        example={"player_id": 4242, "number": 7},
    ),
    _step(
        "/answers",
        answer_question,
        Needs.ACT,
        people=True,
        body=AnswerBody,
        refuses=(*ACTS, AlreadyAnswered, FromNextQuestion, QuestionClosed, NoSuchAnswer, Paused),
        example={"player_id": 4242, "question": 0, "choice": 2},
    ),
)
