"""What kinds of games show beside their living message, and do at its side. ``handlers/kinds/extras.py`` lists them.

A show reads the feed under its own name and hears how its messages fared. All it sends waits in the outbox, under ids
that follow from the game, so that what comes twice is sent once.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fsm.engine import Clock, Engine
from play.texts import Texts
from storage.feed import Entry
from storage.people import People
from storage.polls import Polls
from storage.questions import Questions
from telegram.outbox import Outbox, Outgoing


class Writer(Protocol):
    """Writes questions: ``questions/writer.py``."""

    def write(self, order: Any, avoid: Any = ()) -> Awaitable[Any]:
        """Questions for that order, and why they are too few where they are."""


class Sent(Protocol):
    """How a call of the outbox ended."""

    @property
    def settled(self) -> str:
        """Which end."""

    @property
    def message_id(self) -> int | None:
        """Of the message sent."""

    @property
    def result(self) -> Any:
        """What Telegram answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerContext:
    """What shows may use.

    Attributes:
        spawn: runs something beside the feed, by a name.
        writer: None where no model is configured.
    """

    engine: Engine
    outbox: Outbox
    texts: Texts
    people: People
    questions: Questions
    polls: Polls
    clock: Clock
    spawn: Callable[[str, Coroutine[Any, Any, None]], object]
    writer: Writer | None = None


class KindConsumer(Protocol):
    """The show of one kind."""

    name: str
    """Of its group in the feed."""

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Consume a batch of the feed. Raises ``Unavailable``: the batch comes again."""

    async def settled(self, outgoing: Outgoing, outcome: Sent) -> None:
        """Hear how a message fared, anybody's."""
