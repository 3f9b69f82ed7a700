"""Settings, clients, logging and the container: where everything is put together."""
