"""Localisation of question packs: the column names that a table may use, and a sample workbook."""

from functools import lru_cache

from fsm.scoring import BASE
from play.texts import Texts
from questions.packs import ANSWERS, Vocabulary, key
from questions.xlsx_writer import write_xlsx

COLUMNS = ("question", "answer", "wrong", "category", "difficulty", "photo")
SAMPLES = 2
"""Number of questions in the sample."""


def _names(texts: Texts, locale: str, text_id: str) -> list[str]:
    return [name.strip() for name in texts.plain(locale, text_id).split(",")]


@lru_cache(maxsize=64)
def vocabulary(texts: Texts, locale: str) -> Vocabulary:
    """Return the names that a table may use, from all languages. The words for true and false come from ``locale``."""
    columns: dict[str, str] = {}
    levels: dict[str, str] = {}
    options: list[str] = []
    correct: list[str] = []
    for each in texts.LOCALES:
        for column in COLUMNS:
            for name in _names(texts, each, f"pack-column-{column}"):
                if column == "wrong":
                    columns |= {key(f"{name}{number}"): f"wrong{number}" for number in range(1, len(ANSWERS))}
                columns.setdefault(key(name), "wrong1" if column == "wrong" else column)
        for level in BASE:
            levels |= {key(name): level for name in _names(texts, each, f"pack-level-{level}")}
        options += map(key, _names(texts, each, "pack-column-option"))
        correct += map(key, _names(texts, each, "pack-column-correct"))
    truth = texts.plain(locale, "pack-true"), texts.plain(locale, "pack-false")
    return Vocabulary(columns, levels, tuple(options), tuple(correct), truth)


def sample(texts: Texts, locale: str) -> bytes:
    """Return an XLSX workbook with ``SAMPLES`` questions, in all columns but the photo, with names from ``locale``."""
    names = {column: _names(texts, locale, f"pack-column-{column}")[0] for column in COLUMNS}
    wrong = [f"{names['wrong']} {number}" for number in range(1, len(ANSWERS))]
    header = [names["question"], names["answer"], *wrong, names["category"], names["difficulty"]]
    rows: list[list[str]] = []
    for number, level in zip(range(1, SAMPLES + 1), BASE, strict=False):
        answers = _names(texts, locale, f"pack-sample-answers-{number}")
        answers += [""] * (len(ANSWERS) - len(answers))
        about = [texts.plain(locale, f"pack-sample-category-{number}"), _names(texts, locale, f"pack-level-{level}")[0]]
        rows.append([texts.plain(locale, f"pack-sample-question-{number}"), *answers, *about])
    return write_xlsx(rows, header)
