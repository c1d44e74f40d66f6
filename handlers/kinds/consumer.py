"""Consumers of kinds: readers of the feed that show more than the living message, and that work beside the feed.

A consumer reads the feed as a group of its own, named like its kind, and hears how every sent message fared. All that
it sends waits in the outbox, under ids that follow from the game: an event that comes twice is sent once.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fsm.engine import Clock, Engine
from play.texts import Texts
from storage.breakers import Breaker
from storage.feed import Entry
from storage.people import People
from storage.polls import Polls
from storage.questions import Questions
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerContext:
    """The services that a consumer may use.

    Attributes:
        spawn: runs something beside the feed, by a name.
        settings: the kind's section of the configuration.
    """

    engine: Engine
    outbox: Outbox
    texts: Texts
    people: People
    questions: Questions
    polls: Polls
    clock: Clock
    spawn: Callable[[str, Coroutine[Any, Any, None]], object]
    settings: Any = None


async def _nothing() -> None:
    """Close nothing."""


@dataclass(frozen=True, slots=True)
class KindConsumer:
    """The consumer of one kind.

    Attributes:
        handle: consumes a batch of the feed. Raises ``Unavailable``: the batch comes again.
        settled: hears how a message fared, whoever sent it.
        breakers: service that the consumer alone calls -> its circuit breaker.
        close: closes the connections to them.
    """

    handle: Callable[[Sequence[Entry]], Awaitable[None]]
    settled: Callable[[Outgoing, Outcome], Awaitable[None]]
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] = _nothing
