"""RabbitMQ as a broker: a durable topic exchange; the routing key has the kind and the event."""

import contextlib
import logging
from typing import TYPE_CHECKING

import aio_pika
from aio_pika.exceptions import AMQPError, DeliveryError, PublishError

from bot.bridge.broker import ANSWER_SECONDS, CONNECT_SECONDS, BrokerAway, Message

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange

GONE = (AMQPError, OSError, TimeoutError, RuntimeError)
"""Errors of a connection or channel that is closed or can't be opened. A closed channel raises RuntimeError."""

logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # the bridge reports the same problems, once for each attempt


class RabbitMQ:
    """An exchange of RabbitMQ.

    Args:
        url: address of the broker, as AMQP writes it.
        topic: name of the exchange, and of the queue that `create` makes.
        create: True to make the exchange and a durable queue that gets all its messages.
    """

    def __init__(self, url: str, topic: str, *, create: bool) -> None:
        self._url = url
        self._topic = topic
        self._create = create
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    async def open(self) -> str:
        """Connect, unless connected. Returns the names of exchange and queue."""
        if self._exchange is not None and self._connected:
            return "connected"
        await self.close()
        try:
            # Not `connect_robust`: the bridge tries again by its own rules.
            self._connection = await aio_pika.connect(
                self._url, timeout=CONNECT_SECONDS, client_properties={"connection_name": "tombola"}
            )
            self._channel = channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            if self._create:
                exchange = await channel.declare_exchange(self._topic, aio_pika.ExchangeType.TOPIC, durable=True)
                queue = await channel.declare_queue(self._topic, durable=True)
                await queue.bind(exchange, "#")
            else:
                exchange = await channel.get_exchange(self._topic, ensure=True)
        except GONE as problem:
            raise BrokerAway(f"{type(problem).__name__}: {problem}") from problem
        self._exchange = exchange
        return f"RabbitMQ, exchange {self._topic}" + (f" with queue {self._topic}" if self._create else "")

    @property
    def _connected(self) -> bool:
        connection, channel = self._connection, self._channel
        return connection is not None and channel is not None and not connection.is_closed and not channel.is_closed

    async def publish(self, message: Message) -> None:
        """Return when the broker has confirmed the message. Without any queue for it, it is not lost but waits."""
        if self._exchange is None or not self._connected:
            raise BrokerAway("not connected")
        made = aio_pika.Message(
            message.body,
            message_id=message.id,
            content_type=message.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            app_id="tombola",
            headers={
                "partitionkey": message.key,
                **{f"ce-{name}": value for name, value in message.attributes.items()},
            },
        )
        try:
            # Mandatory: a broker confirms even a message for which there is no queue, and drops it.
            await self._exchange.publish(made, message.name, mandatory=True, timeout=ANSWER_SECONDS)
        except DeliveryError as problem:
            if isinstance(problem, PublishError):
                self._exchange = None  # the queue was deleted while the connection lasted: `open` makes it again
            raise BrokerAway(f"no queue takes {message.name}: {type(problem).__name__}") from problem
        except GONE as problem:
            raise BrokerAway(f"{type(problem).__name__}: {problem}") from problem

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel, self._exchange = self._connection, None, None, None
        if connection is not None:
            with contextlib.suppress(*GONE):
                await connection.close()


def broker(url: str, topic: str, *, create: bool) -> RabbitMQ:
    """Return the broker of a URL such as `amqp://user:password@host:5672/vhost`."""
    return RabbitMQ(url, topic, create=create)
