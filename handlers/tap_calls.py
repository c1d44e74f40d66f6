"""The Bot API calls that belong to a tap, made within Telegram's rate limits.

The answer to a tap costs no rate and is made at once. A call that only shows something goes through the outbox, where a
later edit of a message replaces an earlier one. If the tap's answer depends on the result of a call, that call is made
now; if the limits have no room for it, it counts as refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loguru import logger

from handlers.kinds.verb import Tap
from handlers.own_boards import own_id, replaced
from handlers.taps import Call
from storage.own_boards import OwnBoardIndex, OwnBoardMessage
from telegram.answers import call_again
from telegram.client import BotApi, RetryAfter
from telegram.limits import Limits, Priority, budget_of
from telegram.outbox import Outbox, Outgoing

COUNTED: Final = frozenset({"sendMessage", "editMessageText", "editEphemeralMessageText"})
"""Methods that count towards Telegram's rate limits."""
WAIT_SECONDS = 4.0
"""Time that a call waits for room within the limits. Telegram accepts the answer to a tap for 15 seconds."""


class NoRoom(Exception):
    """The limits had no room for the call within ``WAIT_SECONDS``."""


class TapCalls:
    """Makes the calls that belong to taps.

    Args:
        api: makes calls at once.
        limits: Telegram's rate limits.
        outbox: takes the calls that may wait.
        own_boards: the own boards that players have open.
    """

    def __init__(self, api: BotApi, limits: Limits, outbox: Outbox, own_boards: OwnBoardIndex) -> None:
        self._api = api
        self._limits = limits
        self._outbox = outbox
        self._own_boards = own_boards

    async def carry_out(self, tap: Tap, calls: Sequence[Call]) -> None:
        """Make the calls of a tap in order, each followed by its ``then`` or ``otherwise``."""
        for number, call in enumerate(calls):
            try:
                following = await self._carry(tap, call, number)
            except Exception as refused:  # noqa: BLE001 -- the command is durable; `otherwise` shows it in another way
                logger.debug("{} was refused: {}", call.method, refused)
                following = call.otherwise
            if following is not None:
                await self.carry_out(tap, (following,))

    async def answer(self, reply: Mapping[str, Any]) -> None:
        """Make the call that the body of a webhook's HTTP reply describes: its ``method``, and its parameters."""
        try:
            await call_again(
                self._api, reply["method"], {name: value for name, value in reply.items() if name != "method"}
            )
        except Exception as refused:  # noqa: BLE001 -- too late, or Telegram is away; the command is durable
            logger.debug("{} was refused: {}", reply["method"], refused)

    async def _carry(self, tap: Tap, call: Call, number: int) -> Call | None:
        """Make one call or put it into the outbox, and return the call that follows.

        Raises the Bot API client's errors and ``NoRoom``.
        """
        if call.method not in COUNTED:
            await call_again(self._api, call.method, call.params)
        elif call.then is None and call.otherwise is None:
            await self._outbox.put(_outgoing(tap, call, number))
        else:
            await self._now(tap, call)
        return call.then

    async def _now(self, tap: Tap, call: Call) -> None:
        chat_id = call.params["chat_id"]
        budget = budget_of(call.method, call.params)
        async with self._limits.room(chat_id, WAIT_SECONDS, priority=Priority.ANSWER, budget=budget) as room:
            if not room:
                raise NoRoom
            try:
                sent = await self._api.call(call.method, call.params)
            except RetryAfter as refused:  # a 429 holds for all processes
                await self._limits.penalise(chat_id, refused.seconds, budget)
                raise
        if call.own and "ephemeral_message_id" in sent:
            board = OwnBoardMessage(tap.user_id, chat_id, sent["ephemeral_message_id"], ephemeral=True)
            before = await self._own_boards.opened(call.own, board)
            if before is not None:
                await self._outbox.put(replaced(call.own, before, tap.received))


def _outgoing(tap: Tap, call: Call, number: int) -> Outgoing:
    """Return the call as the outbox takes it.

    Edits of one message share a slot. An ephemeral edit answers one person: it comes after content for the whole group
    and before the group's progress.
    """
    params = {name: value for name, value in call.params.items() if name != "chat_id"}
    edited = params.get("message_id") or params.get("ephemeral_message_id")
    return Outgoing(
        id=own_id(call.own, tap.command_id) if call.own else f"{tap.command_id}:calls:{number}",
        chat_id=tap.chat_id,
        method=call.method,
        params=params,
        priority=Priority.ANSWER if "ephemeral_message_id" in params else Priority.NORMAL,
        slot=None if edited is None else f"own:{tap.chat_id}:{'e' * ('message_id' not in params)}{edited}",
        created_at=tap.received,
        trace=tap.trace,
    )
