"""The benchmark of a board, run once."""

from pathlib import Path

from benchmarks.__main__ import PARTS, WORDS
from benchmarks.plan import Plan
from benchmarks.report import verdicts
from benchmarks.stacks import Stores


async def test_the_rendering_of_a_board_is_measured_and_has_a_limit() -> None:
    rows = await PARTS["boards"](Stores(Path(), "", "", ""), Plan(runs=1))
    assert [row.name for row in rows] == ["board.ms"]
    assert rows[0].name in WORDS
    assert len(verdicts(rows)) == 1
