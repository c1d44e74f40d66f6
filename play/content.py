"""Content that a kind of game needs beside its rules, such as a quiz's questions. It is taken when a game is opened."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fsm.engine import Engine, Outcome
from fsm.kind import Instant, Rejected
from fsm.lobby import OpenGame


@dataclass(unsafe_hash=True)
class NoQuestions(Rejected):
    """No question matches the host's choice of pack, categories and difficulty."""


@dataclass(frozen=True, slots=True)
class ContentProvider:
    """The source of a kind's content.

    Attributes:
        take: takes content for a game to be opened, and returns the command with the content and with rules that fit
            it. Raises ``Rejected`` if no content fits.
        give_back: releases the content of a game that was not opened after all, so that another game can take it.
    """

    take: Callable[[OpenGame], Awaitable[OpenGame]]
    give_back: Callable[[OpenGame], Awaitable[None]]


ContentProviders = Mapping[str, ContentProvider]
"""Kind -> its provider. Kinds without content are absent."""


async def open_with_content(
    engine: Engine, providers: ContentProviders, opening: OpenGame, *, command_id: str, received: Instant
) -> Outcome:
    """Open a game with the content of its kind. Raises the refusals of the provider and of the engine."""
    provider = providers.get(opening.kind)
    if provider is None:
        return await engine.execute(opening.game_id, opening, command_id=command_id, received=received)
    supplied = await provider.take(opening)
    try:
        outcome = await engine.execute(opening.game_id, supplied, command_id=command_id, received=received)
    except Rejected:  # after Unavailable the game may be open, so its content stays taken
        await provider.give_back(supplied)
        raise
    if outcome.duplicate:  # the first command's content is in the game, this second lot is surplus
        await provider.give_back(supplied)
    return outcome
