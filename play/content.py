"""Content that a kind of game needs beside its rules, such as a quiz's questions. It is taken when a game is opened."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fsm.engine import Engine, Outcome
from fsm.kind import ChatTopic, Instant, Rejected
from fsm.lobby import OpenGame


@dataclass(unsafe_hash=True)
class NoQuestions(Rejected):
    """No question matches the host's choice of pack, categories and difficulty."""


@dataclass(frozen=True, slots=True)
class ContentProvider:
    """The source of a kind's content.

    Attributes:
        take: takes content for the rules in a place and the game with an id, and returns the rules, adjusted to the
            content, and the content. Raises ``Rejected`` if no content fits.
        give_back: releases the content of a game that was not opened after all, so that another game can take it.
    """

    take: Callable[[ChatTopic, Any, str], Awaitable[tuple[Any, Any]]]
    give_back: Callable[[ChatTopic, Any, str], Awaitable[None]]


ContentProviders = Mapping[str, ContentProvider]
"""Kind -> its provider. Kinds without content are absent."""


async def open_with_content(
    engine: Engine, providers: ContentProviders, opening: OpenGame, *, command_id: str, received: Instant
) -> Outcome:
    """Open a game with the content of its kind. Raises the refusals of the provider and of the engine."""
    provider = providers.get(opening.kind)
    if provider is None:
        return await engine.execute(opening.game_id, opening, command_id=command_id, received=received)
    rules, content = await provider.take(opening.place, opening.rules, opening.game_id)
    supplied = replace(opening, rules=rules, content=content)
    try:
        outcome = await engine.execute(opening.game_id, supplied, command_id=command_id, received=received)
    except Rejected:  # after Unavailable the game may be open, so its content stays taken
        await provider.give_back(opening.place, content, opening.game_id)
        raise
    if outcome.duplicate:  # the first command's content is in the game, this second lot is surplus
        await provider.give_back(opening.place, content, opening.game_id)
    return outcome
