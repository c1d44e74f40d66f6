"""Only a few listed modules read a clock that may be set: intervals use the monotonic clock."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "api", "web", "play", "telegram", "storage", "questions", "fsm", "sandbox")
WALL = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today"}
REASONS = {
    "bot/clock.py": "compares this machine's clock with the stores', and follows the time that all replicas share",
    "bot/deadlines.py": "APScheduler runs jobs by this machine's clock: they are moved along when it is set",
    "bot/doctor.py": "compares the day with the days by which feature flags are removed",
    "bot/observe/metrics.py": "the moment of the start, shown as a date",
    "bot/observe/tracing.py": "spans have the time of the day, so that those of several machines fit together",
    "sandbox/world.py": "the moment of the start, from which the monotonic clock goes on",
    "storage/breakers.py": "purgatory counts pauses by the wall clock: a step is forgiven",
    "storage/people.py": "the default, if no clock is given, as in tests",
    "telegram/client.py": "the rest of a pause of purgatory's",
    "telegram/outbox.py": "the default, if no clock is given, as in tests",
}
"""Module -> reason to read a clock that may be set."""


def readings(tree: ast.AST) -> Iterator[str]:
    """Yield a module's uses of such clocks, called or passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL:
            yield ast.unparse(node)


def test_only_listed_modules_read_a_clock_that_may_be_set() -> None:
    found = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        if any(readings(ast.parse(file.read_text())))
    }
    assert found == set(REASONS), "use the monotonic clock, or the clock that all replicas share"


def test_the_test_of_clocks_finds_them() -> None:
    source = "begun = time.time()\nat = time.monotonic()\nnow = time.time_ns"
    assert set(readings(ast.parse(source))) == {"time.time", "time.time_ns"}
