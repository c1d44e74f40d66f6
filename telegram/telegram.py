"""The objects that send to Telegram, grouped for the composition root."""

from dataclasses import dataclass

from telegram.client import BotApi
from telegram.limits import Limits
from telegram.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """The Bot API and its queue.

    Attributes:
        api: makes calls at once.
        limits: Telegram's rates, shared by all processes.
        outbox: calls that wait for the sender and survive a crash.
    """

    api: BotApi
    limits: Limits
    outbox: Outbox
