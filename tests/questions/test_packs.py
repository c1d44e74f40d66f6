"""Packs read from files and written to them: good files, refusals and their mistakes, and lossless round trips."""

import base64
import html
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsm.question import Question
from play.packs import vocabulary
from play.texts import Texts
from questions.bank import bank
from questions.encodings import decode
from questions.garbled import garbled
from questions.pack_reader import read_pack
from questions.pack_writer import FORMATS, write_pack
from questions.packs import MAX_MISTAKES, MAX_QUESTIONS, Mistake, Pack, PackRefused
from questions.similarity import fingerprint, gist
from tests.questions.files import HEADER, as_excel, corpus, good_rows, to_csv, to_json, to_trivia, to_xlsx

TEXTS = Texts()
CORPUS, PART = 510, 51
MAX_SECONDS = 5.0
"""Limit of processor seconds for one file on a busy machine. A file takes a second at most."""


def refused(content: bytes, name: str = "pack.csv") -> list[tuple[int, str, str]]:
    """Return line, column and code of each mistake of a file."""
    with pytest.raises(PackRefused) as caught:
        read_pack(content, name)
    return [(mistake.line, mistake.column, mistake.code) for mistake in caught.value.mistakes]


def read(text: str, name: str = "pack.csv") -> Pack:
    return read_pack(text.encode(), name)


# -- accepted files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pack.csv", "pack.json", "pack.xlsx", "excel.xlsx", "trivia.json", "list.json"])
def test_a_good_pack_is_read_in_every_format(name: str) -> None:
    rows = good_rows(3)
    contents = {
        "pack.csv": to_csv(rows).encode(),
        "pack.json": to_json(rows),
        "pack.xlsx": to_xlsx(rows),
        "excel.xlsx": as_excel(rows),
        "trivia.json": json.dumps(to_trivia(rows)).encode(),
        "list.json": json.dumps(json.loads(to_json(rows))["questions"]).encode(),
    }
    first = read_pack(contents[name], name).questions[0]
    assert len(read_pack(contents[name], name).questions) == 3
    assert first == Question(
        id=fingerprint(gist(first)),
        text="What is 1 times 7919?",
        answers=("7919", "7920", "4", "minus 1"),
        right=0,
        difficulty="easy",
        category="maths",
    )


def test_open_trivia_db_is_read_as_it_is() -> None:
    answer = {
        "response_code": 0,
        "results": [
            {
                "type": "multiple",
                "difficulty": "medium",
                "category": "Entertainment: Video Games",
                "question": "In &quot;Pok&eacute;mon&quot;, who&#039;s Ash&#039;s rival &amp; friend?",
                "correct_answer": "Gary",
                "incorrect_answers": ["Brock", "Misty", "Tom &amp; Jerry"],
            },
            {
                "type": "boolean",
                "difficulty": "easy",
                "category": "History",
                "question": "The Great Wall is visible from the Moon.",
                "correct_answer": "False",
                "incorrect_answers": ["True"],
            },
        ],
    }
    first, second = read(json.dumps(answer), "api.json").questions
    assert first.text == "In \"Pokémon\", who's Ash's rival & friend?"
    assert first.answers == ("Gary", "Brock", "Misty", "Tom & Jerry")
    assert (second.answers, second.difficulty, second.category) == (("False", "True"), "easy", "History")


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (html.escape, ()),
        (partial(quote, safe="-_.~"), ("type", "difficulty")),
        (quote_plus, ("type", "difficulty")),
        (in_base64, ()),
    ],
    ids=["default", "url3986", "urlLegacy", "base64"],
)
def test_open_trivia_db_is_read_in_each_of_its_encodings(written: Callable[[str], str], kept: tuple[str, ...]) -> None:
    plain: dict[str, Any] = {
        "type": "multiple",
        "difficulty": "hard",
        "category": "Entertainment: Cartoon & Animations",
        "question": 'Which tag means 100% of <b>"bold"</b> + Pokémon?',
        "correct_answer": "<b>",
        "incorrect_answers": ["1 + 1", "R&B", "Øre"],
    }
    told: dict[str, object] = {
        name: [written(each) for each in value]
        if isinstance(value, list)
        else value
        if name in kept
        else written(value)
        for name, value in plain.items()
    }
    (question,) = read(json.dumps({"response_code": 0, "results": [told]}), "api.json").questions
    assert (question.text, question.category) == (plain["question"], plain["category"])
    assert question.answers == ("<b>", "1 + 1", "R&B", "Øre")
    assert question.difficulty == "hard"


