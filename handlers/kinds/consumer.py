"""Consumers of kinds: readers of the feed that send messages beside the board, or do other work for a kind.

A consumer reads the feed in a group that is named like its kind, and is told the result of every sent message. It sends
through the outbox, under ids that are derived from the game. An event that is delivered twice is thus sent once.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsm.engine import Clock, Engine
from handlers.kinds.settings import LobbySection
from play.texts import Texts
from storage.breakers import Breaker
from storage.feed import Entry
from storage.job_runner import JobKind
from storage.jobs import Jobs
from storage.people import People
from storage.polls import Polls
from storage.questions import Questions
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerContext:
    """The services that a consumer may use.

    Attributes:
        spawn: starts a coroutine as a task with this name, so that the feed does not wait for it.
        settings: the kind's section of the configuration.
    """

    engine: Engine
    outbox: Outbox
    texts: Texts
    people: People
    questions: Questions
    jobs: Jobs
    polls: Polls
    clock: Clock
    spawn: Callable[[str, Coroutine[Any, Any, None]], object]
    settings: LobbySection


async def _nothing() -> None:
    """Do nothing; for consumers without connections of their own."""


@dataclass(frozen=True, slots=True)
class KindConsumer:
    """The consumer of one kind.

    Attributes:
        handle: consumes a batch of the feed. If it raises ``Unavailable``, the batch is delivered again.
        settled: is told the result of each sent message, including those of others.
        breakers: name of a service that only this consumer calls -> its circuit breaker.
        close: closes the connections to these services.
        jobs: the kinds of job that this kind of game has.
        before_board: sends the messages that have to come before the board of the same step; None if there are none.
            It is called with each batch just before the boards are rendered. ``handle`` sends these messages too,
            because it reads the feed in another group; their ids make that harmless.
    """

    handle: Callable[[Sequence[Entry]], Awaitable[None]]
    settled: Callable[[Outgoing, Outcome], Awaitable[None]]
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] = _nothing
    jobs: tuple[JobKind, ...] = ()
    before_board: Callable[[Sequence[Entry]], Awaitable[None]] | None = None
