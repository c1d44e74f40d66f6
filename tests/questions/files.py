"""Packs as people and programs write them, good and bad. A seeded generator makes the bad ones."""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook

HEADER = ["question", "answer", "wrong1", "wrong2", "wrong3", "category", "difficulty", "photo"]
Row = list[Any]
Bad = tuple[str, str, bytes]
"""The flaw, the name, and the content of a file."""


def good_rows(count: int) -> list[Row]:
    """Return valid rows."""
    return [
        [f"What is {n} times 7919?", f"{n * 7919}", f"{n * 7919 + 1}", f"{n + 3}", f"minus {n}", "maths", "easy", ""]
        for n in range(1, count + 1)
    ]


def to_csv(rows: list[Row], header: list[str] | None = None, separator: str = ",") -> str:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=separator).writerows([HEADER if header is None else header, *rows])
    return target.getvalue()


def to_items(rows: list[Row]) -> list[dict[str, Any]]:
    items = []
    for question, answer, *wrong, category, difficulty, photo in rows:
        item = {"question": question, "answer": answer, "wrong": wrong, "category": category}
        items.append(item | {"difficulty": difficulty, "photo": photo})
    return items


def to_json(rows: list[Row]) -> bytes:
    return json.dumps({"questions": to_items(rows)}, indent=1).encode()


def to_trivia(rows: list[Row]) -> dict[str, Any]:
    """Return a response of Open Trivia DB."""
    results = [
        {"type": "multiple", "difficulty": r[6], "category": r[5], "question": r[0], "correct_answer": r[1],
         "incorrect_answers": r[2:5]}
        for r in rows
    ]  # fmt: skip
    return {"response_code": 0, "results": results}


def to_xlsx(rows: list[Row], header: list[str] | None = None) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [HEADER if header is None else header, *rows]:
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def as_excel(rows: list[Row], extra: dict[str, bytes] | None = None) -> bytes:
    """Return a workbook with its texts in a shared table, as Excel writes it and openpyxl does not."""
    texts: list[str] = []
    lines = []
    for number, row in enumerate([HEADER, *rows], start=1):
        cells = "".join(
            f'<c r="{chr(65 + column)}{number}" t="s"><v>{len(texts) + column}</v></c>' for column in range(len(row))
        )
        texts += [escape(str(cell)) for cell in row]
        lines.append(f'<row r="{number}">{cells}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}.sharedStrings+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{"".join(f"<si><t>{text}</t></si>" for text in texts)}</sst>',
    }
    return _zip({name: text.encode() for name, text in parts.items()} | (extra or {}))


