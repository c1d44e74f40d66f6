"""The pace of games under Telegram's limit for groups: every required message is shown, for its full time."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.settings import GAMES
from handlers.kinds.pick_number.settings import PickNumberSection
from sandbox.state import User
from telegram.limits import Limits, Rates
from tests.e2e.conftest import Table, seated
from tests.e2e.test_quiz import polls_on
from tests.support.limits import reserve

STEP = 0.5
"""Seconds by which the clock is turned at a time; the group is observed after each step."""


@dataclass
class Watch:
    """Record of the group's messages: each text of the bot with the time of its first appearance."""

    table: Table
    texts: list[tuple[float, str]] = field(default_factory=list)
    over: set[int] = field(default_factory=set)
    """Ids of closed polls."""
    polls: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Message id of a poll -> time of its appearance, time when it was seen closed, or was last seen open."""

    async def on(self, seconds: float, *, every: Callable[[float], None] = lambda _: None) -> None:
        """Turn the clock by this many seconds, in small steps."""
        table, until = self.table, self.table.clock.seconds() + seconds
        while table.clock.seconds() < until:
            await table.turn(STEP)
            await asyncio.sleep(0.02)
            self.look()
            every(table.clock.seconds())

    def wants_own_board(self, game_id: str, person: User) -> None:
        """Tap the button for the own board on any message, as somebody does with an old link."""
        board = self.table.box.control.bot_messages(self.table.group)[-1]
        self.table.box.control.press_data(person, board, f"o:{game_id}")

    def look(self) -> None:
        """Record new texts, with the time at which Telegram took them: on a busy machine a look comes late."""
        now, seen = self.table.clock.seconds(), {text for _, text in self.texts}
        for message in self.table.box.control.bot_messages(self.table.group):
            text = str(message.content.get("text", ""))
            if text and text not in seen:
                self.texts.append((message.edit_date or message.date, text))
            if message.poll_id is not None and message.id not in self.over:
                self.polls[message.id] = (message.date, now)
                if self.table.box.world.polls[str(message.poll_id)].is_closed:
                    self.over.add(message.id)

    def when(self, *parts: str, without: str = "\0") -> float | None:
        """Return the time at which a text with these parts first appeared, or None."""
        return next((at for at, text in self.texts if all(p in text for p in parts) and without not in text), None)


async def use_up(table: Table) -> None:
    """Use up Telegram's limit of a minute for the group, within 25 seconds."""
    limits, until = Limits(table.bot.redis, Rates(), table.clock.now), table.clock.seconds() + 25
    while table.clock.seconds() < until:
        if await reserve(limits, table.group.id):
            await table.turn(0.5)


async def ready(table: Table, command: str) -> None:
    """Open a game and let three people join, in a group that has recently received many messages."""
    await table.join(await table.open(command), *table.people[:3])
    await use_up(table)


async def test_after_a_busy_lobby_every_question_is_seen_for_its_full_time(polled: Table) -> None:
    await ready(polled, "/start_quiz 5 15")
    await polled.tap(polled.host, "^s:")
    watch = Watch(polled)
    await watch.on(180)
    for number in range(1, 6):
        asked = watch.when(f"Question {number} of 5", without="✅")
        revealed = watch.when(f"Question {number} of 5", "✅")
        assert asked is not None, number
        assert revealed is not None, number
        assert revealed - asked >= 15 - 1, number  # Telegram counts whole seconds
    assert watch.when("🏆") is not None
    polled.no_complaints()


