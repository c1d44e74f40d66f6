"""Every Lua script is in a file, is accepted by Redis, and passes a linter."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from redis.asyncio import Redis

from storage.scripts import script

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path.relative_to(ROOT) for path in ROOT.glob("[a-z]*/lua/*.lua"))
INCLUDE = re.compile(r"^-- include (\w+)", re.MULTILINE)
LIBRARIES = {name for path in SCRIPTS for name in INCLUDE.findall((ROOT / path).read_text())}
"""Included scripts, whose functions other scripts use."""


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
async def test_redis_takes_every_script(redis: Redis, path: Path) -> None:
    await redis.script_load(script(path.parts[0], path.stem))


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_a_linter_minds_nothing(path: Path) -> None:
    luacheck = shutil.which("luacheck")
    if luacheck is None:
        pytest.skip("luacheck is not installed (Debian: lua-check)")
    # 211: a function of an included file that this script does not use.
    options = ["--std", "lua51", "--globals", "redis", "cjson", "KEYS", "ARGV", "--ignore", "211/[a-z_]+"]
    told = subprocess.run(
        [luacheck, "-", *options], input=script(path.parts[0], path.stem), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout


def test_libraries_have_users_and_what_they_include_is_there() -> None:
    assert {"rates", "queue"} <= LIBRARIES
    assert {path.stem for path in SCRIPTS} >= LIBRARIES
