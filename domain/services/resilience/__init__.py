"""Resilience: circuit breaker, backoff, and background loops that survive an exception."""
