"""Files of other programs: imported unchanged, with a note of everything that a pack can't hold; or refused."""

import io
import re
import zipfile
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from play.packs import COLUMNS, SAMPLE_FORMS, sample
from questions.encodings import decode
from questions.number_formats import shown
from questions.packs import columns_of
from tests.questions.files import as_excel, book, good_rows, rezipped, to_csv
from tests.questions.support import TEXTS, WORDS, asked, noted, read, refused

HEADER = ("question", "answer", "wrong1", "wrong2")

# -- quiz programs ----------------------------------------------------------------------------------------------

KAHOOT = (
    "Question - max 120 characters",
    *(f"Answer {n} - max 75 characters" for n in range(1, 5)),
    "Time limit (sec) – 5, 10, 20, 30, 60, 90, 120, or 240 secs",
    "Correct answer(s) - choose at least one",
)


def test_kahoots_template_is_taken_over_without_its_times() -> None:
    rows = [
        (),
        (None, "Quiz template"),
        (None, "Add questions, at least two answer alternatives, time limit and choose correct answers."),
        *[()] * 4,
        (None, *KAHOOT),
        (1, "Which metal is liquid?", "Iron", "Mercury", "Tin", "Zinc", 20, 2),
        (2, "Which are primes?", 2, 4, 3, 9, 30, "1,3"),
        (3, "The sun is a star.", "True", "False", None, None, 20, "1"),
        (4, None, None, None, None, None, None, None),
    ]
    pack = read(book(*rows), "quiz.xlsx")
    assert asked(pack) == [
        ("Which metal is liquid?", "Mercury", "Iron", "Tin", "Zinc"),
        ("Which are primes?", "2", "3", "4", "9"),
        ("The sun is a star.", "True", "False"),
    ]
    assert [(each.type, each.right, each.rights) for each in pack.questions] == [
        ("choice", 0, ()), ("several", None, (0, 1)), ("true_false", 0, ()),
    ]  # fmt: skip
    assert noted(pack) == {"times": ()}


def test_a_kahoot_without_a_right_answer_is_refused_with_its_line() -> None:
    rows = [(None, *KAHOOT), (1, "Why?", "a", "b", "c", "d", 20, None), (2, "How?", "a", "b", None, None, 20, 4)]
    assert refused(book(*rows), "quiz.xlsx") == [(2, "H", "missing-right"), (3, "H", "no-such-answer")]


def test_quizizz_is_taken_over_with_pictures_and_without_other_types() -> None:
    header = ("Question Text", "Question Type", *(f"Option {n}" for n in range(1, 6)), "Correct Answer",
              "Time in seconds", "Image Link", "Answer explanation")  # fmt: skip
    hints = ("Text of the question\n\n(required)", "Question Type\n\n(default)", "Text for option 1\n\n(required)")
    rows = [
        header,
        hints,
        ("Which sea?", "Multiple Choice", "Black", "Dead", "Red", "White", "North", 2, 30, "https://x.org/a.png", "So"),
        ("Even numbers?", "Checkbox", 1, 2, 3, 4, None, "2,4", 30, None, None),
        ("One of these?", "Checkbox", "a", "b", None, None, None, "2", 30, None, None),
        ("Say something", "Open-Ended", None, None, None, None, None, None, 30, None, None),
        ("Like it?", "Poll", "yes", "no", None, None, None, None, 30, None, None),
    ]
    pack = read(book(*rows), "quizizz.xlsx")
    assert asked(pack) == [
        ("Which sea?", "Dead", "Black", "Red", "White"),
        ("Even numbers?", "2", "4", "1", "3"), ("One of these?", "b", "a"),
    ]  # fmt: skip
    assert pack.questions[0].photo == "https://x.org/a.png"
    assert pack.questions[0].explanation == "So"
    assert pack.questions[1].rights == (0, 1)
    assert noted(pack) == {
        "more-answers": (3,), "times": (), "other-types": (6, 7),
    }  # fmt: skip


