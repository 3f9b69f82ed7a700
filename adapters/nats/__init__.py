"""NATS JetStream: publishes events."""
