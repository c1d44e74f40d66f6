"""What a kind of game is played with beside its rules, taken when a game is opened: a quiz's questions."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Instant, Rejected
from fsm.lobby import OpenGame


@dataclass(frozen=True, slots=True)
class ContentProvider:
    """Where a kind's content comes from.

    Attributes:
        take: given the place and the rules, returns the rules as they can be played and the content for them.
            Raises ``Rejected`` if there is none.
        give_back: given the place and the content of a game that is not played, makes that content free again.
    """

    take: Callable[[ChatTopic, Any], Awaitable[tuple[Any, Any]]]
    give_back: Callable[[ChatTopic, Any], Awaitable[None]]


ContentProviders = Mapping[str, ContentProvider]
"""By kind; kinds that need nothing are not in it."""


async def open_with_content(
    engine: Engine, supplies: ContentProviders, opening: OpenGame, *, command_id: str, received: Instant
) -> Outcome:
    """Open a game with what its kind is played with. Raises what the engine raises."""
    supply = supplies.get(opening.kind)
    if supply is None:
        return await engine.execute(opening.game_id, opening, command_id=command_id, received=received)
    rules, content = await supply.take(opening.place, opening.rules)
    supplied = replace(opening, rules=rules, content=content)
    try:
        outcome = await engine.execute(opening.game_id, supplied, command_id=command_id, received=received)
    except Rejected:
        await supply.give_back(opening.place, content)
        raise
    if outcome.duplicate:
        await supply.give_back(opening.place, content)
    return outcome
