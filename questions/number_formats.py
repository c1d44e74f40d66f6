"""Display of numbers as in a spreadsheet, by the cell's number format."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

GENERAL = "General"
BUILT_IN = {
    0: GENERAL, 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00", 40: "#,##0.00;-#,##0.00",
    48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""Formats that a workbook refers to by number alone, except those of dates, and those that differ by country."""
DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of built-in formats for dates and times."""
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
