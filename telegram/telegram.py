"""Everything that sends to Telegram, as one group that the composition root wires."""

from dataclasses import dataclass

from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """The Bot API and the ways to it.

    Attributes:
        api: calls the Bot API at once.
        limits: Telegram's rates, shared by all replicas.
        outbox: calls that wait for the sender, and survive a crash.
    """

    api: BotApi
    limits: Limits
    outbox: Outbox
