"""Celery: rings for jobs over Redis, RabbitMQ and SQS, and workers that hear them."""
