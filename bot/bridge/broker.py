"""The interface of brokers. `BROKERS` names the module with each implementation, imported only if it is configured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

from bot.importing import imported
from bot.settings import BridgeSection, SettingsError

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
"""Time limit for the confirmation of a message."""
BROKERS: Final = {
    "nats": ("nats", "bot.bridge.nats_jetstream"),
    "tls": ("nats", "bot.bridge.nats_jetstream"),
    "amqp": ("rabbitmq", "bot.bridge.rabbitmq"),
    "amqps": ("rabbitmq", "bot.bridge.rabbitmq"),
    "kafka": ("kafka", "bot.bridge.kafka"),
}
"""Scheme of `bridge.url` -> name of the broker, which is that of the optional dependency too, and the module."""


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


def name_of(section: BridgeSection) -> str:
    """Return the name of the configured broker; empty without a bridge."""
    url = section.url.get_secret_value()
    return BROKERS[urlsplit(url).scheme][0] if url else ""


async def broker_of(section: BridgeSection) -> Broker:
    """Return the configured broker, not yet connected. Raises `SettingsError` if its client is not installed."""
    url = section.url.get_secret_value()
    name, module = BROKERS[urlsplit(url).scheme]
    try:
        found = await imported(module)
    except ModuleNotFoundError as missing:
        raise SettingsError(f"bridge.url: needs {missing.name}: pip install 'tombola[{name}]'") from None
    try:
        made: Broker = found.broker(url, section.topic, create=section.create)
    except ValueError as error:
        raise SettingsError(f"bridge.url: {error}") from None
    return made
