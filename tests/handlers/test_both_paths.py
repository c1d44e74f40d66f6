"""One engine, two paths: a thousand taps through each leave the same events, answers, messages and people."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from bot.ingest.dispatcher import UpdateDispatcher
from bot.observe.metrics import Metrics
from bot.tasks import Tasks
from fsm.engine import Engine
from fsm.kind import ChatTopic, Host
from fsm.lobby import DeadlinePassed, OpenGame
from fsm.pick_number import PickNumberRules
from fsm.quiz import QuizRules
from fsm.registry import KINDS
from handlers.routing import AiogramPath
from handlers.tap_calls import TapCalls
from handlers.taps import Taps
from play.opening import Configured, Openings
from storage import keys
from storage.connections import Pool
from storage.games import RedisGames
from storage.own_boards import OwnBoardIndex
from tests.engine.memory import CountedSeeds
from tests.handlers.quizzes import questions
from tests.handlers.room import BOT, FORUM, GROUP, HOST, OTHER_GROUP, TEXTS, NoBoards, Room, build_room

from tests.handlers.room import chat_of, user  # isort: skip
from tests.support.telegram import TOKEN

TAPS = 1000
PLAYERS = range(30, 48)
PEOPLE = (HOST, *PLAYERS)
BANNED_HERE, BANNED_EVERYWHERE, FLOODER, CHOSE_RUSSIAN = PLAYERS[:4]
QUIZ_GROUP = OTHER_GROUP - 1
FLOOD = range(400, 460)
"""Taps of one person at the same time."""
STEP_MS = 150
RULES = PickNumberRules(min_players=2, max_players=30, join_ms=60_000, selection_ms=90_000)


class Cold:
    """Taps that know no button, so that every update takes aiogram's path."""

    def knows(self, _data: str) -> bool:
        return False


@dataclass
class Effects:
    """Results of the taps."""

    events: list[Mapping[bytes, bytes]] = field(default_factory=list)
    answers: dict[str, set[str]] = field(default_factory=dict)
    """Answers by tap. A repeated tap may be answered twice, but not differently."""
    calls: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    people: list[tuple[Any, ...]] = field(default_factory=list)

    def answered(self, params: Mapping[str, Any]) -> None:
        shown = {name: value for name, value in params.items() if name not in {"callback_query_id", "method"}}
        self.answers.setdefault(params["callback_query_id"], set()).add(json.dumps(shown, sort_keys=True))


class Evening:
    """Source of taps: every button of ours, and invalid data."""

    def __init__(self, games: Mapping[int, str]) -> None:
        self._random = Random(7)
        self._games = games
        """Games by group."""

    def updates(self) -> Iterator[tuple[int, bytes]]:
        """Yield numbered updates; some are repeated."""
        before: list[bytes] = []
        for number in range(TAPS):
            if before and number not in FLOOD and self._random.random() < 0.05:
                yield number, self._random.choice(before[-30:])
                continue
            raw = json.dumps(self._update(number)).encode()
            if number not in FLOOD:  # the flood limit depends on the time; a later tap would be answered
                before.append(raw)
            yield number, raw

    def _update(self, number: int) -> dict[str, Any]:
        person = FLOODER if number in FLOOD else self._random.choice(PEOPLE)
        group = self._random.choice(list(self._games))
        chat = self._random.choice([group] * 8 + [person, person, self._random.choice(list(self._games))])
        sender = {**user(person), "language_code": "ru" if person % 3 == 0 else "en-GB", "last_name": f"L{person}"}
        query = {
            "id": f"{number * 7}",
            "from": sender,
            "message": self._message(chat, person, group),
            "chat_instance": "1",
        }
        return {"update_id": 1000 + number, "callback_query": {**query, "data": self._data(group)}}

    def _message(self, chat: int, person: int, group: int) -> dict[str, Any]:
        message: dict[str, Any] = {"message_id": 500, "date": 1, "chat": chat_of(chat)}
        if self._random.random() < 0.05:
            return {**message, "date": 0}  # too old for Telegram to include its content
        if chat == FORUM:
            message |= {"message_thread_id": 5, "is_topic_message": True}
        if chat < 0 and self._random.random() < 0.2:
            message |= {"message_id": 0, "ephemeral_message_id": 70 + person}
        keyboard = [[{"text": "7", "callback_data": f"p:{self._games[group]}:7"}]]
        return {**message, "text": "A board", "reply_markup": {"inline_keyboard": keyboard}}

    def _data(self, group: int) -> str:
        game, number = self._games[group], self._random.randint(0, 60)
        hot = [f"p:{game}:{number}"] * 40 + [f"j:{game}"] * 15
        if group == QUIZ_GROUP:
            hot = [f"a:{game}:{asked}:{number % 4}" for asked in range(3)] * 10 + [f"j:{game}"] * 15
        own = [f"o:{game}", f"b:{game}:{number % 3}", f"f:{game}", f"x:{game}"]
        public = [f"g:{game}:{number % 3}", f"s:{game}", f"e:{game}", f"r:{game}", f"l:{game}", "k:"]
        other = ["h:quiz", "h:dice", "p:", f"p:07{'z' * 12}:1", f"p:{game}:7x", f"a:{game}:0:1"]
        return self._random.choice([*hot, *own, *public, *other])


