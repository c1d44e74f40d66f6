"""Phases whose time begins when the chat can see them.

Telegram limits the messages to a group, so a board may arrive late. A phase that waits to be seen has ``to_run``, its
length, and a ``deadline`` at which its time begins in any case. ``BoardShown`` begins it earlier. From then on
``to_run`` is None and ``deadline`` is the end of the phase, as in all other phases.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from fsm.kind import Command, Event, Game, Instant

G = TypeVar("G", bound=Game)


@dataclass(frozen=True, slots=True)
class BoardShown(Command):
    """Report that the chat can see the phase that waited until ``deadline``; its message names ``ends`` as the end."""

    deadline: Instant
    ends: Instant


@dataclass(frozen=True, slots=True)
class TimeBegun(Event):
    """The time of the phase has begun and runs until ``deadline``."""

    deadline: Instant


class Opening(NamedTuple):
    """The deadline and the ``to_run`` of a phase that opens."""

    deadline: Instant
    to_run: int | None


def opening(now: Instant, milliseconds: int, show_wait_ms: int) -> Opening:
    """Open a phase of a length in ms. It waits at most ``show_wait_ms`` to be seen; 0 begins its time at once."""
    if show_wait_ms == 0:
        return Opening(now + milliseconds, None)
    return Opening(now + show_wait_ms, milliseconds)


def shown(game: Game, command: BoardShown, now: Instant, show_wait_ms: int) -> tuple[Event, ...]:
    """Begin the time of the phase that the command names; no events if another phase is open, or its time has begun.

    The end that the message shows is used, within bounds, because the clocks of replicas differ.
    """
    if game.to_run is None or game.deadline is None or command.deadline != game.deadline:
        return ()
    earliest, latest = game.deadline - show_wait_ms + game.to_run, now + game.to_run
    return (TimeBegun(min(max(command.ends, earliest), max(earliest, latest))),)


def begin_now(game: Game, now: Instant) -> tuple[Event, ...]:
    """Begin the time of a phase that waits to be seen; no events if its time has begun."""
    return () if game.to_run is None else (TimeBegun(now + game.to_run),)


def evolve(game: G, event: TimeBegun) -> G:
    """Apply ``TimeBegun``."""
    return replace(game, deadline=event.deadline, to_run=None)
