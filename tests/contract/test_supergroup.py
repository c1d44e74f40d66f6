"""Conversion of a group to a supergroup: its id is replaced in every table and every key."""

import re

import pytest
from redis.asyncio import Redis

from fsm.kind import ChatTopic
from fsm.lobby import Join
from fsm.question import Question
from handlers.boards import Boards
from play.hosts import Hosts
from play.texts import Texts
from storage import keys
from storage.administrators import Administrators
from storage.api_tokens import ApiTokens
from storage.audit import Audit, AuditEntry
from storage.broadcast_chats import BroadcastChats
from storage.chat_members import ChatMembers
from storage.connections import Pool
from storage.jobs import NewJob, enqueue
from storage.people import People
from storage.questions import Questions
from storage.seeds import Seeds
from storage.subscriptions import Subscriptions
from storage.webhooks import WebhookMessage, Webhooks, publish
from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox, Outgoing
from tests.contract.played import House
from tests.support.limits import reserve

OLD, NEW = -100777, -1000000100777
FORWARDED = {"chats.id", "broadcast_chats.chat_id"}
"""Columns that keep the old id: the old chat's row points to the new chat, and the outbox forwards its items."""
ONLY_ADDED_TO = {"audit_log.chat_id"}
"""Columns that no statement may change. A reader of the new chat's rows also gets those of the old one."""
STAY = {
    r"tombola:member:": "of a chat that nobody asks about any more, for a minute",
    r"tombola:opens:": "a command that is sent again finds the game that it opened",
    r"tombola:\{send\}:moved:": "tells what is still put for the old id where to go",
    r"tombola:\{send\}:(sent|block|answers?|answered)[:a-z]*": "the rates of a chat that takes no calls any more",
}
"""Keys that keep the old id, with the reason."""


