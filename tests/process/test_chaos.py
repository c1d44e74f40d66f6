"""The chaos suite itself, on a short plan; `make chaos` runs longer ones."""

import asyncio
import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from bot.runtime import ALL_ROLES
from chaos.acts import ROLES, Act, Setting, performed
from chaos.audit import BOUND_MS, Findings, Window, excused
from chaos.people import TEXTS, Diary, Tap, gather
from chaos.systems import Receiver, check_received
from chaos.troubles import Trouble, planned
from sandbox.app import serve
from sandbox.state import Message

PLAN = (
    Trouble("kill_leader", 0, "{poller}", calm=1),
    Trouble("kill_redis", 0.5, calm=1),
    Trouble("kill_postgres", 0, also=Trouble("kill_leader", 0, "{deadlines}"), calm=1),
    Trouble("telegram", 2, "502", also=Trouble("disorder", 0), calm=1),
)


LATE = {"deadline missed", "takeover"}
"""Breaches of limits of time, which a busy machine exceeds; `make chaos` and the benchmark of a crowd check them."""


async def test_nothing_is_lost_nothing_happens_twice_and_nothing_is_stuck() -> None:
    _, found = await performed(Setting(seed=5, replicas=2, tables=3, people=3, systems=1, seconds=(8, 2, 4, 0.1)), PLAN)
    assert {what: details for what, details in found.breaches.items() if what not in LATE} == {}
    assert found.figures["games"]
    assert found.figures["writes by API done, each in PostgreSQL once"]


@pytest.mark.parametrize(
    ("text_id", "arguments", "done"),
    [
        ("tap-joined", {"players": 3}, True),
        ("tap-picked", {"number": 7}, True),
        ("tap-answered", {"letter": "A", "answer": "Too late: time was up a moment ago."}, True),
        ("tap-paused", {}, True),
        ("rejected-number-taken", {"number": 7}, False),
        ("rejected-already-answered", {"choice": 1}, False),
        ("rejected-not-now", {"phase": "cancelled"}, False),
        ("not-now-start-now", {"phase": "number_selection"}, False),
        ("rejected-not-enough-players", {"have": 1, "need": 2}, False),
        ("error-unavailable", {}, False),
        ("error-unexpected", {"trace": "0a1b2c3d"}, False),
    ],
)
def test_every_answer_to_a_tap_is_an_acknowledgement_unless_it_is_a_refusal(
    text_id: str, arguments: dict[str, Any], *, done: bool
) -> None:
    text = TEXTS.plain("en", text_id, **arguments)
    assert Tap(1, "07abcdefghijkl", 1, "j", 0.0, 1.0, text).done is done
    assert Tap(1, "07abcdefghijkl", 1, "j", 0.0, 1.0, "a text that nobody knows yet").done


async def test_people_pick_on_the_board_also_while_an_announcement_stands_below_it() -> None:
    game = "07abcdefghijkl"
    shown = ({"text": "1", "callback_data": f"p:{game}:1"}, {"text": "Pick your number", "callback_data": f"o:{game}"})
    async with serve() as box, asyncio.timeout(60):
        table = gather(box.control, 1, 2, Random(1), Diary())
        board, announcement = (
            Message(
                table.chat.id, id_, 0, box.control.world.bot_id, {"text": "x"}, markup={"inline_keyboard": [[each]]}
            )
            for id_, each in enumerate(shown, 1)
        )
        table.chat.messages.update({1: board, 2: announcement})
        found = await table._move(game, Counter())
    assert found is not None
    assert (found[0], [data for data, *_ in found[1]]) == (board, [f"p:{game}:1"])


def test_a_repeat_with_its_id_is_allowed_and_one_event_under_two_ids_is_a_breach() -> None:
    body = json.dumps({"type": "game.opened", "data": {"game_id": "g", "version": 1}}).encode()
    row = {"game_id": "g", "version": 1, "name": "game_opened"}
    repeated = Receiver("slow", accepted=["g.1", "g.1"], bodies={"g.1": body})
    twice = Receiver("slow", accepted=["g.1", "x.1"], bodies={"g.1": body, "x.1": body})
    for receiver, breaches in ((repeated, 0), (twice, 1)):
        found = Findings()
        check_received(found, receiver, [row])
        assert len(found.breaches) == breaches


def test_processes_of_one_role_each_have_all_roles_together() -> None:
    assert set(ROLES) == ALL_ROLES


def test_a_plan_follows_from_its_seed() -> None:
    assert planned(7, 50, 3) == planned(7, 50, 3)
    assert planned(7, 50, 3) != planned(8, 50, 3)


def test_a_plan_may_be_of_some_troubles_only() -> None:
    plan = planned(7, 100, 3, only="kill")
    assert all(trouble.kind.startswith("kill") for trouble in plan)
    assert {trouble.also.kind for trouble in plan if trouble.also} <= {trouble.kind for trouble in plan}
    assert {trouble.kind for trouble in planned(7, 20, 3, only="lose", strict=True)} == {"lose_redis"}
    with pytest.raises(ValueError, match="no trouble is called lose"):
        planned(7, 1, 3, only="lose")


def test_a_deadline_is_excused_for_as_long_as_troubles_follow_on_each_other() -> None:
    windows = [Window(100, 300, "a"), Window(250, 500, "b"), Window(900, 1000, "c")]
    assert excused(99, windows) == 99
    assert excused(100, windows) == 500
    assert excused(950, windows) == 1000
    assert BOUND_MS < 5000


def test_every_trouble_of_a_plan_is_one_that_an_act_can_play() -> None:
    kinds = {trouble.kind for trouble in planned(1, 300, 3, minute=True)}
    assert [kind for kind in kinds if not hasattr(Act, f"_{kind}")] == []
