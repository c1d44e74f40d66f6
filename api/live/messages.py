"""The messages of live updates.

A client connects with a ticket, and subscribes to games and chats. It gets batches of messages: first the present
state of each game, then its events and their effect. Each batch has a cursor, from which another connection continues.
A message is encoded once for all subscribers who see the same view of a game, and a batch once for all who get the same
messages.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from api.problems import (
    BadCursor,
    BadRequest,
    InvalidRequest,
    TooManyConnections,
    TooManyRequests,
    TooManyWatched,
    WrongOrigin,
)
from api.views import GameView
from fsm.kind import UnknownGame
from play.access import Elsewhere
from play.tokens import NotAuthenticated

Reason = Literal["subscribed", "slow", "expired", "restored", "moved"]
LONGEST_CURSOR: Final = 65_536

_encoder = msgspec.json.Encoder(enc_hook=str)
encode = _encoder.encode


class LiveEvent(msgspec.Struct, frozen=True):
    """An event of a game.

    Attributes:
        version: the number of the event, from 1.
        name: the stored name of its type.
        at: the time.
        data: its fields, without those that are secret while the game is live; empty for players.
    """

    version: int
    name: str
    at: datetime
    data: dict[str, Any]


class SnapshotMessage(msgspec.Struct, frozen=True, tag_field="type", tag="snapshot", kw_only=True):
    """The whole state of a game. Events before it, if any were missed, are not sent any more.

    Attributes:
        game_id: the game's id.
        version: the number of the game's events.
        reason: the reason. `subscribed`: the subscription is new. `slow`: the client read too slowly. `expired`: the
            cursor is too old, so that events may be missing. `restored`: a store has lost data, and the version may be
            lower than before. `moved`: the game has come into a watched chat.
        game: the game.
    """

    game_id: str
    version: int
    reason: Reason
    game: GameView


class EventsMessage(msgspec.Struct, frozen=True, tag_field="type", tag="events", kw_only=True, omit_defaults=True):
    """The next events of a game, complete and in order, and their effect. It has either `patch` or `game`.

    Attributes:
        game_id: the game's id.
        since: the number of events before these.
        version: the number of events after these.
        events: the events.
        patch: the changes of the game as a JSON merge patch (RFC 7396), for the game at version `since`. A field that
            is null is gone, or null.
        game: the whole game, if it was opened just now, or events were missed during a break.
    """

    game_id: str
    since: int
    version: int
    events: list[LiveEvent]
    patch: dict[str, Any] | None = None
    game: GameView | None = None


class UnsubscribedMessage(
    msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribed", kw_only=True, omit_defaults=True
):
    """A game or chat is no longer watched, because the client may not see it any more.

    Attributes:
        code: the code of the refusal.
        game_id: the game.
        chat_id: the chat.
    """

    code: str
    game_id: str | None = None
    chat_id: int | None = None


class RefusedMessage(msgspec.Struct, frozen=True, tag_field="type", tag="refused", kw_only=True):
    """A request of the client was refused; the connection and its subscriptions stay.

    Attributes:
        code: the code of the refusal, as in the problems of the API.
        detail: the refusal in words.
    """

    code: str
    detail: str


class ClosingMessage(msgspec.Struct, frozen=True, tag_field="type", tag="closing", kw_only=True):
    """The last message of a connection.

    Attributes:
        code: the reason. `restart`: the process stops. `lifetime`: the connection is as old as it may be. Otherwise the
            code of a refusal.
        retry_ms: the time after which to connect again, with the last cursor; null if that would be refused too.
    """

    code: str
    retry_ms: int | None


Message = SnapshotMessage | EventsMessage | UnsubscribedMessage | RefusedMessage | ClosingMessage


class Batch(msgspec.Struct, frozen=True):
    """One message of the WebSocket, or the data of one server-sent event.

    Attributes:
        cursor: the position after these messages, from which a later connection continues; null to keep the last one.
        messages: the messages. Without any it is a sign of life, or of the end of the snapshots.
    """

    cursor: str | None
    messages: list[Message]


class SubscribeRequest(msgspec.Struct, frozen=True, tag_field="type", tag="subscribe", forbid_unknown_fields=True):
    """Watch more games and chats.

    Attributes:
        games: ids of games.
        chats: ids of chats: all their games, those to come included.
        cursor: the last cursor of an earlier connection that watched them; null for the present state.
    """

    games: list[str] = []
    chats: list[int] = []
    cursor: str | None = None


class StreamQuery(msgspec.Struct, frozen=True):
    """The parameters of server-sent events.

    Attributes:
        game: the id of a game to watch; it may be repeated.
        chat: the id of a chat to watch; it may be repeated.
        ticket: a ticket from `POST /api/v1/live/tickets`, for clients that can't send a header.
        cursor: the last cursor of an earlier connection, from which this one goes on.
    """

    game: list[str] = []
    chat: list[int] = []
    ticket: str | None = None
    cursor: str | None = None


class UnsubscribeRequest(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribe", forbid_unknown_fields=True):
    """Watch games and chats no longer.

    Attributes:
        games: ids of games.
        chats: ids of chats.
    """

    games: list[str] = []
    chats: list[int] = []


Request = SubscribeRequest | UnsubscribeRequest
DESCRIBED: Final = (
    *(LiveEvent, SnapshotMessage, EventsMessage, UnsubscribedMessage, RefusedMessage, ClosingMessage),
    *(Batch, SubscribeRequest, UnsubscribeRequest),
)
"""The types that the OpenAPI document describes."""
REFUSALS: Final = (
    *(NotAuthenticated, WrongOrigin, Elsewhere, UnknownGame, BadCursor, BadRequest, InvalidRequest),
    *(TooManyConnections, TooManyWatched, TooManyRequests),
)
"""The refusals of connections and of their requests."""


class Frame:
    """A batch that is encoded at most once for each transport.

    Args:
        cursor: the position after its messages, or None.
        messages: the encoded messages.
        committed_at: the time of the earliest commit that it tells of, in ms; None for snapshots and repetitions.
    """

    def __init__(self, cursor: str | None, messages: tuple[bytes, ...] = (), committed_at: int | None = None) -> None:
        self.cursor = cursor
        self.messages = messages
        self.committed_at = committed_at

    @cached_property
    def json(self) -> bytes:
        """The batch as JSON."""
        return b'{"cursor":%s,"messages":[%s]}' % (encode(self.cursor), b",".join(self.messages))

    @cached_property
    def text(self) -> str:
        """The batch for a WebSocket."""
        return self.json.decode()

    @cached_property
    def event(self) -> bytes:
        """The batch as a server-sent event."""
        id_ = b"" if self.cursor is None else b"id: %s\n" % self.cursor.encode()
        return b"%sdata: %s\n\n" % (id_, self.json)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON merge patch (RFC 7396) that turns one object into another."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
            continue
        before = old[name]
        if before != value:
            both = isinstance(before, dict) and isinstance(value, dict)
            patch[name] = difference(before, value) if both else value
    return patch


def merged(target: Any, patch: Any) -> Any:
    """Return an object after a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def changes(old: GameView, new: GameView) -> dict[str, Any]:
    """Return the merge patch between two views of a game. Parts of the state that are the same are not encoded."""
    patch: dict[str, Any] = {}
    for name in GameView.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if name != "state" and before != after:
            patch[name] = _plain(after)
    state: dict[str, Any] = {}
    for name, after in new.state.items():
        before = old.state.get(name)
        if before is after or before == after:
            continue
        plain_before, plain_after = _plain(before), _plain(after)
        both = isinstance(plain_before, dict) and isinstance(plain_after, dict)
        state[name] = difference(plain_before, plain_after) if both else plain_after
    return patch | ({"state": state} if state else {})


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)
