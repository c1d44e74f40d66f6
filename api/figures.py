"""Statistics, leaderboards and ended games: of a chat, and of all chats."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from api.dispatch import position
from api.endpoint import About, Call, Count, Cursor, Endpoint, Page, PersonId
from api.problems import UnknownPlayer
from api.values import moment_of
from play.access import Needs
from play.seasons import season_length
from storage.archive import FinishedGame, PlayerStats, Row
from storage.figures import AROUND
from storage.periods import MONTH, WEEK, period_at

FIGURES: Final = "figures"
MOST_OFFSET: Final = 10_000
"""Number of rows of a leaderboard that pages reach."""


class StatsView(msgspec.Struct, frozen=True):
    """A player's statistics in one kind of game, over completed games.

    Attributes:
        kind: the kind of game.
        games: the number of games.
        wins: the number of games won.
        prizes: the sum of prizes without a currency, an exact decimal.
        totals: the sums of the other prizes, by currency.
        points: the sum of points.
        best_streak: the longest run of right answers.
    """

    kind: str
    games: int
    wins: int
    prizes: Decimal
    points: int
    best_streak: int
    totals: dict[str, Decimal]


class EarnedView(msgspec.Struct, frozen=True):
    """An achievement of a person.

    Attributes:
        name: its name, such as `first-win`.
        first_at: the end of the first game that earned it.
        chats: the number of chats in which the person has it.
    """

    name: str
    first_at: datetime
    chats: int


class PersonView(msgspec.Struct, frozen=True):
    """A person.

    Attributes:
        id: the person's id in Telegram.
        name: the name as last seen; null if it is unknown.
        stats: the statistics by kind of game.
        achievements: the achievements.
    """

    id: int
    name: str | None
    stats: list[StatsView]
    achievements: list[EarnedView]


class RankView(msgspec.Struct, frozen=True):
    """A row of a leaderboard.

    Attributes:
        place: the place, from 1.
        player_id: the person's id in Telegram.
        name: the name.
        games: the number of games.
        wins: the number of games won.
        prizes: the sum of prizes without a currency, an exact decimal.
        totals: the sums of the other prizes, by currency.
        points: the sum of points.
    """

    place: int
    player_id: int
    name: str
    games: int
    wins: int
    prizes: Decimal
    points: int
    totals: dict[str, Decimal]


class WinnerView(msgspec.Struct, frozen=True):
    """A winner.

    Attributes:
        place: the place, from 1.
        name: the name that the game showed.
        prize: the amount, an exact decimal; 0 for a prize in words.
        currency: the currency of the amount; empty for none.
        award: the prize in words; empty if it is an amount.
    """

    place: int
    name: str
    prize: Decimal
    currency: str
    award: str


class EndedGame(msgspec.Struct, frozen=True):
    """A game that has ended.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        title: the title; empty if the host gave none.
        chat_id: the chat in which it was played.
        status: `completed`, `cancelled` or `void`.
        ended_at: the time of the end.
        players: the number of players.
        winners: the winners, best first, at most ten.
    """

    id: str
    kind: str
    title: str
    chat_id: int
    status: str
    ended_at: datetime
    players: int
    winners: list[WinnerView]


Period = Literal["week", "month", "season", "all"]


class BestQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a leaderboard.

    Attributes:
        kind: only this kind of game; without it, all kinds together.
        period: only games that ended in the current week, month or season, in UTC; `all` for all time.
        around: only this player's row and the rows next to it; there are no further pages then.
        limit: the number of rows on a page.
        cursor: the position to continue from.
    """

    kind: Annotated[str, Meta(max_length=40)] | None = None
    period: Period = "all"
    around: PersonId | None = None
    limit: Count = 20
    cursor: Cursor | None = None


class HistoryQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a history.

    Attributes:
        player: only games of this player, in order of joining.
        limit: the number of games on a page.
        cursor: the position to continue from.
    """

    player: PersonId | None = None
    limit: Count = 20
    cursor: Cursor | None = None


async def get_player(call: Call) -> PersonView:
    """Return a person with their statistics over all chats."""
    return await _person(call, 0)


async def get_player_of_chat(call: Call) -> PersonView:
    """Return a person with their statistics in a chat."""
    return await _person(call, call.path["chat"])


async def _person(call: Call, chat_id: int) -> PersonView:
    stores, player_id = call.services.stores, call.path["player"]
    stats = await stores.archive.player_stats(player_id, chat_id)
    people = stores.people
    name = await (people.name_in(chat_id, player_id) if chat_id else people.last_name(player_id))
    if name is None and not stats:
        raise UnknownPlayer
    earned = [
        EarnedView(each.name, moment_of(each.first_at), each.count)
        for each in await stores.achievements.of_player(player_id, chat_id)
    ]
    return PersonView(player_id, name, [_stats(each) for each in stats], earned)


async def get_leaderboard_of_chat(call: Call) -> Page:
    """List the best players of a chat, of a period or of all time."""
    return await _leaderboard(call, call.path["chat"])


async def get_leaderboard(call: Call) -> Page:
    """List the best players of all chats, of those who agreed to be listed outside of their chats."""
    return await _leaderboard(call, 0)


async def _leaderboard(call: Call, chat_id: int) -> Page:
    query: BestQuery = call.query
    figures, period = call.services.stores.figures, await period_of(call, chat_id, query.period)
    if query.around is not None:
        return _ranks(await figures.around(chat_id, period, query.around, kind=query.kind), 2 * AROUND + 1, 0)
    offset = await _offset(call)
    return _ranks(
        await figures.leaderboard(chat_id, period, query.limit + 1, offset, kind=query.kind), query.limit, offset
    )


async def period_of(call: Call, chat_id: int, name: Period) -> str:
    """Return the current week, month or season of a chat as the statistics name it; empty for all time."""
    if name == "all":
        return ""
    length = {"week": WEEK, "month": MONTH}.get(name) or await season_length(call.services.stores.people, chat_id)
    return period_at(length, moment_of(call.received))


async def get_history_of_chat(call: Call) -> Page:
    """List the ended games of a chat, latest first."""
    return await _history(call, call.path["chat"])


async def get_history(call: Call) -> Page:
    """List the ended games of all chats, latest first."""
    return await _history(call, None)


async def _history(call: Call, chat_id: int | None) -> Page:
    query: HistoryQuery = call.query
    after = await position(call)
    found = await call.services.stores.archive.ended(
        query.limit + 1,
        chat_id=chat_id,
        player_id=query.player,
        after=None if after is None else (after[0], after[1]),
    )
    page = found[: query.limit]
    more = (page[-1][0], page[-1][1].id) if len(found) > query.limit else None
    return Page([ended_view(game) for _, game in page], more)


async def _offset(call: Call) -> int:
    after = await position(call)
    return 0 if after is None else int(after[0])


def _ranks(rows: list[Row], limit: int, offset: int) -> Page:
    end = offset + limit
    page = [
        RankView(row.place, row.player_id, row.name, row.games, row.wins, row.prizes, row.points, dict(row.totals))
        for row in rows[:limit]
    ]
    return Page(page, (end,) if len(rows) > limit and end < MOST_OFFSET else None)


def _stats(stats: PlayerStats) -> StatsView:
    return StatsView(
        stats.kind, stats.games, stats.wins, stats.prizes, stats.points, stats.best_streak, dict(stats.totals)
    )


def ended_view(game: FinishedGame) -> EndedGame:
    """Return an ended game."""
    winners = [WinnerView(each.place, each.name, each.prize, each.currency, each.award) for each in game.winners]
    return EndedGame(
        game.id, game.kind, game.title, game.chat_id, game.status, moment_of(game.ended_at), game.players, winners
    )


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        path="/players/{player}",
        handle=get_player,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.EVERYWHERE,
        result=PersonView,
        refuses=(UnknownPlayer,),
    ),
    Endpoint(
        method="GET",
        path="/chats/{chat}/players/{player}",
        people=True,
        handle=get_player_of_chat,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.CHAT,
        result=PersonView,
        refuses=(UnknownPlayer,),
    ),
    Endpoint(
        method="GET",
        path="/leaderboard",
        handle=get_leaderboard,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.EVERYWHERE,
        query=BestQuery,
        result=RankView,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/chats/{chat}/leaderboard",
        people=True,
        handle=get_leaderboard_of_chat,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.CHAT,
        query=BestQuery,
        result=RankView,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/history",
        handle=get_history,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.EVERYWHERE,
        query=HistoryQuery,
        result=EndedGame,
        paged=True,
    ),
    Endpoint(
        method="GET",
        path="/chats/{chat}/history",
        people=True,
        handle=get_history_of_chat,
        tag=FIGURES,
        needs=Needs.LOOK,
        about=About.CHAT,
        query=HistoryQuery,
        result=EndedGame,
        paged=True,
    ),
)