def test_blookets_template_is_taken_over() -> None:
    text = (
        '"Blooket\nImport Template",,,,,,,\n'
        '"Question #","Question Text","Answer 1","Answer 2","Answer 3\n(Optional)","Answer 4\n(Optional)",'
        '"Time Limit (sec)\n(Max: 300 seconds)","Correct Answer(s)\n(Only include Answer #)"\n'
        '1,What is 2+2?,3,4,5,6,20,2\n2,Odd?,1,2,3,,20,"1,3"\n'
    )
    pack = read(text, "blooket.csv")
    assert asked(pack) == [("What is 2+2?", "4", "3", "5", "6"), ("Odd?", "1", "3", "2")]
    assert pack.questions[1].rights == (0, 1)
    assert noted(pack) == {"times": ()}


@pytest.mark.parametrize(
    ("told", "right"), [("2", "Lyon"), ("b", "Lyon"), ("B", "Lyon"), ("Lyon", "Lyon"), ("2.0", "Lyon")]
)
def test_a_table_of_options_tells_the_right_one_by_number_letter_or_text(told: str, right: str) -> None:
    headers = (
        "Question,Option A,Option B,Option C,Correct Answer",
        "Вопрос,Вариант 1,Вариант 2,Вариант 3,Верный ответ",
        "Question;Choice 1;Choice 2;Choice 3;Correct",
    )
    for header in headers:
        separator = ";" if ";" in header else ","
        text = f"{header}\n{separator.join(['Where?', 'Paris', 'Lyon', 'Nice', told])}\n"
        assert asked(read(text, "x.csv")) == [("Where?", right, "Paris", "Nice")]


def test_a_right_answer_that_can_be_read_in_two_ways_is_refused() -> None:
    text = "Question,Option 1,Option 2,Option 3,Correct\nHow many?,2,4,3,2\n"
    assert asked(read(text.replace("3,2\n", "3,1\n"), "x.csv")) == [("How many?", "2", "4", "3")]
    assert refused(text, "x.csv") == [(2, "E", "ambiguous-answer")]


def test_gift_is_taken_over() -> None:
    text = r"""
// a comment
$CATEGORY: top/Geography

::Q1:: Who wrote "Faust"? {
  =Goethe#Yes, he did
  ~Schiller
  ~%0%Heine
}

::Q2::[html]<p>What is <b>2 &lt; 3</b>\: true?</p> {T}

The {=Rhine ~Elbe ~Main} flows through Cologne.

Escaped \{braces\} {=a \= b ~c \~ d ~\#}

Several? {~%50%one ~%50%two ~%-100%three}

Write it {=4 =four}

Pair {=a -> b =c -> d ~}

Number {#3.14:0.01}

Tell me {}

Only a description
"""
    pack = read(text, "moodle.gift")
    assert asked(pack) == [
        ('Who wrote "Faust"?', "Goethe", "Schiller", "Heine"),
        ("What is 2 < 3: true?", "True", "False"),
        ("The _____ flows through Cologne.", "Rhine", "Elbe", "Main"),
        ("Escaped {braces}", "a = b", "c ~ d", "#"),
        ("Several?", "one", "two", "three"),
        ("Number",),
    ]
    assert [each.type for each in pack.questions] == ["choice", "true_false", "choice", "choice", "several", "number"]
    assert (pack.questions[0].category, pack.questions[0].explanation) == ("Geography", "Yes, he did")
    assert (pack.questions[-1].number, pack.questions[-1].tolerance) == (Decimal("3.14"), Decimal("0.01"))
    assert noted(pack) == {"other-types": (19, 21, 25, 27)}
    assert asked(read("::Q1::Two and two? { =4 ~5 }", "x.txt")) == [("Two and two?", "4", "5")]
    assert refused("Open {=a ~b\n\nNext? {=a ~b}", "x.gift") == [(1, "", "gift-braces")]


