"""Environment for tests of handlers: a real dispatcher on real stores, and the Bot API over HTTP."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from html import unescape
from typing import Any

from aiogram.client.session.aiohttp import AiohttpSession
from redis.asyncio import Redis

from bot.clock import SystemEntropy
from bot.tasks import Tasks
from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic
from fsm.pick_number import KIND, PickNumberRules
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from handlers.audience import slot_of
from handlers.boards import Boards
from handlers.flood_control import Floods
from handlers.kinds.registry import FACES
from handlers.limited_session import http_session
from handlers.pictures import Pictures
from handlers.routing import AiogramPath, Deps
from handlers.taps import Taps
from play.access import ANONYMOUS, Access
from play.acting import Acting
from play.application import Application
from play.bans import Bans
from play.broadcasts import Broadcasts
from play.departures import Departures
from play.flags import Flags
from play.guarded_http import AddressGuard, GuardedHttp
from play.hosts import Hosts
from play.incoming_webhooks import SEEN_MS, IncomingWebhooks
from play.jobs import JobDesk
from play.members import Members
from play.next_games import NextGames
from play.occurrences import Occurrences
from play.opening import Configured, Openings
from play.pack_imports import PackImports
from play.privacy import Privacy
from play.proofs import Proofs
from play.public_chats import PublicChats
from play.recurring import RecurringDesk
from play.sessions import Sessions
from play.templates import GameTemplates
from play.texts import Texts
from play.tokens import Tokens
from play.webhooks import WebhookDesk
from storage import keys
from storage.achievements import Achievements
from storage.administrators import Administrators
from storage.api_requests import ApiRequests
from storage.api_tokens import ApiTokens
from storage.app_sessions import AppSessions
from storage.archive import Archive
from storage.audit import Audit
from storage.broadcast_chats import BroadcastChats
from storage.chat_members import ChatMembers
from storage.codec import Codec
from storage.connections import Pool
from storage.feed import Entry
from storage.figures import Figures
from storage.flags import FlagSettings
from storage.games import RedisGames
from storage.job_runner import JobKind, Runner
from storage.jobs import UNFINISHED, Jobs
from storage.keys import send_base
from storage.leases import Bell
from storage.people import People
from storage.personal_data import PersonalData
from storage.processes import Processes
from storage.projector import Projector
from storage.public_log import PublicLog
from storage.questions import Questions
from storage.recurring import RecurringGames
from storage.seeds import Seeds
from storage.seen_calls import SeenCalls
from storage.stores import Stores
from storage.subscriptions import Subscriptions
from storage.templates import Templates
from storage.unpublished import Unpublished
from storage.wallets import Wallets
from storage.webhooks import Webhooks
from telegram.client import BotApi
from telegram.limits import Limits, Rates
from telegram.outbox import Claimed, Outbox, Outgoing
from telegram.telegram import Telegram as TelegramGroup
from tests.support.clock import TurnedClock
from tests.support.games import EngineGames
from tests.support.telegram import TOKEN, Telegram, serving

BOT_ID, BOT = 4242, "TombolaBot"
GROUP, FORUM, OTHER_GROUP = -1001, -1002, -1003
HOST, ANN, BEN, OPERATOR = 11, 21, 22, 99
TEXTS = Texts()


@dataclass
class Room(EngineGames):
    """The whole environment, and the actions of people in it."""

    everybody = (ANN, BEN)
    owner = HOST

    deps: Deps
    telegram: Telegram
    session: AiohttpSession
    aiogram_path: AiogramPath
    redis: Redis
    pool: Pool
    clock: TurnedClock
    errors: list[str]
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))
    read: dict[str, str] = field(default_factory=dict)
    said: list[dict[str, Any]] = field(default_factory=list)
    """The messages of people."""

    def __post_init__(self) -> None:
        self.engine = self.deps.play.engine

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
        await self.redis.set(f"{send_base()}:fence", 1)
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

    async def open(self, *, chat: int = GROUP, topic: int = 0, line: str = "") -> str:
        """Open a game as a host. Returns its id."""
        thread = {"message_thread_id": topic, "is_topic_message": True} if topic else {}
        await self.say(line or self.script.line, by=HOST, chat=chat, **thread)
        (game_id,) = await self.deps.stores.games.live_in(ChatTopic(chat, topic))
        return game_id

    def name_of(self, player: int) -> str:
        """Return a person's name."""
        return name_of(player)

    async def close(self, game_id: str) -> Outcome:
        """Let all deadlines pass, and PostgreSQL get the events."""
        outcome = await super().close(game_id)
        await self.project()
        return outcome

    async def feed(self) -> list[Entry]:
        """Return all entries of the feed."""
        shards: dict[str, Any] = {
            shard: await self.redis.xrange(keys.feed_key(shard)) for shard in self.deps.stores.games.shards
        }
        return [_entry(shard, id_, fields) for shard, rows in shards.items() for id_, fields in rows]

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


