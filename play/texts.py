"""The texts that people read: Fluent messages in ``locales/<locale>/*.ftl``, looked up by id.

Names and titles that people typed are cleaned, escaped and isolated here, so that none can break a message or reverse
the direction of the text around it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_decimal, get_decimal_symbol
from fluent.runtime import FluentBundle, FluentResource
from fluent.syntax.ast import Junk, Message, Resource, Term

from fsm.kind import NotNow, Rejected
from fsm.lobby import BadRule

FOLDER = Path(__file__).parent.parent / "locales"
DEFAULT_LOCALE = "en"
TOAST_LIMIT = 200
"""Longest answer to a tap that Telegram accepts, in UTF-16 units."""
NAME_LIMIT = 24
"""Longest name in a list, in UTF-16 units."""
MAX_MARKS = 3
"""Maximum number of combining marks on one letter. More are decoration that overlaps the lines above."""

FSI, PDI = "\u2068", "\u2069"
ZWNJ, ZWJ = "\u200c", "\u200d"
INVISIBLE = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that Unicode classes as letters or symbols although they are blank."""
NAMELESS = "—"
ELLIPSIS = "…"

_CODE = re.compile(r"[a-z0-9][a-z0-9_-]*|\d+[.,]\d+")
"""Identifiers that texts select by, and decimal numbers. Neither can break a text or change its direction."""

_AUTOMATIC = re.compile(r"[@/#$.:](?=[\w/])")


class Markup(str):
    """HTML, inserted into a text without escaping."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Digits:
    """A number as a person has typed it so far, with a point; texts show it with the locale's decimal sign."""

    typed: str

    def shown(self, locale: str) -> str:
        """Return the number in the form of the locale, without grouping its digits."""
        return self.typed.replace(".", get_decimal_symbol(locale))


class UnreadableTexts(ValueError):
    """A locale's files cannot be used. The message names the file and the entry, for the translator."""


# -- names and titles -------------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def tidy(text: str) -> str:
    """Return the text on one line, without invisible characters, direction marks and piles of combining marks.

    Returns ``NAMELESS`` if nothing visible is left.
    """
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
    """Return the length of a text in UTF-16 units, as Telegram counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def shorten(text: str, limit: int) -> str:
    """Return the text in at most ``limit`` UTF-16 units, never cut inside a letter or an emoji sequence."""
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
    """Return whether a character belongs to the one before it: a mark, joiner, skin tone or tag."""
    return (
        char == ZWJ
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
        or unicodedata.category(char)[0] == "M"
    )


def _splits_flag(text: str, end: int) -> bool:
    """Return whether a cut at ``end`` separates the two letters of a flag."""
    run = 0
    while run < end and "\U0001f1e6" <= text[end - 1 - run] <= "\U0001f1ff":
        run += 1
    return run % 2 == 1 and "\U0001f1e6" <= text[end] <= "\U0001f1ff"


def inert(text: str) -> str:
    """Return the text with word joiners that keep Telegram from finding a mention, link, command or hashtag in it."""
    return _AUTOMATIC.sub("\\g<0>\u2060", text)


def isolated(text: str) -> str:
    """Return the text between direction isolates, so that it cannot change the direction of its surroundings."""
    return text if _CODE.fullmatch(text) else f"{FSI}{text}{PDI}"


@lru_cache(maxsize=8192)
def name_html(name: str, limit: int = NAME_LIMIT) -> Markup:
    """Return a person's name for a list: cleaned, shortened, escaped and isolated."""
    return Markup(isolated(escape(inert(shorten(tidy(name), limit)), quote=False)))


@lru_cache(maxsize=1024)
def date_time(unix: int | str, fallback: str, form: str = "r") -> str:
    """Return Telegram's date-time entity, which apps show in the reader's time zone and keep current.

    Args:
        unix: seconds since the epoch.
        fallback: the text that older apps show.
        form: ``r`` for relative time, or any of ``w`` (day of the week), ``d`` or ``D`` (short or long date), ``t`` or
            ``T`` (short or long time), in that order.
    """
    return f'<tg-time unix="{unix}" format="{form}">{fallback}</tg-time>'


# -- texts ------------------------------------------------------------------------------------------------------


