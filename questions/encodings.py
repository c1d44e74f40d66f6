"""Decoding of files in any common encoding. Text in a wrongly guessed encoding is never accepted."""

import codecs
import re
import unicodedata
from collections.abc import Sequence

SAMPLE = 64 << 10
"""Number of bytes from which the encoding is guessed."""
WRITTEN = frozenset({
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "iso8859-1", "iso8859-2",
    "iso8859-5", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "koi8-r", "koi8-u", "cp866", "cp850", "cp852",
    "cp1125", "cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312", "big5", "cp949", "euc_kr", "mac-roman",
    "mac-cyrillic", "mac-latin2", "cp737", "cp775", "cp857", "tis-620", "cp874",
})  # fmt: skip
"""Encodings that spreadsheets and editors write. Other encodings also fit some bytes, but never intentionally."""
LEAST_BYTE = 9
"""The smallest byte of a text that is not in UTF-16: that of a tab."""
MARGIN = 0.9
"""Threshold of ambiguity.

A guess is unsure if another encoding gives a different text and has at least this share of the guess's likelihood.
"""
MOST_STRANGE = 0.02
TYPOGRAPHY = frozenset(
    "«»„“”‚‘’‹›–—…№°±§×÷·•\xa0€£¥¢™©®¿¡²³½¼¾ªº´`¨、。，！？：；（）「」『』・〜\u3000％＋－＝／．＃＆＊＠"
)
SIGN = re.compile(
    r"[A-Za-z](?:’(?:s|t|re|ll|d|m|ve)\b|’[A-Z])|(?<=s)’(?!\w)|(?<!\w)[–—](?!\w)|(?<=\d)[–—](?=\d)"
    r"|(?<=\w)…(?!\w)|(?<![\w ])…|(?<=[\d ])µ(?=[A-Za-z])|[“”‘’«»„](?!\w)|(?<!\w)[“”‘’«»„]"
    r"|(?<!\w)[€£](?=\d)|(?<=\d)[ \xa0]?[€£°](?![A-Za-z]{2})|[ \xa0(]°[CF]\b"
    r"|(?<![A-Za-z])[½¼¾](?![A-Za-z])|(?<=[a-z\d])[²³]\b|(?<![A-Za-z])[×÷](?![A-Za-z])|(?<!\w)[¿¡](?=\w)"
    r"|[®©](?!\w)|(?<!\w)[®©](?=[ \xa0])|(?<=\W)\xa0|\xa0(?=\W|\d)|(?<=\w)\xa0(?=\w)"
)
"""Signs of Windows-1252 where a writer puts them. Elsewhere an accented letter of another encoding is more probable."""
PAIRS = (("“", "”"), ("‘", "’"), ("«", "»"), ("¿", "?"), ("¡", "!"))
COMMON = frozenset("оеаинтсрвлкіОЕАИНТСРВЛКІ")
"""The most common letters of the languages in Cyrillic: more than two thirds of any text."""
RARE = 0.45
"""Least share of the common letters in a text in Cyrillic."""
CYRILLIC = frozenset(map(chr, range(0x400, 0x530)))
EAST_SLAVIC = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґўАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯІЇЄҐЎ")
LOST_DASH = re.compile(r"[–—](?! )|(?<! )[–—]")
CAPITALS_SAMPLE = 4 << 10
"""Number of bytes from which the encoding of a text in capitals is guessed."""
TWINS = frozenset({"cp1251", "mac-cyrillic"})
"""Encodings that differ only in capitals and one small letter."""
WORD = re.compile(r"[^\W\d_]+")
BESIDE_NUMBER = re.compile(r"\d[\u00c0-\u017e]\b")
"""An accented letter after a number: the misread sign of a unit or a fraction."""
SCRIPTS = re.compile(
    "(?P<latin>[A-Za-z\u00c0-\u017eƠơƯưȘ-ț\u1ea0-\u1ef9]+[ªº]?|[ªº])|(?P<cyrillic>[\u0400-\u052f]+)|(?P<greek>[\u0370-\u03ff]+)"
    "|(?P<hebrew>[\u0590-\u05ff]+)|(?P<arabic>[\u0600-\u06ff]+)|(?P<thai>[\u0e00-\u0e7f]+)"
    "|(?P<asian>[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9d]+)"
)


