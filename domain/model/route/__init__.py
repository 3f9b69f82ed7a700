"""The route from the bus to the queue: its parts, their status, and the event that tests it."""
