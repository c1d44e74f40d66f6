"""The chaos suite's audit: each test breaks one invariant, and the audit must name it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from redis.asyncio import Redis

from chaos.audit import Findings, audited
from chaos.people import BROKEN, TEXTS, Diary, Tap
from sandbox.control import Control
from storage import keys
from storage.connections import Pool
from tests.contract.played import House

SHARDS = 4


def shown(*games: str) -> Control:
    """Return a chat in which each of these games shows its end."""
    buttons = ({"inline_keyboard": [[{"text": "x", "callback_data": f"r:{game}"}]]} for game in games)
    messages = [SimpleNamespace(markup=markup, reply_to=None) for markup in buttons]
    world = SimpleNamespace(chats={1: "chat"}, statistics={})
    return cast("Control", SimpleNamespace(world=world, bot_messages=lambda _chat: messages))


class Evening:
    """A finished game, and the people's observations of it."""

    def __init__(self, house: House, game_id: str, dsn: str) -> None:
        self.house = house
        self.game_id = game_id
        self.diary = Diary()
        self.shown = shown(game_id)
        self._dsn = dsn

    async def remember(self) -> None:
        """Record an acknowledged pick."""
        row = await self.house.pool.fetchrow("SELECT command_id, data FROM game_events WHERE name = 'number_picked'")
        assert row is not None
        number = json.loads(row["data"])["number"]
        text = TEXTS.plain("en", "tap-picked", number=number)
        update_id = int(row["command_id"].removeprefix("tg:"))
        self.diary.taps.append(Tap(update_id, self.game_id, 1, "p", 0.0, 1.0, text))

    async def audit(self) -> Findings:
        return await audited(self.diary, self.shown, self._dsn, self.house.redis, [], SHARDS)


@pytest.fixture
async def evening(pool: Pool, redis: Redis, postgres_dsn: str) -> Evening:
    house = House(pool, redis)
    game_id = await house.play()
    await house.project()
    await house.project(group="boards")
    found = Evening(house, game_id, postgres_dsn)
    await found.remember()
    return found


async def test_an_evening_on_which_nothing_was_lost_passes(evening: Evening) -> None:
    found = await evening.audit()
    assert found.breaches == {}
    assert found.figures["acknowledged taps, each in PostgreSQL"] == 1


async def execute(evening: Evening, statement: str) -> None:
    await evening.house.pool.execute(statement.format(game=evening.game_id))


def sql(statement: str) -> Callable[[Evening], Awaitable[None]]:
    return lambda evening: execute(evening, statement)


async def another_end(evening: Evening) -> None:
    evening.shown = shown(evening.game_id, evening.game_id)


async def no_end(evening: Evening) -> None:
    evening.shown = shown()


async def a_word_of_a_bug(evening: Evening) -> None:
    evening.diary.texts[f"{BROKEN} 1234abcd"] += 1


async def a_tap_that_was_never_written(evening: Evening) -> None:
    evening.diary.taps.append(replace(evening.diary.taps[0], update_id=10**9))


async def a_key_for_ever(evening: Evening) -> None:
    await evening.house.redis.set("tombola:forgotten", "1")


async def a_deadline_left(evening: Evening) -> None:
    await evening.house.redis.zadd(keys.deadlines_key("00"), {evening.game_id: 1})


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (a_tap_that_was_never_written, "acknowledged and lost"),
        (sql("DELETE FROM game_events WHERE game_id = '{game}' AND version = 3"), "versions missing"),
        (
            sql("UPDATE game_events SET command_id = 'tg:1' WHERE game_id = '{game}' AND version IN (2, 5)"),
            "handled twice",
        ),
        (
            sql(
                "UPDATE game_events SET command_id = 'deadline:' || (extract(epoch FROM at) * 1000 - 9000)::bigint"
                " || ':a' WHERE version = 1"
            ),
            "deadline missed",
        ),
        (
            sql("UPDATE game_events SET command_id = 'deadline:9999999999999:' || version WHERE version IN (1, 2)"),
            "deadline with two effects",
        ),
        (sql("UPDATE games SET status = 'drawing', ended_at = NULL, summary = NULL"), "game without an end"),
        (sql("UPDATE prizes SET amount = amount + 0.01"), "prizes differ"),
        (sql("DELETE FROM prizes"), "prizes differ"),
        (sql("UPDATE player_stats SET prizes = prizes * 2"), "figures differ"),
        (sql("UPDATE game_participants SET place = 9 WHERE place = 1"), "standings differ"),
        (another_end, "results announced"),
        (no_end, "results announced"),
        (a_word_of_a_bug, "somebody was told of a bug"),
        (a_key_for_ever, "key without an end"),
        (a_deadline_left, "deadline left over"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_what_is_broken_is_found(
    evening: Evening, broken: Callable[[Evening], Awaitable[None]], breach: str
) -> None:
    await broken(evening)
    assert breach in (await evening.audit()).breaches


async def test_two_answers_of_one_player_to_one_question_are_found(evening: Evening, pool: Pool) -> None:
    for version in (90, 91):
        await pool.execute(
            "INSERT INTO game_events (game_id, version, name, at, command_id, data)"
            " VALUES ('00other', $1, 'answer_given', now(), $2, $3)",
            version,
            f"tg:{version}",
            b'{"player_id": 1, "question": 0, "choice": 1}',
        )
    assert "answered twice" in (await evening.audit()).breaches
