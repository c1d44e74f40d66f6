"""Moments as messages show them. Words are the locales' business."""

from datetime import UTC, datetime

from fsm.kind import Instant
from handlers.views.message import date_time
from play.texts import Markup


def moment(at: Instant, form: str = "r") -> Markup:
    """Telegram's own date-time entity, which everybody reads in their own time zone."""
    seconds = at // 1000
    return Markup(date_time(seconds, datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC"), form))
