"""Environment for tests of taps: the real engine on games in memory, and simple people, hosts and boards."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec

from fsm.engine import Engine
from fsm.kind import ChatTopic, Game
from fsm.registry import KINDS
from handlers import boards
from handlers.taps import Answer, Tap, Taps
from play import hosts, members
from play.access import Access
from play.flags import Flags
from play.opening import Configured, Openings
from play.texts import Texts
from storage import archive, people
from storage.flags import FlagSettings
from storage.games import RedisGames
from tests.engine.memory import CountedSeeds, MemoryGames, Shelf
from tests.handlers.games import SCRIPT
from tests.support.clock import TurnedClock
from tests.support.games import CHAT, GAME, OPENED, PLACE, EngineGames, Script
from tests.support.games import HOST as SCRIPTED_HOST

HOST = SCRIPTED_HOST.id


class Ids(RedisGames):
    """Store with predictable new ids."""

    def __init__(self) -> None:
        """Skip the base class: no store is needed."""

    async def reserve_id(self, chat_topic: ChatTopic, command_id: str) -> str:
        return f"07{abs(chat_topic.chat_id) % 10**6:06}{command_id.removeprefix('tg:'):0>6}"


@dataclass
class People(people.People):
    """Languages and bans set by a test."""

    locales: dict[int, str] = field(default_factory=dict)
    banned: set[tuple[int, int]] = field(default_factory=set)
    departed: set[tuple[int, int]] = field(default_factory=set)
    seen: dict[int, tuple[str, str | None]] = field(default_factory=dict)

    warm: bool = False
    """True if everything is in memory."""

    def saw_player(self, player_id: int, name: str, username: str | None) -> None:
        self.seen[player_id] = (name, username)

    def remembered_locale(self, player_id: int) -> str | None:
        return self.locales.get(player_id, "") if self.warm else None

    def remembered_welcome(self, chat_id: int, player_id: int) -> bool:
        return self.warm and (chat_id, player_id) not in self.banned | self.departed

    async def locale_of_player(self, player_id: int) -> str | None:
        return self.locales.get(player_id)

    async def is_banned(self, chat_id: int, player_id: int) -> bool:
        return (chat_id, player_id) in self.banned

    async def has_departed(self, chat_id: int, player_id: int) -> bool:
        return (chat_id, player_id) in self.departed

    async def player_returned(self, chat_id: int, player_id: int) -> None:
        self.departed.discard((chat_id, player_id))


@dataclass
class Hosts(hosts.Hosts):
    """Administrators set by a test."""

    hosts: set[tuple[int, int]] = field(default_factory=lambda: {(CHAT, HOST)})

    async def is_host(self, chat_id: int, user_id: int, *, sender_chat_id: int | None = None) -> bool:  # noqa: ARG002
        return (chat_id, user_id) in self.hosts


@dataclass
class Members(members.Members):
    """Membership in every chat, except for absent people. Counts the requests to Telegram."""

    absent: set[tuple[int, int]] = field(default_factory=set)
    asked: int = 0

    async def is_member(self, chat_id: int | str, player_id: int) -> bool | None:
        self.asked += 1
        return (chat_id, player_id) not in self.absent


@dataclass
class Boards(boards.Boards):
    """Record of shown games, and positions of living messages."""

    shown: list[tuple[str, int]] = field(default_factory=list)
    messages: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: int = 0
    broken: bool = False

    async def show(self, game_id: str, *, at_least: int | None = 0, **_: Any) -> None:
        self.shown.append((game_id, at_least or 0))

    async def living(self, game_id: str) -> tuple[int, int] | None:
        self.asked += 1
        if self.broken:
            raise ConnectionError("the store is gone")
        return self.messages.get(game_id)


@dataclass
class Archive(archive.Archive):
    """Finished games."""

    games: dict[str, Game] = field(default_factory=dict)

    async def finished(self, game_id: str) -> Game | None:
        return self.games.get(game_id)


class NoSettings(FlagSettings):
    """Feature flags that nobody has changed."""

    def __init__(self) -> None:
        """Skip the base class: no store is needed."""


class Table(EngineGames):
    """A group with a bot in it, in which taps are the players' commands. ``ids`` numbers the taps."""

    script: Script[Any] = SCRIPT

    def __init__(self, texts: Texts, **options: Any) -> None:
        self.shelf, self.clock = Shelf(KINDS), TurnedClock(OPENED)
        self.store = MemoryGames(self.shelf)
        self.engine = Engine(KINDS, self.store, self.clock, CountedSeeds())
        self.people, self.hosts, self.boards, self.archive, self.reserved = (
            People(),
            Hosts(),
            Boards(),
            Archive(),
            Ids(),
        )
        self.members = Members()
        self.texts = texts
        self.ids = count(1)
        self._options = options
        self.taps = self.another()

    def another(self) -> Taps:
        """Return a taps handler without any memory of others' answers, as in a process that has just started."""
        options = {"bot_username": "tombola_bot", **self._options}
        content, max_live = options.pop("content", {}), options.pop("max_live", 1)
        access = Access(people=self.people, hosts=self.hosts, members=self.members, operators=(), now=self.clock.now)
        openings = Openings(
            engine=self.engine,
            games=self.reserved,
            people=self.people,
            access=access,
            content=content,
            flags=Flags(NoSettings(), access),
            configured=Configured(rules={}, max_live=max_live),
        )
        return Taps(
            engine=self.engine,
            texts=self.texts,
            people=self.people,
            access=access,
            openings=openings,
            boards=self.boards,
            archive=self.archive,
            **options,
        )

    async def tap(self, user: int, data: str, **fields: Any) -> Answer:
        """Tap the living message of the group, unless ``fields`` say otherwise."""
        return await self.answer(self.tap_of(user, data, **fields))

    async def answer(self, tap: Tap) -> Answer:
        """Answer a tap through the fast path."""
        soon: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        return await (soon if self.taps.begin(tap, soon) else self.taps.answer(tap))

    def tap_of(self, user: int, data: str, **fields: Any) -> Tap:
        defaults: dict[str, Any] = {
            "update_id": next(self.ids),
            "query_id": f"q{user}",
            "user_id": user,
            "user_name": f"Player {user}",
            "language": "en",
            "chat_id": CHAT,
            "chat_type": "supergroup",
            "message_id": 50,
            "keyboard": msgspec.json.encode({"inline_keyboard": [[{"text": "x", "callback_data": data}]]}),
            "received": self.clock.at,
        }
        return Tap(data=data, **{**defaults, **fields})

    async def open(self, game_id: str = GAME, chat_topic: ChatTopic = PLACE, **rules: Any) -> str:
        opening = self.script.opening(game_id, chat_topic, **rules)
        await self.engine.execute(game_id, opening, command_id="tg:0", received=OPENED)
        return game_id

    async def push(self, player: int, data: str) -> None:
        """Tap, and expect that it is done."""
        assert (await self.tap(player, data)).outcome == "done"
