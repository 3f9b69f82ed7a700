"""The service's operation over HTTP: outbox, route and dead letters."""
