"""Spreadsheets: the text that the program shows is read, or it is a mistake with its line."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from play.packs import vocabulary
from questions.number_formats import shown_date
from questions.pack_reader import read_pack
from questions.packs import columns_of
from tests.questions.files import as_ods, book, in_sheet, ods_row, rezipped
from tests.questions.support import TEXTS, WORDS, asked, noted, read, refused

CASES = Path(__file__).parent / "cases"
HEADER = ("question", "answer", "wrong1", "wrong2")
HEAD = ods_row(*HEADER)


def made(change: Callable[[Workbook, Worksheet], Any], *rows: tuple[Any, ...]) -> bytes:
    """Return a workbook of these rows that a function has changed."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    change(workbook, sheet)
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def sheet_of(*rows: str, more: str = "") -> bytes:
    """Return an OpenDocument spreadsheet of one sheet."""
    return as_ods(f'<table:table table:name="a">{more}{HEAD}{"".join(rows)}</table:table>')


# -- dates, formulas, columns, sheets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "code", "looks"),
    [
        ("45000", "yyyy-mm-dd", "2023-03-15"),
        ("45000", "YYYY\\-MM\\-DD;@", "2023-03-15"),
        ("45000.5", "dd.mm.yyyy hh:mm", "15.03.2023 12:00"),
        ("45000", "[$-419]d.m.yy", "15.3.23"),
        ("45000", "[$-409]dddd, d mmmm yyyy", "Wednesday, 15 March 2023"),
        ("45000", "[$-809]d-mmm-yy", "15-Mar-23"),
        ("45000", 'd" de "m', "15 de 3"),
        ("0.75", "h:mm AM/PM", "6:00 PM"),
        ("0", "h:mm am/pm", "12:00 AM"),
        ("0.0104166667", "mm:ss", "15:00"),
        ("1.5", "[h]:mm:ss", "36:00:00"),
        ("45000", "d mmmm yyyy", None),
        ("45000", "[$-F800]dddd, mmmm dd", None),
        ("45000", "[$-1170000]yyyy", None),
        ("45000", "[$-409]mmmmm", None),
        ("0.5", "mm:ss.0", None),
        ("30", "d.m.yyyy", None),
        ("-1", "d.m.yyyy", None),
        ("9999999", "yyyy", None),
        ("45000", "yyyy;0", None),
        ("45000", "x" * 300, None),
    ],
)
def test_a_date_is_read_as_everybody_sees_it_or_not_at_all(days: str, code: str, looks: str | None) -> None:
    assert shown_date(Decimal(days), code) == looks


def test_dates_times_and_truth_values_are_read_as_they_are_shown() -> None:
    day = dt.datetime(1961, 4, 12, 9, 7)  # noqa: DTZ001 -- a cell has no time zone
    rows = [HEADER, ("When?", day.date(), day, day.time()), ("Is it?", True, False, None)]
    old = made(lambda workbook, _: setattr(workbook, "epoch", CALENDAR_MAC_1904), *rows)
    strict = rezipped(book(*rows), _with_written_dates)
    for content in (book(*rows), old, strict):
        assert asked(read(content, "x.xlsx")) == [
            ("When?", "1961-04-12", "1961-04-12 9:07:00", "9:07:00"), ("Is it?", "TRUE", "FALSE"),
        ]  # fmt: skip


def _with_written_dates(name: str, part: bytes) -> bytes:
    """Return a part of a workbook with its numbers as dates and times in words, as strict Open XML has them."""
    if "sheet1" not in name:
        return part
    found = re.search(rb'<c r="B2" s="\d+" t="n"><v>22383</v>', part)
    assert found is not None, part
    return part.replace(found[0], found[0].replace(b't="n"><v>22383', b't="d"><v>1961-04-12'))