def seeded(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest())


class Ids(RedisGames):
    """Store that gives both evenings the same ids."""

    def __init__(self, games: RedisGames) -> None:
        self.shards = games.shards

    async def reserve_id(self, chat_topic: ChatTopic, command_id: str) -> str:
        return keys.new_game_id(chat_topic, len(self.shards), seeded(f"{chat_topic} {command_id}"))


def predictable(room: Room) -> Room:
    """Return the room with draws that are always the same."""
    for chat in (OTHER_GROUP, QUIZ_GROUP):
        room.telegram.appoint(chat, HOST)
    deps = room.deps
    engine = Engine(KINDS, deps.stores.games, room.clock, CountedSeeds())
    openings = Openings(
        engine=engine, games=Ids(deps.stores.games), people=deps.stores.people, access=deps.play.access, content={},
        flags=deps.play.flags, configured=Configured(rules=deps.play.openings.defaults, max_live=2),
    )  # fmt: skip
    taps = Taps(
        engine=engine, texts=TEXTS, people=deps.stores.people, access=deps.play.access, openings=openings,
        boards=NoBoards(), archive=deps.stores.archive, bot_username=BOT,
    )  # fmt: skip
    deps = replace(deps, play=replace(deps.play, engine=engine, openings=openings), taps=taps)
    return replace(room, deps=deps, aiogram_path=AiogramPath(deps, TOKEN, room.telegram.base, session=room.session))


async def opened(room: Room) -> Evening:
    """Open a game in each group and a quiz. Two people are banned, one has chosen a language."""
    people, games = room.deps.stores.people, dict[int, str]()
    for chat_topic in (ChatTopic(GROUP), ChatTopic(FORUM, 5), ChatTopic(OTHER_GROUP), ChatTopic(QUIZ_GROUP)):
        game_id, quiz = keys.new_game_id(chat_topic, 2, seeded(f"open:{chat_topic}")), chat_topic.chat_id == QUIZ_GROUP
        rules = QuizRules(questions=3, join_ms=15_000, question_ms=30_000) if quiz else RULES
        content = questions(3) if quiz else None
        kind = "quiz" if quiz else "pick_number"
        opening = OpenGame(kind, game_id, chat_topic, Host(HOST, "Hana"), "Friday", rules, content=content)
        await room.deps.play.engine.execute(game_id, opening, command_id=f"open:{game_id}")
        games[chat_topic.chat_id] = game_id
    await people.ban(GROUP, BANNED_HERE, HOST, "")
    await people.ban(0, BANNED_EVERYWHERE, HOST, "")
    await people.set_player_locale(CHOSE_RUSSIAN, "ru")
    return Evening(games)


