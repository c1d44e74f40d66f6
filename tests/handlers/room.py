"""Environment for tests of handlers: a real dispatcher on real stores, and a Telegram that records calls."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import TelegramMethod
from aiogram.types import Message
from redis.asyncio import Redis

from bot.clock import SystemEntropy
from bot.tasks import Tasks
from fsm.engine import Engine
from fsm.kind import ChatTopic, Game
from fsm.lobby import DeadlinePassed, Join, StartNow
from fsm.pick_number import KIND, PickNumber, PickNumberRules
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from handlers.boards import Boards
from handlers.flood_control import Floods
from handlers.kinds.registry import FACES
from handlers.routing import AiogramPath, Deps
from handlers.taps import Taps
from play.access import ANONYMOUS, Access
from play.acting import Acting
from play.application import Application
from play.bans import Bans
from play.broadcasts import Broadcasts
from play.hosts import Hosts
from play.jobs import JobDesk
from play.members import Members
from play.opening import Openings
from play.proofs import Proofs
from play.texts import Texts
from play.tokens import Tokens
from storage import keys
from storage.administrators import Administrators
from storage.api_requests import ApiRequests
from storage.api_tokens import ApiTokens
from storage.archive import Archive
from storage.chat_members import ChatMembers
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Entry
from storage.games import RedisGames
from storage.job_runner import JobKind, Runner
from storage.jobs import UNFINISHED, Jobs
from storage.leases import Bell
from storage.people import People
from storage.processes import Processes
from storage.projector import Projector
from storage.public_log import PublicLog
from storage.questions import Questions
from storage.seeds import Seeds
from storage.stores import Stores
from storage.wallets import Wallets
from telegram.client import BotApi
from telegram.limits import BASE, Limits, Rates
from telegram.outbox import Claimed, Outbox, Outgoing
from telegram.telegram import Telegram as TelegramGroup
from tests.support.clock import TurnedClock

BOT_ID, BOT = 4242, "TombolaBot"
GROUP, FORUM, OTHER_GROUP = -1001, -1002, -1003
HOST, ANN, BEN, OPERATOR = 11, 21, 22, 99
TEXTS = Texts()


@dataclass
class Telegram(BotApi):
    """The Bot API for direct calls of handlers. Knows the administrators of chats, and absent people."""

    administrators: dict[int, list[int]] = field(default_factory=dict)
    absent: dict[tuple[int, int], str] = field(default_factory=dict)
    """(chat, person) -> status. All others are members of every chat."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    broken: Exception | None = None
    uploads: dict[str, bytes] = field(default_factory=dict)

    async def download(self, file_id: str, limit: int) -> bytes:
        content = self.uploads[file_id]
        if len(content) > limit:
            raise ValueError("too large")
        return content

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        *,
        seconds: float | None = None,  # noqa: ARG002
    ) -> Any:
        if self.broken is not None:
            raise self.broken
        given = dict(params or {})
        self.calls.append((method, given))
        self.files += (files or {}).values()
        if method == "getChatAdministrators":
            return [
                {"status": "administrator", "user": {"id": user_id}}
                for user_id in self.administrators.get(given["chat_id"], [])
            ]
        if method == "getChatMember":
            place = given["chat_id"], given["user_id"]
            return {"status": self.absent.get(place, "member"), "user": {"id": given["user_id"]}}
        return True

    def named(self, method: str) -> list[dict[str, Any]]:
        return [params for name, params in self.calls if name == method]