def test_numbers_that_the_readers_language_writes_otherwise_are_told() -> None:
    content = book(HEADER, ("Pi?", 3.14, 2, 4), ("Far?", 149600000, 1, 2), formats={"B3": "#,##0"})
    assert not read(content, "x.xlsx").notes
    pack = read_pack(content, "x.xlsx", vocabulary(TEXTS, "ru"))
    assert [question.answers[0] for question in pack.questions] == ["3.14", "149,600,000"]
    assert [(note.code, note.lines) for note in pack.notes] == [("english-numbers", (2, 3))]
    assert all(TEXTS.html(locale, note.text_id, count=2, names="") for note in pack.notes for locale in TEXTS.LOCALES)


def test_formats_that_differ_by_country_are_mistakes_with_their_lines() -> None:
    content = (CASES / "xlsxwriter-display.xlsx").read_bytes()
    assert refused(content, "x.xlsx") == [
        (10, "B", "date-cell"),  # the month's name in the reader's language
        (11, "B", "date-cell"),  # the country's own format
        (17, "B", "number-format"),  # a condition
        (23, "B", "number-format"),  # depends on the column's width
        (26, "B", "number-format"),  # scaled by thousands
        (27, "B", "date-cell"),
    ]


def test_libreoffice_shows_what_is_read_of_its_files_and_of_excels() -> None:
    shown = {each[0]: each[1] for each in asked(read((CASES / "libreoffice-display.ods").read_bytes(), "x.ods"))}
    assert len(shown) == 28
    assert shown["Case 10: 14?"] == "3/15/2023"
    bad = {9, 10, 16, 22, 25, 26}  # in Excel's file they are mistakes, as above
    content = (CASES / "xlsxwriter-display.xlsx").read_bytes()
    for line in bad:
        content = in_sheet(content, b'<c r="B%d"' % (line + 1), b'<c r="B%d" t="str"' % (line + 1))
    content = rezipped(
        content, lambda name, old: re.sub(rb'(t="str") s="\d+"', rb"\1", old) if "sheet1" in name else old
    )
    for question, answer, *_ in asked(read(content, "x.xlsx")):
        if int(question.split(":")[0].removeprefix("Case ")) not in bad:
            assert answer == shown[question], question


def test_a_formulas_result_is_read_if_the_file_has_it() -> None:
    content = book(HEADER, ("2+2?", "=2+2", "5", "6"))
    assert refused(content, "x.xlsx") == [(2, "B", "formula-cell")]
    kept = rezipped(
        content, lambda name, old: old.replace(b' fullCalcOnLoad="1"', b"") if "workbook.xml" in name else old
    )
    result = rezipped(kept, lambda name, old: re.sub(rb"<v ?/>|<v></v>", b"<v>4</v>", old) if "sheet1" in name else old)
    assert asked(read(result, "x.xlsx")) == [("2+2?", "4", "5", "6")]
    # XlsxWriter writes 0 for every formula and asks the spreadsheet program to calculate
    assert refused((CASES / "xlsxwriter-formula.xlsx").read_bytes(), "x.xlsx") == [(2, "B", "formula-cell")]


def test_hidden_columns_are_left_out_and_told_and_needed_ones_are_a_mistake() -> None:
    rows = [HEADER, ("a?", "b", "c", "d")]

    def hide(column: str) -> Callable[[Workbook, Worksheet], Any]:
        return lambda _, sheet: setattr(sheet.column_dimensions[column], "hidden", True)

    pack = read(made(hide("D"), *rows), "x.xlsx")
    assert (asked(pack), noted(pack)) == ([("a?", "b", "c")], {"hidden-columns": ()})
    assert refused(made(hide("B"), *rows), "x.xlsx") == [(0, "", "hidden-columns")]
    assert noted(read((CASES / "libreoffice-hidden-column.xlsx").read_bytes(), "x.xlsx")) == {"hidden-columns": ()}
    column = '<table:table-column table:number-columns-repeated="3"/><table:table-column table:visibility="collapse"/>'
    pack = read(sheet_of(ods_row("a?", "b", "c", "d"), more=column), "x.ods")
    assert (asked(pack), noted(pack)) == ([("a?", "b", "c")], {"hidden-columns": ()})


