"""The choice of the broker. The client of each is imported only if it is configured."""

from typing import Final
from urllib.parse import urlsplit

from bot.bridge.broker import Broker
from bot.importing import imported
from bot.settings import BridgeSection, SettingsError

BROKERS: Final = {
    "nats": ("nats", "bot.bridge.nats_jetstream"),
    "tls": ("nats", "bot.bridge.nats_jetstream"),
    "amqp": ("rabbitmq", "bot.bridge.rabbitmq"),
    "amqps": ("rabbitmq", "bot.bridge.rabbitmq"),
    "kafka": ("kafka", "bot.bridge.kafka"),
}
"""Scheme of `bridge.url` -> name of the broker, which is that of the optional dependency too, and the module."""


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
