"""An answer to a tap that Telegram refuses at first: it is retried while the tap is recent."""

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
    # A call answers this tap in both modes: first the question to the host alone, then the answer.
    control.fail(fault, method="answerCallbackQuery")
    await table.tap(table.host, "^x:")
    # aiogram answers this tap, for a dialog.
    private = control.private(table.host)
    control.start(table.host, f"new_{table.group.id}_0__pick_number")
    await table.says("A new game", chat=private)
    control.fail(fault, method="answerCallbackQuery")
    await table.tap(table.host, "Make it a quiz", chat=private)
    assert control.open_queries() == []
