"""What the configuration makes of other layers' shapes: rules of games, rates of sending."""

from decimal import Decimal
from typing import Any

from bot.settings import Lobby, Settings
from fsm.pick_number import Beacon, PickNumberRules
from fsm.quiz import QuizRules
from telegram.limits import Rates, Window


def rules_of(settings: Settings, beacon: Beacon | None) -> dict[str, Any]:
    """Kind -> the rules that a game begins with, unless its chat or host sets others."""
    pick, quiz = settings.games.pick_number, settings.games.quiz
    return {
        "pick_number": PickNumberRules(
            **_lobby(pick),
            winners=pick.winners,
            prize_pool=pick.prize_pool,
            absent=pick.absent,
            selection_ms=_ms(pick.selection_seconds),
            reveal_ms=_ms(pick.reveal_seconds),
            range_multiplier=Decimal(str(pick.range_multiplier)),
            max_number=pick.max_number,
            beacon=beacon,
        ),
        "quiz": QuizRules(
            **_lobby(quiz),
            questions=quiz.questions,
            question_ms=_ms(quiz.question_seconds),
            reveal_ms=_ms(quiz.reveal_seconds),
        ),
    }


def _lobby(lobby: Lobby) -> dict[str, Any]:
    return {
        "min_players": lobby.min_players,
        "max_players": lobby.max_players,
        "lobby_ms": _ms(lobby.lobby_seconds),
        "join_ms": _ms(lobby.join_seconds),
    }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def rates_of(settings: Settings) -> Rates:
    """Telegram's limits as configured; the windows keep their safety margins."""
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
