"""Queues, messages, move tasks and metrics of SQS."""
