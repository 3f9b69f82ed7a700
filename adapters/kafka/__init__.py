"""Kafka: publishes events."""
