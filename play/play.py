"""The games as every face sees them, as one group that the composition root wires."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsm.engine import Engine
from fsm.pick_number import Beacon
from play.content import ContentProviders
from play.hosts import Hosts
from play.texts import Texts
from telegram.sender import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """The engine and everything that a face needs beside it.

    Attributes:
        engine: executes commands.
        clock: the wall clock that commands are judged by.
        texts: all texts, by locale.
        hosts: knows the administrators of chats.
        defaults: kind -> the rules that the configuration gives it.
        beacon: the public randomness that draws use, or None.
        content: kind -> provider of its content, such as a quiz's questions.
    """

    engine: Engine
    clock: Clock
    texts: Texts
    hosts: Hosts
    defaults: Mapping[str, Any]
    beacon: Beacon | None
    content: ContentProviders