def as_shown(text_id: str, locale: str = "en", **arguments: Any) -> str:
    """Return a text as people see it, without its marks of HTML."""
    return plain(unescape(re.sub("<[^>]+>", "", TEXTS.html(locale, text_id, **arguments))))


class NoBoards(Boards):
    """Boards without living messages, which the announcer's tests cover."""

    def __init__(self) -> None:
        """Take no renderer. ``ends`` lists the games whose end was to be shown."""
        self.ends = list[str]()

    async def turn(self, game_id: str, page: int) -> None:
        """Do nothing."""

    async def show(self, game_id: str, *, at_least: int | None = 0, **_: Any) -> None:
        """Do nothing."""

    async def show_end(self, game_id: str, *, only_if_removed: bool = False) -> None:  # noqa: ARG002
        """Note the game."""
        self.ends.append(game_id)

    async def living(self, game_id: str) -> tuple[int, int] | None:  # noqa: ARG002
        return None


@asynccontextmanager
async def build_room(redis: Redis, pool: Pool, *, host_joins: bool = False) -> AsyncIterator[Room]:
    """Build a room on empty stores."""
    async with serving(Telegram(TurnedClock(), username=BOT)) as telegram:
        for person in (HOST, ANN, BEN, OPERATOR):
            telegram.person(person, name_of(person))
        telegram.chat(FORUM, is_forum=True)
        for chat in (GROUP, FORUM):
            telegram.appoint(chat, HOST)
        api, session = BotApi(TOKEN, telegram.base, failures=1000), http_session(telegram.base)
        yield _room(redis, pool, telegram, api, session, host_joins=host_joins)
        await api.close()
        # aiogram's own close would wait for a quarter of a second.
        await (await session.create_session()).close()


