"""The resources of the API as JSON. Secrets of a game are removed by its kind's ``view``."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final, get_type_hints

import msgspec

from api.values import FoundGame, moment, moment_of
from fsm.kind import Game, Kind, Player, PlayerId
from fsm.registry import KINDS, kind_of
from play.rules import names_of, setting
from storage.archive import ListedGame

SHARED: Final = frozenset({*(each.name for each in fields(Game)), "rules"})
"""Fields of a state that `GameView` shows itself."""


class HostView(msgspec.Struct, frozen=True):
    """The person who opened a game.

    Attributes:
        id: the person's id; 0 for a token without an owner.
        name: the name that the game shows.
    """

    id: int
    name: str


class GameView(msgspec.Struct, frozen=True, kw_only=True):
    """A game.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        phase: the phase.
        chat_id: the chat in which it is played.
        topic_id: the topic of a forum; 0 outside forums.
        title: the title; empty if the host gave none.
        host: the person who opened it.
        rules: the rules, by the names that /settings and config.toml have.
        pace_seconds: the least time of a round, such as a question with its answer, if Telegram's limits make it longer
            than the rules say; null otherwise.
        players: the number of players.
        version: the number of the game's events.
        opened_at: the time of opening.
        ends_at: the time at which the phase ends; null if it does not end by itself.
        ended_at: the time of the end; null while the game is live.
        cancel_reason: the reason of a cancellation; null if it was not cancelled.
        state: the part of the state that belongs to the kind, without secrets. Times in it are milliseconds.
    """

    id: str
    kind: str
    phase: str
    chat_id: int
    topic_id: int
    title: str
    host: HostView
    rules: dict[str, str]
    pace_seconds: Decimal | None
    players: int
    version: int
    opened_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    cancel_reason: str | None
    state: dict[str, Any]


class GameSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A game in a list, as old as the projector's lag.

    Attributes:
        id: the game's id.
        kind: the kind of game.
        phase: the phase.
        chat_id: the chat in which it is played.
        topic_id: the topic of a forum; 0 outside forums.
        title: the title; empty if the host gave none.
        host_id: the person who opened it.
        players: the number of players.
        prize_pool: the prize pool, an exact decimal.
        version: the number of the game's events.
        opened_at: the time of opening.
        ended_at: the time of the end; null while the game is live.
    """

    id: str
    kind: str
    phase: str
    chat_id: int
    topic_id: int
    title: str
    host_id: int
    players: int
    prize_pool: Decimal
    version: int
    opened_at: datetime
    ended_at: datetime | None


class PlayerView(msgspec.Struct, frozen=True, kw_only=True):
    """A player of a game.

    Attributes:
        id: the person's id in Telegram.
        name: the name that the game shows.
        joined_at: the time of joining.
    """

    id: int
    name: str
    joined_at: datetime


def game_view(game: FoundGame, viewer: PlayerId | None = None) -> GameView:
    """Return a game without the secrets hidden from a player; None: from somebody who does not play."""
    kind = kind_of(game.state)
    state = kind.view(game.state, viewer)
    return GameView(
        id=state.id,
        kind=kind.name,
        phase=state.phase,
        chat_id=state.place.chat_id,
        topic_id=state.place.topic_id,
        title=state.title,
        host=HostView(state.host.id, state.host.name),
        rules=rules_view(state.rules),
        pace_seconds=_pace(state.rules),
        players=len(state.players),
        version=game.version,
        opened_at=moment_of(state.opened_at),
        ends_at=moment(state.ends_at),
        ended_at=moment(state.ended_at),
        cancel_reason=state.cancel_reason,
        state={name: getattr(state, name) for name in own_fields(kind.name)},
    )


def _pace(rules: Any) -> Decimal | None:
    least = getattr(rules, "pace_ms", 0)
    return Decimal(least) / 1000 if least and least > rules.question_ms + rules.reveal_ms else None


def rules_view(rules: Any) -> dict[str, str]:
    """Return rules by the names that hosts know."""
    return {name: setting(rules, name) for name in names_of(rules)}


def summary(game: ListedGame) -> GameSummary:
    """Return a row of the list of games."""
    return GameSummary(
        id=game.id,
        kind=game.kind,
        phase=game.status,
        chat_id=game.chat_id,
        topic_id=game.topic_id,
        title=game.title,
        host_id=game.host_id,
        players=game.players,
        prize_pool=game.prize_pool,
        version=game.version,
        opened_at=moment_of(game.opened_at),
        ended_at=moment(game.ended_at),
    )


def player_view(player: Player) -> PlayerView:
    """Return a player."""
    return PlayerView(id=player.id, name=player.name, joined_at=moment_of(player.joined_at))


@cache
def own_fields(kind: str) -> tuple[str, ...]:
    """Return the names of the fields of a kind's state that the other kinds lack."""
    return tuple(each.name for each in fields(KINDS[kind].state) if each.name not in SHARED)


@cache
def state_types() -> Mapping[str, type[msgspec.Struct]]:
    """Return a struct for the field `state` of each kind, for the OpenAPI document."""
    return {name: _state_type(kind) for name, kind in KINDS.items()}


def _state_type(kind: Kind[Any]) -> type[msgspec.Struct]:
    hints = get_type_hints(kind.state)
    made = [(each.name, hints[each.name]) for each in fields(kind.state) if each.name in own_fields(kind.name)]
    name = "".join(part.capitalize() for part in kind.name.split("_")) + "State"
    return msgspec.defstruct(name, made, frozen=True, kw_only=True)
