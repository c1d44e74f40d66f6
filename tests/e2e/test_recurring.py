"""A recurring game from its announcement to the private word, with the whole bot."""

import asyncio
from datetime import UTC, datetime

from fsm.kind import ChatTopic
from fsm.schedule import DAY, Schedule
from play.access import Actor
from sandbox.control import buttons
from sandbox.state import Chat, Message
from tests.e2e.conftest import Table


async def test_a_game_is_announced_and_opens_by_itself_and_those_who_asked_get_a_word(polled: Table) -> None:
    chat_id, control, player = polled.group.id, polled.box.control, polled.people[1]
    control.start(player)
    private = control.private(player)

    async def found(words: str, chat: Chat) -> Message:
        """Wait for a message with these words. The task that keeps recurring games looks every few seconds."""
        async with asyncio.timeout(60):
            while (message := control.find(chat, words)) is None:
                await asyncio.sleep(0.05)
                polled.clock.turn(0.05)  # so that Telegram's rates delay nobody
                control.clock_turned()
            return message

    await found("Hello", private)
    play, host = polled.bot.play, Actor(polled.host.id, "Hana", chat_id)
    template = await play.templates.save(host, chat_id, "Evening", "pick_number", "Evening draw", {})
    soon = datetime.fromtimestamp(polled.clock.now() / 1000 + 3600, UTC)
    schedule = Schedule(unit=DAY, minute=soon.hour * 60 + soon.minute, starts_on=soon.date())
    made = await play.recurring.add(host, ChatTopic(chat_id), template, schedule, announce_minutes=30)
    polled.clock.at = made.next_at - 29 * 60_000
    announcement = await found("Evening draw", polled.group)
    (remind,) = buttons(announcement)
    assert "private" in (await control.press_data(player, announcement, remind["callback_data"]).answer()).text
    polled.clock.at = made.next_at
    word = await found("is open in", private)
    assert "Evening draw" in word.content["text"]
    (game_id,) = await polled.bot.games.live_in(ChatTopic(chat_id))
    assert polled.button(f"^j:{game_id}$")
    polled.no_complaints()
