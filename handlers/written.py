"""Numbers and moments as messages show them. Words are the locales' business."""

from datetime import UTC, datetime
from decimal import Decimal

from fsm.kind import Instant
from handlers.texts import Markup


def moment(at: Instant, form: str = "dt") -> Markup:
    """Telegram's own date-time entity: everybody reads it in their own time zone. ``at`` in ms."""
    seconds = at // 1000
    plain = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Markup(f'<tg-time unix="{seconds}" format="{form}">{plain}</tg-time>')


def amount(value: Decimal) -> str:
    """Without the zeros that say nothing: ``12.50`` as it is, ``12.00`` as ``12``."""
    return str(value.quantize(Decimal(1))) if value == value.to_integral_value() else f"{value:f}"
