"""Achievements in a result and in ``/stats``; the chart of weeks behind a button, for the person who taps it alone."""

from typing import Any

import pytest
from redis.asyncio import Redis

from handlers import pictures
from handlers.moments import Moments
from handlers.own_boards import OwnBoards
from handlers.reminders import Reminders
from storage.own_boards import OwnBoardIndex
from storage.pins import Pins
from telegram.outbox import Outgoing
from telegram.sender import Outcome, Settled
from tests.handlers.room import ANN, BEN, BOT, GROUP, HOST, OTHER_GROUP, TEXTS, Room, as_shown, plain, text

STRANGER = 77


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drawing take as long as a busy machine needs for it."""
    monkeypatch.setattr(pictures, "SECONDS", 60)


@pytest.fixture
async def played(room: Room) -> str:
    """Return a finished game of a group that the bot knows; nothing is left in the outbox."""
    await room.deps.stores.people.saw_chat(GROUP, "supergroup", "Friends")
    game_id = await room.play()
    await room.sent()
    return game_id


def moments(room: Room, redis: Redis, pins: Pins | None = None) -> Moments:
    """Return the messages that games have beside their boards."""
    deps, people, outbox = room.deps, room.deps.stores.people, room.deps.telegram.outbox
    return Moments(
        engine=deps.play.engine, outbox=outbox, texts=TEXTS, people=people, pins=pins or Pins(redis),
        own_boards=OwnBoards(OwnBoardIndex(redis), outbox, TEXTS, people),
        reminders=Reminders(
            engine=deps.play.engine, games=deps.stores.games, outbox=outbox, texts=TEXTS, people=people,
            clock=room.clock,
        ),
        pictures=deps.pictures, achievements=deps.stores.achievements, clock=room.clock, bot_username=BOT,
    )  # fmt: skip


def data_of(out: Outgoing) -> str:
    """Return the data of a message's button for the chart."""
    buttons = [button for row in out.params["reply_markup"]["inline_keyboard"] for button in row]
    return str(next(button["callback_data"] for button in buttons if button["text"] == text("weeks-button")))


async def tap(room: Room, data: str, *, by: int, chat: int = GROUP, **more: Any) -> list[Outgoing]:
    """Tap a button, and return what is sent."""
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}
    await room.tap(data, room.message("figures", chat=chat, reply_markup=markup, **more), by=by)
    return await room.sent()


async def accepted(room: Room, out: Outgoing) -> None:
    """Make the call as the sender does. Raises if the Bot API server refuses it."""
    assert out.photo is not None
    await room.deps.telegram.api.call(out.method, out.sending(), {"photo": ("picture.png", out.photo)})


async def test_a_result_announces_achievements_once_and_stats_have_them(room: Room, redis: Redis, played: str) -> None:
    beside = moments(room, redis)
    entries = [entry for entry in await room.feed() if entry.game_id == played]
    for _ in range(2):
        await beside.handle(entries)
    (result,) = [out for out in await room.sent() if out.id == f"completed:{played}"]
    (winner,) = [each for each in (await room.state(played)).standings if each.place == 1]
    lines = [line for line in plain(result.params["text"]).splitlines() if line.startswith("🏅")]
    assert len(lines) == 1
    assert text("achievement-first-win") in lines[0]
    assert text("achievement-duel") in lines[0]
    await room.say("/stats", by=winner.player_id)
    assert f"🥇 {text('achievement-first-win')} · 🤺 {text('achievement-duel')}" in await room.answer()
    (loser,) = {ANN, BEN} - {winner.player_id}
    await room.say("/stats", by=loser)
    assert text("achievement-first-win") not in await room.answer()


@pytest.mark.usefixtures("played")
async def test_stats_in_a_group_lead_to_a_chart_that_only_its_reader_sees(room: Room) -> None:
    await room.say("/stats", by=ANN)
    (stats,) = await room.sent()
    (chart,) = await tap(room, data_of(stats), by=ANN)
    assert (chart.method, chart.chat_id, chart.game_id) == ("sendPhoto", GROUP, None)
    whom = chart.params["ephemeral_message_parameters"]
    assert whom["receiver_user_id"] == ANN
    assert plain(chart.params["caption"]).startswith("<b>Ann &lt;b&gt;</b>, the last 4 weeks: 1 game, ")
    assert len(chart.params["caption"].splitlines()) == 5
    assert len(room.toasts()) == 1


