"""The faces of all kinds of games. A new kind adds its lines; ``docs/a-new-kind.md`` shows how."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from fsm.kind import Game
from handlers.kinds import lobby
from handlers.kinds.consumer import ConsumerContext, KindConsumer
from handlers.kinds.face import Face
from handlers.kinds.pick_number.face import FACE as PICK_NUMBER
from handlers.kinds.quiz.face import FACE as QUIZ
from handlers.kinds.verb import Verb

_LISTED = (
    PICK_NUMBER,
    QUIZ,
)
FACES: Mapping[str, Face] = MappingProxyType({face.kind.name: face for face in _LISTED})
"""Kind -> its face. The dialogs of ``/newgame`` and ``/settings`` begin with the first."""

VERBS: Mapping[str, Mapping[str, Verb]] = MappingProxyType(
    {name: MappingProxyType({**lobby.VERBS, **face.verbs}) for name, face in FACES.items()}
)
"""Kind -> verb in the callback data -> its effect."""

CONSUMERS: Mapping[str, Callable[[ConsumerContext], Awaitable[KindConsumer]]] = MappingProxyType(
    {name: face.consumer for name, face in FACES.items() if face.consumer is not None}
)
"""Kind -> the maker of its consumer. Its group in the feed has the kind's name."""

_BY_STATE: Mapping[type[Game], Face] = MappingProxyType({face.kind.state: face for face in FACES.values()})


def of_state(state: Game) -> Face:
    """The face of the kind that a game is of."""
    return _BY_STATE[type(state)]
