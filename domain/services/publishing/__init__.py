"""Publishing: from a finished transcript to the outbox and the first attempt on the bus."""
