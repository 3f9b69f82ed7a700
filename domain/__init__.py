"""What the service is about: the model and the use cases, free of every framework and vendor."""
