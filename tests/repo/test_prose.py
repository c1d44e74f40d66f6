"""The style rules of docs/style.md that a machine can count, over docstrings, comments in all languages, and Markdown.

``LEFT`` holds the number of passages that still break a rule. It may only fall: lower it after a repair.
"""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.repo.test_repository import ROOT, tracked

LEFT = {"docstrings": 0, "comments": 0, "pages": 4}
SHARE_OF_DOCSTRINGS = 0.001
"""Largest share of docstrings that may break a rule."""

MARKS = {
    **dict.fromkeys((".toml", ".ftl", ".sh", ".yaml", ".yml", ".conf", ".example", "Makefile", "Dockerfile"), "#"),
    **dict.fromkeys((".lua", ".sql"), "--"),
    **dict.fromkeys((".js",), "//"),
}
"""Marks of comments by a file's suffix, or by its name if it has none."""
OPENS_HEADLESS = re.compile(
    r"(?:^|(?<=[.;:!] )|(?<=\n\n))(?:What|Who|Whose|Whatever|Whoever|Which|Where|How|Whether)\b(?![^.\n]*\?)"
)
"""A sentence, or a docstring's summary, that begins with a question word and asks nothing."""
HEADLESS_CLAUSE = re.compile(
    r"(?:\b(?:of|to|by|for|with|from|in|on|is|are|and|than|like|as|at) |, |; )"
    r"(?:what|who|whoever|whatever)\b(?! (?:if|kind|time)\b)(?![^.\n]*\?)"
)
"""A clause that stands for a noun, such as `of what is stored` or `who asks is told`."""
STATES_NAME = re.compile(r"^(?:The|A|An) same[.,:]|^As (?:of|in) the \w+\.$|^See above\b")
"""A docstring that refers to a neighbour instead of saying what it means."""


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of all docstrings, attribute docstrings included."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        for number, statement in enumerate(body):
            first = number == 0 and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            after_a_name = number > 0 and isinstance(body[number - 1], ast.Assign | ast.AnnAssign)
            if (first or after_a_name) and isinstance(statement, ast.Expr):
                text = statement.value.value if isinstance(statement.value, ast.Constant) else None
                if isinstance(text, str):
                    yield statement.lineno, text


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of all comments."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("#! ")


def marked(source: str, mark: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of the comments in a file that is not Python. Their first letter is made a capital."""
    for number, line in enumerate(source.split("\n"), 1):
        if found := re.search(rf"(?:^|\s){mark}+ (\S.*)", line):
            yield number, found[1][0].upper() + found[1][1:]


def paragraphs(page: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of the paragraphs and table cells of a Markdown page, without its code."""
    line = 1
    for number, block in enumerate(re.split(r"^```.*$", page, flags=re.MULTILINE)):
        if number % 2 == 0:
            for offset, text in enumerate(block.split("\n")):
                yield from ((line + offset, cell.strip(" *-#>")) for cell in text.split("|") if cell.strip())
        line += block.count("\n")


def breaks_a_rule(text: str) -> bool:
    """Return whether a passage breaks a rule that can be counted. Code in backquotes is ignored."""
    words = re.sub(r"`[^`]*`", "`", text)
    return any(pattern.search(words) for pattern in (OPENS_HEADLESS, HEADLESS_CLAUSE, STATES_NAME))


@functools.cache
def passages(kind: str) -> Sequence[tuple[Path, int, str]]:
    """Return all passages of a kind, each with its file and line."""
    found = []
    for path in tracked():
        name = path.relative_to(ROOT)
        if "vendor" in name.parts:
            continue
        if kind == "pages" and path.suffix == ".md":
            found += [(name, line, text) for line, text in paragraphs(path.read_text())]
        elif kind != "pages" and path.suffix == ".py":
            source = path.read_text()
            rows = docstrings(ast.parse(source)) if kind == "docstrings" else comments(source)
            found += [(name, line, text) for line, text in rows]
        elif kind == "comments" and path.suffix != ".md" and (mark := MARKS.get(path.suffix or path.name)):
            found += [(name, line, text) for line, text in marked(path.read_text(), mark)]
    return found


@pytest.mark.parametrize("kind", LEFT)
def test_passages_that_break_a_style_rule_become_fewer(kind: str) -> None:
    broken = [f"{name}:{line}: {text.strip()[:100]}" for name, line, text in passages(kind) if breaks_a_rule(text)]
    assert len(broken) <= LEFT[kind], "\n".join([f"{len(broken)} passages, {LEFT[kind]} allowed:", *broken])


def test_few_docstrings_break_a_style_rule() -> None:
    all_of_them = passages("docstrings")
    share = sum(breaks_a_rule(text) for _, _, text in all_of_them) / len(all_of_them)
    assert share < SHARE_OF_DOCSTRINGS


@pytest.mark.parametrize(
    ("text", "breaks"),
    [
        ("Who handles an update says so again well within this.", True),
        ("What every role of a process is made of: made here, by hand", True),
        ("Raises what nobody foresaw; what means that a store is away is waited for.", True),
        ("The same, for a tap.", True),
        ("Lifetime of a claim on an update. A live handler renews it.", False),
        ("Return the services that all roles share.", False),
        ("Publish the command menus unless another process did so within the last hour.", False),
        ("What if a replica is frozen?", False),
        ("Return whether the host may open a game.", False),
    ],
)
def test_the_counter_finds_the_patterns_and_nothing_else(text: str, *, breaks: bool) -> None:
    assert breaks_a_rule(text) == breaks
