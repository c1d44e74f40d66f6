"""Rehearsed rollbacks: two versions on one set of stores, a real Prometheus, and many ways of being bad."""

from pathlib import Path

import pytest

from chaos import rehearsal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(rehearsal.PROMETHEUS is None, reason="no prometheus (Debian: prometheus)"),
]

BEYOND_REPAIR = {"forgetful": {"acknowledged and lost"}, "doubled": {"results announced"}}
"""Breaches that no rollback can mend: a tap that was acknowledged and never stored, and a message that was sent."""


@pytest.mark.parametrize("way", ["", *sorted(each.stem for each in rehearsal.WAYS.glob("*.py"))])
async def test_a_bad_version_is_undone_and_no_game_is_lost(way: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    stable = rehearsal.checkout("HEAD^", tmp_path / "stable")
    canary = rehearsal.made_bad(way, tmp_path / "canary")
    done = await rehearsal.rehearsed(stable, canary, tmp_path)
    assert done.found.breaches.keys() <= BEYOND_REPAIR.get(way, set()), done.said
    assert done.verdict == (rehearsal.ROLL_BACK if way else rehearsal.PROMOTE), done.said
    assert done.undone == bool(way)
