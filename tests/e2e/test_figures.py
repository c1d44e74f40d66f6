"""The chart of weeks as people see it: behind a button, as a picture, for the person who taps alone."""

import pytest

from handlers import pictures
from sandbox.state import Chat, Message, User
from tests.e2e.conftest import Table
from tests.support.groups import PATIENCE

STATS = "INSERT INTO player_stats (kind, chat_id, player_id, name, games, wins) VALUES ($1, $2, $3, 'Player', 3, 1)"
WEEKS = """
INSERT INTO player_periods (chat_id, period, player_id, kind, games, wins)
VALUES ($1, to_char(now() AT TIME ZONE 'UTC', 'IYYY-"W"IW'), $2, 'pick_number', 3, 1)
"""


async def shown(table: Table, chat: Chat, person: User, data: str) -> Message:
    """Tap the button for the chart, and wait for the answer without turning the clock."""
    control = table.box.control
    await table.turn(10)  # the rates of the chat have room again
    before = len(control.bot_messages(chat, person))
    await table.tap(person, data, chat=chat)
    return (await control.until(lambda: control.bot_messages(chat, person)[before:] or None, timeout=PATIENCE))[-1]


async def test_a_chart_comes_as_a_picture_to_the_person_who_asks_or_as_text_where_photos_are_forbidden(
    polled: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "SECONDS", PATIENCE)
    # Telegram forgets a tap after 15 s. Here the time stands still, so that a slow machine is no fault.
    polled.clock.stop()
    control, (_, person, other, *_), group = polled.box.control, polled.people, polled.group
    for chat, kind in ((group.id, "pick_number"), (0, "pick_number"), (group.id, "")):
        await polled.bot.pool.execute(STATS, kind, chat, person.id)
    await polled.bot.pool.execute(WEEKS, group.id, person.id)
    control.say(person, group, "/stats")
    await polled.says("1 of 3", user=person)
    chart = await shown(polled, group, person, "^weeks:p:")
    assert chart.ephemeral_id is not None
    assert "photo" in chart.content
    assert "3 games, 1 win" in chart.content["caption"]
    assert chart not in control.bot_messages(group, other)
    group.permissions["can_send_photos"] = False
    written = await shown(polled, group, person, "^weeks:p:")
    assert written.ephemeral_id is not None
    assert written.content["text"] == chart.content["caption"]
    control.start(person)
    control.say(person, private := control.private(person), "/stats")
    await polled.says("1 of 3", chat=private, user=person)
    mine = await shown(polled, private, person, "^weeks:p:")
    assert "photo" in mine.content
    assert polled.box.control.open_queries() == []
