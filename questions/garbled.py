"""Detection of text that was decoded or saved in a wrong encoding before it got into the file."""

import re

LATIN = "\x80-\xba\xbc-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ•–—˜™š›œžŸ"
"""Characters of Windows-1252 or Latin-1 for the later bytes of a letter in UTF-8, except closing quotation marks."""
CYRILLIC = "\xa0-\xbfЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџЎўЈҐЁЄЇІіґё№єјЅѕї"
"""Characters that Windows-1251 shows for the later bytes of a letter in UTF-8."""
MISREAD = re.compile(
    f"[ÂÃÄÅ][{LATIN}]|(?:[ÐÑÎÏ][{LATIN}»’“”]){{2,}}|â€[{LATIN}“”’»]|ï»¿|ðŸ|[àáãäåæçè][{LATIN}][{LATIN}]"
    f"|(?:[РСГВ][{CYRILLIC}]){{3,}}|вЂ[{CYRILLIC}]|√[©±°≥≠∫§®¶º†]|‚Ä[ôúùìî¶]|[├┬][^\x00-\x7f]|ÔÇ[ÖÿöÜ£Ø]"
)
"""UTF-8 that was read as Windows-1252, Windows-1251, Mac Roman or an encoding of DOS."""
LOST = re.compile(r"[^\W\d_]\?[^\W\d_]|(?<!\w)\?[^\W\d_]|\?{4,}|\ufffd")
"""Letters that an encoding didn't have, replaced by question marks."""
ONLY_LOST = re.compile(r"[\W\d_]*\?[\W\d_]*\?[\W\d_]*")
ADDRESS = re.compile(r"\S+://\S*")
SHOWN = 20
ENCODINGS = ("cp1252", "latin-1", "cp1251", "mac-roman", "mac-cyrillic", "cp437", "cp850", "cp866")
CLOSING = frozenset("»”’›“")
ONE = frozenset(map(chr, (*range(0xA1, 0x180), 0x2080, 0x2082, 0x2084)))
"""Letters and signs that may be alone in a text."""


def garbled(text: str) -> str:
    """Return the first broken piece of a text; empty if it is sound."""
    start = end = -1
    if not text.isascii():
        if found := MISREAD.search(text):
            start, end = found.span()
        elif _misread(text):
            start, end = 0, SHOWN
    if start < 0 and ("?" in text or "\ufffd" in text):
        text = ADDRESS.sub(" ", text)
        found = LOST.search(text)
        if found is None and not any(char.isalnum() for char in text):
            found = ONLY_LOST.fullmatch(text)
        if found is not None:
            start, end = found.span()
    return "" if start < 0 else text[max(0, start - 6) : end + 6].strip()[:SHOWN]


def _misread(text: str) -> bool:
    """Return whether a text, saved in an encoding of one byte a character, would be sound UTF-8."""
    for encoding in ENCODINGS:
        try:
            meant = text.encode(encoding).decode()
        except UnicodeError:
            continue
        letters = [char for char in meant if not char.isascii()]
        # One such letter may be an accented capital before a closing quotation mark.
        if len(letters) > 1 or (letters[0] in ONE and not CLOSING & set(text)):
            return True
    return False
