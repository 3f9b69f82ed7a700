"""Parts that a process runs: the relay, a consumer, the outbox of a command."""