def test_the_sheet_with_the_questions_is_read_wherever_it_is() -> None:
    def more(workbook: Workbook, _: Worksheet) -> None:
        sheet = workbook.create_sheet("Questions")
        sheet.append(HEADER)
        sheet.append(("a?", "b", "c", "d"))

    pack = read(made(more, ("How to use this",), ("Fill in the second sheet",)), "x.xlsx")
    assert (asked(pack), noted(pack)) == ([("a?", "b", "c", "d")], {"other-sheets": ()})
    sheets = (
        f"<table:table>{ods_row('Read me')}</table:table><table:table>{HEAD}{ods_row('a?', 'b', 'c')}</table:table>"
    )
    assert asked(read(as_ods(sheets), "x.ods")) == [("a?", "b", "c")]


def test_a_kahoot_report_is_read_with_each_question_once() -> None:
    header = ("Question Number", "Question", *(f"Answer {n}" for n in range(1, 7)), "Correct Answers",
              "Time Allotted to Answer (seconds)", "Player", "Answer", "Correct / Incorrect", "Score")  # fmt: skip

    def more(workbook: Workbook, _: Worksheet) -> None:
        for number in range(1, 12):
            workbook.create_sheet(f"{number} Quiz").append(("My Kahoot",))
        raw = workbook.create_sheet("RawReportData Data")
        raw.append(header)
        for player in ("Ann", "Bob"):
            raw.append(("1 Quiz", "Sum?", "1", "2", None, None, None, None, "2", 20, player, "2", "Correct", 900))
            raw.append(("2 Quiz", "City?", "Lima", "Oslo", None, None, None, None, "Lima", 20, player, "", "", 0))

    pack = read(made(more, ("Overview",)), "report.xlsx")
    assert asked(pack) == [("Sum?", "2", "1"), ("City?", "Lima", "Oslo")]
    assert noted(pack) == {"other-sheets": (), "times": ()}


def test_a_merged_header_is_a_mistake_and_a_merged_title_is_none() -> None:
    rows = [("question", "answer", "wrong answers", None), ("a?", "b", "c", "d")]
    assert refused(book(*rows, merge=["C1:D1"]), "x.xlsx") == [(1, "C", "merged-cell")]
    titled = book(("A quiz", None, None, None), HEADER, ("a?", "b", "c", "d"), merge=["A1:D1"])
    assert asked(read(titled, "x.xlsx")) == [("a?", "b", "c", "d")]


def test_raised_and_lowered_letters_keep_their_meaning() -> None:
    plain = book(HEADER, ("What is 103?", "m2", "H2O", "x"))

    def changed(name: str, part: bytes) -> bytes:
        if "sheet1" not in name:
            return part
        for text, place in ((b"What is 103?", b"superscript"), (b"m2", b"superscript"), (b"H2O", b"subscript")):
            at = text.index(b"3" if b"3" in text else b"2")
            pieces = b'<r><t>%s</t></r><r><rPr><vertAlign val="%s"/></rPr><t>%s</t></r><r><t>%s</t></r>' % (
                text[:at], place, text[at : at + 1], text[at + 1 :],
            )  # fmt: skip
            part = re.sub(rb"<t[^>]*>" + re.escape(text) + b"</t>", pieces, part)
        return part

    assert asked(read(rezipped(plain, changed), "x.xlsx")) == [("What is 10³?", "m²", "H₂O", "x")]
    style = '<style:style style:name="T1"><style:text-properties style:text-position="super 58%"/></style:style>'
    row = ods_row('10<text:span text:style-name="T1">3</text:span>?', "b", "c")
    for position in ("super 58%", "33% 58%"):
        told = style.replace("super 58%", position)
        assert read(as_ods(f"<table:table>{HEAD}{row}</table:table>", told), "x.ods").questions[0].text == "10³?"
    for position, text in (("sub 58%", "10₃?"), ("-8% 58%", "10₃?"), ("0% 100%", "103?")):
        told = style.replace("super 58%", position)
        assert read(as_ods(f"<table:table>{HEAD}{row}</table:table>", told), "x.ods").questions[0].text == text


