"""The content of a game of Pick Your Number: the next of the seeds that were fixed in advance for its chat."""

from dataclasses import replace

from fsm.engine import Clock
from fsm.lobby import OpenGame
from fsm.pick_number import FIRST_FORMAT, format_of
from play.content import ContentProvider
from storage.people import People
from storage.questions import Questions
from storage.seeds import Seeds


def content(_questions: Questions, _people: People, seeds: Seeds, _clock: Clock) -> ContentProvider:
    """Return the provider of a chat's seeds."""

    async def take(opening: OpenGame) -> OpenGame:
        if format_of(opening) == FIRST_FORMAT:  # it has no place for the number of a seed
            return opening
        return replace(opening, content=await seeds.take(opening.place.chat_id))

    async def give_back(opening: OpenGame) -> None:
        await seeds.give_back(opening.place.chat_id, opening.content)

    return ContentProvider(take, give_back)
