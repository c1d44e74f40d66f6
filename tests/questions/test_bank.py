"""The built-in question bank: one right answer, readable on a phone, the same questions in every language."""

import csv
import itertools
import re
import unicodedata
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pytest

from fsm.question import MAX_EXPLANATION
from questions.bank import LANGUAGES

BANK = Path(__file__).resolve().parents[2] / "questions"
COLUMNS = ["id", "question", "answer", "wrong1", "wrong2", "wrong3", "category", "difficulty", "explanation"]
ANSWERS = COLUMNS[2:6]
CATEGORIES = {
    "geography": "geo",
    "history": "his",
    "science": "sci",
    "nature": "nat",
    "technology": "tec",
    "art": "art",
    "literature": "lit",
    "music": "mus",
    "film": "fil",
    "sport": "spo",
    "food": "foo",
    "space": "spa",
    "maths": "mat",
}
SHARES = {"easy": (0.33, 0.47), "medium": (0.33, 0.47), "hard": (0.14, 0.26)}
MIN_QUESTIONS = 320
MIN_PER_CATEGORY = 24
MAX_QUESTION = 200
MAX_ANSWER = 60
MAX_LONGEST_SHARE = 0.45
MAX_RANK_SHARE = 0.6
NEAR_TEXT = 0.85
NEAR_WORDS = 0.75
MIN_WORDS = 3

Row = dict[str, str]
Banks = dict[str, list[Row]]


def read_bank(language: str) -> list[Row]:
    """Return every row of one language's bank, in the order of the file."""
    with (BANK / f"bank.{language}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@cache
def plain(text: str) -> str:
    """Normalize a text for comparison."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


@cache
def words(text: str) -> frozenset[str]:
    """Return the words that carry the meaning: short ones are mostly grammar."""
    return frozenset(word for word in re.findall(r"\w+", plain(text)) if len(word) > 3)


def near(one: str, other: str) -> bool:
    """Return whether two questions are similar: nearly the same letters, or nearly the same words."""
    first, second = words(one), words(other)
    if min(len(first), len(second)) >= MIN_WORDS and len(first & second) / len(first | second) >= NEAR_WORDS:
        return True
    matcher = SequenceMatcher(None, plain(one), plain(other), autojunk=False)
    # The two quick ratios are upper bounds: they avoid the slow one for almost all of the 50,000 pairs.
    return (
        matcher.real_quick_ratio() >= NEAR_TEXT and matcher.quick_ratio() >= NEAR_TEXT and matcher.ratio() >= NEAR_TEXT
    )


@pytest.fixture(scope="module")
def banks() -> Banks:
    """Return the rows of each language of the bank."""
    return {language: read_bank(language) for language in LANGUAGES}


@pytest.fixture(params=LANGUAGES)
def rows(request: pytest.FixtureRequest, banks: Banks) -> list[Row]:
    """Return one language's rows; each test with this fixture runs once for each language."""
    return banks[request.param]


def test_every_row_has_exactly_the_columns_of_the_header_and_none_is_empty(rows: list[Row]) -> None:
    for row in rows:
        assert list(row) == COLUMNS
        assert all(row.values()), row


def test_the_files_are_utf_8_without_a_byte_order_mark_and_with_unix_line_ends() -> None:
    for language in LANGUAGES:
        content = (BANK / f"bank.{language}.csv").read_bytes()
        assert content.decode("utf-8").startswith(",".join(COLUMNS) + "\n")
        assert b"\r" not in content
        assert content.endswith(b"\n")


def test_all_languages_hold_the_same_questions_in_the_same_order(banks: Banks) -> None:
    keys = ("id", "category", "difficulty")
    orders = [[[row[key] for key in keys] for row in rows] for rows in banks.values()]
    assert all(order == orders[0] for order in orders)


def test_ids_are_unique_and_carry_the_prefix_of_their_category(rows: list[Row]) -> None:
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert re.fullmatch(CATEGORIES[row["category"]] + r"-\d{3}", row["id"]), row["id"]


def test_the_bank_is_large_enough_in_every_category(rows: list[Row]) -> None:
    counts = Counter(row["category"] for row in rows)
    assert len(rows) >= MIN_QUESTIONS
    assert set(counts) == set(CATEGORIES)
    assert min(counts.values()) >= MIN_PER_CATEGORY


def test_difficulties_are_shared_out_about_forty_forty_twenty(rows: list[Row]) -> None:
    counts = Counter(row["difficulty"] for row in rows)
    assert set(counts) == set(SHARES)
    for difficulty, (low, high) in SHARES.items():
        assert low <= counts[difficulty] / len(rows) <= high, difficulty


def test_every_category_has_questions_of_every_difficulty(rows: list[Row]) -> None:
    pairs = {(row["category"], row["difficulty"]) for row in rows}
    assert pairs == set(itertools.product(CATEGORIES, SHARES))


def test_questions_and_answers_fit_a_phone(rows: list[Row]) -> None:
    for row in rows:
        assert len(row["question"]) <= MAX_QUESTION, row["id"]
        assert all(len(row[column]) <= MAX_ANSWER for column in ANSWERS), row["id"]


def test_explanations_are_different_sentences_that_fit_a_poll(rows: list[Row]) -> None:
    explanations = [row["explanation"] for row in rows]
    assert [text for text in explanations if not (text.endswith(".") and len(text) <= MAX_EXPLANATION)] == []
    assert len(set(explanations)) == len(explanations)


def test_the_four_answers_of_a_question_differ(rows: list[Row]) -> None:
    for row in rows:
        assert len({plain(row[column]) for column in ANSWERS}) == len(ANSWERS), row["id"]


def test_no_cell_has_markup_control_characters_stray_spaces_or_a_formula(rows: list[Row]) -> None:
    for row in rows:
        for value in row.values():
            assert not re.search(r"[<>]|&\w+;", value), row["id"]
            assert not any(unicodedata.category(char).startswith("C") for char in value), row["id"]
            assert value == " ".join(value.split()), row["id"]
            assert unicodedata.normalize("NFC", value) == value, row["id"]
            assert value[0] not in "=+-@", row["id"]


def test_every_question_asks(rows: list[Row]) -> None:
    for row in rows:
        assert row["question"].endswith("?") or row["question"].endswith("…"), row["id"]
        assert row["question"][0].isupper() or not row["question"][0].isalpha(), row["id"]


def test_no_question_is_asked_twice(rows: list[Row]) -> None:
    assert len({plain(row["question"]) for row in rows}) == len(rows)


def test_no_two_questions_of_a_language_are_near_duplicates(rows: list[Row]) -> None:
    alike = [
        (one["id"], other["id"])
        for one, other in itertools.combinations(rows, 2)
        if near(one["question"], other["question"])
    ]
    assert alike == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is the capital of Japan?", "What's the capital of Japan?"),
        ("Which planet is closest to the Sun?", "Closest to the Sun is which planet?"),
        ("Какой город является столицей Канады?", "Какой город сейчас является столицей Канады?"),
    ],
)
def test_rewording_a_question_leaves_it_a_near_duplicate(one: str, other: str) -> None:
    assert near(one, other)


