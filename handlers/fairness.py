"""Sending the proof of a draw, as a document that anybody can verify."""

from handlers.context import UpdateContext
from handlers.kinds.registry import of_state
from handlers.limited_session import TooBusy
from handlers.views.message import send_params
from play.access import Needs

WAIT_SECONDS = 3.0


async def send_proof(context: UpdateContext, game_id: str) -> None:
    """Answer with the proof of a finished draw as a document, and its summary as the caption.

    The call does not go through the outbox, so it is made now or not at all. Raises ``NothingToProve``, ``TooBusy`` and
    the refusals of `Access`.
    """
    proofs = context.deps.play.proofs
    state = await proofs.ended(game_id)
    await context.authorise(Needs.LOOK, state)
    document = await proofs.document(state)
    chat = context.chat_topic.chat_id
    summary = send_params(of_state(state).proof_summary(state, context.deps.play.texts, context.locale))
    params = {
        "chat_id": chat,
        "message_thread_id": context.chat_topic.topic_id or None,
        "caption": summary["text"],
        "parse_mode": summary["parse_mode"],
        "reply_markup": summary.get("reply_markup"),
        **context.addressed(),
    }
    given = {name: value for name, value in params.items() if value is not None}
    async with context.deps.telegram.limits.room(chat, WAIT_SECONDS) as room:
        if not room:
            raise TooBusy
        await context.deps.telegram.api.call(
            "sendDocument", given, files={"document": (f"proof-{game_id}.json", document)}
        )
