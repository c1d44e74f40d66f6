"""The benchmark of an idle bot, run for a moment."""

from pathlib import Path

from benchmarks.__main__ import WORDS
from benchmarks.idle import MODES, measure_mode
from benchmarks.plan import Plan
from benchmarks.report import row, verdicts
from benchmarks.stacks import Stores


async def test_an_idle_bot_is_counted(postgres_dsn: str, postgres_server: str, redis_dsn: str, tmp_path: Path) -> None:
    assert postgres_dsn  # no other database is open in this server
    rows = await measure_mode(Stores(tmp_path, postgres_server, redis_dsn, ""), Plan(runs=1, seconds=0.2), "polling")
    assert [each.name for each in rows] == ["idle.polling_wakeups", "idle.polling_cpu_percent"]
    assert {each.name for each in rows} <= set(WORDS)


def test_an_idle_bot_has_limits_for_each_way_of_receiving_updates() -> None:
    rows = [row(name, "", [1.0]) for name in WORDS if name.startswith("idle.")]
    assert len(rows) == len(verdicts(rows)) == 2 * len(MODES)
