"""The interface of brokers, with its messages and failures. `brokers.py` chooses the implementation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
"""Time limit for the confirmation of a message."""


class BrokerAway(Exception):
    """The broker can't be reached, or has not confirmed a message in time: try again later."""


class MessageRefused(Exception):
    """The broker does not take this message, whenever it is sent."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a broker.

    Attributes:
        id: its id, the same however often it is published.
        key: messages with the same key stay in order; the game's id.
        name: kind and name of the event, with a point in between.
        content_type: the type of the body.
        body: the body.
        attributes: attributes of CloudEvents for headers, without the prefix of the protocol; empty if the body has
            them.
    """

    id: str
    key: str
    name: str
    content_type: str
    body: bytes
    attributes: Mapping[str, str]


class Broker(Protocol):
    """A connection to a broker. Its methods raise `BrokerAway`."""

    async def open(self) -> str:
        """Connect, unless connected. Returns a description for operators."""

    async def publish(self, message: Message) -> None:
        """Return when the broker has stored the message. Raises `MessageRefused`."""

    async def close(self) -> None:
        """Close the connection; `open` makes a new one."""
