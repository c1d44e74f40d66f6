"""Every Lua script is in a file, is accepted by Redis, and passes a linter."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis

from storage.scripts import script

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "api", "web", "sandbox", "play", "telegram", "storage", "questions", "fsm", "chaos")
SCRIPTS = sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.lua"))
INCLUDE = re.compile(r"^-- include (\w+)$", re.MULTILINE)
CONSTANT = re.compile(r"^-- constant (\w+)$", re.MULTILINE)
LIBRARIES = {name for path in SCRIPTS for name in INCLUDE.findall((ROOT / path).read_text())}
"""Included scripts, whose functions other scripts use."""


def text_of(path: Path) -> str:
    """Return a script with some value for each of its constants."""
    constants = CONSTANT.findall((ROOT / path).read_text())
    return script(path.parts[0], path.stem, **dict.fromkeys(constants, 1))


def inline_scripts(tree: ast.AST) -> list[int]:
    """Return the lines with texts that call Redis from Lua."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "redis.call(" in node.value
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
async def test_redis_takes_every_script(redis: Redis, path: Path) -> None:
    await redis.script_load(text_of(path))


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_linter_minds_nothing(path: Path) -> None:
    luacheck = shutil.which("luacheck")
    if luacheck is None:
        pytest.skip("luacheck is not installed (Debian: lua-check)")
    # 211: a function of an included file that this script does not use.
    options = ["--std", "lua51", "--globals", "redis", "cjson", "KEYS", "ARGV", "--ignore", "211/[a-z_]+"]
    told = subprocess.run([luacheck, "-", *options], input=text_of(path), capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def test_libraries_have_users_and_what_they_include_is_there() -> None:
    assert {"rates", "queue", "groups"} <= LIBRARIES
    assert {path.stem for path in SCRIPTS} >= LIBRARIES


def test_every_script_is_used() -> None:
    sources = "\n".join(file.read_text() for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    for path in SCRIPTS:
        if path.stem not in LIBRARIES:
            assert re.search(rf'script\(\s*"{path.parts[0]}",\s*"{path.stem}"', sources), path


def test_no_script_stands_in_a_python_file() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): inline_scripts(ast.parse(file.read_text())) for file in files}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_the_search_for_scripts_finds_them() -> None:
    assert inline_scripts(ast.parse("A = f\"return redis.call('GET', {key})\"\nB = 'redis'")) == [1]


def test_a_constant_is_given() -> None:
    assert "local KEEP_ENTRIES = 7\n" in script("storage", "feed_trim", KEEP_ENTRIES=7)
    with pytest.raises(KeyError):
        script("storage", "feed_trim")
