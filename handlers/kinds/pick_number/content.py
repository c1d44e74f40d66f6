"""The content of a game of Pick Your Number: the next of the seeds that were fixed in advance for its chat."""

from fsm.engine import Clock
from fsm.kind import ChatTopic
from fsm.pick_number import NumberedSeed, PickNumberRules
from play.content import ContentProvider
from storage.people import People
from storage.questions import Questions
from storage.seeds import Seeds


def content(_questions: Questions, _people: People, seeds: Seeds, _clock: Clock) -> ContentProvider:
    """Return the provider of a chat's seeds."""

    async def take(
        chat_topic: ChatTopic, rules: PickNumberRules, _game_id: str
    ) -> tuple[PickNumberRules, NumberedSeed | None]:
        return rules, await seeds.take(chat_topic.chat_id)

    async def give_back(chat_topic: ChatTopic, seed: NumberedSeed | None, _game_id: str) -> None:
        await seeds.give_back(chat_topic.chat_id, seed)

    return ContentProvider(take, give_back)
