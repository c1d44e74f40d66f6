"""Checks of the documents: links have targets, names exist, commands start, the README lists the command menu."""

import argparse
import ast
import builtins
import keyword
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from bot.__main__ import _parser
from bot.settings import CONFIG_VARIABLE, KEYS, SECRETS_VARIABLE, VARIABLES
from handlers.command_menus import ALL
from play.texts import DEFAULT_LOCALE, FOLDER
from tests.repo.test_repository import tracked
from tests.tutorial.assembling import pieces as tutorial

ROOT = Path(__file__).parents[2]
DECISIONS = ROOT / "docs" / "decisions"
HEADINGS = ["Context", "Decision", "Rejected", "Consequences"]
MENTION = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!`)\[[^\]\n]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TOP = {path.name for path in ROOT.iterdir()} | {"var"}
MADE_LATER = (
    *(piece.file for piece in tutorial()),
    "var/",
    "benchmarks/out",
    "chaos/out",
    "var/sandbox",
    "var/sandbox/",
)
"""Paths that an instruction asks the reader to create, or that a run creates."""


def pages() -> list[Path]:
    """Return every document of the repository."""
    return sorted(path for path in tracked() if path.suffix == ".md")


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return BLOCK.sub("", page.read_text())


def mentions(page: Path) -> list[str]:
    """Return the words that a page marks as code."""
    return MENTION.findall(prose(page))


each_page = pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


# -- links and files --------------------------------------------------------------------------------------------


def anchor(heading: str) -> str:
    """Return a heading's anchor on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(line.lstrip("# ")) for line in prose(page).splitlines() if line.startswith("#")}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        if "://" in target:
            continue
        path, _, part = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        if part:
            assert part in anchors(found), target


@each_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    for name in mentions(page):
        first = name.split("/")[0]
        if not re.fullmatch(r"[\w.*<>/-]+", name) or "/" not in name or first not in TOP or name in MADE_LATER:
            continue
        pattern = re.sub(r"<\w+>", "*", name).rstrip("/")
        assert list(ROOT.glob(pattern)), name


def test_every_file_that_the_code_names_exists() -> None:
    top = "|".join(sorted(name for name in TOP if (ROOT / name).is_dir() and name[0] != "."))
    named = re.compile(rf"(?<![\w/.<-])(?:{top})/[\w/-]*[\w-]\.(?:py|md|lua|ftl|toml|json|yaml|js|html)\b")
    for path in tracked():
        if path.suffix in {".py", ".lua", ".toml", ".ftl", ".yaml", ".js"} and "tests" not in path.parts:
            missing = {
                name for name in named.findall(path.read_text()) if not (ROOT / name).exists() and "/out/" not in name
            }
            assert not missing, path


def folders(inside: Path) -> set[str]:
    """Return the folders in which Git tracks Python files."""
    below = [path.relative_to(inside) for path in tracked() if path.suffix == ".py" and path.is_relative_to(inside)]
    return {path.parts[0] for path in below if len(path.parts) > 1}


@pytest.mark.parametrize(("page", "inside"), [("README.md", ""), ("tests/README.md", "tests")])
def test_the_pages_about_the_layout_name_every_folder(page: str, inside: str) -> None:
    text = (ROOT / page).read_text()
    assert {name for name in folders(ROOT / inside) if not re.search(rf"(`|^){name}\b", text, re.MULTILINE)} == set()


@each_page
def test_every_module_that_is_named_by_its_file_exists(page: Path) -> None:
    files = {path.name for folder in TOP for path in (ROOT / folder).rglob("*.py") if folder[0] != "."}
    files |= {path.name for path in ROOT.glob("*.py")}
    for name in mentions(page):
        if re.fullmatch(r"\w+\.py", name):
            assert name in files


# -- commands, settings, names ----------------------------------------------------------------------------------


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """Return the commands of ``python -m bot``."""
    return next(dict(action.choices) for action in _parser()._actions if isinstance(action, argparse._SubParsersAction))


def shell_lines(page: Path) -> list[str]:
    """Return the commands in a page's shell blocks and in its text, without their comments."""
    blocks = [body for _, language, body in BLOCK.findall(page.read_text()) if language in {"sh", "shell", "bash"}]
    lines = [line for body in blocks for line in body.splitlines()] + mentions(page)
    return [command for line in lines if (command := line.partition(" # ")[0].strip())]


