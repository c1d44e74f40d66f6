"""How the calls that belong to a tap reach Telegram: within its rates, as everything else does.

The answer to a tap costs no rate and goes out at once. What only shows something waits in the outbox, where a later
edit of the same message takes the place of an earlier one. Where the tap's answer depends on what becomes of a call,
the call is made now; for want of room within the rates it counts as refused.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from loguru import logger

from handlers.kinds.verb import Tap
from handlers.taps import Call
from telegram.answers import call_again
from telegram.client import BotApi, RetryAfter
from telegram.limits import Limits, Priority, budget_of
from telegram.outbox import Outbox, Outgoing

COUNTED: Final = frozenset({"sendMessage", "editMessageText", "editEphemeralMessageText"})
"""Calls that spend Telegram's rates."""
WAIT_SECONDS = 4.0
"""How long a tap may wait for room: people look at a button meanwhile, and Telegram forgets a tap after 15 s."""


class NoRoom(Exception):
    """The rates allow no such call soon."""


class TapCalls:
    """Makes the calls of taps.

    Args:
        api: for what goes out at once.
        limits: the rates.
        outbox: for what may wait.
    """

    def __init__(self, api: BotApi, limits: Limits, outbox: Outbox) -> None:
        self._api = api
        self._limits = limits
        self._outbox = outbox

    async def carry_out(self, tap: Tap, calls: Sequence[Call]) -> None:
        """Make the calls that belong to a tap, in order, and what follows from how each went."""
        for number, call in enumerate(calls):
            try:
                following = await self._carry(tap, call, number)
            except Exception as refused:  # noqa: BLE001 -- the tap is done; what can't be shown is shown otherwise, or not
                logger.debug("{} was refused: {}", call.method, refused)
                following = call.otherwise
            if following is not None:
                await self.carry_out(tap, (following,))

    async def answer(self, reply: Mapping[str, Any]) -> None:
        """Make the call that a webhook's reply would name by its ``method``."""
        try:
            await call_again(
                self._api, reply["method"], {name: value for name, value in reply.items() if name != "method"}
            )
        except Exception as refused:  # noqa: BLE001 -- too late, or Telegram is away: what the answer says is true anyway
            logger.debug("{} was refused: {}", reply["method"], refused)

    async def _carry(self, tap: Tap, call: Call, number: int) -> Call | None:
        """Make one call, or let it wait. Returns what follows; raises what the Bot API client raises, and NoRoom."""
        if call.method not in COUNTED:
            await call_again(self._api, call.method, call.params)
        elif call.then is None and call.otherwise is None:
            await self._outbox.put(_outgoing(tap, call, number))
        else:
            await self._now(call)
        return call.then

    async def _now(self, call: Call) -> None:
        chat_id = call.params["chat_id"]
        budget = budget_of(call.method, call.params)
        async with self._limits.room(chat_id, WAIT_SECONDS, priority=Priority.ANSWER, budget=budget) as room:
            if not room:
                raise NoRoom
            try:
                await self._api.call(call.method, call.params)
            except RetryAfter as refused:  # everybody's such calls to that chat wait, not only this one
                await self._limits.penalise(chat_id, refused.seconds, budget)
                raise


def _outgoing(tap: Tap, call: Call, number: int) -> Outgoing:
    """The call as it waits. Edits of one message share a slot; what others see too goes before an ephemeral edit."""
    params = {name: value for name, value in call.params.items() if name != "chat_id"}
    edited = params.get("message_id") or params.get("ephemeral_message_id")
    return Outgoing(
        id=f"{tap.command_id}:calls:{number}",
        chat_id=tap.chat_id,
        method=call.method,
        params=params,
        priority=Priority.COSMETIC if "ephemeral_message_id" in params else Priority.NORMAL,
        slot=None if edited is None else f"own:{tap.chat_id}:{'e' * ('message_id' not in params)}{edited}",
        created_at=tap.received,
        trace=tap.trace,
    )
