"""The built-in bank of questions, read on first use."""

import csv
from functools import cache
from pathlib import Path

from fsm.question import Question
from questions.packs import ANSWERS

BANK = "bank"
"""Name of the pack that the bank's questions belong to."""
FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(path.name.split(".")[1] for path in FOLDER.glob("bank.*.csv")))
DEFAULT = "en"


@cache
def bank(locale: str) -> tuple[Question, ...]:
    """Return all questions in a language, or in English if the bank lacks the language.

    An id is the same in every language.
    """
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
                explanation=row.get("explanation", ""),
                source=row.get("source", ""),
            )
            for row in csv.DictReader(file, strict=True)
        )