@each_page
def test_every_command_of_ours_is_one(page: Path) -> None:
    for line in shell_lines(page):
        words = shlex.split(line) if line.startswith("python -m ") else []
        if words[:3] == ["python", "-m", "bot"] and len(words) > 3 and words[3] != "--help":
            assert words[3] in subcommands(), line
            if any(action.nargs == argparse.REMAINDER for action in subcommands()[words[3]]._actions):
                continue  # the rest are options of another program
            options = {option for action in subcommands()[words[3]]._actions for option in action.option_strings}
            assert {word for word in words[4:] if word.startswith("-")} <= options, line
        elif words[2:3] and words[2] != "bot":
            assert list(ROOT.glob(words[2].replace(".", "/") + "*")), line


@each_page
def test_every_target_of_make_is_one(page: Path) -> None:
    targets = set(re.findall(r"^([a-z.][\w./-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in shell_lines(page):
        if found := re.match(r"make ([\w./-]+)", line):
            assert found[1] in targets, line


def test_the_commands_that_help_shows_start() -> None:
    told = {
        line for page in pages() for line in shell_lines(page) if re.fullmatch(r"python -m bot( \w+)? --help", line)
    }
    assert len(told) > len(subcommands())
    for line in sorted(told):
        done = subprocess.run(
            [sys.executable, *line.split()[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, line
        assert "usage: python -m bot" in done.stdout


def test_the_proof_that_the_readme_offers_to_verify_holds() -> None:
    command = ["-m", "bot", "verify", "docs/proof.json"]
    assert " ".join(["python", *command]) in shell_lines(ROOT / "README.md")
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_readme_lists_the_commands_that_the_bot_publishes() -> None:
    table = (ROOT / "README.md").read_text().partition("## Commands")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `/")]
    assert {name for row in rows for name in re.findall(r"`/(\w+)`", row)} == ALL


@each_page
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    sections = {key.partition(".")[0] for key in KEYS if "." in key}
    names = mentions(page) + re.findall(r"\bTOMBOLA_\w+", page.read_text())
    for name in names:
        if name.startswith("TOMBOLA_") and name != "TOMBOLA_":
            variable = name.partition("=")[0]
            assert variable in VARIABLES or variable in {CONFIG_VARIABLE, SECRETS_VARIABLE, "TOMBOLA_SECTION__KEY"}, (
                name
            )
        elif re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name) and name.split(".")[0] in sections - {"web"}:
            assert name in KEYS, name


@each_page
def test_every_name_of_the_code_is_in_the_code(page: Path) -> None:
    for name in mentions(page):
        if re.fullmatch(r"[A-Z]\w*[a-z]\w*(\.\w+)?", name) and name != "Enable":
            assert set(name.split(".")) <= words_of_the_code(), name


@cache
def words_of_the_code() -> frozenset[str]:
    """Return every name in our Python code and in Python itself."""
    found = set(dir(builtins)) | set(keyword.kwlist)
    for folder in ("api", "bot", "fsm", "handlers", "play", "questions", "sandbox", "storage", "telegram"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                        found.add(name)
                    case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        found.add(name)
                    case _:
                        continue
    return frozenset(found)


def test_every_text_that_the_readme_names_is_in_the_locales() -> None:
    ids = {
        found[1]
        for path in (FOLDER / DEFAULT_LOCALE).glob("*.ftl")
        for line in path.read_text().splitlines()
        if (found := re.match(r"([a-z][\w-]*) *=", line))
    }
    named = {name for name in mentions(ROOT / "README.md") if re.fullmatch(r"(rejected|tap|cmd|own)-[\w-]+", name)}
    assert named
    assert named <= ids


# -- required content -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DECISIONS.glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_says_why_what_and_what_not(page: Path) -> None:
    text = page.read_text()
    assert re.match(rf"# {page.name[:4]}: \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    parts = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert all(len(part.split()) > 10 for part in parts)
    assert len(text.splitlines()) <= 80, "a decision is a page"


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    numbered = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [page.name[:4] for page in numbered] == [f"{n:04}" for n in range(1, len(numbered) + 1)]
    index = (DECISIONS / "README.md").read_text()
    assert {page.name for page in DECISIONS.glob("*.md")} - {"README.md"} <= set(LINK.findall(index))


def test_pictures_are_pictures_of_a_reasonable_size() -> None:
    shown = {name for page in pages() for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text())}
    assert shown
    for path in (ROOT / "docs" / "images").glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 300_000, path.name
        assert f"docs/images/{path.name}" in shown, f"{path.name} is shown nowhere"


def test_every_point_of_the_plan_has_an_honest_state() -> None:
    rows = [line for line in (ROOT / "docs" / "action-plan.md").read_text().splitlines() if line.startswith("| ")]
    states = [row.split("|")[2].strip() for row in rows if "| state |" not in row]
    assert len(states) > 80
    assert set(states) <= {"done", "met otherwise", "measured"}
    for row in rows:
        if "| done |" in row:
            assert len(row.split("|")[3].strip()) > 3, row