def test_a_plain_text_of_open_trivia_db_is_not_taken_for_another_encoding() -> None:
    rows = [["What is 2+2 in C++, 100%25?", "Four", "bXVsdGlwbGU=", "a+b", "%41", "maths", "easy", ""]]
    (question,) = read(json.dumps(to_trivia(rows)), "api.json").questions
    assert (question.text, question.answers) == (rows[0][0], tuple(rows[0][1:5]))


def test_a_text_that_is_no_base64_among_others_that_are_is_told() -> None:
    trivia = to_trivia([[in_base64(each) for each in ("Why?", "a", "b", "c", "d", "x", "easy")]])
    trivia["results"][0] |= {"type": in_base64("multiple"), "correct_answer": "no base64!"}
    assert refused(json.dumps(trivia).encode(), "api.json") == [(1, "answer", "bad-base64")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_usual_encoding_and_separator_is_understood(encoding: str, separator: str) -> None:
    rows = [["Какая река течёт через Париж? «Сена» — или нет", "Сена", "Луара", "Рейн; Дунай", "Рона, По", "", "", ""]]
    pack = read_pack(to_csv(rows, separator=separator).encode(encoding), "pack.csv")
    assert pack.questions[0].text == rows[0][0]
    assert pack.questions[0].answers == ("Сена", "Луара", "Рейн; Дунай", "Рона, По")


def test_western_letters_are_not_taken_for_russian_ones() -> None:
    text = "Où était l'été dernier? Müller est allé à la plage, là-bas, près d'ici"
    assert decode(text.encode("cp1252")) == text
    assert decode("ünïcödé".encode("latin-1")) in {"ünïcödé", None}


def test_columns_may_stand_in_any_order_and_the_lesser_ones_be_missing() -> None:
    pack = read("Wrong1; ANSWER ;question\nNo;Yes;Is it?\n\n\n")
    assert pack.questions[0].answers == ("Yes", "No")
    assert pack.questions[0].difficulty == "medium"


def test_an_export_of_the_bank_is_a_pack() -> None:
    for language in ("en", "ru"):
        content = (Path(__file__).parents[2] / "questions" / f"bank.{language}.csv").read_bytes()
        pack = read_pack(content, "bank.csv")
        assert [question.text for question in pack.questions] == [question.text for question in bank(language)]
        assert pack.alike == ()


def test_numbers_in_cells_are_read_as_they_look() -> None:
    row = ["In which year?", 1945, 1918.0, 3.5, True, "", "", ""]
    assert read_pack(to_xlsx([row]), "pack.xlsx").questions[0].answers == ("1945", "1918", "3.5", "TRUE")
    numbers = json.dumps([{"question": "When?", "answer": 1945, "wrong": [1918, 3.5]}])
    assert read(numbers, "pack.json").questions[0].answers == ("1945", "1918", "3.5")


def test_formulas_and_markup_in_text_stay_text() -> None:
    text = '=HYPERLINK("http://evil.example","x") <b>bold</b> &amp; <script>alert(1)</script>'
    for name, content in (
        ("pack.csv", to_csv([[text, "=1+1", "@SUM(A1)", "-5", "+x", "", "", ""]]).encode()),
        ("pack.json", to_json([[text, "=1+1", "@SUM(A1)", "-5", "+x", "", "", ""]])),
    ):
        question = read_pack(content, name).questions[0]
        assert (question.text, question.answers) == (text, ("=1+1", "@SUM(A1)", "-5", "+x"))


def test_what_nobody_sees_is_taken_out_and_lines_become_one() -> None:
    pack = read('question,answer,wrong1\n"\ufeffTwo\u200b\r\n  lines\u202e?",y\u00ades,no\u2067\n')
    assert (pack.questions[0].text, pack.questions[0].answers) == ("Two lines?", ("yes", "no"))


def test_macros_and_outside_links_in_a_workbook_do_nothing() -> None:
    extra = {
        "xl/vbaProject.bin": b"Attribute VB_Name",
        "xl/externalLinks/externalLink1.xml": b'<externalLink><externalBook r:id="rId1"/></externalLink>',
    }
    assert len(read_pack(as_excel(good_rows(3), extra), "pack.xlsm").questions) == 3


def test_near_duplicates_are_pointed_out_and_taken() -> None:
    pack = read(
        "question,answer,wrong1\n"
        "What is the capital of Japan?,Tokyo,Kyoto\n"
        "What is the capital of Jordan?,Amman,Petra\n"
        "What's the capital of Japan?,tokyo,Osaka\n"
    )
    assert len(pack.questions) == 3
    assert [(alike.line, alike.earlier) for alike in pack.alike] == [(4, 2)]
    for locale in ("en", "ru"):
        alike = pack.alike[0]
        text = TEXTS.html(
            locale, alike.text_id, by=alike.by, line=alike.line, earlier=alike.earlier, question=alike.question
        )
        assert "Japan" in text


# -- refused files ----------------------------------------------------------------------------------------------


def test_all_mistakes_are_told_with_their_lines() -> None:
    assert refused(
        b"question,answer,wrong1,difficulty\n"
        b"Good?,yes,no,easy\n"
        b"No answer?,,no,\n"
        b'"Two\nlines?",same,SAME,\n'
        b"After two lines?,yes,no,brutal\n"
        b"Good?,yes,perhaps,\n"
    ) == [
        (3, "answer", "missing-cell"),
        (4, "wrong1", "same-answers"),
        (6, "difficulty", "unknown-difficulty"),
        (7, "question", "repeated-question"),
    ]


def test_mistakes_in_json_have_their_lines_too() -> None:
    text = '{"note": {"questions": 1},\n "questions": [\n  {"question": "Good?", "answer": "y", "wrong": ["n"]},\n\n'
    text += (
        '  {"question": "Bad?",\n   "answer": "", "wrong": ["n"]}, 7, {"question": ["x"], "answer": "a", "wrong": []}]}'
    )
    assert refused(text.encode(), "pack.json") == [
        (5, "answer", "missing-cell"),
        (6, "", "not-an-object"),
        (6, "question", "not-text"),
    ]
    assert refused(b'[\n{"question": "x",,}]', "pack.json") == [(2, "", "bad-json")]


def test_mistakes_in_a_json_file_of_one_line_tell_which_question() -> None:
    good = [{"question": f"Q{n}?", "answer": "y", "wrong": ["n"]} for n in range(4)]
    text = json.dumps([*good, {**good[0], "answer": ""}, good[1]])
    with pytest.raises(PackRefused) as caught:
        read(text, "pack.json")
    assert [(each.line, each.number, each.code) for each in caught.value.mistakes] == [
        (1, 5, "missing-cell"),
        (1, 6, "repeated-question"),
    ]
    assert caught.value.mistakes[1].parameters == {"first": 2, "by": "question"}
    alike = [{**good[0], "question": f"What is the capital of Japan{end}"} for end in ("?", "!")]
    (found,) = read(json.dumps([*good, *alike]), "pack.json").alike
    assert (found.line, found.earlier, found.by) == (6, 5, "question")


def test_json_that_says_something_twice_or_counts_with_what_is_no_number_is_refused() -> None:
    twice = b'[{"question": "Why?",\n "answer": "a", "answer": "b", "wrong": ["c"]}]'
    assert refused(twice, "pack.json") == [(1, "answer", "repeated-field")]
    good = '{"question": "Why?", "answer": "a", "wrong": ["c"]}'
    assert refused(f'{{"questions": [{good}], "questions": []}}'.encode(), "x.json") == [
        (0, "questions", "repeated-field")
    ]
    for number in ("NaN", "Infinity", "-Infinity"):
        assert refused(good.replace('"a"', number).encode().join([b"[", b"]"]), "x.json") == [(0, "", "strange-json")]


def test_numbers_in_json_stay_as_they_are_written() -> None:
    text = '[{"question": "How much?", "answer": 1.50, "wrong": [1e3, 0.10, 12345678901234567890123]}]'
    assert read(text, "x.json").questions[0].answers == ("1.50", "1e3", "0.10", "12345678901234567890123")


def test_mistakes_in_a_workbook_have_the_rows_of_the_sheet() -> None:
    rows = good_rows(4)
    rows[1][1], rows[3][0] = "=1+1", "#REF!"
    assert refused(to_xlsx(rows), "pack.xlsx") == [(3, "B", "formula-cell"), (5, "A", "error-cell")]


def test_mistakes_are_told_up_to_a_bound_and_that_there_are_more() -> None:
    with pytest.raises(PackRefused) as caught:
        read("question,answer,wrong1\n" + "Why?,,\n" * 400)
    assert len(caught.value.mistakes) == MAX_MISTAKES
    assert caught.value.more


def test_the_largest_pack_is_taken_and_one_more_question_is_not() -> None:
    assert len(read_pack(to_xlsx(good_rows(MAX_QUESTIONS)), "pack.xlsx").questions) == MAX_QUESTIONS
    assert refused(to_csv(good_rows(MAX_QUESTIONS + 1)).encode()) == [(1002, "", "too-many-questions")]


def test_a_question_may_be_as_long_as_telegram_takes_it() -> None:
    head = "question,answer,wrong1\n"
    assert len(read(head + f"{'й' * 300},{'a' * 100},{'b' * 100}").questions) == 1
    assert refused(f"{head}{'й' * 301},{'a' * 101},b".encode()) == [
        (2, "question", "too-long"),
        (2, "answer", "too-long"),
    ]


@pytest.mark.parametrize("part", range(CORPUS // PART))
def test_each_of_five_hundred_bad_files_is_refused_with_words(part: int) -> None:
    for what, name, content in corpus(part, PART):
        try:
            pack = read_pack(content, name)
        except PackRefused as refusal:
            check_words(refusal)
        else:
            pytest.fail(f"{what}: {name} was taken, {pack}")


def check_words(refusal: PackRefused) -> None:
    """Check that every mistake has a fitting text in every locale."""
    assert refusal.mistakes
    for mistake in refusal.mistakes:
        assert mistake.line >= 0
        for locale in TEXTS.LOCALES:
            text = TEXTS.html(locale, mistake.text_id, column=mistake.column, **mistake.parameters)
            assert text
            assert not TEXTS.missing, (mistake, TEXTS.missing)
            assert "\x1b" not in text


def test_a_line_is_told_without_separators_of_thousands() -> None:
    text = TEXTS.html(
        "en", "pack-mistake-on-line", line=1002, number=0, mistake=TEXTS.html("en", "pack-mistake-bad-photo")
    )
    assert text.startswith("Line 1002: This isn’t a photo.")
    suggested = Mistake(1, "foto", "misspelt-column", {"number": 8, "suggestion": "photo"})
    assert "photo" in TEXTS.html("en", suggested.text_id, column=suggested.column, **suggested.parameters)


# -- written files ----------------------------------------------------------------------------------------------

WORDS = (
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"))
        | st.sampled_from("=+-@'\"<&;,\t\n _x"),
        min_size=1,
        max_size=60,
    )
    .filter(lambda text: not garbled(text))
    .map(lambda text: text.replace("?", "!"))
)  # it may stand for a lost letter


@st.composite
def packs(draw: st.DrawFn) -> tuple[Question, ...]:
    """Draw questions that a pack may hold, by reading any text."""
    rows = draw(
        st.lists(
            st.tuples(
                WORDS, st.lists(WORDS, min_size=2, max_size=4), st.sampled_from(["easy", "medium", "hard"]), WORDS,
                st.sampled_from(["", "https://example.org/a.jpg", "AgACAgIAAxkBAAIBZ2Y-abc_def"]),
            ),
            min_size=1, max_size=5,
        )
    )  # fmt: skip
    items = [
        {"question": f"{text}{n}?", "answer": f"{answers[0]}!", "wrong": [f"{a}{i}" for i, a in enumerate(answers[1:])],
         "difficulty": difficulty, "category": category[:40], "photo": photo}
        for n, (text, answers, difficulty, category, photo) in enumerate(rows)
    ]  # fmt: skip
    try:
        return read_pack(json.dumps(items).encode(), "x.json").questions
    except PackRefused as refusal:
        raise AssertionError([*refusal.mistakes, items]) from refusal


@pytest.mark.parametrize("form", FORMATS)
@given(questions=packs())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back_the_same(form: str, questions: tuple[Question, ...]) -> None:
    assert read_pack(write_pack(questions, form), f"pack.{form}").questions == questions


def test_an_export_holds_nothing_that_a_spreadsheet_would_compute() -> None:
    for start in ("=1+1", "+1+1", "-2+3", "@SUM(A1)", "'=1", "\t=1+1", "=cmd|' /C calc'!A0"):
        asked = Question(id="x", text=start.strip(), answers=("a", "b"), right=0)
        first = write_pack([asked], "csv").decode("utf-8-sig").splitlines()[1]
        assert first.lstrip('"')[0] == "'", first
        book = write_pack([asked], "xlsx")
        assert b"<f>" not in book
        assert read_pack(book, "x.xlsx").questions[0].text == start.strip()
    plain = Question(id="x", text="-5 or +3?", answers=("-5", "+3,5"), right=0)
    assert ",-5," in write_pack([plain], "csv").decode()


def test_an_export_puts_the_right_answer_first_wherever_it_was() -> None:
    shuffled = Question(id="x", text="Which?", answers=("no", "yes", "never"), right=1)
    for form in FORMATS:
        back = read_pack(write_pack([shuffled], form), f"pack.{form}").questions[0]
        assert back.answers == ("yes", "no", "never")
        assert back == replace(back, right=0)


TYPED = """question,answer,wrong1,wrong2,category,type,explanation,source
Planets?,Mars | Venus,Moon | Sun,A \\| B,space,several,The Moon is a moon.,https://example.org/planets
In order?,one | two | three,,,,order,,A book
How high?,8849 ± 50,,,,number,,
How many?,1 000 000,,,,number,,
A fish?,TRUE,,,,true_false,,
Plain?,yes,no,,,,,
"""


def test_questions_of_every_type_are_read() -> None:
    several, order, high, many, fish, plain = read(TYPED).questions
    assert (several.answers, several.rights) == (("Mars", "Venus", "Moon", "Sun", "A | B"), (0, 1))
    assert (several.explanation, several.source) == ("The Moon is a moon.", "https://example.org/planets")
    assert (order.answers, order.rights, order.source) == (("one", "two", "three"), (0, 1, 2), "A book")
    assert (high.number, high.tolerance, high.answers) == (Decimal(8849), Decimal(50), ())
    assert (many.number, many.tolerance) == (Decimal(1_000_000), None)
    assert (fish.type, fish.answers, fish.right) == ("true_false", ("True", "False"), 0)
    assert (plain.type, plain.right) == ("choice", 0)
    assert all(question.sound for question in read(TYPED).questions)


@pytest.mark.parametrize("form", FORMATS)
def test_questions_of_every_type_are_written_and_read_back(form: str) -> None:
    pack = read(TYPED)
    assert read_pack(write_pack(pack.questions, form), f"pack.{form}").questions == pack.questions


@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_types_and_truth_have_names_in_every_language(locale: str) -> None:
    names = [TEXTS.plain(locale, f"pack-column-{column}").split(",")[0] for column in ("question", "answer", "type")]
    truth, order = TEXTS.plain(locale, "pack-type-true_false").split(",")[0], TEXTS.plain(locale, "pack-type-order")
    rows = [f"Ça nage?,{TEXTS.plain(locale, 'pack-false')},{truth}", f"Quand?,a | b | c,{order.split(',')[0]}"]
    for reader in TEXTS.LOCALES:
        content = "\n".join([",".join(names), *rows]).encode()
        first, second = read_pack(content, "p.csv", vocabulary(TEXTS, reader)).questions
        assert (first.type, first.right, second.type) == ("true_false", 1, "order")


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("Q?,a,,riddle", "type", "unknown-type"),
        ("Q?,a,,", "wrong1", "missing-cell"),
        ("Q?,a | b,,order", "answer", "answer-count"),
        ("Q?,a | b | c | a,,order", "answer", "same-answers"),
        ("Q?,a | b | c,d,order", "wrong1", "no-wrong-answers"),
        ("Q?,a,,several", "answer", "answer-count"),
        ("Q?,perhaps,,true_false", "answer", "bad-truth"),
        ("Q?,true,perhaps,true_false", "answer", "bad-truth"),
        ('Q?,"1,000",,number', "answer", "bad-number"),
        ("Q?,1.000,,number", "answer", "bad-number"),
        ("Q?,many,,number", "answer", "bad-number"),
        ("Q?,5 ± -1,,number", "answer", "bad-number"),
        (f"Q?,{'x' * 101} | b,,several", "answer", "too-long"),
    ],
)
def test_an_answer_that_does_not_fit_its_type_is_a_mistake_with_words(row: str, column: str, code: str) -> None:
    with pytest.raises(PackRefused) as caught:
        read(f"question,answer,wrong1,type\n{row}\n")
    assert [(mistake.line, mistake.column, mistake.code) for mistake in caught.value.mistakes] == [(2, column, code)]
    for mistake in caught.value.mistakes:
        for locale in TEXTS.LOCALES:
            assert TEXTS.plain(locale, mistake.text_id, **{"column": mistake.column, **mistake.parameters})
    assert not TEXTS.missing