@pytest.mark.usefixtures("played")
async def test_in_private_the_chart_is_a_new_message(room: Room) -> None:
    await room.say("/stats", by=ANN, chat=ANN)
    (stats,) = await room.sent()
    (chart,) = await tap(room, data_of(stats), by=ANN, chat=ANN)
    assert (chart.method, chart.chat_id, chart.expires_at) == ("sendPhoto", ANN, None)
    assert "ephemeral_message_parameters" not in chart.params
    await accepted(room, chart)


@pytest.mark.usefixtures("played")
async def test_others_see_the_weeks_of_this_group_and_nothing_of_other_groups(room: Room) -> None:
    (chart,) = await tap(room, f"weeks:p:{ANN}", by=BEN)
    assert "1 game" in chart.params["caption"]
    assert await tap(room, f"weeks:p:{ANN}", by=BEN, chat=OTHER_GROUP) == []
    assert room.toasts()[-1] == as_shown("weeks-none", weeks=12)
    assert await tap(room, f"weeks:p:{ANN}", by=STRANGER, chat=STRANGER) == []
    (own,) = await tap(room, f"weeks:p:{ANN}", by=ANN, chat=OTHER_GROUP)
    assert "1 game" in own.params["caption"], "one's own are one's own to see"


@pytest.mark.usefixtures("played")
async def test_the_leaderboard_leads_to_the_chart_of_its_group(room: Room) -> None:
    await room.say("/leaderboard")
    (listed,) = await room.sent()
    (chart,) = await tap(room, data_of(listed), by=BEN)
    assert chart.params["ephemeral_message_parameters"]["receiver_user_id"] == BEN
    assert plain(chart.params["caption"]).startswith("<b>Friends &lt;3</b>, the last 4 weeks: 1 game\n")
    assert "win" not in chart.params["caption"]
    (mine,) = await tap(room, data_of(listed), by=BEN, chat=BEN)
    assert plain(mine.params["caption"]).startswith("<b>Friends &lt;3</b>")
    room.telegram.remove(GROUP, STRANGER, "left")
    assert await tap(room, data_of(listed), by=STRANGER, chat=STRANGER) == []
    assert room.toasts()[-1] == as_shown("rejected-not-a-member")
    assert await tap(room, data_of(listed), by=STRANGER, chat=OTHER_GROUP) == [], "a group shows no other group"


@pytest.mark.parametrize(
    "data", ["weeks:", "weeks:p:", "weeks:c:-", "weeks:p:-5", "weeks:c:--1", "weeks:c:-9e9", "weeks:x:1"]
)
async def test_a_forged_button_shows_no_chart(room: Room, data: str) -> None:
    assert await tap(room, data, by=HOST) == []
    assert room.toasts()[-1] == as_shown("weeks-none", weeks=12)
    assert room.errors == []


@pytest.mark.usefixtures("played")
async def test_without_a_way_to_draw_the_weeks_come_as_text(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "FONT_FOLDERS", ("/nowhere",))
    (shown,) = await tap(room, f"weeks:p:{ANN}", by=ANN)
    assert shown.method == "sendMessage"
    assert shown.params["ephemeral_message_parameters"]["receiver_user_id"] == ANN
    assert "the last 4 weeks: 1 game" in shown.params["text"]


@pytest.mark.usefixtures("played")
async def test_a_chart_that_telegram_refuses_is_sent_as_text_to_the_same_person(room: Room, redis: Redis) -> None:
    (chart,) = await tap(room, f"weeks:p:{ANN}", by=ANN)
    await moments(room, redis).settled(chart, Outcome(Settled.NO_RIGHTS))
    (shown,) = await room.sent()
    assert (shown.method, shown.photo, shown.expires_at) == ("sendMessage", None, chart.expires_at)
    assert shown.params["text"] == chart.params["caption"]
    assert shown.params["ephemeral_message_parameters"] == chart.params["ephemeral_message_parameters"]
    await moments(room, redis).settled(chart, Outcome(Settled.SENT))
    assert await room.sent() == []
