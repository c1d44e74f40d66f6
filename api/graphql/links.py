"""Fields that lead from one object to another. Each loads for all objects of a list with one query."""

from collections.abc import Mapping
from typing import Any, Final

from api.chats import ChatView
from api.figures import EndedGame
from api.games import list_players
from api.graphql.context import Context
from api.graphql.schema import Link
from api.views import GameSummary, GameView, PlayerView


async def players_of_row(context: Context, row: Any, limit: int) -> list[PlayerView]:
    """The first players, in joining order."""
    return await context.loaders.players(row.chat_id, row.id, limit)


async def players_of_game(context: Context, game: Any, limit: int) -> list[PlayerView]:
    """The first players, in joining order."""
    players: list[PlayerView] = await context.read(context.table[list_players.__name__], {"game": game.id})
    return players[:limit]


async def chat_of(context: Context, row: Any, _: int) -> ChatView | None:
    """The chat."""
    return await context.loaders.chat(row.chat_id)


LINKS: Final[Mapping[tuple[type, str], tuple[Link, Any]]] = {
    (GameSummary, "participants"): (players_of_row, list[PlayerView]),
    (GameView, "participants"): (players_of_game, list[PlayerView]),
    (EndedGame, "participants"): (players_of_row, list[PlayerView]),
    (GameSummary, "chat"): (chat_of, ChatView),
    (GameView, "chat"): (chat_of, ChatView),
    (EndedGame, "chat"): (chat_of, ChatView),
}
"""(Struct, name of the field) -> its loader, and the type of its result."""
