"""What only one person sees: own boards, questions to hosts, rules; in the group, by ephemeral messages."""

from sandbox.control import buttons
from sandbox.state import Message
from tests.e2e.conftest import Table
from tests.e2e.test_pick_number import everybody_joins, open_game


def ephemeral(table: Table) -> list[Message]:
    return list(table.group.ephemeral.values())


async def test_a_player_picks_privately_and_a_host_cancels_and_plays_again(polled: Table) -> None:
    await open_game(polled)
    await everybody_joins(polled)
    await polled.tap(polled.host, "^s:")
    await polled.says("Take a number")
    player, press = polled.people[1], polled.box.control.press_data
    await polled.tap(player, "^o:")
    (own,) = ephemeral(polled)
    five = next(button for button in buttons(own) if button["text"] == "5")
    assert "5" in (await press(player, own, five["callback_data"]).answer()).text
    await polled.until(lambda: "You have" in str(own.content))
    assert "5" in (await polled.tap(polled.people[2], r"^p:[^:]+:5$")).text
    await polled.tap(polled.host, "^x:")
    question = await polled.until(lambda: ephemeral(polled)[-1] if len(ephemeral(polled)) > 1 else None)
    await press(polled.host, question, buttons(question)[0]["callback_data"]).answer()
    await polled.says("(?i)cancelled")
    await polled.until(lambda: len(ephemeral(polled)) == 1)
    await polled.tap(polled.host, "^r:")
    await polled.tap(player, "^h:")
    await polled.until(lambda: len(ephemeral(polled)) == 2)
    polled.no_complaints()
