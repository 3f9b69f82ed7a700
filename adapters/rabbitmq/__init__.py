"""RabbitMQ: publishes events."""
