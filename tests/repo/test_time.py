"""No test depends on the speed of the machine: none compares durations, sleeps blindly or waits too briefly."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests", "benchmarks/tests")
CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "process_time_ns"}
PATIENCE = 30
"""The shortest limit of a wait, in seconds: a busy machine can be ten times slower than an idle one."""
REASONS = {
    "tests/process/test_idle.py": "a limit that grows with the time that has passed: lateness can only raise it",
    "tests/storage/test_connections.py": "what is given up in time has its own limit, a short one",
}
"""File -> reason to do one of these things all the same."""


def doubts(tree: ast.AST) -> Iterator[str]:
    """Yield the places of a file that may depend on the machine's speed."""
    waiting: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.While | ast.For):  # looks at a condition again and again
            waiting.update(ast.walk(node))
        if isinstance(node, ast.Compare) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
            yield from (f"line {node.lineno} compares durations" for inner in ast.walk(node) if _reads_a_clock(inner))
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        of, name = ast.unparse(node.func.value), node.func.attr
        if name == "sleep" and of in {"asyncio", "time"} and node not in waiting and ast.unparse(node.args[0]) != "0":
            yield f"line {node.lineno} sleeps, but does not wait for a condition"
        if (of, name) == ("httpx", "AsyncClient") and "timeout" not in {each.arg for each in node.keywords}:
            yield f"line {node.lineno} waits for 5 s, as httpx does by default"
        for limit in node.args[-1:] if of == "asyncio" and name in {"timeout", "wait_for"} else ():
            if isinstance(limit, ast.Constant) and isinstance(limit.value, int | float) and limit.value < PATIENCE:
                yield f"line {node.lineno} waits for less than {PATIENCE} s"


def _reads_a_clock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return node.func.attr in CLOCKS or (node.func.attr == "time" and "loop" in ast.unparse(node.func.value))


def test_no_test_depends_on_the_speed_of_the_machine() -> None:
    found = {
        str(file.relative_to(ROOT)): places
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if (places := sorted(set(doubts(ast.parse(file.read_text("utf-8"))))))
    }
    assert {file: places for file, places in found.items() if file not in REASONS} == {}
    assert set(REASONS) <= set(found), "a reason without its file"


@pytest.mark.parametrize(
    ("source", "doubtful"),
    [
        ("assert time.monotonic() - began < 10", True),
        ("httpx.AsyncClient()", True),
        ("httpx.AsyncClient(timeout=60)", False),
        ("while loop.time() < until:\n    work()", True),
        ("run(deadline=time.monotonic() + 30)", False),
        ("await asyncio.sleep(0.5)", True),
        ("await asyncio.sleep(0)", False),
        ("while not done():\n    await asyncio.sleep(0.01)", False),
        ("async def test():\n    async with asyncio.timeout(5):\n        await done", True),
        ("async def test():\n    async with asyncio.timeout(60):\n        await done", False),
        ("await asyncio.wait_for(done, 10)", True),
        ("await clock.sleep(5)", False),
    ],
)
def test_the_test_of_time_finds_such_places(source: str, *, doubtful: bool) -> None:
    assert bool(list(doubts(ast.parse(source)))) is doubtful