class Session(BaseSession):
    """Session for aiogram's own calls: messages are numbered and stored, so that they can be tapped."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.shown: dict[int, dict[str, Any]] = {}
        self.error: Exception | None = None
        self._ids = itertools.count(5000)

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109, ARG002
        if self.error is not None:
            raise self.error
        name = method.__api_method__
        given = method.model_dump(exclude_none=True, mode="json", exclude_defaults=True, warnings=False)
        self.calls.append((name, given))
        if name == "deleteMessage":
            self.shown.pop(given["message_id"], None)
            return True
        message_id = given.get("message_id") or next(self._ids)
        topic = given.get("message_thread_id") or self.shown.get(message_id, {}).get("message_thread_id")
        raw = {
            "message_id": message_id,
            "date": 0,
            "chat": {"id": given["chat_id"], "type": "private" if given["chat_id"] > 0 else "supergroup"},
            "from": {"id": BOT_ID, "is_bot": True, "first_name": "Tombola"},
            "text": given.get("text", ""),
            "reply_markup": given.get("reply_markup"),
            **({"message_thread_id": topic, "is_topic_message": True} if topic else {}),
        }
        self.shown[message_id] = raw
        return Message.model_validate(raw, context={"bot": bot})

    async def close(self) -> None:
        """Do nothing, as no connection is open."""

    async def stream_content(self, *_: Any, **__: Any) -> AsyncGenerator[bytes, None]:
        yield b""


@dataclass
class Room:
    """The whole environment, and the actions of people in it."""

    deps: Deps
    telegram: Telegram
    session: Session
    aiogram_path: AiogramPath
    redis: Redis
    pool: Pool
    clock: TurnedClock
    errors: list[str]
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))
    read: dict[str, str] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    """The messages of people."""

    # -- updates ------------------------------------------------------------------------------------------------

    async def update(self, **content: Any) -> None:
        await self.deliver({"update_id": next(self.ids), **content})

    async def deliver(self, raw: Mapping[str, Any]) -> None:
        await self.aiogram_path(json.dumps(raw).encode())

    async def say(self, text: str | None, *, by: int = ANN, chat: int = GROUP, **more: Any) -> None:
        await self.update(message=self.message(text, by=by, chat=chat, **more))

    def message(self, text: str | None, *, by: int = ANN, chat: int = GROUP, **more: Any) -> dict[str, Any]:
        raw = {"message_id": next(self.ids), "date": 0, "chat": chat_of(chat), "from": user(by), **more}
        if by == ANONYMOUS:
            raw.setdefault("sender_chat", chat_of(chat))
        self.said.append(raw if text is None else {**raw, "text": text})
        return self.said[-1]

    async def tap(self, data: str, message: Mapping[str, Any], *, by: int = ANN) -> None:
        query = {"id": str(next(self.ids)), "from": user(by), "chat_instance": "1", "message": message, "data": data}
        await self.update(callback_query=query)

    # -- results ------------------------------------------------------------------------------------------------

    async def sent(self) -> list[Outgoing]:
        """Return the calls put into the outbox since the last time, in the order of sending."""
        await self.redis.set(f"{BASE}:fence", 1)
        found = []
        while isinstance(claimed := await self.deps.telegram.outbox.claim(1), Claimed):
            found.append(claimed.outgoing)
            await self.deps.telegram.outbox.settle(claimed, sent=1)
        return found

    async def work(self, kind: JobKind) -> None:
        """Do all queued jobs of a kind, one after the other, as a worker would. Delays are ignored."""
        jobs, bell, tasks = self.deps.stores.jobs, Bell(self.redis, keys.JOBS_ENQUEUED), Tasks(lambda *_: None)
        await self.pool.execute("UPDATE jobs SET due_at = now() WHERE status = 'queued' AND kind = $1", kind.name)
        runner = Runner(jobs, [kind], "test", bell, partial(tasks.spawn, vital=False))
        tasks.spawn("runner", runner.run())
        async with asyncio.timeout(60):
            while await jobs.page(kind=kind.name, statuses=UNFINISHED):  # noqa: ASYNC110 -- the runner changes it
                await asyncio.sleep(0.005)
        await tasks.close()

    async def answer(self) -> str:
        """Return the single text that was put into the outbox."""
        (outgoing,) = await self.sent()
        return plain(outgoing.params["text"])

    def toasts(self) -> list[str | None]:
        return [params.get("text") for params in self.telegram.named("answerCallbackQuery")]

    # -- games --------------------------------------------------------------------------------------------------

    async def open(self, *, chat: int = GROUP, topic: int = 0, **words: str) -> str:
        """Open a game as a host. Returns its id."""
        thread = {"message_thread_id": topic, "is_topic_message": True} if topic else {}
        await self.say(words.get("line", "/create_game Friday"), by=HOST, chat=chat, **thread)
        (game_id,) = await self.deps.stores.games.live_in(ChatTopic(chat, topic))
        return game_id

    async def game(self, game_id: str) -> Game:
        return (await self.deps.play.engine.look(game_id)).state

    async def play(self, game_id: str, *players: int, names: Mapping[int, str] = MappingProxyType({})) -> None:
        """Play a game to its end."""
        do = self.deps.play.engine.execute
        for player in players:
            await do(game_id, Join(player, names.get(player) or name_of(player)), command_id=f"j{player}")
        await do(game_id, StartNow(HOST), command_id="s")
        for number, player in enumerate(players, start=1):
            await do(game_id, PickNumber(player, number), command_id=f"p{player}")
        while (state := await self.game(game_id)).deadline is not None:
            self.clock.at = state.deadline
            await do(game_id, DeadlinePassed(state.deadline), command_id=f"d{state.deadline}")
        await self.project()

    async def project(self) -> None:
        """Let the projector write all events."""
        for shard in self.deps.stores.games.shards:
            after = f"({self.read[shard]}" if shard in self.read else "-"
            rows: Any = await self.redis.xrange(keys.feed_key(shard), after)
            entries = [_entry(shard, id_, fields) for id_, fields in rows]
            if entries:
                await Projector(self.pool).handle(entries)
                self.read[shard] = entries[-1].id
        await self.deps.stores.people.flush()


def _entry(shard: str, id_: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    deadline = fields[b"d"].decode()
    return Entry(
        id=id_.decode(),
        shard=shard,
        game_id=fields[b"g"].decode(),
        first_version=int(fields[b"v"]) + 1,
        kind=fields[b"k"].decode(),
        phase=fields[b"p"].decode(),
        deadline=int(deadline) if deadline else None,
        records=fields[b"r"],
    )


def name_of(user_id: int) -> str:
    return {HOST: "Hana", ANN: "Ann <b>", BEN: "Ben & co", OPERATOR: "Olga"}.get(user_id, f"U{user_id}")


def user(user_id: int) -> dict[str, Any]:
    if user_id == ANONYMOUS:
        return {"id": ANONYMOUS, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    return {"id": user_id, "is_bot": False, "first_name": name_of(user_id), "username": f"user{user_id}"}


def chat_of(chat_id: int) -> dict[str, Any]:
    if chat_id > 0:
        return {"id": chat_id, "type": "private", "first_name": name_of(chat_id)}
    return {"id": chat_id, "type": "supergroup", "title": "Friends <3", "is_forum": chat_id == FORUM}


def plain(html: str) -> str:
    """Remove the marks that isolate people's input and keep it from becoming a link."""
    return html.replace("\u2068", "").replace("\u2069", "").replace("\u2060", "")