def test_different_questions_of_one_pattern_are_not_near_duplicates() -> None:
    assert not near("Who directed “The Godfather”?", "Who painted “The Scream”?")


def test_every_russian_question_is_written_in_cyrillic(banks: Banks) -> None:
    for row in banks["ru"]:
        assert re.search(r"[а-яё]", row["question"]), row["id"]


def test_no_english_cell_is_left_in_cyrillic(banks: Banks) -> None:
    for row in banks["en"]:
        assert not any(re.search(r"[А-Яа-яЁё]", value) for value in row.values()), row["id"]


def test_no_word_mixes_cyrillic_and_latin_letters(rows: list[Row]) -> None:
    for row in rows:
        for word in re.findall(r"\w+", " ".join(row.values())):
            assert not (re.search(r"[А-Яа-яЁё]", word) and re.search(r"[A-Za-z]", word)), (row["id"], word)


def test_quotation_marks_are_those_of_the_language_and_come_in_pairs(banks: Banks) -> None:
    for language, (left, right), foreign in (("en", "“”", "\"'«»„"), ("ru", "«»", "\"'”"), ("es", "«»", "\"'“”„")):
        for row in banks[language]:
            for value in row.values():
                assert value.count(left) == value.count(right), row["id"]
                assert not set(value) & set(foreign), row["id"]


def test_the_question_does_not_contain_its_right_answer(rows: list[Row]) -> None:
    for row in rows:
        pattern = rf"(?<!\w){re.escape(plain(row['answer']))}(?!\w)"
        assert not re.search(pattern, plain(row["question"])), row["id"]


def test_the_right_answer_is_neither_usually_the_longest_nor_the_shortest(rows: list[Row]) -> None:
    lengths = [[len(row[column]) for column in ANSWERS] for row in rows]
    assert sum(right > max(wrong) for right, *wrong in lengths) / len(rows) < MAX_LONGEST_SHARE
    assert sum(right < min(wrong) for right, *wrong in lengths) / len(rows) < MAX_LONGEST_SHARE


def test_a_right_number_does_not_keep_to_one_rank_among_the_four(rows: list[Row]) -> None:
    numeric = [row for row in rows if all(row[column].isdecimal() for column in ANSWERS)]
    ranks = Counter(sum(int(row[column]) < int(row["answer"]) for column in ANSWERS) for row in numeric)
    assert set(ranks) == {0, 1, 2, 3}
    assert max(ranks.values()) / len(numeric) < MAX_RANK_SHARE
