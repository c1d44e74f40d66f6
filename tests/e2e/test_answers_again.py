"""An answer to a tap that Telegram does not take at first: it is tried again while the tap is young."""

import pytest

from sandbox.faults import FaultKind
from tests.e2e.conftest import Table

FAULTS: tuple[FaultKind, ...] = ("502", "drop", "429")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_tap_is_answered_although_its_answer_fails_once(table: Table, fault: FaultKind) -> None:
    control = table.box.control
    control.say(table.host, table.group, "/create_game Friday")
    await table.says("Friday")
    # The webhook's reply answers this tap; with polling it is a call.
    control.fail(fault, method="answerCallbackQuery")
    assert (await table.tap(table.people[1], "^j:")).text
    # This one is answered by a call in both modes: first the question to the host alone, then the answer.
    control.fail(fault, method="answerCallbackQuery")
    await table.tap(table.host, "^x:")
    # And this one by aiogram, for a dialog.
    control.say(table.host, table.group, "/newgame")
    control.fail(fault, method="answerCallbackQuery")
    await table.tap(table.host, "Make it a quiz")
    assert control.open_queries() == []
