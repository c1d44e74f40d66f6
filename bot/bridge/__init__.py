"""The bridge: publishes the events of all games to NATS JetStream, RabbitMQ or Kafka, as CloudEvents 1.0."""
