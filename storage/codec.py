"""JSON encoding of states, events and records, by stable names.

An event is written ``[name, fields]``; a record ``{"c": command id, "at": ms, "e": [event, ...]}``. Newer code reads
these years later, so a name never changes its meaning; a kind's upcasters translate retired names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fsm.engine import Record
from fsm.kind import Event, Game, Instant, Kind


class _StoredRecord(msgspec.Struct):
    c: str
    at: int
    e: list[tuple[str, msgspec.Raw]]


class _Snapshot(msgspec.Struct):
    state: msgspec.Raw
    seen: dict[str, int]


_encode = msgspec.json.encode
_records = msgspec.json.Decoder(list[_StoredRecord])
_snapshot = msgspec.json.Decoder(_Snapshot)


class UnreadableGame(ValueError):
    """A stored value that this version of the code can't read."""


class Codec:
    """Encoder and decoder of the states, events and records of the given kinds."""

    def __init__(self, kinds: Mapping[str, Kind[Any]]) -> None:
        self._kinds = kinds
        self._names = {name: {type_: stored for stored, type_ in kind.events.items()} for name, kind in kinds.items()}
        self._events = {
            name: {stored: msgspec.json.Decoder(type_) for stored, type_ in kind.events.items()}
            for name, kind in kinds.items()
        }
        self._states = {name: msgspec.json.Decoder(kind.state) for name, kind in kinds.items()}

    def kind(self, name: str) -> Kind[Any]:
        """Return the kind of that name. Raises ``UnreadableGame``."""
        try:
            return self._kinds[name]
        except KeyError as error:
            raise UnreadableGame(f"no kind of game is called {name!r}") from error

    def encode_records(self, kind: Kind[Any], records: Iterable[Record]) -> bytes:
        """Encode records as a JSON array."""
        names = self._names[kind.name]
        return _encode(
            [{"c": r.command_id, "at": r.at, "e": [(names[type(event)], event) for event in r.events]} for r in records]
        )

    def decode_records(self, kind: Kind[Any], raw: bytes) -> list[Record]:
        """Decode the output of ``encode_records``. Raises ``UnreadableGame``."""
        try:
            return [
                Record(stored.c, stored.at, tuple(self.decode_event(kind, *pair) for pair in stored.e))
                for stored in _records.decode(raw)
            ]
        except msgspec.DecodeError as error:
            raise UnreadableGame(str(error)) from error

    def decode_event(self, kind: Kind[Any], name: str, raw: msgspec.Raw | bytes | str) -> Event:
        """Decode an event from its stored name and fields. Raises ``UnreadableGame``."""
        upcast = kind.upcasters.get(name)
        if upcast is not None:
            name, fields = upcast(msgspec.json.decode(raw))
            raw = _encode(fields)
        try:
            event: Event = self._events[kind.name][name].decode(raw)
        except (KeyError, msgspec.DecodeError) as error:
            raise UnreadableGame(f"event {name!r} of {kind.name}: {error}") from error
        return event

    def encode_snapshot(self, state: Game, seen: Mapping[str, Instant]) -> bytes:
        """Encode a state together with the command ids that its game remembers."""
        return _encode({"state": state, "seen": seen})

    def decode_snapshot(self, kind: Kind[Any], raw: bytes) -> tuple[Game, dict[str, Instant]]:
        """Decode the output of ``encode_snapshot``. Raises ``UnreadableGame``."""
        try:
            snapshot = _snapshot.decode(raw)
            state: Game = self._states[kind.name].decode(snapshot.state)
        except msgspec.DecodeError as error:
            raise UnreadableGame(f"state of {kind.name}: {error}") from error
        return state, snapshot.seen
