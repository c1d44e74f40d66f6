"""The dependencies of handlers, wired once in the composition root."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fsm.engine import Clock, Engine
from handlers.boards import Boards
from handlers.floods import Floods
from handlers.taps import Taps
from play.access import Access
from play.hosts import Hosts
from play.members import Members
from play.opening import Openings
from play.texts import Texts
from questions.isolation import FileReader
from storage.archive import Archive
from storage.games import RedisGames
from storage.log import PublicLog
from storage.people import People
from storage.questions import Questions
from storage.wallets import Wallets
from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The services, settings and callbacks that every handler may use."""

    engine: Engine
    games: RedisGames
    people: People
    archive: Archive
    hosts: Hosts
    members: Members
    access: Access
    openings: Openings
    boards: Boards
    taps: Taps
    outbox: Outbox
    limits: Limits
    api: BotApi
    texts: Texts
    clock: Clock
    floods: Floods
    redis: Any
    """A ``redis.asyncio.Redis``, in which dialogs keep their state."""
    questions: Questions
    log: PublicLog
    wallets: Wallets
    download: Callable[[str, int], Awaitable[bytes]]
    """Download a file, given Telegram's file id and the largest size in bytes. Raises the Bot API client's errors."""
    files: FileReader = field(default_factory=FileReader)
    """Reader of uploaded files. It reads each file in a separate process."""
    sections: Mapping[str, Any] = field(default_factory=dict)
    """Name of a kind -> its section of the configuration."""
    bot_id: int
    bot_username: str
    health: Callable[[], Awaitable[Mapping[str, str]]]
    """Return the state of each dependency in a few words, for the operators' dialog."""
    count_error: Callable[[str], None]
    """Count an unexpected error by the name of its type."""
    trace: Callable[[], str] = field(default=lambda: secrets.token_hex(4))
    """Make a trace id for an update that came without one."""
