"""Time zones of chats: the chat's setting, a short list to choose from, and a search by name, city or offset."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from babel.core import Locale, get_global

from fsm.kind import Instant, Rejected

TIME_ZONE: Final = "time_zone"
"""Name of the chat setting."""
OFFERED: Final = (
    "Europe/London", "Europe/Madrid", "Europe/Berlin", "Europe/Kyiv", "Europe/Istanbul", "Europe/Moscow",
    "Asia/Yekaterinburg", "Asia/Almaty", "Asia/Tashkent", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney", "America/Sao_Paulo", "America/Argentina/Buenos_Aires", "America/New_York", "America/Bogota",
    "America/Mexico_City", "America/Chicago", "America/Los_Angeles",
)  # fmt: skip
"""The zones that a form offers without a search."""
MOST_FOUND: Final = 12
LONGEST: Final = 64
"""Longest name of a zone, and longest search, in characters."""
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-−])\s*(\d{1,2})(?::?([0-5]\d))?", re.IGNORECASE)
_AREAS = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/",
          "Pacific/")  # fmt: skip


@dataclass(unsafe_hash=True)
class UnknownTimeZone(Rejected):
    """The database of time zones has no zone of that name."""


@cache
def known_zones() -> frozenset[str]:
    """Return the names of all zones of places, old names included, and UTC."""
    return frozenset({"UTC", *(name for name in available_timezones() if name.startswith(_AREAS))})


@cache
def places() -> frozenset[str]:
    """Return the names of all zones under which people look for them: without old names, such as Asia/Calcutta."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return frozenset({"UTC", *(row[2] for row in rows)}) & known_zones()


def check_zone(name: str) -> str:
    """Return the name of a zone. Raises ``UnknownTimeZone``."""
    if name not in known_zones():
        raise UnknownTimeZone
    return name


def zone_of(settings: Mapping[str, Any], default: str) -> str:
    """Return the name of a chat's time zone, by its settings."""
    name = settings.get(TIME_ZONE)
    return name if isinstance(name, str) and name in known_zones() else default


@cache
def city(name: str, locale: str) -> str:
    """Return the city of a zone in a language, such as Мадрид for Europe/Madrid in Russian."""
    return _cities(locale).get(name) or name.rpartition("/")[2].replace("_", " ")


@cache
def _cities(locale: str) -> Mapping[str, str]:
    """Return the cities that a language has a name of its own for, by zone; CLDR lists some under old names."""
    named = {zone: names["city"] for zone, names in Locale.parse(locale).time_zones.items() if "city" in names}
    return {new: named[old] for old, new in get_global("zone_aliases").items() if old in named} | named


def offset(name: str, at: Instant) -> str:
    """Return the offset of a zone at an instant, such as ``UTC+5:30``."""
    minutes = _minutes(name, at)
    hours, rest = divmod(abs(minutes), 60)
    sign = "" if minutes == 0 else "+" if minutes > 0 else "−"
    return f"UTC{sign}{hours or ''}{f':{rest:02}' if rest else ''}" if minutes else "UTC"


def short_offset(name: str, at: Instant) -> str:
    """Return the offset of a zone at an instant in few characters, such as ``+5:30``, for a button."""
    return offset(name, at).removeprefix("UTC") or "+0"


def search(text: str, locale: str, at: Instant) -> list[str]:
    """Return the zones that a text means, best first: by offset from UTC, by name, or by the city in the language."""
    wanted = text.strip()[:LONGEST]
    found = _OFFSET.fullmatch(wanted)
    if found is not None:
        minutes = (int(found[2]) * 60 + int(found[3] or 0)) * (1 if found[1] == "+" else -1)
        return _first(name for name in _usual() if _minutes(name, at) == minutes)
    words = _folded(wanted)
    if not words:
        return []
    ranked = sorted(
        (rank, name not in OFFERED, name) for name in places() if (rank := _rank(words, name, locale)) is not None
    )
    return [name for _, _, name in ranked[:MOST_FOUND]]


def _usual() -> list[str]:
    """Return all zones, those that are offered first."""
    return [*OFFERED, *sorted(places() - {*OFFERED})]


def _first(names: Iterable[str]) -> list[str]:
    return [name for name, _ in zip(names, range(MOST_FOUND), strict=False)]


def _rank(words: str, name: str, locale: str) -> int | None:
    """Return how well a zone fits a search, 0 for best; None if it does not."""
    texts = [_folded(name), _folded(name.rpartition("/")[2]), _folded(city(name, locale))]
    if words in texts:
        return 0
    if any(text.startswith(words) for text in texts):
        return 1
    return 2 if any(words in text for text in texts) else None


def _folded(text: str) -> str:
    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[_/-]", " ", plain).casefold().split())


def _minutes(name: str, at: Instant) -> int:
    there = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(name))
    return int((there.utcoffset() or timedelta()).total_seconds()) // 60
