"""Phases whose time begins when the chat can see them.

Telegram allows a group few messages, so a board may come late. A phase that waits to be seen has ``to_run``, the time
that it will have, and a ``deadline`` at which that time begins in any case. ``BoardShown`` begins it earlier, and from
then on ``to_run`` is None and ``deadline`` is the end of the phase, as everywhere else.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from fsm.kind import Command, Event, Game, Instant

G = TypeVar("G", bound=Game)


@dataclass(frozen=True, slots=True)
class BoardShown(Command):
    """The chat can see the phase that waited until ``deadline``; its message says that the time is over at ``ends``."""

    deadline: Instant
    ends: Instant


@dataclass(frozen=True, slots=True)
class TimeBegun(Event):
    """The time of the phase runs, until ``deadline``."""

    deadline: Instant


class Opening(NamedTuple):
    """The deadline and the ``to_run`` of a phase that opens."""

    deadline: Instant
    to_run: int | None


def opening(now: Instant, milliseconds: int, show_wait_ms: int) -> Opening:
    """Open a phase of a length. ``show_wait_ms``: how long it waits to be seen at most; 0: its time begins at once."""
    if show_wait_ms == 0:
        return Opening(now + milliseconds, None)
    return Opening(now + show_wait_ms, milliseconds)


def shown(game: Game, command: BoardShown, now: Instant, show_wait_ms: int) -> tuple[Event, ...]:
    """Begin the time of the phase that the command is about; nothing if it is another one, or runs already.

    The end that the message shows counts, within reason: clocks of replicas differ.
    """
    if game.to_run is None or game.deadline is None or command.deadline != game.deadline:
        return ()
    earliest, latest = game.deadline - show_wait_ms + game.to_run, now + game.to_run
    return (TimeBegun(min(max(command.ends, earliest), max(earliest, latest))),)


def begin_now(game: Game, now: Instant) -> tuple[Event, ...]:
    """Begin the time of a phase that waits to be seen; nothing if it runs already."""
    return () if game.to_run is None else (TimeBegun(now + game.to_run),)


def evolve(game: G, event: TimeBegun) -> G:
    """Fold the event."""
    return replace(game, deadline=event.deadline, to_run=None)
