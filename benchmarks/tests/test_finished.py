"""The benchmark of finished games, run with a small archive."""

import tempfile
from pathlib import Path

from benchmarks.__main__ import WORDS
from benchmarks.finished import FEW, measure
from benchmarks.plan import Plan
from benchmarks.report import verdicts
from benchmarks.stacks import Stores
from benchmarks.telegram import bot_api


async def test_everything_is_measured_beside_games_of_the_past_and_beside_none() -> None:
    with tempfile.TemporaryDirectory(prefix="tombola-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        async with bot_api() as api:
            rows = await measure(Stores(directory, "", "", api), Plan(runs=1, seconds=0.2, games=20, players=12))
    found = {row.name: row for row in rows}
    assert set(found) == {name for name in WORDS if name.startswith("finished.")}
    assert found["finished.games"].median == FEW
    # some systems do not report processor time
    assert all(row.low > 0 for row in rows if row.name != "finished.tap_cpu_ratio")
    assert len(verdicts(rows)) == 3