async def test_every_question_has_its_poll_for_its_full_time_after_a_busy_lobby_while_people_use_forms_and_own_boards(
    polled: Table,
) -> None:
    seconds = 3
    await polls_on(polled)
    await ready(polled, f"/start_quiz 6 {seconds}")
    game_id = polled.games[-1]
    await polled.tap(polled.host, "^s:")
    watch = Watch(polled)
    for number in range(60):
        state = (await polled.bot.engine.look(game_id)).state
        if state.phase == "completed":
            break
        if number % 2:
            polled.box.control.say(polled.host, polled.group, "/newgame")
        else:
            polled.box.control.say(polled.people[1], polled.group, "/games")
        watch.wants_own_board(game_id, polled.people[2])
        await watch.on(5)
    await watch.on(10)
    assert len(watch.polls) == 6, "each question has its poll"
    for opened, closed in watch.polls.values():
        assert closed - opened >= seconds - 1
    revealed = [at for at, text in watch.texts if "✅" in text and "Question" in text]
    assert len(revealed) == 6, "each answer is shown"
    for (opened, _), shown in zip(watch.polls.values(), revealed, strict=True):
        assert shown - opened >= seconds - 1, "no answer is shown before its poll had its time"
    polled.no_complaints()


@pytest.mark.parametrize("mode", ["", "reverse"])
async def test_every_frame_of_a_draw_is_seen_however_busy_the_group_was(
    postgres_dsn: str, redis_dsn: str, mode: str
) -> None:
    games = GAMES.model_validate({"pick_number": PickNumberSection(reveal_seconds=1.0, range_multiplier=2)})
    async with seated(postgres_dsn, redis_dsn, "polling", people=10, games=games) as table:
        game_id = await table.open(f"/create_game Friday {mode} {9 if not mode else 1}")
        await table.join(game_id, *table.people)
        await use_up(table)
        await table.start(game_id)
        await table.says("Pick")
        watch = Watch(table)
        await table.all_choose(game_id)
        await watch.on(200)
        drawing = [text for _, text in watch.texts if "🏆" not in text and "🏁" not in text]
        frames = {text for text in drawing if "Pick" not in text and "🎱" in text}
        said = [re.search(r"Out \((\d+)\)", text) for text in frames]
        places = [len(re.findall("🥇|🥈|🥉|\n\\d\\. ", text)) for text in frames if "Drawn" in text]
        seen = {int(each[1]) for each in said if each} if mode else set(places)
        assert seen >= set(range(1, 10)), "every number that decides is shown, one by one"
        assert watch.when("🏆") is not None
        table.no_complaints()


async def test_one_member_who_keeps_asking_takes_no_time_from_those_who_pick(postgres_dsn: str, redis_dsn: str) -> None:
    games = GAMES.model_validate({"pick_number": PickNumberSection(selection_seconds=20)})
    async with seated(postgres_dsn, redis_dsn, "polling", games=games) as table:
        watch = Watch(table)

        async def pester(times: int) -> None:
            for _ in range(times):
                table.box.control.say(table.people[-1], table.group, "/games")
                await watch.on(2.5)

        game_id = await table.open()
        await table.join(game_id, *table.people[:3])
        await pester(20)
        await table.tap(table.host, "^s:")
        opened = table.clock.seconds()
        await pester(7)
        shown = watch.when("Take a number")
        assert shown is not None
        assert shown - opened <= 20, "a phase has room within the group's minute, whatever is asked"
        assert await table.choose(game_id, table.host, 3) == "You have 3."
        table.no_complaints()


async def test_selection_lasts_its_full_time_from_when_the_board_is_seen(postgres_dsn: str, redis_dsn: str) -> None:
    games = GAMES.model_validate({"pick_number": PickNumberSection(selection_seconds=20)})
    async with seated(postgres_dsn, redis_dsn, "polling", games=games) as table:
        await ready(table, "/create_game Friday")
        await table.tap(table.host, "^s:")
        opened, watch = table.clock.seconds(), Watch(table)
        await watch.on(70)
        shown = watch.when("Take a number")
        assert shown is not None
        assert shown - opened > 5, "the group's minute was used up"
        assert shown - opened < 70, "nor is it held up for longer than a minute"
        assert (await events_of(table))["time_begun"]["deadline"] / 1000 >= shown + 20 - 1
        table.no_complaints()


async def events_of(table: Table) -> dict[str, Any]:
    """Return the last event of each name in PostgreSQL."""
    rows = await table.bot.pool.fetch("SELECT name, data FROM game_events ORDER BY version")
    return {row["name"]: json.loads(row["data"]) for row in rows}
