"""The core of the service: its model and its use cases, free of every framework and vendor."""
