"""Messages of a queue: received, archived, and dead-lettered."""
