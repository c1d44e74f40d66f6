"""Fixtures for all tests, those of the benchmarks included."""

import os

pytest_plugins = ("tests.support.stores",)

# Needs servers of system packages: `make test-servers` sets the variable.
collect_ignore = [] if "STORES" in os.environ else ["tests/servers"]
