"""The relay: delivers what the outbox keeps, in batches, as fast as bus and route allow."""
