"""The consumer: receives messages, has them handled, and acknowledges them."""
