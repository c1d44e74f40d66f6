"""The tutorial's steps are carried out: they build a complete, playable kind, and no step can be left out."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from handlers.kinds.check import check, traces
from tests.support.once import once
from tests.tutorial.assembling import PAGE, ROOT, apply, copy_of_the_tree, pieces

OURS = {"fsm/registry.py", "handlers/kinds/registry.py", "config.toml"}
"""The files of the project that a new kind changes."""


def run(tree: Path, *command: str) -> str:
    """Run Python in a tree. Returns the output."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, *command], cwd=tree, env={**env, "PYTHONPATH": ""}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def coin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree with the tutorial's kind in it."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("coin"))
    for piece in pieces():
        apply(tree, piece)
    run(tree, "-m", "handlers.kinds.phase_pages")
    shutil.copy(ROOT / "tests" / "tutorial" / "coin_game.py", tree / "tests" / "e2e" / "test_coin.py")
    return tree


IN_EACH_TREE = """
import os, runpy, sys
import bot.lazy_aiogram
ours = {"fsm", "handlers", "play", "questions", "storage", "telegram"}
def check(tree):
    os.chdir(tree)
    sys.path[0], sys.argv = tree, ["check", "coin"]
    os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT), 1)
    os.dup2(1, 2)
    try:
        runpy.run_module("handlers.kinds.check", run_name="__main__")
    except SystemExit:
        pass
    sys.stdout.flush()
complete, *broken = sys.argv[1:]
check(complete)
for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
    del sys.modules[name]
for tree in broken:
    if os.fork() == 0:
        check(tree)
        os._exit(0)
    os.wait()
"""
"""Program that runs the checker in each tree: in the complete one first, then in forks, which have aiogram's models.

The package `bot` is that of the first tree; the trees do not differ in it.
"""