def rezipped(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Return a workbook with changed parts; None removes a part."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            changed = change(part, old.read(part))
            if changed is not None:
                new.writestr(part, changed)
    return target.getvalue()


def in_sheet(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return a workbook with a piece of its sheet's XML replaced."""
    return rezipped(content, lambda name, part: part.replace(old, new, 1) if "sheet1" in name else part)


def _flaws(chance: Random, rows: list[Row]) -> dict[str, Callable[[], None]]:
    """Return functions that spoil rows in place, for any format."""
    row = chance.choice(rows)
    other = rows[0] if row is not rows[0] else rows[-1]

    def put(column: int, value: Any) -> Callable[[], None]:
        return lambda: row.__setitem__(column, value)

    return {
        "no question": put(0, ""),
        "spaces for a question": put(0, " \t "),
        "no answer": put(1, ""),
        "no wrong answer": put(2, ""),
        "the right answer is wrong too": put(chance.choice([2, 3, 4]), f" {row[1]} "),
        "answers that differ in case": lambda: (put(2, "Same")(), put(4, "sAME")())[0],
        "a question too long": put(0, "x" * chance.randrange(301, 5000)),
        "an answer too long": put(chance.choice([1, 2, 3, 4]), "й" * chance.randrange(101, 900)),
        "a category too long": put(5, "c" * 41),
        "an unknown difficulty": put(6, chance.choice(["brutal", "лёгкий", "3", "easy; DROP TABLE", "<b>easy</b>"])),
        "no photo": put(7, chance.choice(["javascript:alert(1)", "http://x.org/a.jpg", "file:///etc/passwd", "short"])),
        "a question twice": lambda: row.__setitem__(slice(0, 2), other[:2]) if row is not other else put(0, "")(),
        "too many": lambda: rows.extend(good_rows(1001 + chance.randrange(50))[len(rows) :]),
    }


def _some(chance: Random, ways: list[tuple[str, str, Callable[[], bytes]]]) -> Iterator[Bad]:
    """Yield three of these ways to spoil a file; the other files are not created."""
    for what, name, made in chance.sample(ways, 3):
        yield what, name, made()


def _control(chance: Random) -> str:
    return chance.choice(["\x00", "\x07", "\x1b[31m", "\x7f", "\x9b", "\ufffe", "\uffff", "\ufdd0"])


def bad_csv(chance: Random) -> Iterator[Bad]:
    rows = good_rows(chance.randrange(2, 12))
    encode = chance.choice(["utf-8", "utf-8-sig", "utf-16"])
    separator = chance.choice([",", ";", "\t"])
    flaws = _flaws(chance, rows)
    flaw = chance.choice([*flaws, "a control character"])
    if flaw in flaws:
        flaws[flaw]()
    else:
        chance.choice(rows)[chance.randrange(5)] = f"a{_control(chance)}b"
    yield flaw, "pack.csv", to_csv(rows, separator=separator).encode(encode)
    rows = good_rows(chance.randrange(2, 12))
    text = to_csv(rows)
    missing = chance.randrange(3)
    without = [[cell for column, cell in enumerate(row) if column != missing] for row in [HEADER, *rows]]
    yield from _some(
        chance,
        [
            ("a column is missing", "pack.csv", lambda: to_csv(without[1:], without[0]).encode()),
            (
                "an unknown column",
                "pack.csv",
                lambda: to_csv(rows, [*HEADER[:-1], chance.choice(["foto", "\x1b", "=1"])]).encode(),
            ),
            ("a column twice", "pack.csv", lambda: to_csv(rows, [*HEADER[:-1], "answer"]).encode()),
            ("no header", "pack.csv", lambda: to_csv(rows[1:], rows[0]).encode()),
            ("a header alone", "pack.csv", lambda: to_csv([]).encode()),
            ("too many cells", "pack.csv", (text + ",".join("abcdefghijkl") + "\n").encode),
            ("a quotation mark too many", "pack.csv", (text + '"open, text\n' * chance.randrange(1, 9)).encode),
            ("a quote inside quotes", "pack.csv", (text + '"a" b,c,d\n').encode),
            ("noise", "pack.csv", lambda: chance.randbytes(chance.randrange(20, 9000))),
            ("letters of two encodings", "pack.csv", lambda: (text + "кот").encode("cp866") + "пёс".encode("koi8-r")),
            ("cut utf-16", "pack.csv", lambda: text.encode("utf-16")[:-1]),
            ("utf-32", "pack.csv", lambda: text.encode("utf-32")),
            ("nothing", "pack.csv", lambda: b" \r\n" * chance.randrange(5)),
            ("nothing but zeros", "pack.csv", lambda: bytes(chance.randrange(1, 4000))),
            ("a megabyte", "pack.csv", lambda: b"question,answer,wrong1\n" + b"a,b,c\n" * 180_000),
            ("lines without end", "pack.csv", lambda: b"question,answer,wrong1\n" + b"\n" * 900_000),
            ("one long line", "pack.csv", lambda: b"question,answer,wrong1\n" + b"a" * 900_000),
            ("one long line of quotes", "pack.csv", lambda: b'question,answer,wrong1\n"' + b'""' * 400_000),
            ("commas without end", "pack.csv", lambda: b"question,answer,wrong1\n" + b"," * 900_000 + b"x"),
            ("a header without end", "pack.csv", lambda: b"question,answer,wrong1," + b"x," * 400_000),
            (
                "an unknown kind",
                chance.choice(["pack.pdf", "pack", "pack.exe", "csv", ".."]),
                lambda: b"%PDF-1.7 " + text.encode(),
            ),
            ("a picture", "pack.xlsx", lambda: b"\x89PNG\r\n\x1a\n" + chance.randbytes(500)),
        ],
    )


def bad_json(chance: Random) -> Iterator[Bad]:
    rows = good_rows(chance.randrange(2, 12))
    flaws = _flaws(chance, rows)
    flaw = chance.choice(list(flaws))
    flaws[flaw]()
    wrapped: Any = chance.choice([to_items(rows), {"title": "x", "questions": to_items(rows)}, to_trivia(rows)])
    if flaw == "no photo" and "results" in wrapped:
        wrapped = to_items(rows)  # Open Trivia DB has no photos
    yield flaw, "pack.json", json.dumps(wrapped, indent=chance.choice([None, 1])).encode()
    items = to_items(good_rows(5))
    item = items[chance.randrange(5)]
    strange = chance.choice([True, {}, ["x"], [[]], {"a": 1}])

    def with_(**fields: Any) -> bytes:
        saved = dict(item)
        item.update(fields)
        content = json.dumps({"questions": items}).encode()
        item.clear()
        item.update(saved)
        return content

    text = json.dumps({"questions": items}, indent=1)
    yield from _some(
        chance,
        [
            ("cut off", "pack.json", text[: chance.randrange(1, len(text) - 2)].encode),
            ("a comma too many", "pack.json", lambda: text.replace("}", "},", 1).replace("]", ",]", 1).encode()),
            ("text after it", "pack.json", (text + "x").encode),
            ("nested deep", "pack.json", lambda: b"[" * chance.choice([500, 100_000]) + b"]"),
            ("objects nested deep", "pack.json", lambda: b'{"questions":' * 90_000),
            ("a monstrous number", "pack.json", lambda: b'{"questions": [{"question": ' + b"9" * 5000 + b"}]}"),
            ("an endless number", "pack.json", lambda: with_(answer=chance.choice([1e999, float("nan")]))),
            ("a field twice", "pack.json", lambda: text.replace('"answer"', '"answer": "x", "answer"', 1).encode()),
            ("no object", "pack.json", lambda: json.dumps([chance.choice([1, "text", None, [], True])] * 3).encode()),
            (
                "no list",
                "pack.json",
                lambda: json.dumps(chance.choice([{"items": items}, {"questions": {}}, {}])).encode(),
            ),
            ("no container", "pack.json", lambda: json.dumps(chance.choice([1, "text", None, True])).encode()),
            ("an empty list", "pack.json", lambda: json.dumps(chance.choice([[], {"questions": []}])).encode()),
            ("trivia without results", "pack.json", lambda: b'{"response_code":1,"results":[]}'),
            ("a strange question", "pack.json", lambda: with_(question=strange)),
            ("a strange answer", "pack.json", lambda: with_(answer=strange)),
            ("a strange wrong answer", "pack.json", lambda: with_(wrong=[strange, "x"])),
            ("wrong answers that are no list", "pack.json", lambda: with_(wrong=chance.choice(["text", 5, {"a": 1}]))),
            ("too many wrong answers", "pack.json", lambda: with_(wrong=list("abcdef"))),
            (
                "an unknown field",
                "pack.json",
                lambda: with_(**{chance.choice(["wrongs", "Question", "\x1b", "x" * 999]): 1}),
            ),
            ("half of a character", "pack.json", lambda: with_(question="a\ud800b")),
            ("a control character", "pack.json", lambda: with_(answer=f"a{_control(chance)}b")),
            ("an empty object", "pack.json", lambda: json.dumps([*items, {}]).encode()),
            ("numbers without end", "pack.json", lambda: json.dumps([[0] * 300_000]).encode()),
            ("objects without end", "pack.json", lambda: b"[" + b"{}," * 300_000 + b"{}]"),
            (
                "escapes of html",
                "pack.json",
                lambda: json.dumps(to_trivia([["&lt;", "&amp;", "&#38;", "", "", "", "", ""]])).encode(),
            ),
        ],
    )


def bad_xlsx(chance: Random) -> Iterator[Bad]:
    rows = good_rows(chance.randrange(2, 12))
    flaws = _flaws(chance, rows)
    extra: dict[str, Any] = {
        "a formula": chance.choice(["=1+1", '=HYPERLINK("http://evil.example")', "=cmd|'/c calc'!A1", "=SUM(A1:A9)"]),
        "an error": chance.choice(["#REF!", "#DIV/0!", "#N/A"]),
        "a length of time": dt.timedelta(days=2, microseconds=1),
    }
    flaw = chance.choice([*flaws, *extra])
    if flaw in flaws:
        flaws[flaw]()
    else:
        chance.choice(rows)[chance.randrange(5)] = extra[flaw]
    yield flaw, "pack.xlsx", to_xlsx(rows)
    good = as_excel(good_rows(3))
    cut = chance.randrange(30, len(good) - 30)
    part = chance.choice(["xl/workbook.xml", "[Content_Types].xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
    bomb = b"<!DOCTYPE a [<!ENTITY a 'ha'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + n, (b"&%c;" % (97 + n)) * 10) for n in range(9)
    )
    yield from _some(
        chance,
        [
            ("cut off", "pack.xlsx", lambda: good[:cut]),
            ("a hole in it", "pack.xlsx", lambda: good[:200] + bytes(200) + good[400:]),
            ("a part is missing", "pack.xlsx", lambda: rezipped(good, lambda name, old: None if name == part else old)),
            (
                "a part is noise",
                "pack.xlsx",
                lambda: rezipped(good, lambda name, old: b"\xff<" if name == part else old),
            ),
            (
                "a part is cut",
                "pack.xlsx",
                lambda: rezipped(good, lambda name, old: old[:-30] if name == part else old),
            ),
            (
                "a bomb of entities",
                "pack.xlsx",
                lambda: rezipped(good, lambda name, old: bomb + b"]><sst>&j;</sst>" if name == part else old),
            ),
            (
                "an outside entity",
                "pack.xlsx",
                lambda: in_sheet(good, b"<worksheet", b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet'),
            ),
            (
                "a bomb of zeros",
                "pack.xlsx",
                lambda: rezipped(good, lambda name, old: bytes(9 << 20) if name == part else old),
            ),
            ("parts without end", "pack.xlsx", lambda: _many_parts(good)),
            ("a password", "pack.xlsx", lambda: bytes.fromhex("D0CF11E0A1B11AE1") + chance.randbytes(3000)),
            ("an old excel", "pack.xls", lambda: bytes.fromhex("D0CF11E0A1B11AE1") + bytes(3000)),
            ("another zip", "pack.xlsx", lambda: _zip({"word/document.xml": b"<x/>"})),
            ("an empty zip", "pack.xlsx", lambda: b"PK\x05\x06" + bytes(18)),
            ("a header alone", "pack.xlsx", lambda: to_xlsx([])),
            ("an empty sheet", "pack.xlsx", lambda: to_xlsx([], [])),
            ("no header", "pack.xlsx", lambda: to_xlsx(good_rows(2), ["x"])),
            ("a column is missing", "pack.xlsx", lambda: to_xlsx([row[1:] for row in good_rows(2)], HEADER[1:])),
            ("an unknown column", "pack.xlsx", lambda: to_xlsx(good_rows(2), [*HEADER[:-1], "photos"])),
            ("too many cells", "pack.xlsx", lambda: to_xlsx([*good_rows(2), list("abcdefghijk")])),
            ("a row far away", "pack.xlsx", lambda: in_sheet(good, b'<row r="3"', b'<row r="99999999999"')),
            ("a row that is none", "pack.xlsx", lambda: in_sheet(good, b'<row r="3"', b'<row r="three"')),
            ("a cell far away", "pack.xlsx", lambda: in_sheet(good, b'r="B3"', b'r="QQQQQQ3"')),
            ("a string that is not there", "pack.xlsx", lambda: in_sheet(good, b"<v>9</v>", b"<v>99999</v>")),
            ("a number that is none", "pack.xlsx", lambda: in_sheet(good, b"<v>1</v>", b"<v>one</v>")),
            ("a megabyte", "pack.xlsx", lambda: good + bytes(1 << 20)),
            ("json by name", "pack.xlsx", lambda: to_json(good_rows(2))[1:]),
        ],
    )


def _zip(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def _many_parts(good: bytes) -> bytes:
    target = io.BytesIO(good)
    with zipfile.ZipFile(target, "a") as archive:
        for number in range(300):
            archive.writestr(f"xl/media/{number}.png", b"")
    return target.getvalue()


def corpus(seed: int, count: int) -> Iterator[Bad]:
    """Yield a number of bad files, in the three formats alternately."""
    chance = Random(seed)
    made = 0
    while True:
        for maker in (bad_csv, bad_json, bad_xlsx):
            for bad in maker(chance):
                if made == count:
                    return
                made += 1
                yield bad


SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def as_ods(body: str, styles: str = "", *, mimetype: str = SPREADSHEET, manifest: str = "") -> bytes:
    """Return an OpenDocument file with this content of ``office:spreadsheet``."""
    name = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="{name}:office:1.0" '
        f'xmlns:table="{name}:table:1.0" xmlns:text="{name}:text:1.0" xmlns:style="{name}:style:1.0" '
        f'xmlns:draw="{name}:drawing:1.0" xmlns:calcext="urn:calcext">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f"<manifest>{manifest}</manifest>")
    return target.getvalue()


def ods_row(*cells: str, **attributes: str) -> str:
    """Return a row of text cells."""
    told = "".join(f' table:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    texts = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row{told}>{texts}</table:table-row>"


def book(*rows: Sequence[Any], merge: Sequence[str] = (), formats: dict[str, str] | None = None) -> bytes:
    """Return a workbook of these rows."""
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for area in merge:
        sheet.merge_cells(area)
    for cell, code in (formats or {}).items():
        sheet[cell].number_format = code
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()
