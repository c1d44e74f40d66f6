"""Every text that a person reads: Fluent messages in ``locales/<locale>/*.ftl``, found by id.

What people typed (names, titles) is tidied, escaped and isolated here, so that nothing they call themselves can break
a message or turn the text around it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.numbers import format_decimal
from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax.ast import Junk, Message, Term

from fsm.kind import NotNow, Rejected
from fsm.lobby import BadRule

FOLDER = Path(__file__).parent.parent / "locales"
DEFAULT_LOCALE = "en"
TOAST_LIMIT = 200
"""What Telegram shows of the answer to a tap, UTF-16 units."""
NAME_LIMIT = 24
"""What a list shows of a name, UTF-16 units."""
MAX_MARKS = 3
"""Combining marks on one letter; more is decoration that climbs into the lines above."""

FSI, PDI = "\u2068", "\u2069"
ZWNJ, ZWJ = "\u200c", "\u200d"
INVISIBLE = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols, by Unicode's book, that show nothing."""
NAMELESS = "—"
ELLIPSIS = "…"

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*|\d+[.,]\d+")
"""Names of our own, as texts select by them, and plain numbers: nothing in these can break or turn a text."""

_AUTOMATIC = re.compile(r"[@/#$.:](?=[\w/])")


class Markup(str):
    """HTML already: goes into a text as it is."""

    __slots__ = ()


class UnreadableTexts(ValueError):
    """A locale's files can't be used. The text says which, for whoever edits them."""


# -- what people typed ------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def tidy(text: str) -> str:
    """The text on one line without what is invisible, turns the text around or piles up. Never empty."""
    kept = " ".join("".join(_kept(text)).split())
    visible = any(not c.isspace() and c not in INVISIBLE and unicodedata.category(c)[0] not in "CM" for c in kept)
    return kept if visible else NAMELESS