def _room(
    redis: Redis, pool: Pool, telegram: Telegram, api: BotApi, session: AiohttpSession, *, host_joins: bool
) -> Room:
    clock, errors = telegram.clock, list[str]()
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
        figures=Figures(pool),
        achievements=Achievements(pool),
        questions=Questions(pool),
        seeds=Seeds(pool),
        log=PublicLog(pool, codec),
        wallets=Wallets(pool, redis),
        templates=Templates(pool),
        recurring=RecurringGames(pool),
        subscriptions=Subscriptions(pool),
        jobs=Jobs(pool, redis),
        broadcast_chats=BroadcastChats(pool, redis),
        audit=Audit(pool, clock),
        unpublished=Unpublished(pool),
        webhooks=Webhooks(pool),
        api_tokens=ApiTokens(pool, redis),
        flags=FlagSettings(pool, redis),
        api_requests=ApiRequests(redis),
        processes=Processes(redis),
    )
    hosts, members = Hosts(api, Administrators(redis)), Members(api, ChatMembers(redis))
    engine = Engine(KINDS, stores.games, clock, SystemEntropy(), record=stores.audit.command)
    access = Access(people=stores.people, hosts=hosts, members=members, operators={OPERATOR}, now=clock.now)
    flags = Flags(stores.flags, access)
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
        flags=flags,
        configured=Configured(rules={KIND.name: PickNumberRules(), "quiz": QuizRules()}, host_joins=host_joins),
    )

    outbox, http = Outbox(redis, limits), GuardedHttp(AddressGuard())
    webhooks = WebhookDesk(webhooks=stores.webhooks, jobs=stores.jobs, access=access, http=http, clock=clock)
    incoming = IncomingWebhooks(
        webhooks=stores.webhooks, seen=SeenCalls(redis, ttl_ms=SEEN_MS), engine=engine, openings=openings,
        flags=flags, access=access, clock=clock,
    )  # fmt: skip
    imports = PackImports(
        jobs=stores.jobs, questions=stores.questions, http=http, outbox=outbox, texts=TEXTS, clock=clock
    )
    broadcasts = Broadcasts(
        jobs=stores.jobs, chats=stores.broadcast_chats, people=stores.people, outbox=outbox, access=access, texts=TEXTS,
        clock=clock, late_seconds=0,
    )  # fmt: skip

    next_games = NextGames(
        stored=stores.subscriptions, engine=engine, people=stores.people, access=access, members=members,
        outbox=outbox, texts=TEXTS, clock=clock, slot_of=slot_of,
    )  # fmt: skip

    async def health() -> dict[str, str]:
        return {"redis": "1 ms"}

    deps = Deps(
        stores=stores,
        telegram=TelegramGroup(api=api, limits=limits, outbox=outbox),
        play=Application(
            engine=engine, clock=clock, texts=TEXTS, hosts=hosts, members=members, access=access, flags=flags,
            openings=openings, templates=GameTemplates(stores.templates, access),
            recurring=RecurringDesk(
                stored=stores.recurring, templates=stores.templates, openings=openings, people=stores.people,
                access=access, jobs=stores.jobs, clock=clock,
            ),
            occurrences=Occurrences(
                stored=stores.recurring, templates=stores.templates, openings=openings, games=stores.games,
                engine=engine, archive=stores.archive, people=stores.people, access=access, members=members,
                outbox=outbox, jobs=stores.jobs, texts=TEXTS, clock=clock,
            ),
            next_games=next_games,
            jobs=JobDesk(stores.jobs, access), broadcasts=broadcasts, http=http, webhooks=webhooks,
            incoming=incoming, imports=imports,
            acting=Acting(access=access, requests=stores.api_requests, archive=stores.archive),
            bans=Bans(
                engine=engine, access=access, people=stores.people, games=stores.games, archive=stores.archive
            ),
            departures=Departures(
                engine=engine, games=stores.games, archive=stores.archive, people=stores.people, members=members,
                next_games=next_games,
            ),
            proofs=Proofs(
                engine=engine, archive=stores.archive, log=stores.log, clock=clock,
                provers={name: face.prove for name, face in FACES.items() if face.prove is not None},
            ),
            privacy=Privacy(
                personal_data=PersonalData(pool, redis), jobs=stores.jobs, engine=engine, outbox=outbox, texts=TEXTS,
                clock=clock, policy_url="https://example.org/privacy",
            ),
            public=PublicChats(stores.people, stores.api_tokens.key, "https://app.example.org/app/"),
            tokens=Tokens(stores.api_tokens, clock),
            sessions=Sessions(AppSessions(redis), stores.people, clock, "1:token"), beacon=None,
        ),
        boards=NoBoards(),
        taps=Taps(
            engine=engine, texts=TEXTS, people=stores.people, access=access, openings=openings, boards=NoBoards(),
            archive=stores.archive, bot_username=BOT,
        ),
        floods=Floods(),
        pictures=Pictures(TEXTS),
        bot_id=BOT_ID,
        bot_username=BOT,
        health=health,
        count_error=errors.append,
    )  # fmt: skip
    aiogram_path = AiogramPath(deps, TOKEN, telegram.base, session=session)
    return Room(deps, telegram, session, aiogram_path, redis, pool, clock, errors)
