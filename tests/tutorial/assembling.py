"""Assembly of the tutorial's kind from its page, in a copy of the tree."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "a-new-kind.md"
COPIED = (
    "bot", "conftest.py", "docs", "fsm", "handlers", "locales", "migrations", "play", "questions", "sandbox", "storage",
    "telegram", "tests", "web", "config.toml", "pyproject.toml",
)  # fmt: skip
PIECE = re.compile(r"^(?:`([\w/.-]+)`:)$|^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of code on the page, and the file that it belongs to."""

    file: str
    language: str
    code: str


def pieces() -> list[Piece]:
    """Return the blocks of code that make files, in the page's order.

    One without a name continues the previous file.
    """
    found, file = [], ""
    for named, language, code in PIECE.findall(PAGE.read_text(encoding="utf-8")):
        if named:
            file = named
        elif language != "sh":
            found.append(Piece(file, language, code))
    return found


def copy_of_the_tree(where: Path) -> Path:
    """Copy everything that a game needs to run, compiled modules too. Returns the copy's path."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, where / name, ignore=shutil.ignore_patterns("images"))
        else:
            shutil.copy(source, where / name)
    written = {Path(piece.file).parent.name for piece in pieces() if piece.file.endswith(".ftl")}
    for locale in (where / "locales").iterdir():
        if locale.name not in written:  # the page shows a kind's texts in two languages, however many there are
            shutil.rmtree(locale)
    return where


def apply(tree: Path, piece: Piece) -> None:
    """Apply a piece to the tree: a diff changes its file, anything else is appended to it."""
    path = tree / piece.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if piece.language != "diff":
        before = f"{path.read_text(encoding='utf-8').rstrip()}\n\n\n" if path.exists() else ""
        path.write_text((before + piece.code).lstrip("\n"), encoding="utf-8")
        return
    lines = piece.code.splitlines()
    old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{piece.file} has not exactly once:\n{old}"
    path.write_text(text.replace(old, new), encoding="utf-8")
