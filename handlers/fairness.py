"""Sending the proof of a draw, as a document that anybody can verify."""

from dataclasses import dataclass
from typing import Any

from fsm import proof
from fsm.kind import Game, Rejected, UnknownGame
from fsm.lobby import CANCELLED, COMPLETED
from handlers.context import UpdateContext
from handlers.kinds.registry import of_state
from handlers.limited_session import TooBusy
from handlers.views.message import send_params
from play.access import Needs
from storage.connections import POSTGRES_GONE

FINAL = frozenset({COMPLETED, CANCELLED})
WAIT_SECONDS = 3.0


@dataclass(unsafe_hash=True)
class NothingToProve(Rejected):
    """The game does not exist, or has no finished draw."""


async def send_proof(context: UpdateContext, game_id: str) -> None:
    """Answer with the proof of a finished draw as a document, and its summary as the caption.

    The call does not go through the outbox, so it is made now or not at all. Raises ``NothingToProve``, ``TooBusy`` and
    the refusals of `Access`.
    """
    state = await _ended(context, game_id)
    if state is None:
        raise NothingToProve
    await context.authorise(Needs.LOOK, state)
    face = of_state(state)
    if face.prove is None or state.phase not in FINAL:
        raise NothingToProve
    try:
        proven = face.prove(state)
    except ValueError:  # cancelled before its draw
        raise NothingToProve from None
    if "log" in proven:  # only the bot can ask the log, so its part is filled in here, and the checksum made again
        proven = proof.seal({**proven, "log": await _in_log(context, game_id)})
    document = proof.canonical(proven)
    chat = context.chat_topic.chat_id
    summary = send_params(face.proof_summary(state, context.deps.play.texts, context.locale))
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


async def _ended(context: UpdateContext, game_id: str) -> Game | None:
    try:
        return (await context.deps.play.engine.look(game_id)).state
    except UnknownGame:  # Redis forgets ended games; the archive does not
        return await context.deps.stores.archive.finished(game_id)


async def _in_log(context: UpdateContext, game_id: str) -> dict[str, Any] | None:
    """Return the proof that the public log includes the game; None if it does not yet, or PostgreSQL is away."""
    try:
        return await context.deps.stores.log.proof_of(game_id, context.deps.play.clock.now())
    except POSTGRES_GONE:
        return None
