"""Composition of the service: settings, clients, logging and the container."""
