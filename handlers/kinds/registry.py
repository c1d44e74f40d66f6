"""The faces of all kinds of games. A new kind is added here; ``docs/a-new-kind.md`` is the tutorial."""

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
"""Name of a kind -> its face. The dialogs of ``/newgame`` and ``/settings`` begin with the first kind."""

VERBS: Mapping[str, Mapping[str, Verb]] = MappingProxyType(
    {name: MappingProxyType({**lobby.VERBS, **face.verbs}) for name, face in FACES.items()}
)
"""Name of a kind -> verb in the callback data -> its effect, with the verbs of the lobby."""

CONSUMERS: Mapping[str, Callable[[ConsumerContext], Awaitable[KindConsumer]]] = MappingProxyType(
    {name: face.consumer for name, face in FACES.items() if face.consumer is not None}
)
"""Name of a kind -> the function that makes its consumer. The consumer's group in the feed has the same name."""

_BY_STATE: Mapping[type[Game], Face] = MappingProxyType({face.kind.state: face for face in FACES.values()})


def of_state(state: Game) -> Face:
    """Return the face of a game's kind."""
    return _BY_STATE[type(state)]
