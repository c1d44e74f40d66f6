"""Every Redis key gets its name from `storage/keys.py`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "api", "web", "play", "telegram", "storage", "questions", "fsm")
KEY = re.compile(r"^tombola:[^ ]")
NAMES = ROOT / "storage" / "keys.py"


def modules() -> list[Path]:
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if file != NAMES)


def docstrings(tree: ast.AST) -> set[int]:
    """Return the nodes that are docstrings: expression statements of a single text."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def names_built(tree: ast.AST) -> Iterator[int]:
    """Yield the lines in which a module composes a key's name."""
    texts = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            if KEY.match(node.value):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "keys.PREFIX":
            yield node.lineno


def test_no_module_but_one_makes_up_the_names_of_keys() -> None:
    found = {str(file.relative_to(ROOT)): list(names_built(ast.parse(file.read_text()))) for file in modules()}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_the_test_of_names_finds_them() -> None:
    made_up = 'KEY = f"tombola:{{x}}:{name}"\nother = keys.PREFIX + name\n"""tombola:documented"""\n'
    assert list(names_built(ast.parse(made_up))) == [1, 2]
    assert list(names_built(ast.parse(NAMES.read_text()))) == []
    assert len(modules()) > 50
