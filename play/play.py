"""The games as every face sees them, as one group that the composition root wires."""

from dataclasses import dataclass

from fsm.engine import Engine
from fsm.pick_number import Beacon
from play.access import Access
from play.hosts import Hosts
from play.members import Members
from play.opening import Openings
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
        members: knows the members of chats.
        access: decides who may do what.
        openings: opens games, and keeps the settings of chats.
        beacon: the public randomness that draws use, or None.
    """

    engine: Engine
    clock: Clock
    texts: Texts
    hosts: Hosts
    members: Members
    access: Access
    openings: Openings
    beacon: Beacon | None
