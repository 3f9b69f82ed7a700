"""What is wrong with bus, rule, target and queues."""