@pytest.fixture(scope="module")
def complaints(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the checker's complaint about a tree without a part, by part; "" is the part of the complete tree."""

    def check_all() -> dict[str, str]:
        coin: Path = request.getfixturevalue("coin")
        trees = {"": coin}
        for missing, (take_away, _) in BROKEN.items():
            tree = trees[missing] = tmp_path_factory.mktemp("broken")
            for name in ("fsm", "handlers", "locales", "docs", "bot", "questions", "storage", "telegram", "play"):
                shutil.copytree(coin / name, tree / name, copy_function=os.link)
            os.link(coin / "config.toml", tree / "config.toml")
            take_away(tree)
        run(coin, "-c", IN_EACH_TREE, *map(str, trees.values()))
        return {missing: (tree / "said").read_text(encoding="utf-8") for missing, tree in trees.items()}

    return once(tmp_path_factory, "complaints", check_all)


def test_our_own_kinds_are_complete() -> None:
    assert {name: check(name) for name in traces()} == {"pick_number": [], "quiz": []}


def test_the_checker_does_without_the_documents_which_an_image_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.kinds.phase_pages.FOLDER", tmp_path / "phases")
    assert check("pick_number") == []


def test_the_first_file_of_a_kind_without_a_folder_is_named() -> None:
    assert "handlers/kinds/coin/__init__.py is missing" in "\n".join(check("coin"))


def test_the_tutorial_changes_three_files_and_makes_the_others() -> None:
    assert {piece.file for piece in pieces() if (ROOT / piece.file).exists()} == OURS


def test_the_tutorial_is_short() -> None:
    written = [piece.code for piece in pieces() if not piece.file.endswith(".ftl")]
    assert sum(1 for code in written for line in code.splitlines() if line.strip()) <= 320


def test_the_kind_of_the_tutorial_is_complete(complaints: dict[str, str]) -> None:
    assert complaints[""] == "coin: complete\n"


@pytest.fixture(scope="module")
def tested(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what pytest says of the kind's game and of the rules of every kind: one run, one start of the stores."""
    files = ("tests/e2e/test_coin.py", "tests/rules/test_every_kind.py")
    command = ("-m", "pytest", "-rA", "--show-capture=no", "-p", "no:cacheprovider", *files, "-k", "coin")
    return once(tmp_path_factory, "tutorial", lambda: run(request.getfixturevalue("coin"), *command))


def test_the_kind_of_the_tutorial_is_played_to_its_result_in_both_languages(tested: str) -> None:
    assert tested.count("PASSED tests/e2e/test_coin.py::") == 2, tested[-4000:]


def test_the_kind_of_the_tutorial_keeps_the_rules_of_every_kind(tested: str) -> None:
    assert "PASSED tests/rules/test_every_kind.py::" in tested, tested[-4000:]
    assert "failed" not in tested, tested[-4000:]


# -- complaints about missing parts -----------------------------------------------------------------------------


def without(file: str) -> Callable[[Path], None]:
    """Return a function that removes a file and its compiled module from a tree, whose files are hard links."""

    def take_away(tree: Path) -> None:
        path = tree / file
        path.unlink()
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    return take_away


def replacing(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return a function that changes a file of such a tree."""

    def change(tree: Path) -> None:
        path = tree / file
        text = path.read_text(encoding="utf-8")
        changed = re.sub(old, new, text, flags=re.MULTILINE | re.DOTALL)
        assert changed != text, f"{old} is not in {file}"
        without(file)(tree)
        path.write_text(changed, encoding="utf-8")

    return change


FOLDER = "handlers/kinds/coin"
BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "rules": (without("fsm/coin.py"), "fsm/coin.py is missing: the rules."),
    "line in the registry of rules": (
        replacing("fsm/registry.py", "^    COIN,\n", ""),
        "fsm/registry.py does not list the kind in KINDS.",
    ),
    "line in the registry of faces": (
        replacing("handlers/kinds/registry.py", "^    COIN,\n", ""),
        "handlers/kinds/registry.py does not list the kind in FACES.",
    ),
    "settings": (
        without(f"{FOLDER}/settings.py"),
        f"{FOLDER}/settings.py is missing: the settings with their defaults.",
    ),
    "defaults": (
        replacing(f"{FOLDER}/settings.py", "default=3", "default=0"),
        "the section's defaults give no rules that can be played",
    ),
    "section of the configuration": (
        replacing("config.toml", r"\[games.coin\].*", ""),
        "config.toml has no section [games.coin].",
    ),
    "setting in the section": (
        replacing("config.toml", "^tosses.*?\n", ""),
        "config.toml does not name the setting tosses in [games.coin].",
    ),
    "view": (without(f"{FOLDER}/view.py"), f"{FOLDER}/view.py is missing: the boards."),
    "verbs": (
        replacing(f"{FOLDER}/verbs.py", r"= \{\"c\".*?\}", "= {}"),
        "the face has no verbs: no button of the kind would do anything.",
    ),
    "simulated player": (
        replacing(f"{FOLDER}/verbs.py", r"return \[\(data.*\(\"c:\"\)\]", "return []"),
        "the simulated player has no moves",
    ),
    "dialog": (
        without(f"{FOLDER}/dialog.py"),
        f"{FOLDER}/dialog.py is missing: the rules that /newgame and /settings offer.",
    ),
    "setting of the dialog": (
        replacing(f"{FOLDER}/dialog.py", '"tosses", "call', '"throws", "call'),
        "the dialog offers throws, but the kind's rules have no such setting.",
    ),
    "face": (without(f"{FOLDER}/face.py"), f"{FOLDER}/face.py is missing: what Telegram shows of the kind."),
    "texts of a language": (
        without("locales/ru/coin.ftl"),
        "locales/ru/coin.ftl is missing: the texts of the kind.",
    ),
    "text of a refusal": (
        replacing("locales/ru/coin.ftl", "^rejected-toss-over.*?\n", ""),
        "the locale ru has no text rejected-toss-over.",
    ),
    "text of a phase": (
        replacing("locales/en/coin.ftl", "^coin-phase-calling.*?\n", ""),
        "the locale en has no text coin-phase-calling.",
    ),
    "text of a command at the wrong moment": (
        replacing("locales/en/coin.ftl", r"^not-now-call.*?^\}\n", ""),
        "the locale en has no text not-now-call.",
    ),
    "text of a board": (
        replacing("locales/ru/coin.ftl", "^coin-seal.*?</code>\n", ""),
        "the locale ru has no text coin-seal",
    ),
    "name of a setting": (
        replacing("locales/en/coin.ftl", "^dlg-name-tosses.*?\n", ""),
        "the locale en has no text dlg-coin-name-tosses or dlg-name-tosses.",
    ),
    "diagram": (without("docs/phases/coin.md"), "docs/phases/coin.md does not show the kind's phases"),
}
"""Missing part -> function that removes it, expected complaint."""


@pytest.mark.parametrize("missing", BROKEN)
def test_the_checker_says_what_a_kind_lacks(complaints: dict[str, str], missing: str) -> None:
    said = complaints[missing]
    assert BROKEN[missing][1] in said, said
    assert "Traceback" not in said, said


def test_the_page_has_no_step_that_is_not_run() -> None:
    blocks = re.findall(r"^```(\w*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len([block for block in blocks if block not in {"", "sh"}]) == len(pieces())