def _kept(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if char in {ZWJ, ZWNJ} or "\U000e0020" <= char <= "\U000e007f":  # parts of emoji and of Persian words
            yield char
        elif category in {"Cc", "Zl", "Zp"}:
            yield " "
        elif category not in {"Cf", "Cs", "Co"} and marks <= MAX_MARKS:
            yield char


def units(text: str) -> int:
    """Length as Telegram counts it: in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """The text in at most ``limit`` UTF-16 units, cut between letters and never inside an emoji's sequence."""
    if units(text) <= limit:
        return text
    size, end = 1, 0  # the ellipsis is one unit
    for char in text:
        size += 2 if char > "\uffff" else 1
        if size > limit:
            break
        end += 1
    while end and (_continues(text[end]) or text[end - 1] == ZWJ or _splits_flag(text, end)):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


def _continues(char: str) -> bool:
    """Whether a character belongs to the one before: marks, joiners, skin tones, tags."""
    return (
        char == ZWJ
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or unicodedata.category(char)[0] == "M"
    )


def _splits_flag(text: str, end: int) -> bool:
    """Whether a cut at ``end`` parts the two letters of a flag."""
    run = 0
    while run < end and "\U0001f1e6" <= text[end - 1 - run] <= "\U0001f1ff":
        run += 1
    return run % 2 == 1 and "\U0001f1e6" <= text[end] <= "\U0001f1ff"


def inert(text: str) -> str:
    """The text so that Telegram finds no mention, link, command or hashtag in it: a name calls nobody."""
    return _AUTOMATIC.sub("\\g<0>\u2060", text)


def isolated(text: str) -> str:
    """The text so that its direction stays its own."""
    return text if _CODE.fullmatch(text) else f"{FSI}{text}{PDI}"


@lru_cache(maxsize=8192)
def name_html(name: str, limit: int = NAME_LIMIT) -> Markup:
    """A person's name for a list: tidy, short, escaped, isolated."""
    return Markup(isolated(escape(inert(shorten(tidy(name), limit)), quote=False)))


# -- texts ------------------------------------------------------------------------------------------------------


class Texts:
    """The texts of all locales in a folder, one folder a locale.

    ``missing`` counts what was asked for in vain, by ``locale/id``: it is shown in English, or by its id, and a test
    keeps it from happening. Raises ``UnreadableTexts`` where a file can't be parsed or an id is there twice.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir())
        self._bundles: Mapping[str, FluentBundle] = MappingProxyType({name: _bundle(folder / name) for name in names})
        if DEFAULT_LOCALE not in self._bundles:
            raise UnreadableTexts(f"{folder} has no {DEFAULT_LOCALE}")
        self.LOCALES: tuple[str, ...] = (DEFAULT_LOCALE, *(name for name in names if name != DEFAULT_LOCALE))
        self.missing: Counter[str] = Counter()
        self._fixed: dict[tuple[str, str], Markup] = {}
        self._plain = lru_cache(maxsize=8192)(self._format_plain)
        self._picked = lru_cache(maxsize=1024)(self._pick)

    def pick(self, language_code: str | None) -> str:
        """The locale for a language code of Telegram's, such as ``ru`` or ``pt-br``."""
        return self._picked(language_code or "")

    def _pick(self, language_code: str) -> str:
        language = language_code.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower()
        return language if language in self._bundles else DEFAULT_LOCALE

    def has(self, text_id: str, locale: str = DEFAULT_LOCALE) -> bool:
        """Whether a locale has such a text."""
        return self._bundles[locale].has_message(text_id)

    def html(self, locale: str, text_id: str, /, **args: Any) -> Markup:
        """A text for a message in HTML. Numbers are written the locale's way, ``Markup`` goes in as it is."""
        if not args:
            fixed = self._fixed.get((locale, text_id))
            if fixed is None:
                fixed = self._fixed[locale, text_id] = Markup(self._format(locale, text_id, {}))
            return fixed
        values = {name: self._html_argument(locale, value) for name, value in args.items()}
        return Markup(self._format(locale, text_id, values))

    def plain(self, locale: str, text_id: str, /, **args: Any) -> str:
        """A text without markup for a toast or a button: at most 200 UTF-16 units. Remembered; arguments hashable."""
        return self._plain(locale, text_id, tuple(args.items()))

    def refusal(self, locale: str, refusal: Rejected) -> str:
        """The toast for a refusal."""
        return self.plain(locale, self._refusal_id(refusal), **self._parameters(locale, refusal))

    def refusal_html(self, locale: str, refusal: Rejected) -> Markup:
        """The same for a message."""
        return self.html(locale, self._refusal_id(refusal), **self._parameters(locale, refusal))

    def number(self, locale: str, value: int | Decimal) -> str:
        """A number exactly, thousands separated; with at least two decimals where it has any."""
        return _number(locale if locale in self._bundles else DEFAULT_LOCALE, Decimal(value))

    def duration(self, locale: str, milliseconds: int) -> str:
        """A span of time in its two largest units, such as ``1 h 30 min``."""
        seconds = (Decimal(milliseconds) / 1000).normalize()
        hours, rest = divmod(int(seconds), 3600)
        minutes = rest // 60
        parts: list[tuple[str, int | Decimal]] = [
            ("duration-hours", hours),
            ("duration-minutes", minutes),
            ("duration-seconds", seconds % 60),
        ]
        first = next((index for index, (_, count) in enumerate(parts) if count), 2)
        wanted = [(text_id, count) for text_id, count in parts[first : first + 2] if count or first == 2]
        return " ".join(self.plain(locale, text_id, count=_brief(locale, count)) for text_id, count in wanted)

    def listing(
        self, locale: str, items: Iterable[str], total: int, *, budget: int = 600, most: int = 40, separator: str = ", "
    ) -> Markup:
        """HTML items side by side, as many of ``total`` as fit ``budget`` UTF-16 units, then ``and N more``."""
        shown: list[str] = []
        left = budget
        for item in items:
            left -= units(item) + len(separator)
            if shown and (left < 0 or len(shown) >= most):
                break
            shown.append(item)
        line = separator.join(shown)
        if len(shown) == total:
            return Markup(line)
        return self.html(locale, "list-more", list=Markup(line), more=total - len(shown))

    def _refusal_id(self, refusal: Rejected) -> str:
        """``not-now-<command>`` or ``rejected-bad-rule-<rule>`` if there is such a text; else ``rejected-<code>``."""
        specific = ""
        if isinstance(refusal, NotNow):
            specific = f"not-now-{refusal.command}"
        elif isinstance(refusal, BadRule):
            specific = f"rejected-bad-rule-{refusal.rule}"
        return specific if self.has(specific) else f"rejected-{refusal.code}"

    def _parameters(self, locale: str, refusal: Rejected) -> dict[str, Any]:
        """The parameters of a refusal; for a rule out of bounds also the name that the dialogs give the rule."""
        if not isinstance(refusal, BadRule):
            return refusal.parameters
        name = f"dlg-name-{refusal.rule}"
        return {**refusal.parameters, "name": self.plain(locale, name) if self.has(name) else refusal.rule}

    def _html_argument(self, locale: str, value: Any) -> Any:
        if isinstance(value, Markup):
            return str(value)
        if isinstance(value, str):
            return isolated(escape(inert(tidy(value)), quote=False))
        return _number(locale, value) if isinstance(value, Decimal) else value

    def _format_plain(self, locale: str, text_id: str, args: tuple[tuple[str, Any], ...]) -> str:
        values = {name: self._plain_argument(locale, value) for name, value in args}
        return shorten(self._format(locale, text_id, values), TOAST_LIMIT)

    def _plain_argument(self, locale: str, value: Any) -> Any:
        if isinstance(value, str):
            return isolated(tidy(value))
        return _number(locale, value) if isinstance(value, Decimal) else value

    def _format(self, locale: str, text_id: str, args: Mapping[str, Any]) -> str:
        for tried in dict.fromkeys((locale, DEFAULT_LOCALE)):
            bundle = self._bundles.get(tried)
            if bundle is not None and bundle.has_message(text_id):
                pattern = bundle.get_message(text_id).value
                if pattern is not None:
                    text, errors = bundle.format_pattern(pattern, dict(args))
                    if errors:
                        self.missing[f"{tried}/{text_id}"] += 1
                    return str(text)
            self.missing[f"{tried}/{text_id}"] += 1
        return text_id


def _bundle(folder: Path) -> FluentBundle:
    """One locale. Isolating is ours: Fluent's own would also wrap numbers and markup."""
    bundle = FluentBundle([folder.name], use_isolating=False)
    seen: set[str] = set()
    for path in sorted(folder.glob("*.ftl")):
        resource = FluentResource(path.read_text(encoding="utf-8"))
        for entry in resource.body:
            if isinstance(entry, Junk):
                raise UnreadableTexts(f"{path}: {(entry.content or '').strip().splitlines()[0]}")
            if isinstance(entry, Message | Term):
                if entry.id.name in seen:
                    raise UnreadableTexts(f"{path}: {entry.id.name} is there twice")
                seen.add(entry.id.name)
        bundle.add_resource(resource)
    return bundle


def _brief(locale: str, value: int | Decimal) -> str:
    """A number with no more decimals than it needs."""
    return str(format_decimal(value, format="0.###", locale=locale))


@lru_cache(maxsize=4096)
def _number(locale: str, value: Decimal) -> str:
    if value == value.to_integral_value():
        return str(format_decimal(int(value), format="#,##0", locale=locale))
    return str(format_decimal(value.normalize(), format="#,##0.00", locale=locale, decimal_quantization=False))
