"""Circuit breaker, backoff, and loops in the background that survive an exception."""