async def fire_due(room: Room) -> None:
    """Fire due deadlines, as the timer does."""
    for game_id, due in await room.deps.stores.games.due(room.clock.now()):
        await room.deps.play.engine.execute(game_id, DeadlinePassed(due), command_id=f"due:{game_id}:{due}")


async def played(redis: Redis, pool: Pool, *, fast: bool) -> Effects:
    """Play the evening through one of the paths, on empty stores."""
    await redis.flushall()
    await pool.execute("TRUNCATE players, chats, bans")
    async with build_room(redis, pool) as room:
        return await _played(predictable(room), fast=fast)


async def _played(room: Room, *, fast: bool) -> Effects:
    deps, metrics, died = room.deps, Metrics(), list[str]()
    tasks = Tasks(lambda name, _: died.append(name))

    async def slow() -> AiogramPath:
        return room.aiogram_path

    dispatcher = UpdateDispatcher(
        taps=deps.taps if fast else cast("Taps", Cold()),
        floods=deps.floods,
        slow=slow,
        tap_calls=TapCalls(
            deps.telegram.api, deps.telegram.limits, deps.telegram.outbox, OwnBoardIndex(deps.stores.redis)
        ),
        redis=room.redis,
        clock=room.clock,
        tasks=tasks,
        metrics=metrics,
    )
    evening, effects = await opened(room), Effects()
    for number, raw in evening.updates():
        room.clock.at += 0 if number in FLOOD else STEP_MS
        await fire_due(room)
        reply = await dispatcher.deliver(raw)
        await tasks.settle(5)
        if reply is not None:
            effects.answered(reply)
    assert not died
    assert not metrics.errors
    assert {path for (path, _), count in metrics.updates.items() if count} == {"fast" if fast else "slow"}
    await note(effects, room)
    return effects


async def note(effects: Effects, room: Room) -> None:
    """Record the contents of the stores and of Telegram."""
    for shard in room.deps.stores.games.shards:
        rows: Any = await room.redis.xrange(keys.feed_key(shard))
        effects.events += [fields for _, fields in rows]
    for call in room.telegram.calls:
        method, params = call.method, call.params
        if method == "answerCallbackQuery":
            effects.answered(params)
        elif method not in {"getChatAdministrators", "getChatMember"}:  # repeated after a minute, whenever that is
            effects.calls.add(f"{method} {json.dumps(params, sort_keys=True)}")
    effects.waiting = {each.id: f"{each.method} {each.params} {each.priority}" for each in await room.sent()}
    await room.deps.stores.people.flush()
    effects.people = [tuple(row) for row in await room.pool.fetch("SELECT id, name, username FROM players ORDER BY id")]


async def test_a_thousand_taps_have_the_same_effects_on_either_path(
    redis: Redis, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine an answer about a member may come late, and the refusal of the tap then gives another reason.
    monkeypatch.setattr("play.members.WAIT_SECONDS", 60.0)
    fast = await played(redis, pool, fast=True)
    slow = await played(redis, pool, fast=False)
    assert fast.answers == slow.answers
    assert fast.events == slow.events
    assert fast.calls == slow.calls
    assert fast.waiting == slow.waiting
    assert fast.people == slow.people
    told = {answer for answers in fast.answers.values() for answer in answers}
    assert len(fast.events) > 100
    assert len(told) > 60, "the evening is varied enough to show a difference"
    for text_id in (
        "cmd-slow-down", "tap-garbage", "rejected-banned", "rejected-elsewhere", "rejected-not-a-host",
        "rejected-join-in-group",
    ):  # fmt: skip
        assert any(TEXTS.plain("en", text_id) in json.loads(answer).get("text", "") for answer in told), text_id
