"""Objects of other layers filled from the settings: rules of games, rates of sending."""

from typing import Any

from bot.settings import SECTIONS, Settings
from fsm.pick_number import Beacon
from telegram.limits import Rates, Window


def rules_of(settings: Settings, beacon: Beacon | None) -> dict[str, Any]:
    """Return kind -> the rules of a new game, which its chat or host may change."""
    return {name: settings.games.of(name).rules(beacon) for name in SECTIONS}


def rates_of(settings: Settings) -> Rates:
    """Return the configured rates of Telegram. The windows keep their safety margins."""
    telegram, usual = settings.telegram, Rates()
    return Rates(
        overall=_scaled(usual.overall, telegram.send_rate / 30),
        chat=_scaled(usual.chat, telegram.chat_rate),
        group=_scaled(usual.group, telegram.group_per_minute / 20),
    )


def _scaled(windows: tuple[Window, ...], by: float) -> tuple[Window, ...]:
    scaled = []
    for window in windows:
        urgent, normal, answer, cosmetic = (max(1, int(count * by)) for count in window.counts)
        scaled.append(Window(window.ms, (urgent, normal, answer, cosmetic)))
    return tuple(scaled)
