"""Random games of every kind, played through its own face, with the invariants that all kinds share and its own."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from fsm.registry import KINDS
from tests.rules.any_kind import AnyKind
from tests.rules.any_pick_number import AnyPickNumber
from tests.rules.any_quiz import AnyQuiz

MACHINES: dict[str, type[AnyKind]] = {machine.name: machine for machine in (AnyPickNumber, AnyQuiz)}
"""Kind -> the machine with its own actions and invariants. All other kinds have those of any kind."""


@pytest.mark.parametrize("name", KINDS)
def test_a_game_of_any_kind_keeps_what_all_games_promise(name: str) -> None:
    machine = type("Machine", (MACHINES.get(name, AnyKind),), {"name": name})
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=checks)
    )
