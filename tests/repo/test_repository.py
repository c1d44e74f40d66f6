"""The repository's own rules: imports, lock files, and no trace of the machine it was written on."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = {
    "fsm": set(),
    "questions": {"fsm"},
    "storage": {"fsm", "questions"},
    "telegram": {"fsm", "questions", "storage"},
    "play": {"fsm", "questions", "storage", "telegram"},
    "handlers": {"fsm", "questions", "storage", "telegram", "play"},
    "api": {"fsm", "questions", "storage", "telegram", "play"},
    "web": {"fsm", "questions", "storage", "telegram", "play"},
    "sandbox": {"fsm", "storage"},
}
"""Package -> packages of ours that it may import; `bot` may import everything."""
PURE = {
    "__future__", "abc", "calendar", "collections", "dataclasses", "datetime", "decimal", "enum", "fractions",
    "functools", "hashlib", "hmac", "itertools", "json", "math", "operator", "re", "string", "types", "typing",
    "unicodedata", "transitions", "fsm",
}  # fmt: skip
"""Modules that a rule may import: values and functions of values. The engine may also use asyncio."""


def imports(file: Path) -> set[str]:
    """Return the top-level names of all imports in a file."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return {name.partition(".")[0] if not name.startswith(".") else name for name in names}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_one_way(package: str) -> None:
    ours = {*LAYERS, "bot"}
    for file in (ROOT / package).rglob("*.py"):
        assert imports(file) & ours <= LAYERS[package] | {package}, file


def test_rules_import_values_alone() -> None:
    for file in (ROOT / "fsm").rglob("*.py"):
        allowed = PURE | {"asyncio", "contextlib"} if file.name == "engine.py" else PURE
        assert imports(file) <= allowed, file


def test_rules_ask_no_clock_and_no_chance() -> None:
    asked = re.compile(r"\b(datetime\.now|utcnow|time\.time|perf_counter|urandom|uuid4|random\.)")
    for file in (ROOT / "fsm").rglob("*.py"):
        assert not asked.search(file.read_text()), file


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_pins_and_hashes_everything_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    blocks = [block for block in re.split(r"\n(?=\S)", text) if not block.startswith("#")]
    assert len(blocks) > 40
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w,]+\])?==\S+", block), block
        assert "--hash=sha256:" in block, block


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_lock_for_development_holds_all_of_the_lock_for_running() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for group, lock in (
        (project["project"]["dependencies"], "requirements.lock"),
        (project["dependency-groups"]["dev"], "requirements-dev.lock"),
    ):
        names = {re.match(r"[\w.-]+", line)[0].lower() for line in group}  # type: ignore[index]
        assert names <= set(pins(lock)), lock


def test_no_file_is_unfinished() -> None:
    words = re.compile(r"\b(TOD[O]|FIXM[E]|X{3})\b|(?i:coming [s]oon)")  # "todo" is a Spanish word
    for path in tracked():
        if path.suffix in {".py", ".toml", ".ftl", ".sh"} and path != Path(__file__):
            assert not words.search(path.read_text()), path


def test_the_makefile_has_what_the_documents_tell_people_to_run() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^make ([a-z-]+)", listed, re.MULTILINE))
    assert {"run", "test", "lint", "types", "check", "lock", "format", "migrate", "bench", "clean"} <= targets
    told = set()
    for path in tracked():
        if path.suffix == ".md" or path.name in {"run", ".pre-commit-config.yaml"}:
            told |= set(re.findall(r"(?:^|`)(?:entry: )?make ([a-z-]+)", path.read_text(), re.MULTILINE))
    assert told <= targets


def test_no_role_imports_aiogram_before_an_update_needs_it() -> None:
    code = "import bot.launch, bot.process, bot.consumers, bot.deadlines, sys; sys.exit('aiogram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_parameter_of_a_query_that_is_compared_with_a_number_has_a_type() -> None:
    """PostgreSQL would take it for a 32-bit number, which the ids of supergroups exceed."""
    untyped = re.compile(r"\$\d+ (?:=|<>|!=) \d|\d (?:=|<>|!=) \$\d+\b(?!::)")
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for package in ("api", "bot", "play", "questions", "storage")
        for file in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if untyped.search(line)
    ]
    assert found == []