@pytest.mark.parametrize(("column", "limit"), [("explanation", 200), ("source", 300)])
def test_an_explanation_and_a_source_have_limits(column: str, limit: int) -> None:
    assert refused(f"question,answer,wrong1,{column}\nQ?,a,b,{'x' * (limit + 1)}\n".encode()) == [
        (2, column, "too-long")
    ]
    assert read(f"question,answer,wrong1,{column}\nQ?,a,b,{'x' * limit}\n").questions


def test_the_columns_of_an_export_are_those_that_are_read() -> None:
    assert write_pack([], "csv").decode("utf-8-sig").strip().split(",") == [*HEADER, "type", "explanation", "source"]
    with pytest.raises(KeyError):
        write_pack([], "pdf")


STARTS = (
    b"", b"PK\x03\x04", b"question,answer,wrong1\n", b"[", b"\xff\xfe", b"<quiz><question type='truefalse'>",
    b"#separator:tab\n", b"::Q:: what { =", b"A. x\nANSWER: A\n",
)  # fmt: skip


@given(
    content=st.binary(max_size=400),
    name=st.sampled_from(["a.csv", "a.json", "a.xlsx", "a.txt", "a.gift", "a.xml", "a"]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes_at_all_end_in_a_pack_or_a_refusal(content: bytes, name: str) -> None:
    for start in STARTS:
        try:
            assert read_pack(start + content, name).questions
        except PackRefused as refusal:
            check_words(refusal)
