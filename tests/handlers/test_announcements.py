"""The two messages of a draw that players keep: sent once, never edited, sufficient to check a proof against."""

import hashlib
import json
from typing import Any

import pytest

from fsm import proof
from fsm.pick_number import PickNumberGame
from handlers.kinds.pick_number import announcements
from play.texts import Texts, units
from tests.handlers.games import every_phase, with_beacon

TEXTS = Texts()
both = pytest.mark.parametrize("locale", TEXTS.LOCALES)


def drawing(count: int, **rules: Any) -> PickNumberGame:
    return next(state for state in every_phase(count, **rules) if state.closed_at is not None)


@both
@pytest.mark.parametrize("rules", [{}, {"mode": "reverse", "winners": 3}, {"absent": "auto"}])
def test_the_opening_message_has_the_commitment_that_the_proof_has(locale: str, rules: dict[str, Any]) -> None:
    game = drawing(5, **rules)
    text = announcements.opening(game, TEXTS, locale).message.text
    commitment = hashlib.sha256(proof.canonical(json.loads(game.statement))).hexdigest()
    assert commitment in text
    assert game.id in text
    assert str(game.seed) not in text
    assert units(text) < 900


@both
def test_the_closing_message_has_digest_entries_round_and_time(locale: str) -> None:
    game = next(state for state in with_beacon() if state.closed_at is not None)
    announcement = announcements.closing(game, TEXTS, locale)
    text = announcement.message.text
    assert announcement.file is None
    assert str(game.beacon_round) in text
    assert "<tg-time" in text
    assert "<blockquote expandable>" in text
    for number in game.owners:
        assert f"{number} · " in text
    assert str(game.seed) not in text


@both
def test_a_long_list_is_a_file_whose_sha256_is_the_digest(locale: str) -> None:
    game = drawing(600, max_number=10_000, max_players=1000)
    announcement = announcements.closing(game, TEXTS, locale)
    assert announcement.file is not None
    digest = hashlib.sha256(announcement.file.encode()).hexdigest()
    assert digest in announcement.message.text
    assert units(announcement.message.text) <= 1024
