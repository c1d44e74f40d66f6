"""Decoding of files in any common encoding. Text in a wrongly guessed encoding is never accepted."""

import codecs
import re
import unicodedata

SAMPLE = 64 << 10
"""Number of bytes from which the encoding is guessed."""
WRITTEN = frozenset({
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "iso8859-1", "iso8859-2",
    "iso8859-5", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "koi8-r", "koi8-u", "cp866", "cp850", "cp852",
    "cp1125", "cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312", "big5", "cp949", "euc_kr", "mac-roman",
    "mac-cyrillic", "tis-620", "cp874",
})  # fmt: skip
"""Encodings that spreadsheets and editors write. Other encodings also fit some bytes, but never intentionally."""
MARGIN = 0.9
"""Threshold of ambiguity.

A guess is unsure if another encoding gives a different text and has at least this share of the guess's likelihood.
"""
MOST_STRANGE = 0.02
TYPOGRAPHY = frozenset(
    "«»„“”‚‘’‹›–—…№°±§×÷·•\xa0€£¥¢™©®¿¡²³½¼¾ªº´`¨、。，！？：；（）「」『』・〜\u3000％＋－＝／．＃＆＊＠"
)
SHARED_SIGNS = frozenset("‚„…†‡‰‹‘’“”•–—™›©«®°±»\xa0")
"""Signs that all of Windows' alphabetic encodings have at the same position."""
TWINS = frozenset({"cp1251", "mac-cyrillic"})
"""Encodings that differ only in capitals and one small letter, so little that the likelier one is right."""
WORD = re.compile(r"[^\W\d_]+")
SCRIPTS = re.compile(
    "(?P<latin>[A-Za-zªº\u00c0-\u024f\u1e00-\u1eff]+)|(?P<cyrillic>[\u0400-\u052f]+)|(?P<greek>[\u0370-\u03ff]+)"
    "|(?P<hebrew>[\u0590-\u05ff]+)|(?P<arabic>[\u0600-\u06ff]+)|(?P<thai>[\u0e00-\u0e7f]+)"
    "|(?P<asian>[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9d]+)"
)


def decode(content: bytes) -> str | None:
    """Return the text of a file, or None if its encoding can't be determined with certainty."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
                           (codecs.BOM_UTF16_BE, "utf-16")):  # fmt: skip
        if content.startswith(mark):
            return _decoded(content, encoding)
    head = content[:200]
    if head[1::2].count(0) > len(head) // 3:
        return _decoded(content, "utf-16-le")
    if head[::2].count(0) > len(head) // 3:
        return _decoded(content, "utf-16-be")
    text = _decoded(content, "utf-8")
    return text if text is not None else _detected(content)


def _detected(content: bytes) -> str | None:
    import chardet  # noqa: PLC0415 -- takes 40 MB and a third of a second, and nearly every file is in UTF-8

    sure: tuple[float, str, str] | None = None
    for found in chardet.detect_all(content[:SAMPLE]):
        encoding, confidence = found["encoding"], found["confidence"]
        name = codecs.lookup(encoding).name if encoding else ""
        text = _decoded(content, name) if name in WRITTEN else None
        if text is None or not natural(text):
            continue
        if sure is None:
            sure = confidence, text, name
        elif text != sure[1] and confidence >= sure[0] * MARGIN and {name, sure[2]} != TWINS:
            return None
    if sure is not None:
        return sure[1]
    text = _decoded(content, "cp1252")
    return text if text is not None and all(char in SHARED_SIGNS or char.isascii() for char in set(text)) else None


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
    strange = sum(not _one_script(word) for word in foreign)  # for example a unit of measurement
    return any(len(word) > 1 for word in foreign) and strange <= MOST_STRANGE * len(foreign)


def _one_script(word: str) -> bool:
    """Return whether a word is in one script, and in small letters, in capitals, or capitalized."""
    return bool(SCRIPTS.fullmatch(word)) and (
        word.islower() or word.isupper() or word[1:].islower() or not (word.lower() != word or word.upper() != word)
    )