def test_moodles_xml_is_taken_over() -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
<quiz>
 <question type="category"><category><text>$course$/top/Rivers</text></category></question>
 <question type="multichoice"><name><text>Q</text></name>
  <questiontext format="html"><text><![CDATA[<p>Which <b>river</b>&nbsp;is in Cologne?</p>]]></text>
   <file name="a.png" encoding="base64">AAAA</file></questiontext>
  <single>true</single>
  <answer fraction="0"><text>Elbe</text><feedback><text>No</text></feedback></answer>
  <answer fraction="100"><text>Rhine</text></answer></question>
 <question type="multichoice"><questiontext><text>Many?</text></questiontext><single>false</single>
  <answer fraction="50"><text>a</text></answer><answer fraction="50"><text>b</text></answer></question>
 <question type="truefalse"><questiontext><text>Water is wet.</text></questiontext>
  <answer fraction="100"><text>true</text></answer><answer fraction="0"><text>false</text></answer></question>
 <question type="essay"><questiontext><text>Tell.</text></questiontext></question>
</quiz>"""
    pack = read(text, "moodle.xml")
    assert asked(pack) == [
        ("Which river is in Cologne?", "Rhine", "Elbe"), ("Many?", "a", "b"), ("Water is wet.", "True", "False"),
    ]  # fmt: skip
    assert pack.questions[0].category == "Rivers"
    assert noted(pack) == {"pictures": (1,), "explanations": (1,), "other-types": (4,)}
    assert {note.by for note in pack.notes} == {"question"}
    assert asked(read(text.encode("utf-16"), "moodle.xml")) == asked(pack)
    assert refused("<html><body/></html>", "x.xml") == [(0, "", "web-page")]
    assert refused("<quiz><question>", "x.xml") == [(0, "", "damaged-xml")]
    assert refused('<!DOCTYPE a [<!ENTITY b "c">]><quiz>&b;</quiz>', "x.xml") == [(0, "", "damaged-xml")]


def moodle_choice(asked: str, *answers: tuple[str, str], form: str = "html", single: str = "true") -> str:
    """Return a file with one question of Moodle."""
    told = "".join(
        f'<answer fraction="{weight}" format="{form}"><text>{text}</text><feedback format="html"><text/></feedback>'
        "</answer>"
        for weight, text in answers
    )
    question = f'<questiontext format="{form}"><text>{asked}</text></questiontext><single>{single}</single>{told}'
    return f'<quiz><question type="multichoice">{question}</question></quiz>'


def test_texts_of_moodle_are_html_only_where_it_says_so() -> None:
    plain = moodle_choice(
        "What is &lt;b&gt;, if 3 &lt; 5 &gt; 4?", ("100", "&lt;p&gt;"), ("0", "&amp;amp;"), form="plain_text"
    )
    assert asked(read(plain, "x.xml")) == [("What is <b>, if 3 < 5 > 4?", "<p>", "&amp;")]
    loose = moodle_choice("&lt;p&gt;Is 3 &lt; 5 and 5 &gt; 4?&lt;/p&gt;", ("100", "yes"), ("0", "no"))
    assert asked(read(loose, "x.xml")) == [("Is 3 < 5 and 5 > 4?", "yes", "no")]


@pytest.mark.parametrize("single", ["true", "1"])
def test_a_wrong_answer_never_becomes_the_right_one_for_lack_of_a_fully_right_one(single: str) -> None:
    best = moodle_choice("Best?", ("0", "bad"), ("80", "good"), ("20", "fair"), ("0", "worse"), single=single)
    pack = read(best, "x.xml")
    assert (asked(pack), noted(pack)) == ([("Best?", "good", "bad", "worse")], {"partly-right": (1,)})
    assert asked(read("Best? {~%80%good ~bad ~worse}", "x.gift")) == [("Best?", "good", "bad", "worse")]
    nothing = moodle_choice("Any?", ("0", "bad"), ("0", "worse"), ("-50", "worst"), single=single)
    assert refused(nothing, "x.xml") == [(1, "answer", "missing-cell")]
    assert refused("Any? {~%0%bad ~%0%worse ~%0%worst}", "x.gift") == [(1, "answer", "missing-cell")]


def test_all_or_nothing_questions_of_moodle_have_several_right_answers() -> None:
    text = moodle_choice("Primes?", ("100", "2"), ("0", "4"), ("100", "3")).replace("multichoice", "multichoiceset")
    (question,) = read(text, "x.xml").questions
    assert (question.type, question.answers, question.rights) == ("several", ("2", "3", "4"), (0, 1))


@pytest.mark.parametrize(("told", "right"), [("false", 1), ("True", 0), ("Неверно", 1), ("Верно", 0), ("Falso", 1)])
def test_a_statement_of_moodle_is_true_or_false_in_every_language(told: str, right: int) -> None:
    text = (
        '<quiz><question type="truefalse"><questiontext><text>So?</text></questiontext><answer fraction="0"><text>x'
        f'</text></answer><answer fraction="100"><text>{told}</text></answer></question></quiz>'
    )
    (question,) = read(text, "x.xml").questions
    assert (question.type, question.right) == ("true_false", right)
    assert refused(text.replace(f">{told}<", ">Nope<"), "x.xml") == [(1, "answer", "bad-truth")]


def test_questions_of_gift_without_an_empty_line_between_them_are_apart() -> None:
    for text in ("::A:: One? {=a ~b}\n::B:: Two? {=c ~d}\n", "One? {=a ~b}\nTwo? {\n=c\n~d\n}\n"):
        assert asked(read(text, "x.gift")) == [("One?", "a", "b"), ("Two?", "c", "d")]
    for text in ("One? {=a ~b} Two? {=c ~d}\n", "One? {=a ~b}\nTwo?\n{=c ~d}\n"):
        assert {code for _, _, code in refused(text, "x.gift")} == {"gift-braces"}
    assert asked(read("The {=Rhine ~Elbe}\nflows on \\{so\\}.\n", "x.gift")) == [
        ("The _____ flows on {so}.", "Rhine", "Elbe")
    ]


def test_a_file_of_which_everything_is_left_out_says_what_a_pack_takes() -> None:
    pictures = moodle_choice("Which?", ("100", "&lt;img src='a.png'&gt;"), ("0", "&lt;img src='b.png'&gt;"))
    assert refused(pictures, "x.xml") == [(0, "", "no-known-types")]


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "########", "#ССЫЛКА!", "#¡VALOR!", "Err:502"])
def test_the_error_that_a_spreadsheet_shows_is_a_mistake_in_separated_values_too(error: str) -> None:
    assert refused(f"question,answer,wrong1\nWhy?,{error},b\n", "x.csv") == [(2, "B", "error-cell")]
    assert asked(read("question,answer,wrong1\nWhich sign?,#,##\n", "x.csv")) == [("Which sign?", "#", "##")]


def test_aiken_is_taken_over() -> None:
    text = (
        "Which is a fruit?\r\nA. Brick\r\nB) Apple\r\nC. Stone\r\nANSWER: B\r\n\r\nIs it?\nA. Yes\nB. No\nANSWER: A\n"
    )
    pack = read(text, "aiken.txt")
    assert asked(pack) == [("Which is a fruit?", "Apple", "Brick", "Stone"), ("Is it?", "Yes", "No")]
    assert refused("Why?\nA. a\nB. b\nANSWER: C\n", "x.txt") == [(1, "ANSWER", "no-such-answer")]
    assert refused("Why?\nA. a\nB. b\nHow?\nA. a\nB. b\nANSWER: A\n", "x.txt") == [(1, "", "aiken-order")]


def test_ankis_notes_are_taken_over_with_the_answers_of_other_cards() -> None:
    text = (
        "#separator:tab\n#html:true\n#tags column:3\n"
        "Capital of <b>France</b>?\tParis\tgeo\nCapital of Italy?\tRome&nbsp;\tgeo\n"
        '"Capital of\nSpain?"\tMadrid\tgeo\nCapital of Chile?\tSantiago\tgeo\n'
    )
    pack = read(text, "deck.txt")
    assert asked(pack)[0] == ("Capital of France?", "Paris", "Rome", "Madrid", "Santiago")
    assert asked(pack)[2] == ("Capital of Spain?", "Madrid", "Santiago", "Paris", "Rome")
    assert noted(pack) == {"wrong-from-others": ()}
    assert refused("#separator:tab\nfront\tback\nother\tback\n", "x.txt") == [(0, "", "anki-backs")]
    assert refused("#separator:tab\nfront\n", "x.txt")[0] == (2, "", "anki-fields")
    signs = read("#separator:Semicolon\na?;-5\nb?;5\nc?;+\nd?;-\n", "x.txt")
    assert asked(signs)[0] == ("a?", "-5", "5", "+", "-")


# -- tables as programs save them -------------------------------------------------------------------------------

ROWS = [("Wo liegt „Köln“?", "am Rhein", "an der Elbe; Oder", "am Main, wohl")]


def table(separator: str, end: str = "\r\n") -> str:
    cells = [[f'"{cell}"' if separator in cell or '"' in cell else cell for cell in row] for row in (HEADER, *ROWS)]
    return "".join(separator.join(row) + end for row in cells)


@pytest.mark.parametrize(
    ("what", "content", "name"),
    [
        ("Excel, CSV UTF-8", table(";").encode("utf-8-sig"), "x.csv"),
        ("Excel in Europe, CSV", table(";").encode("cp1252"), "x.csv"),
        ("Excel for Mac, Unicode text", table("\t").encode("utf-16"), "x.txt"),
        ("Excel, Unicode text without a mark", table("\t").encode("utf-16-le"), "x.txt"),
        ("Excel for Mac, CSV", table(";", "\r").encode("mac-roman"), "x.csv"),
        ("Excel, sep=", ("sep=;\r\n" + table(";")).encode("cp1252"), "x.csv"),
        ("Excel, sep= in UTF-16", ("sep=\t\r\n" + table("\t")).encode("utf-16"), "x.csv"),
        ("LibreOffice", table(",", "\n").encode(), "x.csv"),
        ("Google Sheets, TSV", table("\t", "\n").encode(), "x.tsv"),
        ("a pipe", table("|", "\n").encode(), "x.csv"),
        ("blank lines above", ("\r\n;;;\r\n" + table(";")).encode("utf-8-sig"), "x.csv"),
        ("a title above", ("My quiz;;;\r\n" + table(";")).encode(), "x.csv"),
    ],
)
def test_a_table_is_read_as_each_program_saves_it(what: str, content: bytes, name: str) -> None:
    assert asked(read(content, name)) == ROWS, what


def test_the_line_after_sep_and_quoted_lines_is_counted_as_an_editor_does() -> None:
    text = 'sep=;\r\nquestion;answer;wrong1\r\n"two\r\nlines?";yes;no\r\nBad?;;no\r\n'
    assert refused(text, "x.csv") == [(5, "answer", "missing-cell")]


@pytest.mark.parametrize("blank", ["\xa0", "\u200b", "\ufeff", "\u2060", "\u200e", "\u00ad", "\u3000", " \t "])
def test_invisible_characters_in_a_header_do_no_harm(blank: str) -> None:
    text = f"{blank}question,answer{blank},{blank}wrong1{blank},wro{'' if blank.isspace() else blank}ng2\nWhy?,a,b,c\n"
    assert asked(read(text, "x.csv")) == [("Why?", "a", "b", "c")]


def test_every_column_is_known_in_every_language() -> None:
    for locale in TEXTS.LOCALES:
        for column in COLUMNS:
            names = TEXTS.plain(locale, f"pack-column-{column}").split(",")
            for name in names:
                wanted = "wrong1" if column == "wrong" else column
                assert columns_of([f" {name.upper()} "], WORDS) == [wanted], (locale, name)
        assert len(TEXTS.plain(locale, "pack-column-option")) < 200
    text = "ВОПРОС;Правильный ответ;Неверный ответ 1;Неверный 2;Сложность\nВода мокрая?;да;нет;иногда;лёгкий\n"
    pack = read(text.encode("cp1251"), "x.csv")
    assert asked(pack) == [("Вода мокрая?", "да", "нет", "иногда")]
    assert pack.questions[0].difficulty == "easy"


def test_a_name_that_is_like_none_is_not_said_to_be_meant_as_none() -> None:
    assert refused("question,answer,wrong1,zzzz\na,b,c,d\n", "x.csv") == [(1, "zzzz", "unknown-column")]
    assert refused("question,answer,wrong1,wrng2\na,b,c,d\n", "x.csv") == [(1, "wrng2", "misspelt-column")]


@pytest.mark.parametrize("form", SAMPLE_FORMS)
@pytest.mark.parametrize("locale", TEXTS.LOCALES)
def test_the_sample_is_a_pack_that_is_read_as_it_is(locale: str, form: str) -> None:
    pack = read(sample(TEXTS, locale, form), f"sample.{form}")
    assert pack == read(sample(TEXTS, locale), "sample.xlsx")
    assert [question.type for question in pack.questions] == ["choice", "true_false", "number", "several", "order"]
    assert not pack.notes
    assert not pack.alike
    assert all(question.category and question.explanation for question in pack.questions)
    assert [question.difficulty for question in pack.questions] == ["easy", "medium", "hard", "easy", "medium"]


# -- encodings --------------------------------------------------------------------------------------------------

PHRASES = {
    "de": ("Wie heißt die größte Stadt Österreichs? Welches Tier sagt „Muh“? die Kuh der Bär", ("cp1252", "mac-roman")),
    "fr": ("Où était l'été dernier à la plage, là-bas? le plus long fleuve près d'ici", ("cp1252", "iso8859-1")),
    "pl": ("Jaka jest największa rzeka w Polsce? Wisła, Odra. Gdzie leży Łódź? pies, żółw", ("cp1250", "iso8859-2")),
    "tr": ("Türkiye'nin başkenti neresidir? Hangi ağaç daha yüksektir? çınar", ("cp1254",)),
    "el": ("Ποια είναι η πρωτεύουσα της Ελλάδας; Αθήνα, Πάτρα", ("cp1253",)),
    "ru": ("какая река впадает в каспийское море? волга, енисей, сколько месяцев в году",
           ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")),
    "uk": ("Яка найдовша річка України? Дніпро, Південний Буг. Є питання про їжу?", ("cp1251", "koi8-u")),
    "ja": ("日本で一番高い山は何ですか？富士山、北岳", ("cp932", "euc_jp")),
    "zh": ("中国的首都是哪里？北京，上海。最长的河流是什么？长江", ("gb18030", "big5")),
    "ko": ("대한민국의 수도는 어디입니까? 서울, 부산", ("cp949",)),
    "he": ("מהי בירת ישראל? ירושלים, חיפה", ("cp1255",)),
}  # fmt: skip


@pytest.mark.parametrize("language", PHRASES)
def test_a_text_in_an_old_encoding_is_read_right_or_refused(language: str) -> None:
    text, encodings = PHRASES[language]
    for encoding in encodings:
        content = f"question;answer;wrong1\n{text}\n".encode(encoding, "ignore")
        assert decode(content) in {content.decode(encoding), None}, encoding
    assert any(decode(f"question;answer;wrong1\n{text}\n".encode(encoding, "ignore")) for encoding in encodings)


@given(content=st.binary(min_size=1, max_size=300))
@settings(max_examples=100, deadline=None)
def test_noise_in_no_encoding_is_taken_for_a_text(content: bytes) -> None:
    text = decode(b"\x80\xff\x81\x00\x9d" + content + b"\x9d\x81\xff")
    assert text is None


# -- workbooks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "code", "looks"),
    [
        ("0.9", "0%", "90%"),
        ("0.125", "0.0%", "12.5%"),
        ("7", "000", "007"),
        ("0.5", "# ?/?", "1/2"),
        ("1.75", "# ?/?", "1 3/4"),
        ("0.3333333333333333", "# ??/??", "1/3"),
        ("2.5", '"$"#,##0.00', "$2.50"),
        ("2.5", "[$€-407] #,##0.00", "€ 2.50"),
        ("149600000", "#,##0", "149,600,000"),
        ("-1234.5", "#,##0.00", "-1,234.50"),
        ("-5", "0;(0)", "(5)"),
        ("0", '0;-0;"none"', "none"),
        ("1.5E+18", "0.0E+00", "1.5E+18"),
        ("5", '0" kg"', "5 kg"),
        ("0.30000000000000004", "General", "0.3"),
        ("1945", "General", "1945"),
        ("0.1", "0.00", "0.10"),
        ("2.345", "0.00", "2.35"),
        ("12", "0.##", "12."),
        ("3.5", "[Red]0.0", "3.5"),
        ("123456789012", "General", None),
        ("0.3333333333333333", "General", None),
        ("5", "[>3]0;0.0", None),
        ("1234567", "0,", None),
        ("1234567890", "000-000-0000", None),
        ("5", "????", "5"),
        ("5", ";;;", None),
        ("1e999", "0", None),
        ("5", "weird", None),
    ],
)
def test_a_number_is_read_as_it_is_shown_or_not_at_all(value: str, code: str, looks: str | None) -> None:
    assert shown(value, code) == looks


def test_a_cell_that_everybody_would_see_otherwise_is_a_mistake_with_its_line() -> None:
    rows = [HEADER, ("Pi?", 3.14159265358979, 3, 4), ("When?", 45000, 1, 2), ("Big?", 1234567, 5, 6)]
    content = book(*rows, formats={"B3": "mm-dd-yy", "B4": "0,"})
    assert refused(content, "x.xlsx") == [(2, "B", "number-format"), (3, "B", "date-cell"), (4, "B", "number-format")]


def test_cells_merged_downwards_are_kept_in_every_row_and_merged_aside_are_a_mistake() -> None:
    rows = [
        (*HEADER, "category"),
        ("a?", "b", "c", "d", "Food"),
        ("e?", "f", "g", "h", None),
        ("i?", "j", "k", None, None),
    ]
    pack = read(book(*rows, merge=["E2:E4"]), "x.xlsx")
    assert [question.category for question in pack.questions] == ["Food"] * 3
    assert refused(book(*rows, merge=["B2:C2"]), "x.xlsx")[0] == (2, "B", "merged-cell")


def test_hidden_rows_and_further_sheets_are_left_out_and_told() -> None:
    made = Workbook()
    secret = made.active
    assert secret is not None
    secret.sheet_state = "hidden"
    secret.append(["no", "questions"])
    sheet = made.create_sheet()
    for row in (HEADER, ("a?", "b", "c", ""), ("d?", "e", "f", ""), ("g?", "h", "i", "")):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    made.create_sheet().append(["more"])
    made.active = 1
    target = io.BytesIO()
    made.save(target)
    pack = read(target.getvalue(), "x.xlsx")
    assert [question.text for question in pack.questions] == ["a?", "g?"]
    assert {note.code: note.count for note in pack.notes} == {"hidden-rows": 1, "other-sheets": 1}


def test_a_text_in_pieces_and_with_its_pronunciation_is_read_as_it_is_shown() -> None:
    pieces = b"<si><r><t>What is </t></r><r><rPr><b/></rPr><t>1 times 7919?</t></r><rPh><t>no</t></rPh></si>"
    content = rezipped(
        as_excel(good_rows(1)),
        lambda name, old: old.replace(b"<si><t>What is 1 times 7919?</t></si>", pieces) if "shared" in name else old,
    )
    assert read(content, "x.xlsx").questions[0].text == "What is 1 times 7919?"


def test_other_kinds_of_workbooks_are_refused_with_what_to_do() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<a/>")
    assert refused(target.getvalue(), "x.odt") == [(0, "", "not-a-table")]
    assert refused(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), "x.xlsx") == [(0, "", "old-excel")]


def test_a_workbook_without_prefixes_or_references_is_read_all_the_same() -> None:
    content = rezipped(
        as_excel(good_rows(2)),
        lambda name, old: re.sub(rb' r="[A-Z]?\d+"', b"", old) if "sheet1" in name else old,
    )
    assert len(read(content, "x.xlsx").questions) == 2


def test_a_pack_is_the_same_in_every_file_that_says_the_same() -> None:
    rows = good_rows(3)
    first = read(to_csv(rows), "x.csv").questions
    assert first == read(to_csv(rows, separator=";").encode("utf-16"), "x.txt").questions
    assert first == read(as_excel(rows), "x.xlsx").questions
