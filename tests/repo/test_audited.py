"""Each write to PostgreSQL by a person has a row in the audit log: its function reports it with `wrote`."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("storage", "play", "handlers", "api", "bot")
WRITE = re.compile(r"\b(?:INSERT INTO|DELETE FROM|UPDATE \w+(?: AS \w+| \w)? SET)\b")
ENQUEUE = re.compile(r"\.enqueue$")
NOT_BY_PEOPLE: Mapping[str, Mapping[str, str]] = {
    "storage/achievements.py": {"": "results of games, whose commands the engine reports"},
    "storage/personal_data.py": {"": "the job of an erasure, which its enqueuer reports"},
    "storage/figures.py": {"Figures.crown": "the end of a season"},
    "handlers/seasons.py": {"Seasons.begin": "the end of a season"},
    "storage/api_tokens.py": {
        "ApiTokens.key": "the first process makes the key",
        "ApiTokens.digest": "calls `key`",
        "ApiTokens.used": "times of use",
    },
    "storage/audit.py": {"Audit": "the log itself"},
    "storage/broadcast_chats.py": {"": "the progress of a broadcast, which reports itself"},
    "storage/jobs.py": {
        "enqueue": "the enqueuer reports the work by its name",
        "wake": "called in the transaction of a write that reports itself",
        "Jobs.enqueue": "the enqueuer reports the work by its name",
        "Jobs.claim": "the runner",
        "Jobs.renew": "the runner",
        "Jobs.record": "the runner",
        "Jobs.end": "the runner",
        "Jobs.run_again": "the runner",
        "Jobs.hasten": "the progress of a game",
    },
    "storage/people.py": {
        "People.flush": "people whom updates name",
        "People.run": "calls `flush`",
        "People.close": "calls `flush`",
        "People.player_blocked": "a fact that Telegram reports",
        "People.saw_chat": "a fact that Telegram reports",
        "People.chat_gone": "a fact that Telegram reports",
        "People.chat_migrated": "a fact that Telegram reports",
        "move_chat": "a fact that Telegram reports",
    },
    "storage/projector.py": {"": "results of games, whose commands the engine reports"},
    "storage/public_log.py": {"": "the log of draws"},
    "storage/questions.py": {
        "Questions.add_pack_in": "its caller reports the pack",
        "Questions.choose": "questions of a game, whose opening the engine reports",
        "Questions.note_asked": "questions of a game, whose opening the engine reports",
        "Questions.give_back": "questions of a game, whose opening the engine reports",
        "Questions.release": "questions of a game, whose opening the engine reports",
        "Questions.prune": "retention",
    },
    "storage/retention.py": {"": "retention"},
    "storage/seeds.py": {"": "seeds of a game, whose opening the engine reports"},
    "storage/subscriptions.py": {
        "Subscriptions.remove_all": "a fact that Telegram reports",
    },
    "storage/time_series.py": {"": "retention"},
    "storage/unpublished.py": {"": "progress of the bridge"},
    "storage/webhooks.py": {
        "publish": "an event of a game, whose command the engine reports",
        "Webhooks.succeeded": "the result of a call",
        "Webhooks.failed": "the result of a call",
        "Webhooks.disable": "the result of a call",
    },
}
"""File -> function or class, empty for the whole file -> reason for which its writes have no row of their own."""


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of a module and the methods of its classes, by name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{method.name}", method


def writers(source: str, pattern: re.Pattern[str] = WRITE) -> dict[str, bool]:
    """Return the public functions that write, directly or by others of their file -> whether they call `wrote`."""
    tree = ast.parse(source)
    known = dict(functions(tree))
    statements = {
        target.id: " ".join(str(part.value) for part in ast.walk(node.value) if isinstance(part, ast.Constant))
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }

    def reached(name: str, seen: set[str]) -> Iterator[str]:
        """Yield the texts of a function, of the constants it names, and the names it calls."""
        seen.add(name)
        for node in ast.walk(known[name]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.Name | ast.Attribute):
                called = ast.unparse(node)
                yield called
                yield statements.get(called, "")
                inner = called.replace("self.", f"{name.partition('.')[0]}.", 1)
                if inner in known and inner not in seen:
                    yield from reached(inner, seen)

    found = {}
    for name in known:
        texts = list(reached(name, set()))
        if not name.rpartition(".")[2].startswith("_") and any(pattern.search(text) for text in texts):
            found[name] = "wrote" in texts
    return found


def silent(file: str, source: str, pattern: re.Pattern[str] = WRITE) -> set[str]:
    """Return the functions of a file that write and neither report it nor have a reason not to."""
    excused = NOT_BY_PEOPLE.get(file, {})
    return {
        name
        for name, reported in writers(source, pattern).items()
        if not reported and not {"", name, name.partition(".")[0]} & excused.keys()
    }


def test_every_write_to_postgresql_has_a_row_in_the_audit_log_or_a_reason_for_none() -> None:
    files = {str(file.relative_to(ROOT)): file for package in PACKAGES for file in (ROOT / package).rglob("*.py")}
    assert {name: found for name, file in files.items() if (found := silent(name, file.read_text()))} == {}
    for name, excused in NOT_BY_PEOPLE.items():
        written = {**writers(files[name].read_text()), **writers(files[name].read_text(), ENQUEUE)}
        assert written, name
        gone = {each for each in excused if each and not any(f"{one}.".startswith(f"{each}.") for one in written)}
        assert gone == set(), name


def test_the_work_that_a_person_orders_has_a_row_in_the_audit_log() -> None:
    for package in PACKAGES[1:]:
        for file in (ROOT / package).rglob("*.py"):
            assert silent(str(file.relative_to(ROOT)), file.read_text(), ENQUEUE) == set(), file


def test_a_write_without_a_row_is_found() -> None:
    source = """
_ADD = "INSERT INTO things VALUES ($1)"
class Things:
    async def add(self): await self._put(_ADD)
    async def change(self): await self.add()
    async def rename(self): await self._put("UPDATE things SET name = $1"); wrote("rename-thing")
    async def read(self): await self._put("SELECT 1")
"""
    assert writers(source) == {"Things.add": False, "Things.change": False, "Things.rename": True}
