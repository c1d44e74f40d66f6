"""The pace of a quiz: the time that a question takes at least, because Telegram limits the calls to a group."""

from fsm.quiz import QuizRules
from play.texts import Markup, Texts

CALL_MS = 3_750
"""Milliseconds for each call that showing a question takes: 16 calls a minute. The limits allow a group 17 calls a
minute that must not be left out, and one is kept free for other messages."""
AT_ONCE = 16
"""Number of calls that are made without a pace: so few do not use up a minute."""


def pace_of(rules: QuizRules, *, photos: bool = False, polls: bool = True) -> int:
    """Return the shortest time of a question with its answer, in milliseconds, in which the limits allow its calls.

    The board is edited twice; a poll is sent and stopped; a photo is sent and deleted. If a whole quiz needs few calls,
    it is not slower than its rules say.
    """
    calls = 2 + (2 if rules.polls and polls else 0) + (2 if photos else 0)
    if calls * rules.questions <= AT_ONCE:
        return min(calls * CALL_MS, rules.question_ms + rules.reveal_ms)
    return calls * CALL_MS


def note(rules: QuizRules, texts: Texts, locale: str) -> Markup | None:
    """Render the least time of a question with its answer; None if the rules' own times are not shorter."""
    least = rules.pace_ms or pace_of(rules)
    if least <= rules.question_ms + rules.reveal_ms:
        return None
    return texts.html(locale, "quiz-pace", time=texts.duration(locale, least))
