"""Native polls and quizzes."""

import string
from typing import Any

from aiogram.methods import SendPoll, StopPoll

from sandbox.calls import handles
from sandbox.errors import ApiError, bad
from sandbox.markup import checked_markup
from sandbox.methods.common import formatted, unix, writable_chat
from sandbox.methods.messages import send
from sandbox.render import poll_json
from sandbox.state import Json, Poll
from sandbox.world import World

LONGEST_DESCRIPTION = 1024
LONGEST = 2_628_000
SHORTEST = 5


def _options(call: SendPoll) -> list[Json]:
    if not 1 <= len(call.options) <= 12:
        raise bad("poll must have at least 1 option" if not call.options else "poll can't have more than 12 options")
    options: list[Json] = []
    for number, option in enumerate(call.options):
        text = option if isinstance(option, str) else option.text
        if not text.strip():
            raise bad("poll options must be non-empty")
        if len(text.strip()) > 100:
            raise bad("poll options length must not exceed 100")
        options.append({"persistent_id": str(number), "text": text.strip()})
    return options


def _quiz(world: World, call: SendPoll, count: int) -> tuple[list[int], Json]:
    """Return the indexes of the correct options, and the explanation of a quiz."""
    correct = call.correct_option_ids
    if correct is None and call.correct_option_id is not None:
        correct = [call.correct_option_id]
    if call.type != "quiz":
        if correct is not None or call.explanation:
            raise bad("correct option and explanation are for quizzes only")
        return [], {}
    if not correct or correct != sorted(set(correct)) or not all(0 <= index < count for index in correct):
        raise bad("wrong correct option ID specified")
    if len(correct) > 1 and not call.allows_multiple_answers:
        raise bad("wrong correct option ID specified")
    explanation = formatted(world, call.explanation or "", call.explanation_parse_mode, call.explanation_entities)
    if len(explanation.text) > 200:
        raise bad("explanation is too long")
    if explanation.text.count("\n") > 2:
        raise bad("explanation contains too many line feeds")
    return correct, explanation.fields("explanation", "explanation_entities")


def _description(world: World, call: SendPoll, options: list[Json]) -> Json:
    """Return the description of a poll. Checks the fields that only some polls may have."""
    if call.allow_adding_options and (call.type == "quiz" or call.is_anonymous is not False):
        raise bad("options can't be added to anonymous polls and quizzes")
    if call.members_only or call.country_codes:
        raise bad("voting can be limited in channels only")
    if call.media is not None or call.explanation_media is not None:
        raise bad("the sandbox has no media in polls")
    if call.type == "quiz" and call.allows_revoting:
        raise bad("votes in quizzes can't be changed")
    if len({option["text"] for option in options}) < len(options):
        raise bad("poll options must be different")
    description = formatted(world, call.description or "", call.description_parse_mode, call.description_entities)
    if len(description.text) > LONGEST_DESCRIPTION:
        raise bad("poll description is too long")
    return description.fields("description", "description_entities") if description.text else {}


def _closing(world: World, call: SendPoll) -> int | None:
    """Return the time when the poll closes by itself, in unix seconds."""
    close_at = unix(call.close_date, world.now())
    if call.open_period is not None and close_at is not None:
        raise bad("open_period and close_date can't be used together")
    if call.open_period is not None:
        if not SHORTEST <= call.open_period <= LONGEST:
            raise bad("wrong open period specified")
        return int(world.now()) + call.open_period
    if close_at is not None and not SHORTEST <= close_at - world.now() <= LONGEST:
        raise bad("wrong close date specified")
    return close_at


@handles(SendPoll)
async def send_poll(world: World, call: SendPoll) -> Json:
    """Send a poll or a quiz."""
    question = formatted(world, call.question, call.question_parse_mode, call.question_entities)
    if not question.text:
        raise bad("poll question must be non-empty")
    if len(question.text) > 300:
        raise bad("poll question length must not exceed 300")
    if call.type not in (None, "quiz", "regular"):
        raise bad("unsupported poll type specified")
    options = _options(call)
    correct, explanation = _quiz(world, call, len(options))
    description = _description(world, call, options)
    close_at = _closing(world, call)
    chat = writable_chat(world, call.chat_id, "polls")
    poll = Poll(
        id="".join(world.rng.choices(string.digits, k=19)),
        chat_id=chat.id,
        message_id=chat.last_message_id + 1,
        question=question.fields("question", "question_entities"),
        options=options,
        type=call.type or "regular",
        is_anonymous=call.is_anonymous is not False,
        allows_multiple_answers=bool(call.allows_multiple_answers),
        allows_revoting=(call.type != "quiz") if call.allows_revoting is None else call.allows_revoting,
        hide_results=bool(call.hide_results_until_closes),
        correct=correct,
        explanation=explanation,
        description=description,
        shuffled=bool(call.shuffle_options),
        open_period=call.open_period,
        close_at=close_at,
        is_closed=bool(call.is_closed),
    )
    world.add_poll(poll)
    try:
        return send(world, chat, call, {"poll": {}}, poll_id=poll.id)
    except ApiError:
        world.forget_poll(poll)
        raise


@handles(StopPoll)
async def stop_poll(world: World, call: StopPoll) -> Any:
    """Close the bot's poll and return its final state."""
    chat = writable_chat(world, call.chat_id, "polls")
    message = chat.messages.get(call.message_id)
    if message is None or message.poll_id is None:
        raise bad("message with poll to stop not found")
    poll = world.polls[message.poll_id]
    if message.sender != world.bot_id:
        raise bad("poll can't be stopped")
    if poll.is_closed:
        raise bad("poll has already been closed")
    markup = checked_markup(call.reply_markup, chat)
    world.limits.spend(chat.id, group=chat.is_group)  # closing edits the message
    message.markup = markup
    world.close_poll(poll)
    return poll_json(poll)
