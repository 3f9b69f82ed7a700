"""What runs in a process: the relay, a consumer, the outbox of a tool."""
