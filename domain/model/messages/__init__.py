"""Messages of a queue: live, stored in an archive, and dead-lettered."""
