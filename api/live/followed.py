"""A watched game at one position of the feed, and its messages, each encoded once for each view."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from api.live.messages import EventsMessage, LiveEvent, Reason, SnapshotMessage, changes, encode
from api.values import FoundGame, moment_of
from api.views import GameView, game_view
from fsm.engine import Stored
from fsm.kind import Event, Game, Kind, PlayerId, secrets_of
from storage.codec import Codec
from storage.feed import Entry
from storage.keys import shard_of_game

if TYPE_CHECKING:
    import asyncio

    from api.live.subscription import Subscription


class Gap(Exception):
    """Entries of a game are missing: some were trimmed before they were read."""


class Followed:
    """A game that somebody watches, at the position of the tail."""

    def __init__(self, game_id: str) -> None:
        self.id = game_id
        self.shard = shard_of_game(game_id)
        self.kind: Kind[Any] | None = None
        self.state: Game | None = None
        self.version = 0
        self.incarnation = ""
        self.loaded: asyncio.Future[None] | None = None
        """Set while the game is loaded for the first time."""
        self.broken = False
        """True while entries are missing; the game is read again."""
        self.pins = 0
        """Subscriptions under way that need the game."""
        self.audiences: dict[PlayerId | None, set[Subscription]] = {}
        """Viewer -> subscriptions that get the viewer's view."""
        self._views: dict[PlayerId | None, GameView] = {}
        self._snapshots: dict[PlayerId | None, tuple[int, msgspec.Raw]] = {}

    @property
    def known(self) -> Game:
        """The state of a loaded game."""
        assert self.state is not None, "loaded before"
        return self.state

    @property
    def is_final(self) -> bool:
        """True if the game has ended."""
        return self.kind is not None and self.kind.machine.is_final(self.known.phase)

    def become(self, stored: Stored) -> None:
        """Take over a state from a store."""
        self.kind, self.state, self.version, self.incarnation = (
            *(stored.kind, stored.state, stored.version, stored.incarnation),
        )

    def apply(self, entry: Entry, codec: Codec) -> list[tuple[int, int, Event]]:
        """Fold an entry. Returns its events with version and time; none if they are known. Raises ``Gap``."""
        if entry.first_version <= self.version:
            return []
        if entry.first_version > self.version + 1:
            raise Gap
        kind = self.kind = codec.kind(entry.kind)
        events = events_of(entry, codec)
        self.state = kind.fold(self.state, [event for _, _, event in events])
        self.version = events[-1][0]
        return events

    def view(self, viewer: PlayerId | None) -> GameView:
        """Return the present view of the game, made at most once for each version."""
        view = self._views.get(viewer)
        if view is None or view.version != self.version:
            view = self._views[viewer] = game_view(FoundGame(self.known, self.version), viewer)
        return view

    def encoded(self, viewer: PlayerId | None) -> msgspec.Raw:
        """Return the present view as JSON, made at most once for each version."""
        found = self._snapshots.get(viewer)
        if found is None or found[0] != self.version:
            found = self._snapshots[viewer] = (self.version, msgspec.Raw(encode(self.view(viewer))))
        return found[1]

    def snapshot(self, viewer: PlayerId | None, reason: Reason) -> bytes:
        """Return the message with the whole game."""
        game: Any = self.encoded(viewer)
        return encode(SnapshotMessage(game_id=self.id, version=self.version, reason=reason, game=game))

    def change(self, viewer: PlayerId | None, events: Sequence[tuple[int, int, Event]]) -> bytes:
        """Return the message with events that were just folded, and their effect on the view."""
        old = self._views.get(viewer)
        since = events[0][0] - 1
        message = EventsMessage(game_id=self.id, since=since, version=self.version, events=self.told(viewer, events))
        if old is not None and old.version == since:
            return encode(msgspec.structs.replace(message, patch=changes(old, self.view(viewer))))
        return self.missed(viewer, events)

    def missed(self, viewer: PlayerId | None, events: Sequence[tuple[int, int, Event]]) -> bytes:
        """Return the message with events up to the present, and the whole game."""
        game: Any = self.encoded(viewer)
        told = self.told(viewer, events)
        return encode(
            EventsMessage(game_id=self.id, since=events[0][0] - 1, version=self.version, events=told, game=game)
        )

    def told(self, viewer: PlayerId | None, events: Sequence[tuple[int, int, Event]]) -> list[LiveEvent]:
        """Return events as a viewer may see them.

        A player sees in the game which numbers are taken, even if the owners are hidden. An event with the owner's id
        beside it would reveal the owner, so players get events without their fields.
        """
        assert self.kind is not None
        names = {type_: name for name, type_ in self.kind.events.items()}
        return [
            LiveEvent(version, names[type(event)], moment_of(at), _public(event) if viewer is None else {})
            for version, at, event in events
        ]

    def forget_views(self, viewer: PlayerId | None) -> None:
        """Forget the views of a viewer whom no subscription has any more."""
        self._views.pop(viewer, None)
        self._snapshots.pop(viewer, None)


def events_of(entry: Entry, codec: Codec) -> list[tuple[int, int, Event]]:
    """Return the events of an entry, each with its version and time. Raises ``UnreadableGame``."""
    kind = codec.kind(entry.kind)
    found: list[tuple[int, int, Event]] = []
    for record in codec.decode_records(kind, entry.records):
        for event in record.events:
            found.append((entry.first_version + len(found), record.at, event))
    return found


def _public(event: Event) -> dict[str, Any]:
    """Return the fields of an event that are no secret."""
    fields: dict[str, Any] = msgspec.to_builtins(event, str_keys=True, enc_hook=str)
    for name in secrets_of(event):
        fields.pop(name, None)
    return fields
