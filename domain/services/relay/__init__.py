"""The relay: delivers the events of the outbox in batches, as fast as bus and route allow."""
