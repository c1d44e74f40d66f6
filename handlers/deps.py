"""The dependencies of handlers, wired once in the composition root."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from handlers.boards import Boards
from handlers.flood_control import Floods
from handlers.kinds.settings import LobbySection
from handlers.pictures import Pictures
from handlers.taps import Taps
from play.application import Application
from questions.isolation import FileReader
from storage.stores import Stores
from telegram.telegram import Telegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The groups that every face shares, and the services of Telegram's face alone.

    Attributes:
        boards: the living messages.
        taps: answers the buttons of games.
        floods: notices people who write or tap too much.
        pictures: draws charts.
        files: reads uploaded files, each in a process of its own.
        sections: kind -> its section of the configuration.
        health: returns the words of the operators' dialog: dependency -> its state.
        count_error: counts an unexpected error by the name of its type.
        dashboard_url: the address of the dashboard; empty without one.
        trace: makes a trace id for an update that came without one.
    """

    stores: Stores
    telegram: Telegram
    play: Application
    boards: Boards
    taps: Taps
    floods: Floods
    pictures: Pictures
    files: FileReader = field(default_factory=FileReader)
    sections: Mapping[str, LobbySection] = field(default_factory=dict)
    bot_id: int
    bot_username: str
    health: Callable[[], Awaitable[Mapping[str, str]]]
    count_error: Callable[[str], None]
    dashboard_url: str = ""
    trace: Callable[[], str] = field(default=lambda: secrets.token_hex(4))
