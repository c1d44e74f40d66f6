"""Games: lists, opening, and the steps of hosts and players."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, ChatId, Count, Cursor, Endpoint, FoundGame, Page, PersonId, Reply
from api.problems import InvalidRequest
from api.views import GameSummary, GameView, PlayerView, game_view, player_view, summary
from fsm.kind import ChatTopic, Command, NotNow, Rejected, TooLate, UnknownGame
from fsm.lobby import (
    MAX_TITLE,
    AlreadyJoined,
    BadRule,
    BadTitle,
    GameFull,
    Join,
    NotEnoughPlayers,
    PlaceTaken,
    StartNow,
)
from fsm.registry import KINDS
from play.access import Actor, Banned, Needs, NotAMember
from play.numbers import Unreadable
from play.rules import names_of, with_setting
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
    kind: str
    topic_id: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    title: Annotated[str, Meta(max_length=4 * MAX_TITLE)] = ""
    rules: dict[str, str] = {}


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person who joins.

    Attributes:
        player_id: the person's id in Telegram.
        name: the name that the game shows.
    """

    player_id: PersonId
    name: Annotated[str, Meta(min_length=1, max_length=128)]


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
    return game_view(call.found)


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
    return Reply(body=game_view(game), headers={"location": f"/api/v1/games/{game.state.id}"})


async def join_game(call: Call) -> GameView:
    """Add a person to the players.

    The person must be a member of the group, and not banned. Later moves of this player may be made by the API too.
    """
    body: JoinBody = call.body
    state = call.found.state
    person = Actor(body.player_id, body.name)
    await call.services.play.access.authorise(person, state, Needs.JOIN)
    game = await execute(call, Join(body.player_id, tidy(body.name)))
    player = game.state.players.get(body.player_id)
    if player is not None:
        await call.services.requests.joined(state.id, body.player_id, player.joined_at)
    return game_view(game)


async def start_game(call: Call) -> GameView:
    """End the joining phase now."""
    return game_view(await execute(call, StartNow(call.actor.host.id)))


async def list_players(call: Call) -> list[PlayerView]:
    """List the players of a game, in joining order."""
    return [player_view(player) for player in call.found.state.players.values()]


async def execute(call: Call, command: Command) -> FoundGame:
    """Execute a command on the game in the path, once for the request's key."""
    outcome = await call.services.play.engine.execute(
        call.found.state.id, command, command_id=call.command_id, received=call.received
    )
    return FoundGame.of(outcome)


def with_rules(rules: Any, given: dict[str, str]) -> Any:
    """Return rules with some changed. Raises ``InvalidRequest`` and ``BadRule``."""
    for name, text in given.items():
        if name not in names_of(rules):
            raise InvalidRequest(f"Unknown rule - at `$.rules.{name[:40]}`")
        try:
            rules = with_setting(rules, name, text)
        except Unreadable:
            raise InvalidRequest(f"Unreadable value - at `$.rules.{name}`") from None
    return rules


LOBBY: Final[tuple[type[Rejected], ...]] = (UnknownGame, NotNow, TooLate)
"""Refusals of every command to a game."""

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
    ),
    Endpoint(
        method="POST",
        path="/games",
        handle=open_game,
        tag=GAMES,
        needs=Needs.OPEN,
        about=About.BODY,
        body=OpenBody,
        result=GameView,
        status=201,
        refuses=(PlaceTaken, BadTitle, BadRule),
        example={"chat_id": -1001234567890, "kind": "pick_number", "title": "Friday", "rules": {"winners": "2"}},
    ),
    Endpoint(
        method="GET",
        path="/games/{game}",
        handle=get_game,
        tag=GAMES,
        needs=Needs.LOOK,
        about=About.GAME,
        result=GameView,
    ),
    Endpoint(
        method="POST",
        path="/games/{game}/start",
        handle=start_game,
        tag=GAMES,
        needs=Needs.HOST,
        about=About.GAME,
        result=GameView,
        refuses=(*LOBBY, NotEnoughPlayers),
    ),
    Endpoint(
        method="GET",
        path="/games/{game}/players",
        handle=list_players,
        tag=GAMES,
        needs=Needs.LOOK,
        about=About.GAME,
        result=list[PlayerView],
    ),
    Endpoint(
        method="POST",
        path="/games/{game}/players",
        handle=join_game,
        tag=GAMES,
        needs=Needs.ACT,
        about=About.GAME,
        body=JoinBody,
        result=GameView,
        refuses=(*LOBBY, AlreadyJoined, GameFull, Banned, NotAMember),
        example={"player_id": 4242, "name": "Ann"},
    ),
)
