"""Events of games as CloudEvents 1.0 in JSON, in structured or binary mode, without their secrets."""

from typing import Any, Final

import msgspec

from bot.bridge.broker import Message
from fsm.kind import secrets_of
from storage.codec import Codec
from storage.unpublished import StoredEvent, UnpublishedGame

JSON: Final = "application/json"
STRUCTURED: Final = "application/cloudevents+json; charset=utf-8"
TYPE: Final = "tombola.game.{}.v1"

_encode = msgspec.json.Encoder(enc_hook=str).encode


class CloudEvents:
    """Makes messages of stored events.

    Args:
        codec: decoder of events.
        source: the attribute `source` of all events.
        structured: True to put the attributes into the body; False to put them into headers.
    """

    def __init__(self, codec: Codec, source: str, *, structured: bool) -> None:
        self._codec = codec
        self._source = source
        self._structured = structured

    def message(self, game: UnpublishedGame, stored: StoredEvent) -> Message:
        """Return the message of an event. Raises `UnreadableGame` if this version of the code does not know it."""
        kind = self._codec.kind(game.kind)
        event = self._codec.decode_event(kind, stored.name, stored.data)
        name = next(name for name, type_ in kind.events.items() if type_ is type(event))
        fields: dict[str, Any] = msgspec.to_builtins(event, str_keys=True, enc_hook=str)
        for secret in secrets_of(event):
            del fields[secret]
        data = {
            "game_id": game.game_id,
            "kind": game.kind,
            "chat_id": game.chat_id,
            "version": stored.version,
            "event": fields,
        }
        id_ = f"{game.game_id}/{stored.version}"
        attributes = {
            "specversion": "1.0",
            "id": id_,
            "source": self._source,
            "type": TYPE.format(name),
            "subject": game.game_id,
            "time": stored.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            # Extensions that CloudEvents documents: the key of the order, and the place in it as text that sorts.
            "partitionkey": game.game_id,
            "sequence": f"{stored.version:010d}",
        }
        address = f"{game.kind}.{name}"
        if self._structured:
            body = _encode({**attributes, "datacontenttype": JSON, "data": data})
            return Message(id_, game.game_id, address, STRUCTURED, body, {})
        return Message(id_, game.game_id, address, JSON, _encode(data), attributes)
