"""Display of numbers, dates and times as in a spreadsheet, by the cell's number format."""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

GENERAL = "General"
BUILT_IN = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""Formats that a workbook refers to by number alone, except those that differ by country."""
DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of built-in formats for dates and times."""
EPOCH, EPOCH_1904 = dt.datetime(1899, 12, 30), dt.datetime(1904, 1, 1)  # noqa: DTZ001 -- dates of no time zone
FIRST_SOUND_DAY = 61
"""First day from which spreadsheets agree on the calendar: Excel counts a 29 February 1900 that never was."""
LAST_DAY = 2_958_465
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MAX_SHOWN = 11
"""Characters of a number that a cell without a format shows; beyond them the display depends on the column's width."""
MAX_FORMAT = 255
MAX_SCALE = 30

_COLOUR = re.compile(r"\[(black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)\]", re.IGNORECASE)
_CURRENCY = re.compile(r"\[\$([^\]-]*)(-[0-9A-Fa-f]+)?\]")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|_(.)|\*(.)', re.DOTALL)
_NUMBER = re.compile(r"(?P<whole>[#0?,]*)(?:\.(?P<part>[#0?]*))?(?:E(?P<sign>[+-])(?P<power>0+))?")
_FRACTION = re.compile(r"(?P<whole>[#0?]+ +)?(?P<over>[#0?]+)/(?P<under>[?#0]+|\d+)")
_DATE = re.compile(r"[ymdhs]|AM/PM|\[(h+|m+|s+)\]", re.IGNORECASE)
_ENGLISH = re.compile(r"\[\$-(?:0?4|0?8|0?C|10)09\]", re.IGNORECASE)
"""Mark of a format whose names of months and days are English in every country."""
_LANGUAGE = re.compile(r"\[\$-0?[0-9A-E][0-9A-F]{2,3}\]", re.IGNORECASE)
"""Mark of a format's language. Other marks stand for the reader's own format, or for other calendars and digits."""
_DATE_PART = re.compile(r"y+|m+|d+|h+|s+|AM/PM|A/P|\[h+\]|\0|[-./: ,]", re.IGNORECASE)
_PLAIN = "$-+/()!^&'~{}<>=: €£¥₽₴₸%"
"""Characters that a format shows literally, without quotation marks."""


def is_date(code: str) -> bool:
    """Return whether a format shows dates or times."""
    bare = _QUOTED.sub("", _CURRENCY.sub("", _COLOUR.sub("", code)))
    return bare.lower() != "general" and bool(_DATE.search(bare))


def is_plain_text(code: str) -> bool:
    """Return whether a format shows a text unchanged."""
    sections = code.split(";")
    return ("@" not in code and len(sections) < 4) or sections[-1].strip() == "@" or code == "@"


def shown(value: str, code: str) -> str | None:
    """Return the number as the format shows it; None if this is not known for certain."""
    try:
        number = Decimal(format(float(value), ".15g"))  # spreadsheets calculate with 15 digits, and show no more
    except (ValueError, OverflowError):
        return None
    if not number.is_finite() or abs(number.adjusted()) > MAX_SCALE or len(code) > MAX_FORMAT:
        return None
    if code.lower() in {"general", "@", ""}:
        return _general(number)
    sections = code.split(";")
    if '"' in code and any(section.count('"') % 2 for section in sections):
        return None  # a semicolon between quotation marks
    if number < 0 and len(sections) > 1:
        return _section(-number, sections[1])
    if number == 0 and len(sections) > 2:
        return _section(number, sections[2])
    told = _section(abs(number), sections[0])
    return None if told is None else ("-" if number < 0 and re.search("[1-9]", told) else "") + told


def _general(number: Decimal) -> str | None:
    text = format(number.normalize(), "f") if number else "0"
    return text if len(text.lstrip("-")) <= MAX_SHOWN else None


def _section(number: Decimal, section: str) -> str | None:
    """Return a number without its sign, by one section of a format."""
    literals: list[str] = []

    def keep(text: str) -> str:
        literals.append(text)
        return "\0"

    section = _COLOUR.sub("", section)
    section = _CURRENCY.sub(lambda found: keep(found[1]), section)
    section = _QUOTED.sub(lambda found: keep(found[1] or found[2] or (" " if found[3] else "")), section)
    if section.strip("\0 ").lower() == "general":
        told, body = _general(number), section.lower()
        return None if told is None else _filled(body.replace("general", told), literals)
    match = re.search(r"[#0?][#0?,.]*(?:E[+-]0+)?(?: *[#0?]*/[#0?\d]+)?", section)
    if match is None:
        words = _filled(section, literals).strip() if literals and not section.strip(_PLAIN + "\0") else ""
        return words or None
    before, pattern, after = section[: match.start()], match[0], section[match.end() :]
    if any(char not in _PLAIN and char != "\0" for char in before + after):
        return None  # a condition, a repeated pattern, or letters with a meaning
    if "/" in pattern and (fraction := _FRACTION.fullmatch(pattern)):
        told = _fraction(number, fraction)
    else:
        percents = (before + after).count("%")
        told = _digits(number.scaleb(2 * percents), pattern)
    return None if told is None else _filled(f"{before}{told}{after}", literals).strip()


def _filled(text: str, literals: list[str]) -> str:
    kept = iter(literals)
    return "".join(next(kept) if char == "\0" else char for char in text)