# -- OpenDocument -------------------------------------------------------------------------------------------------


def test_an_opendocument_sheet_is_read_as_libreoffice_shows_it() -> None:
    assert asked(read((CASES / "libreoffice-rich.ods").read_bytes(), "x.ods")) == [
        ("What is H2O?", "water", "salt", "two lines")
    ]
    cells = (
        '<table:table-cell office:value-type="string"><text:p>What <text:span>is<text:s text:c="3"/>90</text:span> %?'
        "</text:p><office:annotation><text:p>secret</text:p></office:annotation></table:table-cell>"
        '<table:table-cell office:value-type="percentage" office:value="0.9"><text:p>90,00 %</text:p>'
        "</table:table-cell>"
        '<table:table-cell office:value-type="string"><text:p>one<text:line-break/>two</text:p><text:p>three</text:p>'
        "</table:table-cell>"
        "<table:table-cell><text:p><text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ</text:ruby-text>"
        "</text:ruby></text:p></table:table-cell>"
    )
    pack = read(sheet_of(f"<table:table-row>{cells}</table:table-row>"), "x.ods")
    assert asked(pack) == [("What is 90 %?", "90,00 %", "one two three", "漢字")]


@pytest.mark.parametrize(
    ("cell", "mistake"),
    [
        ('office:value-type="float" office:value="0.9"/>', "number-format"),
        ('office:value-type="date" office:date-value="2023-03-15"/>', "date-cell"),
        ('table:formula="of:=1+1"/>', "formula-cell"),
        (
            'office:value-type="string" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>',
            "error-cell",
        ),
        ('table:number-columns-spanned="2"><text:p>b</text:p></table:table-cell>', "merged-cell"),
    ],
)
def test_a_cell_of_opendocument_that_is_not_shown_for_certain_is_a_mistake(cell: str, mistake: str) -> None:
    row = ods_row("a?", "b", "c").replace("</table:table-row>", f"<table:table-cell {cell}</table:table-row>")
    assert refused(sheet_of(row), "x.ods") == [(2, "D", mistake)]


def test_rows_of_opendocument_are_counted_repeated_merged_and_hidden() -> None:
    spanned = (
        '<table:table-cell table:number-rows-spanned="2"><text:p>Food</text:p></table:table-cell></table:table-row>'
    )
    rows = [
        '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>',
        ods_row("a?", "b", "c", "d").replace("</table:table-row>", spanned),
        ods_row("e?", "f", "g", "h").replace("</table:table-row>", "<table:covered-table-cell/></table:table-row>"),
        ods_row("i?", "", "k"),
        ods_row("hidden?", "l", "m", visibility="filter"),
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>',
    ]
    header = ods_row(*HEADER, "category")
    content = as_ods(f"<table:table>{header}{''.join(rows)}</table:table>")
    assert refused(content, "x.ods") == [(7, "answer", "missing-cell")]
    pack = read(as_ods(f"<table:table>{header}{''.join(rows[:3] + rows[4:])}</table:table>"), "x.ods")
    assert [question.category for question in pack.questions] == ["Food", "Food"]
    assert noted(pack) == {"hidden-rows": ()}


def test_hidden_sheets_and_changes_that_are_tracked_are_not_read() -> None:
    style = (
        '<style:style style:name="h" style:family="table"><style:table-properties table:display="false"/></style:style>'
    )
    hidden = f'<table:table table:style-name="h">{HEAD}{ods_row("secret?", "b", "c")}</table:table>'
    tracked = f"<table:tracked-changes>{ods_row('gone?', 'b', 'c')}</table:tracked-changes>"
    seen = f"<table:table>{HEAD}{ods_row('a?', 'b', 'c')}</table:table>"
    assert asked(read(as_ods(tracked + hidden + seen, style), "x.ods")) == [("a?", "b", "c")]


