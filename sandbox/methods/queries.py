"""Answers to taps."""

from aiogram.methods import AnswerCallbackQuery

from sandbox.calls import handles
from sandbox.errors import OLD_QUERY, ApiError, bad
from sandbox.world import QUERY_SECONDS, World

MOST_CHARACTERS = 200


@handles(AnswerCallbackQuery)
async def answer_callback_query(world: World, call: AnswerCallbackQuery) -> bool:
    """Show the toast or alert to the person who tapped. Works once for each query, within 15 seconds."""
    text = call.text or ""
    if len(text) > MOST_CHARACTERS:
        raise bad("MESSAGE_TOO_LONG")
    query = world.queries.get(call.callback_query_id)
    if query is None or query.answered:
        raise bad(OLD_QUERY)
    if world.now() - query.date > QUERY_SECONDS:
        world.taps["late"] += 1
        raise ApiError(400, OLD_QUERY, wrong=False)
    own = (f"t.me/{world.bot.username}?", f"https://t.me/{world.bot.username}?", "tg://resolve?")
    if call.url and not call.url.startswith(own):
        raise bad("URL_INVALID")
    query.answered = True
    world.taps["answered"] += 1
    answer = {"text": text, "show_alert": bool(call.show_alert), "url": call.url}
    if not query.answer.done():
        query.answer.set_result(answer)
    world.changes.tell("answer", chat=query.chat_id, user=query.user_id, query=query.id, **answer)
    return True