class Group:
    """A group with every kind of stored data."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self.pool, self.redis = pool, redis
        self.house = House(pool, redis)
        self.people, self.questions = People(pool, redis), Questions(pool)
        self.limits = Limits(redis, now=self.house.clock.now)
        self.outbox = Outbox(redis, self.limits)
        self.remembered = Administrators(redis)
        self.hosts = Hosts(BotApi("1:token", "http://127.0.0.1:9"), self.remembered)
        self.boards = Boards(
            engine=self.house.engine, games=self.house.games, outbox=self.outbox, texts=Texts(), people=self.people,
            administrators=self.remembered, clock=self.house.clock, bot_username="tombola_bot",
        )  # fmt: skip
        self.tokens, self.audit = ApiTokens(pool, redis, b"key"), Audit(pool, self.house.clock)
        self.live = ""

    async def lives(self) -> None:
        """Give the group settings, a language, bans, a history, questions, hosts, a live game and its messages."""
        await self.people.saw_chat(OLD, "group", "Friends")
        await self.people.set_chat_locale(OLD, "ru")
        await self.people.change_settings(OLD, {"winners": 2})
        await self.people.ban(OLD, 5, 99, "spam")
        question = Question(id="q", text="One?", answers=("yes", "no"))
        await self.questions.note_asked(OLD, [question], self.house.clock.now())
        (job,) = await enqueue(self.pool, NewJob("test", "a", chat_id=OLD))
        await BroadcastChats(self.pool, self.redis).list_active(job)
        await self.pool.execute(
            "INSERT INTO player_prizes (player_id, chat_id, kind, currency, amount) VALUES (7, $1, '', 'EUR', 5)", OLD
        )
        await self.pool.execute("INSERT INTO chat_templates (chat_id, name, kind) VALUES ($1, 'Friday', 'quiz')", OLD)
        await self.pool.execute(
            "INSERT INTO recurring_games (chat_id, template_id, unit, every, minute, starts_on, zone, next_on, "
            "next_at, wake_at, host_id) SELECT $1, 1, 'day', 1, 0, now(), 'UTC', now(), now(), now(), 99", OLD,
        )  # fmt: skip
        await Subscriptions(self.pool).add(OLD, 7)
        await self.pool.execute(
            "INSERT INTO feature_flags VALUES ('x', 0, ARRAY[$1::bigint], ARRAY[$1::bigint], '', now())", OLD
        )
        await self.pool.execute("INSERT INTO season_podiums VALUES ($1, '2026-Q3', 1, 1, 'Ann', 1, 1, 0, now())", OLD)
        await Webhooks(self.pool).add("a", OLD, "https://a.example", (), "", b"", 0)
        await Webhooks(self.pool).add_source("a", OLD, 0, "", b"", 0)
        await publish(self.pool, [WebhookMessage("m", "game.opened", OLD, b"{}")])
        await self.audit.record(self.entry(OLD, "before"))
        await self.tokens.add(
            "prefix", "token", role="host", chats=frozenset({OLD, -5}), name="", owner_id=99,
            created_at=self.house.clock.now(), expires_at=None,
        )  # fmt: skip
        await self.house.play(chat_id=OLD)
        await Seeds(self.pool).take(OLD)
        self.live = await self.house.open(chat_id=OLD)
        await self.house.do(self.live, Join(1, "A"))
        await self.house.project()
        await self.remembered.remember(OLD, [99])
        await self.people.player_departed(OLD, 1)
        await ChatMembers(self.redis).put_member(OLD, 1, answer=False, fresh=True)
        await self.boards.show(self.live)
        await reserve(self.limits, OLD)
        await self.outbox.put(self.message())

    def entry(self, chat_id: int, action: str) -> AuditEntry:
        return AuditEntry(at=self.house.clock.now(), face="telegram", action=action, outcome="done", chat_id=chat_id)

    def message(self) -> Outgoing:
        return Outgoing(
            id="hello", chat_id=OLD, method="sendMessage", params={"text": "x"}, created_at=self.house.clock.now(),
            game_id=self.live,
        )  # fmt: skip

    async def moves(self) -> None:
        """Do everything that the sender and its consumers do when Telegram reports the conversion."""
        await self.boards.chat_migrated(self.message(), NEW)
        await self.outbox.move(OLD, NEW)
        await self.house.project()

    async def columns(self, chat_id: int) -> set[str]:
        """Return the columns of all tables that hold this id."""
        return {
            name
            for name, table, column in ((name, *name.split(".")) for name in await self.chat_columns())
            if await self.pool.fetchval(
                f"SELECT count(*) FROM {table} WHERE $1 = ANY(ARRAY[]::bigint[] || {column})", chat_id
            )
        }

    async def chat_columns(self) -> set[str]:
        """Return all columns that are for the ids of chats."""
        rows = await self.pool.fetch(
            "SELECT table_name || '.' || column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND column_name ~ 'chat' AND udt_name IN ('int8', '_int8') "
            # The rows of a partition are those of its table.
            "AND NOT (SELECT relispartition FROM pg_class WHERE oid = format('public.%I', table_name)::regclass)"
        )
        return {row[0] for row in rows} | FORWARDED

    async def names(self, chat_id: int) -> set[str]:
        """Return the keys whose name contains this id."""
        pattern = re.compile(rf"(?<!\d){chat_id}(?!\d)")
        return {key.decode() async for key in self.redis.scan_iter(count=1000) if pattern.search(key.decode())}


async def left_behind(group: Group) -> set[str]:
    """Return the keys that still contain the old id without a reason."""
    return {name for name in await group.names(OLD) if not any(re.match(stay, name) for stay in STAY)}


@pytest.fixture
def group(pool: Pool, redis: Redis) -> Group:
    return Group(pool, redis)


async def test_every_column_with_a_chat_moves(group: Group) -> None:
    await group.lives()
    assert await group.columns(OLD) == await group.chat_columns(), "a new column needs its move, and a row in this test"
    await group.moves()
    assert await group.columns(OLD) == FORWARDED | ONLY_ADDED_TO
    assert await group.columns(NEW) >= await group.chat_columns() - ONLY_ADDED_TO - {"broadcast_chats.chat_id"}


async def test_every_key_with_a_chat_moves_or_stays_for_a_reason(group: Group) -> None:
    await group.lives()
    before = await group.names(OLD)
    shard = keys.shard_of_chat(OLD, len(group.house.games.shards))
    assert {keys.topic_key(shard, ChatTopic(OLD)), keys.administrators_key(OLD)} <= before
    await group.moves()
    assert await left_behind(group) == set(), (
        "a key that carries a chat's id moves, or is listed with the reason why it stays"
    )
    assert await group.house.games.live_in(ChatTopic(NEW)) == [group.live]
    assert any("q:" in name for name in await group.names(NEW)), "what waits to be sent"


async def test_what_is_known_of_the_group_is_known_of_the_supergroup(group: Group) -> None:
    await group.lives()
    await group.moves()
    await group.moves()  # both chats report it, and so does the sender
    chat = await group.people.chat(NEW)
    assert chat is not None
    assert (chat.locale, chat.settings, chat.type) == ("ru", {"winners": 2}, "supergroup")
    assert await group.people.is_banned(NEW, 5)
    assert await group.people.has_departed(NEW, 1)
    assert [gist.text for gist in await group.questions.asked(NEW)] == ["One?"]
    assert (await group.house.engine.look(group.live)).state.place == ChatTopic(NEW)
    token, _ = await group.tokens.found("prefix") or (None, b"")
    assert token is not None
    assert token.chats == frozenset({NEW, -5}), "a token of the group is one of the supergroup, and of no other chat"
    await group.audit.record(group.entry(NEW, "after"))
    assert [entry.action for entry in await group.audit.page(5, chat_id=NEW)] == ["after", "before"]
    await group.house.cancel(group.live)
    assert await left_behind(group) == set()