def text(text_id: str, locale: str = "en", **arguments: Any) -> str:
    """Return a text as it stands in the locale."""
    return plain(TEXTS.html(locale, text_id, **arguments))


class NoBoards(Boards):
    """Boards without living messages, which the announcer's tests cover."""

    def __init__(self) -> None:
        """Take no renderer."""

    async def turn(self, game_id: str, page: int) -> None:
        """Do nothing."""

    async def show(self, game_id: str, *, at_least: int | None = 0, **_: Any) -> None:
        """Do nothing."""

    async def living(self, game_id: str) -> tuple[int, int] | None:  # noqa: ARG002
        return None


def build_room(redis: Redis, pool: Pool) -> Room:
    """Return a room on empty stores."""
    clock, telegram, session, errors = TurnedClock(), Telegram({GROUP: [HOST], FORUM: [HOST]}), Session(), list[str]()
    codec, limits = Codec(KINDS), Limits(redis, Rates(overall=(), chat=(), group=()), clock.now)
    stores = Stores(
        pool=pool,
        redis=redis,
        listening=redis,
        codec=codec,
        games=RedisGames(redis, codec, shards=2),
        projector=Projector(pool),
        people=People(pool, redis),
        archive=Archive(pool, codec),
        questions=Questions(pool),
        seeds=Seeds(pool),
        log=PublicLog(pool, codec),
        wallets=Wallets(pool, redis),
        jobs=Jobs(pool, redis),
        api_tokens=ApiTokens(pool, redis),
        api_requests=ApiRequests(redis),
        processes=Processes(redis),
    )
    hosts, members = Hosts(telegram, Administrators(redis)), Members(telegram, ChatMembers(redis))
    engine = Engine(KINDS, stores.games, clock, SystemEntropy())
    access = Access(people=stores.people, hosts=hosts, members=members, operators={OPERATOR})
    openings = Openings(
        engine=engine,
        games=stores.games,
        people=stores.people,
        access=access,
        content={
            name: face.content(stores.questions, stores.people, stores.seeds, clock)
            for name, face in FACES.items()
            if face.content
        },
        defaults={KIND.name: PickNumberRules(), "quiz": QuizRules()},
    )

    outbox = Outbox(redis, limits)
    broadcasts = Broadcasts(
        jobs=stores.jobs, people=stores.people, outbox=outbox, access=access, texts=TEXTS, clock=clock
    )

    async def health() -> dict[str, str]:
        return {"redis": "1 ms"}

    deps = Deps(
        stores=stores,
        telegram=TelegramGroup(api=telegram, limits=limits, outbox=outbox),
        play=Application(
            engine=engine, clock=clock, texts=TEXTS, hosts=hosts, members=members, access=access, openings=openings,
            jobs=JobDesk(stores.jobs, access), broadcasts=broadcasts,
            acting=Acting(access=access, requests=stores.api_requests, archive=stores.archive),
            bans=Bans(
                engine=engine, access=access, people=stores.people, games=stores.games, archive=stores.archive
            ),
            proofs=Proofs(
                engine=engine, archive=stores.archive, log=stores.log, clock=clock,
                provers={name: face.prove for name, face in FACES.items() if face.prove is not None},
            ),
            tokens=Tokens(stores.api_tokens, clock), beacon=None,
        ),
        boards=NoBoards(),
        taps=Taps(
            engine=engine, texts=TEXTS, people=stores.people, access=access, openings=openings, boards=NoBoards(),
            archive=stores.archive, bot_username=BOT,
        ),
        floods=Floods(),
        bot_id=BOT_ID,
        bot_username=BOT,
        health=health,
        count_error=errors.append,
    )  # fmt: skip
    aiogram_path = AiogramPath(deps, f"{BOT_ID}:{'A' * 35}", "http://nowhere.invalid", session=session)
    return Room(deps, telegram, session, aiogram_path, redis, pool, clock, errors)
