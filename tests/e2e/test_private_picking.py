"""Messages that one person sees: own boards, questions to hosts, rules; in the group, as ephemeral messages."""

from sandbox.control import buttons
from sandbox.state import Message
from telegram.limits import Limits
from tests.e2e.conftest import Table


def ephemeral(table: Table) -> list[Message]:
    return list(table.group.ephemeral.values())


async def test_a_player_picks_privately_and_a_host_cancels_and_plays_again(polled: Table) -> None:
    game_id = await polled.begin()
    await polled.says("Take a number")
    player, press = polled.people[1], polled.box.control.press_data
    await polled.tap(player, "^o:")
    (own,) = ephemeral(polled)
    five = next(button for button in buttons(own) if button["text"] == "5")
    assert "5" in (await press(player, own, five["callback_data"]).answer()).text
    await polled.until(lambda: "You have" in str(own.content))
    assert "5" in await polled.choose(game_id, polled.people[2], 5)
    await polled.tap(polled.host, "^x:")
    question = await polled.until(lambda: ephemeral(polled)[-1] if len(ephemeral(polled)) > 1 else None)
    await press(polled.host, question, buttons(question)[0]["callback_data"]).answer()
    await polled.says("(?i)cancelled")
    await polled.until(lambda: len(ephemeral(polled)) == 1)
    await polled.tap(polled.host, "^r:")
    await polled.tap(player, "^h:")
    await polled.until(lambda: len(ephemeral(polled)) == 2)
    polled.no_complaints()


async def test_fast_picks_in_private_end_with_the_last_number_shown_within_telegrams_limits(polled: Table) -> None:
    game_id = await polled.begin()
    player, control = polled.people[1], polled.box.control
    private = control.private(player)
    control.say(player, private, f"/start g_{game_id}")
    own = await polled.says("Your pick", chat=private)
    for number in (1, 2, 3, 4, 5, 6, 7, 8, 9):
        answer = await control.press_data(player, own, f"p:{game_id}:{number}").answer()
        assert str(number) in (answer.text or "")
    await polled.until(lambda: "✓ 9" in str(own.markup))
    polled.no_complaints()


async def test_where_the_rates_leave_no_room_for_private_boards_the_private_chat_is_offered(polled: Table) -> None:
    game_id = await polled.begin()
    board = await polled.says("Take a number")
    limits = Limits(polled.bot.redis, now=polled.clock.now)
    await limits.penalise(polled.group.id, 30)
    answer = await polled.box.control.press_data(polled.people[1], board, f"o:{game_id}").answer()
    assert answer.url == f"https://t.me/{polled.bot.bot_username}?start=g_{game_id}"
    assert ephemeral(polled) == []
    polled.no_complaints()
