"""Seasons: their length in a chat, and their names."""

from play.telling import SEASON, SEASON_MONTH, told
from storage.people import People
from storage.periods import MONTH, QUARTER, bounds, length_of


async def season_length(people: People, chat_id: int) -> str:
    """Return the length of a chat's seasons, `MONTH` or `QUARTER`; a quarter for all chats together (0)."""
    chat = await people.chat(chat_id) if chat_id else None
    return MONTH if chat is not None and told(chat.settings, SEASON) == SEASON_MONTH else QUARTER


def season_name(locale: str, season: str) -> str:
    """Return a season as people read it, such as "4th quarter 2026" or "November 2026"."""
    from babel.dates import format_date  # noqa: PLC0415 -- slow to import, and rarely needed

    pattern = "QQQQ y" if length_of(season) == QUARTER else "LLLL y"
    return str(format_date(bounds(season)[0].date(), pattern, locale=locale))