def test_flat_opendocument_and_templates_are_read_and_other_documents_are_refused() -> None:
    flat = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><office:document xmlns:office="o" xmlns:table="t" xmlns:text="x">'
        f"<office:body><office:spreadsheet><table:table>{HEAD}{ods_row('¿Qué?', 'sí', 'no')}</table:table>"
        "</office:spreadsheet></office:body></office:document>"
    )
    assert asked(read(flat, "x.fods")) == [("¿Qué?", "sí", "no")]
    seen = f"<table:table>{HEAD}{ods_row('a?', 'b', 'c')}</table:table>"
    kind = "application/vnd.oasis.opendocument"
    assert asked(read(as_ods(seen, mimetype=f"{kind}.spreadsheet-template"), "x.ots")) == [("a?", "b", "c")]
    assert refused(as_ods(seen, mimetype=f"{kind}.text"), "x.odt") == [(0, "", "not-a-table")]
    secret = '<file-entry full-path="content.xml"><encryption-data/></file-entry>'
    assert refused(as_ods(seen, manifest=secret), "x.ods") == [(0, "", "old-excel")]


# -- files of other kinds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        ((CASES / "excel-97.xls").read_bytes(), "x.xls", "old-excel"),
        (b"<html><head></head><body><table><tr><td>question</td></tr></table></body></html>", "x.xls", "web-page"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "x.csv", "web-page"),
        (
            b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="urn:a"/>',
            "x.xls",
            "old-excel",
        ),
        (b"%PDF-1.7 question,answer,wrong1", "x.pdf", "not-a-table"),
        (b"{\\rtf1\\ansi question}", "x.rtf", "not-a-table"),
        (b"\x1f\x8b\x08\0abc", "x.gz", "packed-files"),
        (bytes(range(256)) * 3, "x.jpg", "unknown-format"),
        (b"Dear all,\nsee you on Friday.\n", "x.eml", "unknown-format"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_way_to_send_it(content: bytes, name: str, code: str) -> None:
    assert refused(content, name) == [(0, "", code)]


def test_an_archive_that_is_no_spreadsheet_is_refused_with_the_way_to_send_it() -> None:
    for parts, name, code in (
        ({"[Content_Types].xml": "<Types/>", "word/document.xml": "<a/>", "_rels/.rels": "<Relationships><Relationship "
          'Id="a" Type="x/officeDocument" Target="word/document.xml"/></Relationships>'}, "x.docx", "not-a-table"),
        ({"collection.anki2": "", "media": "{}"}, "x.apkg", "anki-package"),
        ({"questions.csv": "question,answer,wrong1"}, "x.zip", "packed-files"),
    ):  # fmt: skip
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
        assert refused(target.getvalue(), name) == [(0, "", code)]


# -- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2 (Optional),Incorrect Answer 3 (Optional)",
        "QUESTION *,Right answer (required),Distractor 1,Distractor 2,Distractor 3",
        "Вопрос,Верный ответ,Неверный ответ 1,Неверный ответ 2,Неверный ответ 3",
        "Текст вопроса,Правильный,Неправильный 1,Неправильный 2,Неправильный 3",
        "Pregunta,Respuesta correcta,Respuesta incorrecta 1,Respuesta incorrecta 2,Respuesta incorrecta 3",
        "ENUNCIADO,SOLUCIÓN,INCORRECTA 1,INCORRECTA 2,INCORRECTA 3",
    ],
)
def test_a_header_is_known_with_its_hints_and_synonyms(header: str) -> None:
    assert columns_of(["question"], WORDS) == ["question"]
    text = f"Gimkit Spreadsheet Import Template,,,,\n{header}\nWhy?,a,b,c,d\n"
    assert asked(read(text, "x.csv")) == [("Why?", "a", "b", "c", "d")]


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Question,A,B,C,D,Answer", "B"),
        ("No,Question,A,B,C,D,Correct answer", "b"),
        ("Вопрос,А,Б,В,Г,Правильный ответ", "Б"),
        ("Вопрос,Вариант А,Вариант Б,Вариант В,Вариант Г,Ответ", "б"),
        ("Question,Option A,Option B,Option C,Option D,Answer", "В"),  # Cyrillic, typed for the letter B
        ("Pregunta,Opción A,Opción B,Opción C,Opción D,Respuesta correcta", "B"),
        ("Question,1,2,3,4,Answer", "2"),
        ("Prompt,Choice 1,Choice 2,Choice 3,Choice 4,Correct choice", "two"),
    ],
)
def test_answers_are_told_by_the_letters_and_numbers_of_the_header(header: str, told: str) -> None:
    first = "1," if header.startswith("No,") else ""
    text = f"{header}\n{first}Which?,one,two,three,four,{told}\n"
    assert asked(read(text, "x.csv")) == [("Which?", "two", "one", "three", "four")]


