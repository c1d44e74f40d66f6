"""The glossary explains every public class whose name does not explain itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
PACKAGES = ("fsm", "questions", "storage", "telegram", "play", "handlers", "api", "bot")
SELF_EXPLAINING = {"Exception", "Command", "Event"}
"""Bases of classes whose names are sentences: errors and refusals, commands and events of games."""
PLAIN = {
    "Telegram's own words, as in its documentation": (
        "admin administrator api bot button call chat dialog file language markup member message person poll private "
        "telegram token topic update user webhook"
    ),
    "words of databases and networks": (
        "address archive client codec connection database http log pool postgres public redis request row server store "
        "stored stream transport tree"
    ),
    "words of programs that every engineer knows": (
        "account app child clock consumer context error export filter form histogram health import label lock metrics "
        "middleware model parsed poller preview process rate reader report section signature stat summary system task "
        "text upload vocabulary web window writer"
    ),
    "everyday words for what a game is about": (
        "announcement answer ban challenge check draw example extend finished history join limit listed mistake name "
        "note number open own people question quiz rank result score title wallet winner"
    ),
}
"""Reason -> nouns that a name may be made of without an entry."""


def words_of(name: str) -> list[str]:
    """Split a class name into lower-case words."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[0-9]+", name)]


def stem(word: str) -> str:
    """Return the singular of a plain English noun."""
    return re.sub(r"ies$", "y", word) if word.endswith("ies") else word.removesuffix("s")


def known() -> set[str]:
    """Return the stems of the plain nouns and of the glossary's terms."""
    terms = re.findall(r"^\| \*\*([^*]+)\*\*", GLOSSARY, re.MULTILINE)
    return {stem(word) for text in [*terms, *PLAIN.values()] for word in re.findall(r"[a-z0-9]+", text.lower())}


def classes() -> dict[str, tuple[str, set[str]]]:
    """Return all public classes: name -> file and names of the bases."""
    found: dict[str, tuple[str, set[str]]] = {}
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                found[node.name] = (str(file.relative_to(ROOT)), bases)
    return found


def unexplained() -> Iterator[str]:
    """Yield the classes without an entry that need one."""
    every, words = classes(), known()

    def explains_itself(name: str) -> bool:
        if name in SELF_EXPLAINING or name.endswith(("Exception", "Error")):
            return True
        return any(explains_itself(base) for base in every.get(name, ("", set()))[1])

    for name, (file, _) in every.items():
        unknown = [word for word in words_of(name) if stem(word) not in words]
        if unknown and f"`{name}`" not in GLOSSARY and not explains_itself(name):
            yield f"{file}: {name} ({', '.join(unknown)})"


def test_every_class_is_explained() -> None:
    assert list(unexplained()) == []


def test_the_glossary_names_no_class_or_file_that_is_gone() -> None:
    named = set(re.findall(r"`([A-Z][a-z]+[A-Za-z]*)`", GLOSSARY))
    assert named - classes().keys() == set()
    for path in re.findall(r"`([a-z_/]+\.(?:py|ftl|lua))`", GLOSSARY):
        assert (ROOT / path).is_file(), path


def test_names_are_split_into_words() -> None:
    assert words_of("HTTPServer2") == ["http", "server", "2"]
    assert [stem(word) for word in words_of("StoredEntries")] == ["stored", "entry"]
    assert {"host", "prize", "lease"} <= known()
    assert "guarded" not in known()
