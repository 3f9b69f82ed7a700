"""The route from the bus to the queue: verify it, and replay events through it."""
