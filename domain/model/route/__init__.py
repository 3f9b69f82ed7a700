"""The route from the bus to the queue: its resources, their status, and the event that tests it."""
