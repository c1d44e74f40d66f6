"""Players' own boards: when a game goes on, the messages that show them are edited, so that none is left out of date.

A player's board in the private chat is edited at every step. An ephemeral one in the group counts towards what Telegram
allows the group, so it is edited at the end only; until then a tap on it brings it up to date.
"""

from collections.abc import Mapping
from typing import Any

from fsm.kind import Game
from fsm.lobby import CANCELLED, COMPLETED
from handlers.audience import audience_of
from handlers.kinds.registry import of_state
from handlers.views.message import send_params
from play.texts import Texts
from storage.own_boards import OwnBoardIndex, OwnBoardMessage
from storage.people import People
from telegram.limits import Priority
from telegram.outbox import Outbox, Outgoing
from telegram.sender import Outcome, Settled

OWN, EDIT = "own", "own-edit"
AT_ONCE = 20
"""Ephemeral boards of a game that wait in the outbox at a time; a chat's queue there is bounded."""
STALE_MS = 900_000
"""Age at which an edit of an own board is no longer made."""


def own_id(game_id: str, command_id: str) -> str:
    """Return the id in the outbox of a message with an own board."""
    return f"{OWN}:{game_id}:{command_id}"


def replaced(game_id: str, board: OwnBoardMessage, now: int) -> Outgoing:
    """Return the call that deletes an own board after its player has opened another one in the same chat."""
    params = {"message_id": board.message_id}
    if board.ephemeral:
        params = {"receiver_user_id": board.player_id, "ephemeral_message_id": board.message_id}
    return Outgoing(
        id=f"own-gone:{game_id}:{board.chat_id}:{board.ephemeral}:{board.message_id}",
        chat_id=board.chat_id,
        method="deleteEphemeralMessage" if board.ephemeral else "deleteMessage",
        params=params,
        priority=Priority.COSMETIC,
        created_at=now,
        expires_at=now + STALE_MS,
    )


class OwnBoards:
    """Brings the players' own boards of a game up to date."""

    def __init__(self, index: OwnBoardIndex, outbox: Outbox, texts: Texts, people: People) -> None:
        self._index = index
        self._outbox = outbox
        self._texts = texts
        self._people = people

    async def refresh(self, game: Game, version: int, now: int) -> None:
        """Edit the players' own boards of a game."""
        over = game.phase in {COMPLETED, CANCELLED}
        boards = await self._index.of(game.id)
        ephemeral = [board for board in boards if board.ephemeral][:AT_ONCE] if over else []
        private = [board for board in boards if not board.ephemeral]
        if private or ephemeral:
            edits = [await self._edit(game, version, board, now) for board in (*private, *ephemeral)]
            await self._outbox.put_many(edits)

    async def sent(self, outgoing: Outgoing, outcome: Outcome, now: int) -> None:
        """Note an own board that was sent in a private chat, and delete the one before it."""
        if outcome.settled is not Settled.SENT or outcome.message_id is None:
            return
        game_id = outgoing.id.split(":")[1]
        board = OwnBoardMessage(outgoing.chat_id, outgoing.chat_id, outcome.message_id, ephemeral=False)
        # Telegram refuses an edit that changes nothing, so the next one is compared with the content that was sent.
        await self._outbox.adopt(_editing(board, outgoing.params, outgoing.id, now), outcome.message_id)
        before = await self._index.opened(game_id, board)
        if before is not None and before != board:
            await self._outbox.put(replaced(game_id, before, now))

    async def edited(self, outgoing: Outgoing, outcome: Outcome, game: Game | None, version: int, now: int) -> None:
        """Forget an own board that shows the end of its game or is gone, and edit the next one.

        ``game`` is None if the game is no longer kept.
        """
        if outcome.settled is Settled.MIGRATED:
            return
        _, game_id, player, _ = outgoing.id.split(":")
        gone = outcome.settled not in {Settled.SENT, Settled.EDITED, Settled.DONE, Settled.UNCHANGED}
        if gone or game is None or game.phase in {COMPLETED, CANCELLED}:
            ephemeral = "ephemeral_message_id" in outgoing.params
            id_ = outgoing.params["ephemeral_message_id" if ephemeral else "message_id"]
            await self._index.forget(game_id, OwnBoardMessage(int(player), outgoing.chat_id, id_, ephemeral=ephemeral))
            if ephemeral and game is not None:
                await self.refresh(game, version, now)

    async def _edit(self, game: Game, version: int, board: OwnBoardMessage, now: int) -> Outgoing:
        chosen = await self._people.locale_of_player(board.player_id)
        locale = chosen or (await audience_of(self._people, game.place.chat_id)).locale
        message = of_state(game).own_board(game, board.player_id, self._texts, locale)
        return _editing(board, send_params(message), f"{EDIT}:{game.id}:{board.player_id}:{version}", now)


def _editing(board: OwnBoardMessage, params: Mapping[str, Any], id_: str, now: int) -> Outgoing:
    """Return the edit that gives an own board the content of these parameters of ``sendMessage``."""
    where: dict[str, Any] = {"message_id": board.message_id}
    if board.ephemeral:
        where = {"receiver_user_id": board.player_id, "ephemeral_message_id": board.message_id}
    return Outgoing(
        id=id_,
        chat_id=board.chat_id,
        method="editEphemeralMessageText" if board.ephemeral else "editMessageText",
        params={**where, **params},
        priority=Priority.COSMETIC,
        # The slot of the edits after a tap (handlers/tap_calls.py), so that the later edit of both is made.
        slot=f"own:{board.chat_id}:{'e' * board.ephemeral}{board.message_id}",
        created_at=now,
        expires_at=now + STALE_MS,
    )
