"""Fixtures for all tests, those of the benchmarks included."""

pytest_plugins = ("tests.support.stores",)
