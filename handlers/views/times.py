"""Rendering of points in time in messages."""

from datetime import UTC, datetime

from fsm.kind import Instant
from play.texts import Markup, date_time


def moment(at: Instant, form: str = "r") -> Markup:
    """Return Telegram's date-time entity, which apps show in the reader's time zone. ``form``: see ``date_time``."""
    seconds = at // 1000
    return Markup(date_time(seconds, datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC"), form))