def _digits(number: Decimal, pattern: str) -> str | None:
    found = _NUMBER.fullmatch(pattern)
    if found is None:
        return None
    whole, part, power = found["whole"], found["part"] or "", found["power"]
    if whole.endswith(","):
        return None  # scaled by thousands
    if power is not None:
        return _scientific(number, whole, part, power, found["sign"])
    rounded = number.quantize(Decimal(1).scaleb(-len(part)), ROUND_HALF_UP)
    digits, _, decimals = format(rounded, "f").partition(".")
    digits = digits.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole:
        digits = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", digits)
    while decimals and decimals.endswith("0") and part[len(decimals) - 1] != "0":
        decimals = decimals[:-1]
    return digits + ("." + decimals if "." in pattern else "")


def _scientific(number: Decimal, whole: str, part: str, power: str, sign: str) -> str | None:
    if whole != "0":
        return None
    mantissa, _, exponent = f"{number:.{len(part)}E}".partition("E")
    size = abs(int(exponent))
    shown_sign = "-" if int(exponent) < 0 else "+" if sign == "+" else ""
    return f"{mantissa}E{shown_sign}{size:0{len(power)}d}"


def _fraction(number: Decimal, found: re.Match[str]) -> str | None:
    under = found["under"]
    exact = Fraction(number)
    whole = int(exact) if found["whole"] else 0
    rest = exact - whole
    if under.isdecimal() and under.strip("0"):
        over, below = round(rest * int(under)), int(under)
    else:
        near = rest.limit_denominator(10 ** min(len(under), 3) - 1)
        over, below = near.numerator, near.denominator
    if over == below and found["whole"]:
        whole, over = whole + 1, 0
    if not over:
        return str(whole)
    return (f"{whole} " if whole else "") + f"{over}/{below}"


def shown_date(serial: Decimal, code: str, *, from_1904: bool = False) -> str | None:
    """Return the date or time that the format shows for a number of days; None if this is not known for certain.

    Names of months and days are in the reader's language unless the format says English, so they are not certain.
    """
    if len(code) > MAX_FORMAT or not 0 <= serial < LAST_DAY:
        return None
    english = bool(_ENGLISH.search(code))
    sections = code.split(";")
    if any(section.strip() not in {"", "@"} for section in sections[1:]):
        return None
    literals: list[str] = []

    def keep(text: str) -> str:
        literals.append(text)
        return "\0"

    body = _COLOUR.sub("", _LANGUAGE.sub("", sections[0]))
    body = _QUOTED.sub(lambda found: keep(found[1] or found[2] or (" " if found[3] else "")), body)
    parts = [found[0] for found in _DATE_PART.finditer(body)]
    if "".join(parts) != body:
        return None  # fractions of a second, other calendars, or the country's own format
    days = from_1904 or serial >= FIRST_SOUND_DAY
    if not days and re.search("[yd]", body, re.IGNORECASE):
        return None
    moment = (EPOCH_1904 if from_1904 else EPOCH) + dt.timedelta(seconds=round(serial * 86_400))
    told = _date_texts(parts, moment, int(round(serial * 86_400) // 3600), english=english)
    return None if told is None else _filled("".join(told), literals).strip()


def _date_texts(parts: list[str], moment: dt.datetime, hours: int, *, english: bool) -> list[str] | None:
    """Return each part of a date's format as it is shown."""
    names = [part.lower() for part in parts]
    half = any(name in {"am/pm", "a/p"} for name in names)
    told: list[str] = []
    for number, name in enumerate(names):
        first, size = name[0], len(name)
        if first == "m" and _is_minute(names, number):
            text = f"{moment.minute:0{size}d}" if size < 3 else None
        elif first in "md" and size < 3:
            text = f"{moment.month if first == 'm' else moment.day:0{size}d}"
        elif first in "md":
            name_ = MONTHS[moment.month - 1] if first == "m" else WEEKDAYS[moment.weekday()]
            text = (name_[:3] if size == 3 else name_) if english and size < 5 else None
        else:
            text = _field(name, moment, hours, half=half)
        if text is None:
            return None
        told.append(text)
    return told


def _field(name: str, moment: dt.datetime, hours: int, *, half: bool) -> str:
    """Return one part of a date or a time that looks the same in all languages."""
    first, size = name[0], len(name)
    if first == "y":
        return f"{moment.year:04d}" if size > 2 else f"{moment.year % 100:02d}"
    if first == "h":
        return f"{(moment.hour - 1) % 12 + 1 if half else moment.hour:0{min(size, 2)}d}"
    if first == "[":
        return f"{hours:0{size - 2}d}"
    if first == "s":
        return f"{moment.second:0{min(size, 2)}d}"
    if name in {"am/pm", "a/p"}:
        return ("AM", "PM")[moment.hour >= 12][: 2 if name == "am/pm" else 1]
    return name


def _is_minute(names: list[str], number: int) -> bool:
    """Return whether an "m" means minutes: it follows hours, or precedes seconds."""
    fields = [name for name in names[:number] if name[0] in "ymdhs["]
    following = [name for name in names[number + 1 :] if name[0] in "ymdhs["]
    return bool((fields and fields[-1][0] in "h[") or (following and following[0][0] == "s"))
