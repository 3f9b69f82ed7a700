"""The resources of the route: bus, rule, target, queues and archive."""