@pytest.mark.parametrize(
    ("header", "told", "code"),
    [
        ("prompt,option1,option2,option3,option4,correctIndex", "1", "index-answer"),
        ("Вопрос,Вариант 1,Вариант 2,Вариант 3,Вариант 4,Ответ", "В", "no-such-answer"),  # the second or the third
        ("Question,A,B,C,D,Answer", "E", "no-such-answer"),
        ("Question,A,B,C,D,Answer", "", "missing-right"),
    ],
)
def test_a_right_answer_that_is_not_told_for_certain_is_a_mistake(header: str, told: str, code: str) -> None:
    assert refused(f"{header}\nWhich?,one,two,three,four,{told}\n", "x.csv") == [(2, "F", code)]


def test_columns_that_a_pack_does_not_have_are_told() -> None:
    pack = read("No,Question,A,B,Answer,Points,Hint\n1,Which?,one,two,A,10,think\n", "x.csv")
    assert {note.code: note.names for note in pack.notes} == {"other-columns": ("points", "hint")}


# -- texts --------------------------------------------------------------------------------------------------------


def test_numbers_that_a_program_keeps_as_formulas_of_texts_are_read_as_they_are_shown() -> None:
    text = 'question;answer;wrong1\nWho?;="007";"=""008"""\n'
    assert asked(read(text, "x.csv")) == [("Who?", "007", "008")]


@pytest.mark.parametrize(
    "cell",
    [
        "EspaÃ±a",
        "РњРѕСЃРєРІР°",
        "cafÃ©",
        "donâ€™t",
        "Espa√±a",
        "Gdzie le?y",
        "????? ??????",
        "?Cual es?",
        "M\ufffdnchen",
    ],
)
def test_letters_that_an_earlier_program_broke_are_a_mistake(cell: str) -> None:
    for content, name in ((f"question;answer;wrong1\nWhy?;a;b\nWho?;{cell};b\n".encode(), "x.csv"),
                          (book(HEADER, ("Why?", "a", "b"), ("Who?", cell, "b")), "x.xlsx")):  # fmt: skip
        assert refused(content, name) == [(3, "answer", "garbled")]


@pytest.mark.parametrize(
    "cell", ["«СССР»", "«CAFÉ»", "Who? What?", "?", "https://x.org/?a=b", "Ångström", "РОССИЯ", "À la carte", "½ · ±"]
)
def test_sound_letters_are_not_taken_for_broken_ones(cell: str) -> None:
    assert read(f"question;answer;wrong1\nWhy?;{cell};b\n", "x.csv").questions[0].answers[0] == cell


@pytest.mark.parametrize("address", ["export", "api.php", "download.aspx", "file.dat", "questions.CSV"])
def test_an_unknown_ending_does_not_hide_what_a_text_is(address: str) -> None:
    assert asked(read("question,answer,wrong1\nWhy?,a,b\n", address)) == [("Why?", "a", "b")]
    trivia = '{"response_code":0,"results":[{"question":"Why?","correct_answer":"a","incorrect_answers":["b"]}]}'
    assert asked(read(trivia, address)) == [("Why?", "a", "b")]
