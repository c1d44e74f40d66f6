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
collect_ignore = [] if "STORES" in os.environ else ["tests/servers"]

SLOW = ("tests/process", "tests/e2e", "tests/page", "tests/contract", "tests/servers", "benchmarks/tests")
"""Folders of tests that start processes, play whole games or share stores with others, and so take longer."""


def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Mark the tests of the slow folders, so that `make test-fast` leaves them out."""
    folders = tuple(config.rootpath / name for name in SLOW)
    for item in items:
        if any(Path(item.path).is_relative_to(folder) for folder in folders):
            item.add_marker("slow")
