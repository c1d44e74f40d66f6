"""Proofs of draws, sent as a document that anybody can check."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fsm import pick_number, proof
from fsm.kind import Game, Rejected, UnknownGame
from fsm.lobby import COMPLETED
from handlers.incoming import Incoming
from handlers.limited_session import TooBusy
from handlers.views import pick_number as pick_number_view
from handlers.views.message import Message, send_params

PROOFS: Mapping[str, Callable[[Any], dict[str, Any]]] = {pick_number.KIND.name: pick_number.prove}
"""The kinds whose results can be proven."""
LONGEST_CAPTION = 1000
WAIT_SECONDS = 3.0
ONCE_MS = 3_600_000


@dataclass(unsafe_hash=True)
class NothingToProve(Rejected):
    """No such game, or it has no draw that is over."""


async def send_proof(incoming: Incoming, game_id: str) -> None:
    """Answer with the proof of a completed game. Raises ``NothingToProve`` and ``TooBusy``."""
    state = await _ended(incoming, game_id)
    if state is None or state.phase != COMPLETED or not isinstance(state, pick_number.PickNumberGame):
        raise NothingToProve
    document = proof.canonical(PROOFS[pick_number.KIND.name](state))
    summary = pick_number_view.proof_summary(state, incoming.deps.texts, incoming.locale)
    if not await _first_time(incoming):
        return
    if len(summary.text) > LONGEST_CAPTION:
        await incoming.show(summary)
        summary = Message("")
    await _send_document(incoming, f"proof-{game_id}.json", document, summary)


async def _ended(incoming: Incoming, game_id: str) -> Game | None:
    try:
        return (await incoming.deps.engine.look(game_id)).state
    except UnknownGame:  # Redis forgets ended games; the archive does not
        return await incoming.deps.archive.finished(game_id)


async def _first_time(incoming: Incoming) -> bool:
    """A document can't wait in the outbox, which knows what it has sent; so the update itself is remembered."""
    return bool(await incoming.deps.redis.set(f"tombola:once:{incoming.command_id}", b"1", px=ONCE_MS, nx=True))


async def _send_document(incoming: Incoming, name: str, content: bytes, caption: Message) -> None:
    chat = incoming.place.chat_id
    if not await incoming.deps.limits.acquire(chat, WAIT_SECONDS):
        raise TooBusy
    shown = send_params(caption)
    params = {
        "chat_id": chat,
        "message_thread_id": incoming.place.topic_id or None,
        "caption": shown["text"] or None,
        "parse_mode": shown.get("parse_mode"),
        "reply_markup": shown.get("reply_markup"),
        **incoming.addressed(),
    }
    given = {key: value for key, value in params.items() if value is not None}
    await incoming.deps.api.call("sendDocument", given, files={"document": (name, content)})
