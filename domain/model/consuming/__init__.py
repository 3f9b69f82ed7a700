"""What a consumer knows of an event: how it was received, and who works on it."""
