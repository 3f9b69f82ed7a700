"""Parts that the adapters of message brokers share."""
