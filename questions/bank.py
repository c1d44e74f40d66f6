"""The built-in bank, read when it is first asked for."""

import csv
from functools import cache
from pathlib import Path

from fsm.quiz import Question
from questions.packs import ANSWERS

BANK = "bank"
"""The name of the pack that its questions are from."""
FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(path.name.split(".")[1] for path in FOLDER.glob("bank.*.csv")))
DEFAULT = "en"


@cache
def bank(locale: str) -> tuple[Question, ...]:
    """All questions in a language, or in English where it has none in that. An id is the same in every language."""
    language = locale if locale in LANGUAGES else DEFAULT
    with (FOLDER / f"bank.{language}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Question(
                id=row["id"],
                text=row["question"],
                answers=tuple(row[column] for column in ANSWERS),
                right=0,
                difficulty=row["difficulty"],
                category=row["category"],
                pack=BANK,
            )
            for row in csv.DictReader(file, strict=True)
        )
