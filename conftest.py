"""Fixtures and marks for all tests, those of the benchmarks included."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# Containers often set this variable. Each worker and each of the hundreds of processes that tests start would compile
# all modules again, which takes longer than the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ("tests.support.stores",)

# These tests need servers from system packages: `make test-servers` sets the variable.
collect_ignore = [
    folder for folder, setting in (("tests/servers", "STORES"), ("tests/timescale", "TIMESCALE"))
    if setting not in os.environ
]  # fmt: skip

SLOW = (
    "tests/api", "tests/bridge",
    "tests/process", "tests/e2e", "tests/page", "tests/contract", "tests/servers", "tests/tutorial", "benchmarks/tests",
    "tests/draw", "tests/sandbox", "tests/storage", "tests/settings/test_operate.py", "tests/rules/test_every_kind.py",
    "tests/questions/test_attacks.py", "tests/questions/test_packs.py", "tests/questions/test_language_model.py",
    "tests/handlers/test_lazy_aiogram.py", "tests/handlers/test_over_http.py", "tests/handlers/test_quiz_packs.py",
    "tests/handlers/test_both_paths.py", "tests/handlers/test_verify.py",
    "tests/play/test_webhooks.py", "tests/play/test_incoming_webhooks.py",
)  # fmt: skip
"""Folders and files of tests that start processes or servers, play whole games or judge thousands of cases."""


def _is_slow(path: Path, config: pytest.Config) -> bool:
    return any(path.is_relative_to(config.rootpath / name) for name in SLOW)


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark the slow tests, so that `make test-fast` leaves them out."""
    for item in items:
        if _is_slow(item.path, config):
            item.add_marker("slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the slow tests without importing them, if only the others are wanted."""
    return True if config.option.markexpr == "not slow" and _is_slow(collection_path, config) else None
