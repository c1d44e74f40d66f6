"""Imports run one way: no circle of files, and no module that is named in a text runs up."""

import ast
import graphlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
IMPORT_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES: list[str] = IMPORT_LINTER["root_packages"]
LAYERS: list[str] = next(each["layers"] for each in IMPORT_LINTER["contracts"] if each["type"] == "layers")
LEVELS = {name.strip(" ()"): level for level, layer in enumerate(reversed(LAYERS)) for name in layer.split("|")}
"""Package -> its height: a package imports those below it."""


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle; empty if there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def named(tree: ast.AST) -> Iterator[str]:
    """Yield the modules of ours that a file names in texts, as `import_module` takes them; docstrings left out."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            package, dot, rest = node.value.partition(".")
            if package in LEVELS and dot and all(part.isidentifier() for part in rest.rstrip(".").split(".")):
                yield node.value


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports for the type checker alone count too, and modules that are named in texts: a reader follows them.

    The face of a kind is a list: the modules that it names use the registry of all faces.
    """
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert len(graph.modules) > 200
    imports = {module: {*graph.find_modules_directly_imported_by(module)} for module in graph.modules}
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if file.name != "face.py":
                imports[module] |= graph.modules & {*named(ast.parse(file.read_text()))}
    assert circle(imports) == []


def test_a_kind_is_reached_through_its_face_alone() -> None:
    """Without this, deleting the folder of a kind and its line in the registry would not remove the kind."""
    kinds = {
        path.name for path in (ROOT / "handlers" / "kinds").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    assert {"pick_number", "quiz"} <= kinds
    for package in set(PACKAGES) - {"fsm", "questions", "storage", "telegram", "play"}:
        for file in (ROOT / package).rglob("*.py"):
            own = file.parent.name if file.parent.parent.name == "kinds" else ""
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("handlers.kinds."):
                    kind, _, module = (node.module or "").removeprefix("handlers.kinds.").partition(".")
                    listed = file.name == "registry.py" and module == "face"
                    assert kind not in kinds - {own} or listed, f"{file.relative_to(ROOT)} imports {node.module}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_named_in_a_text_runs_up(package: str) -> None:
    for file in (ROOT / package).rglob("*.py"):
        for name in named(ast.parse(file.read_text())):
            assert LEVELS[name.partition(".")[0]] <= LEVELS[package], f"{file.relative_to(ROOT)} names {name}"


def test_the_search_finds_circles_and_names() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}
    assert list(named(ast.parse('"""bot.x"""\nf("bot.settings")\nf(f"handlers.kinds.{name}.face")'))) == [
        "bot.settings",
        "handlers.kinds.",
    ]
    assert LEVELS["bot"] > LEVELS["handlers"] == LEVELS["sandbox"] > LEVELS["play"] > LEVELS["fsm"] == 0
