"""Localisation of question packs: the column names that a table may use, and a sample workbook."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle

from babel.numbers import get_decimal_symbol

from fsm.question import NUMBER, ORDER, SEVERAL, TRUE_FALSE, TYPES
from fsm.scoring import BASE
from play.texts import Texts
from questions.pack_writer import CSV, XLSX, write_csv
from questions.packs import ANSWERS, WRONG_LIST, Vocabulary, key
from questions.xlsx_writer import write_xlsx

COLUMNS = ("question", "answer", "wrong", "category", "difficulty", "photo", "type", "explanation", "source")
SAMPLE_FORMS = (XLSX, CSV)
SAMPLE_TYPES = ("", TRUE_FALSE, NUMBER, SEVERAL, ORDER)
"""Types of the questions in the sample, one of each."""


def _names(texts: Texts, locale: str, text_id: str) -> list[str]:
    return [name.strip() for name in texts.plain(locale, text_id).split(",")]


@lru_cache(maxsize=64)
def vocabulary(texts: Texts, locale: str) -> Vocabulary:
    """Return the names that a table may use, from all languages. The words for true and false come from ``locale``."""
    columns: dict[str, str] = {}
    levels: dict[str, str] = {}
    options: list[str] = []
    correct: list[str] = []
    aside: set[str] = set()
    lists: set[str] = set()
    types: dict[str, str] = {}
    truths: dict[str, bool] = {}
    for each in texts.LOCALES:
        for column in COLUMNS:
            for name in _names(texts, each, f"pack-column-{column}"):
                if column == "wrong":
                    columns |= {
                        key(f"{name}{sign}{number}"): f"wrong{number}" for number in range(1, 10) for sign in ("", "#")
                    }
                columns.setdefault(key(name), "wrong1" if column == "wrong" else column)
        columns |= {key(name): WRONG_LIST for name in _names(texts, each, "pack-column-wrong-list")}
        lists |= set(map(key, _names(texts, each, "pack-column-options-list")))
        aside |= set(map(key, _names(texts, each, "pack-column-aside")))
        for level in BASE:
            levels |= {key(name): level for name in _names(texts, each, f"pack-level-{level}")}
        for type_ in TYPES:
            types |= {key(name): type_ for name in _names(texts, each, f"pack-type-{type_}")}
        for word, true in (("pack-true", True), ("pack-false", False)):
            truths[key(texts.plain(each, word))] = true
        options += map(key, _names(texts, each, "pack-column-option"))
        correct += map(key, _names(texts, each, "pack-column-correct"))
    truth = texts.plain(locale, "pack-true"), texts.plain(locale, "pack-false")
    return Vocabulary(
        columns,
        levels,
        tuple(options),
        tuple(correct),
        truth,
        types,
        truths,
        frozenset(lists),
        frozenset(aside),
        english_numbers=separator(locale) == ",",
    )


def sample(texts: Texts, locale: str, form: str = XLSX) -> bytes:
    """Return a file of the format ``form`` with a question of each type in the language ``locale``, without photos."""
    rows: list[list[str]] = []
    for number, (type_, level) in enumerate(zip(SAMPLE_TYPES, cycle(BASE), strict=False), start=1):
        answers = _names(texts, locale, f"pack-sample-answers-{number}")
        row = [
            texts.plain(locale, f"pack-sample-question-{number}"),
            *answers,
            *[""] * (len(ANSWERS) - len(answers)),
            texts.plain(locale, f"pack-sample-category-{number}"),
            _names(texts, locale, f"pack-level-{level}")[0],
            _names(texts, locale, f"pack-type-{type_}")[0] if type_ else "",
            texts.plain(locale, f"pack-sample-explanation-{number}"),
        ]
        rows.append(row)
    header = column_names(texts, locale, ("category", "difficulty", "type", "explanation"))
    return write_xlsx(rows, header) if form == XLSX else write_csv([header, *rows], separator(locale))


def column_names(texts: Texts, locale: str, more: Sequence[str] = COLUMNS[3:]) -> list[str]:
    """Return the names of the columns in a language: question, answers, and ``more``."""
    return [column_name(texts, locale, column) for column in ("question", *ANSWERS, *more)]


def column_name(texts: Texts, locale: str, column: str) -> str:
    """Return the name of a column in a language; an unknown name unchanged."""
    base, number = ("wrong", column[-1]) if column in ANSWERS[1:] else (column, "")
    return f"{_names(texts, locale, f'pack-column-{base}')[0]} {number}".rstrip() if base in COLUMNS else column


def separator(locale: str) -> str:
    """Return the separator of CSV that a spreadsheet expects where the language is spoken."""
    return ";" if get_decimal_symbol(locale) == "," else ","