def decode(content: bytes) -> str | None:
    """Return the text of a file, or None if its encoding can't be determined with certainty."""
    if content.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return None  # no spreadsheet program or editor writes UTF-32
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                           (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
        if content.startswith(mark):
            return _decoded(content, encoding)
    head = content[:200]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        # No other encoding has such bytes: they are 0 for Latin letters, 3 for Greek, 4 for Cyrillic ones.
        if sum(byte < LEAST_BYTE for byte in head[first::2]) > len(head) // 3:
            return _decoded(content, encoding)
    text = _decoded(content, "utf-8")
    return text if text is not None else _detected(content)


def _detected(content: bytes) -> str | None:
    of_macintosh = b"\r" in content and b"\n" not in content
    if not of_macintosh and (text := _decoded(content, "cp1252")) is not None and _only_signs(text):
        return text
    if (text := _decoded(content, "mac-roman")) is not None and _only_signs(text):
        return text if of_macintosh else None
    readings = _readings(content)
    if any(_in_capitals(text) for _, text, _ in readings):
        # The statistics of capitals are poor, and KOI8-R's capitals are small letters of Windows-1251 and the other
        # way round. So each reading is judged by the likelihood of its text in small letters.
        readings = sorted(((_likelihood(text, name), text, name) for _, text, name in readings), reverse=True)
    return _likeliest(readings)


def _in_capitals(text: str) -> bool:
    """Return whether most letters beyond ASCII are capitals."""
    capitals = small = 0
    for char in text[:SAMPLE]:
        if not char.isascii():
            capitals += char.isupper()
            small += char.islower()
    return capitals > small


def _likelihood(text: str, encoding: str) -> float:
    import chardet  # noqa: PLC0415 -- as below

    small = text[:CAPITALS_SAMPLE].lower().encode(encoding, "ignore")
    return max(
        (found["confidence"] for found in chardet.detect_all(small)
         if found["encoding"] and codecs.lookup(found["encoding"]).name == encoding),
        default=0.0,
    )  # fmt: skip


def _readings(content: bytes) -> list[tuple[float, str, str]]:
    """Return each natural reading of a file with its likelihood and encoding, the likeliest first."""
    import chardet  # noqa: PLC0415 -- takes 40 MB and a third of a second, and nearly every file is in UTF-8

    readings = []
    for found in chardet.detect_all(content[:SAMPLE]):
        encoding, confidence = found["encoding"], found["confidence"]
        name = codecs.lookup(encoding).name if encoding else ""
        text = _decoded(content, name) if name in WRITTEN else None
        if text is not None and natural(text):
            readings.append((confidence, text, name))
    return readings


def _likeliest(readings: Sequence[tuple[float, str, str]]) -> str | None:
    """Return the likeliest reading; None if there is none, or if another one is nearly as likely."""
    if not readings:
        return None
    best, text, encoding = readings[0]
    for confidence, other, name in readings[1:]:
        if other != text and confidence >= best * MARGIN and {name, encoding} != TWINS:
            return None
    if encoding not in TWINS:
        return text
    (twin,) = TWINS - {encoding}
    other = _decoded(text.encode(encoding), twin) or ""
    if other == text or not natural(other):
        return text
    return _twin(*((text, other) if encoding == "cp1251" else (other, text)))


def _twin(windows: str, mac: str) -> str | None:
    """Return one of two readings that differ in few characters; None if both could be meant."""
    if "\n" not in mac or not _russian(windows):
        return mac if _russian(mac) else None
    if not _balanced(windows):
        return mac if _balanced(mac) else None
    return None if _sound_signs(mac) and not _sound_signs(windows) else windows


def _russian(text: str) -> bool:
    return set(text) & CYRILLIC <= EAST_SLAVIC


def _balanced(text: str) -> bool:
    return all(text.count(first) == text.count(last) for first, last in PAIRS[:3])


def _sound_signs(text: str) -> bool:
    """Return whether there are dashes or quotation marks, all of them in proper places."""
    return _balanced(text) and not LOST_DASH.search(text) and any(sign in text for sign in "–—«“„")


def _only_signs(text: str) -> bool:
    """Return whether the only characters beyond ASCII are signs in their proper places."""
    if any(text.count(opening) > text.count(closing) for opening, closing in PAIRS):
        return False
    if text.count("”") + text.count("“") != 2 * max(text.count("“"), text.count("”")) and "„" not in text:
        return False
    return SIGN.sub("", text).isascii()


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def natural(text: str) -> bool:
    """Return whether a text looks natural: each word in one script and case, no signs of misread bytes."""
    for char in set(text):
        if not char.isascii() and char not in TYPOGRAPHY and unicodedata.category(char)[0] not in "LM":
            return False
    found = {word[0] for word in WORD.finditer(text, 0, SAMPLE)}
    foreign = [word for word in found if not word.isascii()]
    letters = [char for word in foreign for char in word if char in CYRILLIC]
    if letters and sum(char in COMMON for char in letters) < RARE * len(letters):
        return False
    strange = sum(not _one_script(word) for word in foreign)  # for example a unit of measurement
    strange += len(set(BESIDE_NUMBER.findall(text, 0, SAMPLE)))
    return any(len(word) > 1 for word in foreign) and strange <= MOST_STRANGE * len(foreign)


def _one_script(word: str) -> bool:
    """Return whether a word is in one script, and in small letters, in capitals, or capitalized."""
    if "ς" in word[:-1]:
        return False  # in Greek this letter ends a word
    return bool(SCRIPTS.fullmatch(word)) and (
        word.islower() or word.isupper() or word[1:].islower() or not (word.lower() != word or word.upper() != word)
    )
