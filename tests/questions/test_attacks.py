"""Files made to harm: the process that reads one takes little memory and little time."""

import io
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from questions.pack_reader import MAX_BYTES, read_pack
from questions.packs import PackRefused, Vocabulary
from questions.reader_process import MEMORY, Reply, Request
from tests.questions.files import as_excel, as_ods, good_rows, ods_row, rezipped, to_csv, to_json, to_xlsx

ROOT = Path(__file__).parents[2]
ALLOWED = 64 << 20
SECONDS = 30.0
"""Limit of processor seconds for a file that takes one on an idle machine. Files that harm would take minutes."""


MEASURED = """
import sys, time
from questions.reader_process import main
main()
sys.stdout.flush()
(size,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(size, time.process_time(), file=sys.stderr)
"""
"""Program that reads a file, then prints its memory and time.

``getrusage`` would include the test's own memory, from before ``exec``.
"""


def run(content: bytes, name: str) -> tuple[Reply, int, float]:
    """Read a file in a separate process. Returns the reply, the peak size in bytes, and the processor seconds."""
    request = msgspec.json.encode(Request(name, Vocabulary())) + b"\n" + content
    done = subprocess.run([sys.executable, "-c", MEASURED], cwd=ROOT, input=request, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    size, seconds = done.stderr.split()[-2:]
    return msgspec.json.decode(done.stdout, type=Reply), int(size) << 10, float(seconds)


@pytest.fixture(scope="module")
def baseline() -> int:
    """Return the bytes that the process takes for a file of one line."""
    return run(to_csv(good_rows(1)).encode(), "x.csv")[1]


# -- workbooks --------------------------------------------------------------------------------------------------


def lying(content: bytes) -> bytes:
    """Return a workbook whose central directory says that every part is one byte long."""
    changed = bytearray(content)
    at = changed.find(b"PK\x01\x02")
    while at >= 0:
        struct.pack_into("<I", changed, at + 24, 1)
        at = changed.find(b"PK\x01\x02", at + 4)
    return bytes(changed)


def filled(part: str, begin: bytes, piece: bytes, end: bytes, size: int = 24 << 20) -> bytes:
    """Return a workbook with a part that repeats a piece."""
    whole = begin + piece * (size // len(piece)) + end
    styles = b'<Relationship Id="s" Type="x/styles" Target="styles.xml"/></Relationships>'

    def changed(name: str, old: bytes) -> bytes:
        return (
            whole if name == part else old.replace(b"</Relationships>", styles) if "workbook.xml.rels" in name else old
        )

    return rezipped(
        as_excel(good_rows(2), {"xl/styles.xml": b"", **({part: b""} if "sheet" not in part else {})}), changed
    )


def many_parts() -> bytes:
    """Return a workbook with the greatest possible number of empty parts."""
    target = io.BytesIO(as_excel(good_rows(1)))
    with zipfile.ZipFile(target, "a") as archive:
        for number in range(9_000):
            archive.writestr(f"{number}", b"")
    return target.getvalue()


SHEET = b'<worksheet xmlns="x"><sheetData><row r="1">'
WORKBOOKS: dict[str, Callable[[], bytes]] = {
    "cells in the sheet": lambda: filled("xl/worksheets/sheet1.xml", SHEET, b"<c/>", b"</row></sheetData></worksheet>"),
    "rows in the sheet": lambda: filled(
        "xl/worksheets/sheet1.xml", b'<worksheet xmlns="x"><sheetData>', b"<row/>", b"</sheetData></worksheet>"
    ),
    "elements within elements": lambda: filled("xl/worksheets/sheet1.xml", SHEET, b"<a>", b""),
    "merged cells": lambda: filled(
        "xl/worksheets/sheet1.xml", b'<worksheet xmlns="x"><mergeCells>', b'<mergeCell ref="A1:XFD1048576"/>', b""
    ),
    "shared strings": lambda: filled("xl/sharedStrings.xml", b'<sst xmlns="x">', b"<si><t>a</t></si>", b"</sst>"),
    "empty shared strings": lambda: filled("xl/sharedStrings.xml", b'<sst xmlns="x">', b"<si/>", b"</sst>"),
    "one long shared string": lambda: filled(
        "xl/sharedStrings.xml", b'<sst xmlns="x"><si><t>', b"\xf0\x9f\x98\x80aaaa", b"</t></si></sst>"
    ),
    "wide shared strings": lambda: filled(
        "xl/sharedStrings.xml", b'<sst xmlns="x">', b"<si><t>\xf0\x9f\x98\x80" + b"a" * 9000 + b"</t></si>", b"</sst>"
    ),
    "styles": lambda: filled("xl/styles.xml", b"<styleSheet><cellXfs>", b"<xf/>", b"</cellXfs></styleSheet>"),
    "number formats": lambda: filled(
        "xl/styles.xml", b"<styleSheet><numFmts>", b'<numFmt numFmtId="1" formatCode="0"/>', b"</numFmts></styleSheet>"
    ),
    "sheets": lambda: filled("xl/workbook.xml", b"<workbook><sheets>", b'<sheet name="a"/>', b"</sheets></workbook>"),
    "relations of the book": lambda: filled(
        "xl/_rels/workbook.xml.rels", b"<Relationships>", b'<Relationship Id="a"/>', b"</Relationships>"
    ),
    "relations of the file": lambda: filled(
        "_rels/.rels", b"<Relationships>", b'<Relationship Id="a"/>', b"</Relationships>"
    ),
    "content types": lambda: filled("[Content_Types].xml", b"<Types>", b'<Default Extension="a"/>', b"</Types>"),
    "drawings": lambda: filled("xl/drawings/drawing1.xml", b"<wsDr>", b"<a><b/></a>", b"</wsDr>"),
    "comments": lambda: filled("xl/comments1.xml", b"<comments>", b"<comment/>", b"</comments>"),
    "a name without end": lambda: filled("xl/worksheets/sheet1.xml", b"<", b"a", b"/>"),
    "an attribute without end": lambda: filled("xl/worksheets/sheet1.xml", b'<a b="', b"a", b'"/>'),
    "attributes without end": lambda: rezipped(
        as_excel(good_rows(2)),
        lambda name, old: b"<a" + b"".join(b' a%d=""' % n for n in range(300_000)) + b"/>" if "sheet1" in name else old,
    ),
    "a comment without end": lambda: filled("xl/worksheets/sheet1.xml", b"<a><!--", b"a", b"--></a>"),
    "zeros": lambda: filled("xl/worksheets/sheet1.xml", b"", b"\0", b"", 200 << 20),
    "parts without end": many_parts,
}


HEADER = ods_row("question", "answer", "wrong1")
CELL = '<table:table-cell office:value-type="string"{}><text:p>a</text:p></table:table-cell>'


def ods(body: str, styles: str = "") -> bytes:
    return as_ods(f"<table:table>{HEADER}{body}</table:table>", styles)


def ods_cell(**attributes: int) -> str:
    told = "".join(f' table:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<table:table-row>{CELL.format(told)}</table:table-row>"


OPEN_DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "a row a billion times": lambda: ods(ods_row("a", "b", "c", number_rows_repeated=str(10**9))),
    "empty rows without end": lambda: ods('<table:table-row table:number-rows-repeated="1048576"/>' * 200_000),
    "a cell a million times in every row": lambda: ods(ods_cell(number_columns_repeated=10**6) * 1000),
    "cells that span all": lambda: ods(ods_cell(number_columns_spanned=10**6, number_rows_spanned=10**6) * 1000),
    "hidden columns": lambda: ods(
        '<table:table-column table:number-columns-repeated="1000000" table:visibility="collapse"/>' * 80_000),
    "spaces": lambda: ods(ods_row('<text:s text:c="1000000"/>' * 200_000, "b", "c")),
    "sheets": lambda: as_ods("<table:table/>" * 240_000),
    "cells within cells": lambda: ods("<table:table-row>" + "<table:table-cell>" * 200_000),
    "hidden styles": lambda: ods("", '<style:style style:name="a"><style:table-properties table:display="false"/>'
                                     "</style:style>" * 110_000),
    "an entity": lambda: rezipped(ods(""), lambda name, old: old.replace(
        b"?>", b"?><!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>", 1)
        if name == "content.xml" else old),
    "a manifest without end": lambda: as_ods("", manifest="<file-entry/>" * 1_000_000),
    "a size that is a lie": lambda: lying(ods(ods_row("a" * (24 << 20), "b", "c"))),
}  # fmt: skip


@pytest.mark.parametrize("what", OPEN_DOCUMENTS)
def test_no_part_of_an_opendocument_takes_memory(what: str, baseline: int) -> None:
    assert check(OPEN_DOCUMENTS[what](), "pack.ods", baseline).pack is None


def check(content: bytes, name: str, baseline: int) -> Reply:
    assert len(content) <= MAX_BYTES
    reply, size, seconds = run(content, name)
    assert size - baseline < ALLOWED, f"{(size - baseline) >> 20} MB"
    assert seconds < SECONDS
    return reply


@pytest.mark.parametrize("what", WORKBOOKS)
@pytest.mark.parametrize("lies", [False, True], ids=["honest", "lying"])
def test_no_part_of_a_workbook_takes_memory(what: str, baseline: int, lies: bool) -> None:  # noqa: FBT001 - pytest's
    content = WORKBOOKS[what]()
    check(lying(content) if lies else content, "pack.xlsx", baseline)


def test_a_workbook_packed_in_a_way_that_can_not_be_read_bit_by_bit_is_refused(baseline: int) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        target = io.BytesIO()
        with (
            zipfile.ZipFile(io.BytesIO(as_excel(good_rows(2)))) as old,
            zipfile.ZipFile(target, "w", method) as new,
        ):
            for part in old.namelist():
                new.writestr(part, old.read(part) + (b" " * (200 << 20) if "sheet1" in part else b""))
        reply = check(target.getvalue(), "pack.xlsx", baseline)
        assert [mistake.code for mistake in reply.mistakes] == ["damaged-xlsx"]


# -- texts ------------------------------------------------------------------------------------------------------


def long_questions() -> bytes:
    """Return a thousand questions of one answer and greatest length, all slightly different."""
    words = [f"{'word' * 3}{n % 40:02}" for n in range(900)]
    rows = [" ".join([f"q{n}", *words[n % 37 : n % 37 + 20]])[:300] for n in range(1000)]
    return to_csv([[row, "Yes", "No", "", "", "", "", ""] for row in rows]).encode()


def accents(cell: int) -> bytes:
    marks = ("\u0301\u0323" * cell)[: cell - 1]
    return ("question,answer,wrong1\n" + f"a{marks},b,c\n" * (MAX_BYTES // (2 * cell + 8)))[:500_000].encode()


TEXTS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "keys again and again": (
        "x.json",
        lambda: b"{" + b",".join(b'"k%d":1,"k%d":1' % (n, n) for n in range(40_000)) + b"}",
    ),
    "keys again and again in a question": (
        "x.json",
        lambda: b"[{" + b",".join(b'"k%d":1,"k%d":1' % (n, n) for n in range(39_000)) + b"}]",
    ),
    "long questions": ("x.csv", long_questions),
    "accents on one letter": ("x.csv", lambda: accents(400_000)),
    "accents in every cell": ("x.csv", lambda: accents(300)),
    "few accents in every cell": ("x.csv", lambda: accents(10)),
    "accents in the header": ("x.csv", lambda: b"question,answer,wrong1," + accents(400_000)),
    "a header of known names": ("x.csv", lambda: b"question,answer,wrong1," + b"id," * 300_000),
    "a header of empty names": ("x.csv", lambda: b"question,answer,wrong1" + b"," * 900_000 + b"\na,b,c"),
    "wide rows": ("x.csv", lambda: b"question,answer,wrong1\n" + b"a,b,c" + b"," * 900_000),
    "lines without end": ("x.csv", lambda: b"\n" * 1_000_000 + b"question"),
    "lines without end, as notes": ("x.txt", lambda: b"#separator:tab\n" + b"a\tb\n" * 200_000),
    "lines without end, as gift": ("x.gift", lambda: b"q {=a ~b}\n\n" * 90_000),
    "a question of gift without end": ("x.gift", lambda: b"q {=a ~b}\n" + b"x\n" * 400_000),
    "questions of gift without empty lines": ("x.gift", lambda: b"q {=a ~b}\n" * 90_000),
    "comments of gift": ("x.gift", lambda: b"//\n" * 340_000),
    "braces without end": ("x.gift", lambda: b"{" * 1_000_000),
    "answers without end": ("x.gift", lambda: b"q {=a" + b"~b" * 400_000 + b"}"),
    "titles without end": ("x.gift", lambda: b"::a" * 300_000),
    "backslashes without end": ("x.gift", lambda: b"\\{" * 400_000),
    "options without end": ("x.txt", lambda: b"A. a\n" * 150_000 + b"ANSWER: A\n"),
    "answers of aiken": ("x.txt", lambda: b"q\nA. a\nB. b\nANSWER: A\n" * 40_000),
    "questions in xml": ("x.xml", lambda: b"<quiz>" + b"<question/>" * 90_000 + b"</quiz>"),
    "elements in xml": ("x.xml", lambda: b"<quiz>" + b"<a>" * 300_000),
    "a name in xml": ("x.xml", lambda: b"<quiz><" + b"a" * 1_000_000),
    "tags in xml": ("x.xml", lambda: b'<quiz><question type="multichoice"><questiontext><text>' + b"&lt;" * 250_000),
    "a number in html": (
        "x.json",
        lambda: json.dumps(
            {"results": [{"question": "&#" + "9" * 900_000 + ";", "correct_answer": "a", "incorrect_answers": ["b"]}]}
        ).encode(),
    ),
    "nested lists": ("x.json", lambda: b"[" * 1_000_000),
    "strings of one json": ("x.json", lambda: b'[{"question":"' + b"\\ud83d\\ude00" * 80_000 + b'"}]'),
    "small objects": ("x.json", lambda: b"[" + b"{}," * 300_000 + b"{}]"),
    "koi8": ("x.csv", lambda: ("question;answer;wrong1\n" + "кто там;да;нет\n" * 60_000).encode("koi8-r")),
    "another encoding": ("x.csv", lambda: "".join(chr(192 + n % 64) for n in range(1_000_000)).encode("latin-1")),
    "noise": ("x.csv", lambda: bytes((n * n * 31 + n // 7) % 255 + 1 for n in range(1_000_000))),
    "wide letters": ("x.csv", ("question,answer,wrong1\n" + "😀,b,c\n" * 110_000).encode),
    "quotation marks": ("x.csv", lambda: b'question,answer,wrong1\n"' + b'""' * 500_000),
    "apostrophes": ("x.csv", lambda: b"question,answer,wrong1\n" + b"'" * 1_000_000),
}


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_takes_memory_or_time(what: str, baseline: int) -> None:
    name, made = TEXTS[what]
    check(made()[:MAX_BYTES], name, baseline)


@pytest.mark.parametrize("what", ["keys again and again", "long questions", "accents on one letter"])
@pytest.mark.timeout(60)  # less than a second; a thousand times that if it grew with the square of the size
def test_reading_takes_time_in_proportion_to_the_size(what: str) -> None:
    name, made = TEXTS[what]
    try:
        assert len(read_pack(made(), name).questions) == 1000
    except PackRefused:
        assert what != "long questions"


@pytest.mark.parametrize("name", ["x.csv", "x.json", "x.xlsx"])
def test_the_largest_good_pack_is_read_within_the_limits(name: str, baseline: int) -> None:
    rows = [
        [f"{n} {'ж' * 290}", f"{n} {'a' * 80}", *(f"{n}{x}{'ы' * 20}" for x in "bcd"), "c", "easy", ""]
        for n in range(600)
    ]
    content = {"x.csv": to_csv(rows).encode(), "x.json": to_json(rows), "x.xlsx": to_xlsx(rows)}[name][:MAX_BYTES]
    reply = check(content, name, baseline)
    if name == "x.json":
        return  # as escapes it is larger than a file may be, and cut off
    assert reply.pack is not None
    assert len(reply.pack.questions) == 600
    assert MEMORY <= ALLOWED
