"""What kinds of games show beside their living message, and do at its side. ``handlers/kinds/extras.py`` lists them.

A show reads the feed under its own name and hears how its messages fared. All it sends waits in the outbox, under ids
that follow from the game, so that what comes twice is sent once.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsm.engine import Clock, Engine
from play.texts import Texts
from storage.people import People
from storage.polls import Polls
from storage.questions import Questions
from telegram.outbox import Outbox

if TYPE_CHECKING:
    from questions.writer import QuestionWriter  # brings an HTTP client along, and most processes have no model


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
    writer: "QuestionWriter | None" = None