class Texts:
    """The texts of all locales in a folder, which has a subfolder for each locale.

    ``missing`` counts failed lookups by ``locale/id``. A missing text is shown in English, or as its id.

    Raises:
        UnreadableTexts: a file cannot be parsed, an id occurs twice, the default locale is absent, or a subfolder is
            not named by the code of a language.
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
        """Return the locale for Telegram's language code, such as ``ru`` or ``pt-br``; the default one for others."""
        return self._picked(language_code or "")

    def _pick(self, language_code: str) -> str:
        language = language_code.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower()
        return language if language in self._bundles else DEFAULT_LOCALE

    def has(self, locale: str, text_id: str) -> bool:
        """Return whether a locale has a text that others may lack, such as a kind's own word for a shared setting.

        A caller that would otherwise show a shared text asks this first. The default locale does not count, because a
        shared text in the reader's language is better than a special one in another.
        """
        return self._bundles[locale].has_message(text_id)

    def html(self, locale: str, text_id: str, /, **args: Any) -> Markup:
        """Return a text as HTML for a message. Strings are escaped; numbers are formatted for the locale."""
        if not args:
            fixed = self._fixed.get((locale, text_id))
            if fixed is None:
                fixed = self._fixed[locale, text_id] = Markup(self._format(locale, text_id, {}))
            return fixed
        values = {name: self._html_argument(locale, value) for name, value in args.items()}
        return Markup(self._format(locale, text_id, values))

    def plain(self, locale: str, text_id: str, /, **args: Any) -> str:
        """Return a text without markup for a toast or a button, in at most ``TOAST_LIMIT`` UTF-16 units.

        Results are cached, so the arguments must be hashable.
        """
        return self._plain(locale, text_id, tuple(args.items()))

    def refusal(self, locale: str, refusal: Rejected) -> str:
        """Return the text of a refusal for a toast."""
        return self.plain(locale, self._refusal_id(locale, refusal), **self._parameters(locale, refusal))

    def refusal_html(self, locale: str, refusal: Rejected) -> Markup:
        """Return the text of a refusal as HTML for a message."""
        return self.html(locale, self._refusal_id(locale, refusal), **self._parameters(locale, refusal))

    def number(self, locale: str, value: int | Decimal) -> str:
        """Return a number with all its digits, thousands grouped, and at least two decimals unless it is whole."""
        return _number(locale if locale in self._bundles else DEFAULT_LOCALE, Decimal(value))

    def duration(self, locale: str, milliseconds: int) -> str:
        """Return a span of time in its two largest units, such as ``1 h 30 min``."""
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
        """Join HTML items until ``budget`` UTF-16 units or ``most`` items are used up, then add ``and N more``.

        At least one item is shown. ``total`` is the number of items, so that ``items`` can be lazy.
        """
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

    def _refusal_id(self, locale: str, refusal: Rejected) -> str:
        """Return ``not-now-<command>`` or ``rejected-bad-rule-<rule>`` if it exists, else ``rejected-<code>``."""
        specific = ""
        if isinstance(refusal, NotNow):
            specific = f"not-now-{refusal.command}"
        elif isinstance(refusal, BadRule):
            specific = f"rejected-bad-rule-{refusal.rule}"
        return specific if self.has(locale, specific) else f"rejected-{refusal.code}"

    def _parameters(self, locale: str, refusal: Rejected) -> dict[str, Any]:
        """Return the parameters of a refusal; for an invalid rule also the rule's name in the dialogs."""
        if not isinstance(refusal, BadRule):
            return refusal.parameters
        name = f"dlg-name-{refusal.rule}"
        return {**refusal.parameters, "name": self.plain(locale, name) if self.has(locale, name) else refusal.rule}

    def _html_argument(self, locale: str, value: Any) -> Any:
        if isinstance(value, Markup):
            return str(value)
        if isinstance(value, str):
            return isolated(escape(inert(tidy(value)), quote=False))
        if isinstance(value, Digits):
            return value.shown(locale)
        return _number(locale, value) if isinstance(value, Decimal) else value

    def _format_plain(self, locale: str, text_id: str, args: tuple[tuple[str, Any], ...]) -> str:
        values = {name: self._plain_argument(locale, value) for name, value in args}
        return shorten(self._format(locale, text_id, values), TOAST_LIMIT)

    def _plain_argument(self, locale: str, value: Any) -> Any:
        if isinstance(value, str):
            return isolated(tidy(value))
        if isinstance(value, Digits):
            return value.shown(locale)
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
    """Load one locale. Fluent's isolation is off, because it would also wrap numbers and markup."""
    try:
        Locale.parse(folder.name)
    except (UnknownLocaleError, ValueError):
        raise UnreadableTexts(f"{folder}: a locale is named by its language's two-letter code") from None
    bundle = FluentBundle([folder.name], use_isolating=False)
    seen: set[str] = set()
    for path in sorted(folder.glob("*.ftl")):
        resource = _parsed(path.read_text(encoding="utf-8"))
        for entry in resource.body:
            if isinstance(entry, Junk):
                raise UnreadableTexts(f"{path}: {(entry.content or '').strip().splitlines()[0]}")
            if isinstance(entry, Message | Term):
                if entry.id.name in seen:
                    raise UnreadableTexts(f"{path}: {entry.id.name} is there twice")
                seen.add(entry.id.name)
        bundle.add_resource(resource)
    return bundle


@lru_cache(maxsize=256)
def _parsed(source: str) -> Resource:
    """Parse a file. All locales take a third of a second, and a program may load them several times."""
    return FluentResource(source)


def _brief(locale: str, value: int | Decimal) -> str:
    """Format a number for the locale without trailing zeros, with at most three decimals."""
    return str(format_decimal(value, format="0.###", locale=locale))


@lru_cache(maxsize=4096)
def _number(locale: str, value: Decimal) -> str:
    if value == value.to_integral_value():
        return str(format_decimal(int(value), format="#,##0", locale=locale))
    return str(format_decimal(value.normalize(), format="#,##0.00", locale=locale, decimal_quantization=False))
