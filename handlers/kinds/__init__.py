"""What taps do in each kind of game: verbs of its own beside those that every kind shares.

A new kind adds its file and its line to ``VERBS``.
"""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.kinds import lobby
from handlers.kinds.pick_number import verbs as pick_number
from handlers.kinds.quiz import verbs as quiz
from handlers.kinds.verb import Verb

VERBS: Mapping[str, Mapping[str, Verb]] = MappingProxyType(
    {
        "pick_number": MappingProxyType({**lobby.VERBS, **pick_number.VERBS}),
        "quiz": MappingProxyType({**lobby.VERBS, **quiz.VERBS}),
    }
)
"""Kind -> verb in the callback data -> what it does."""
