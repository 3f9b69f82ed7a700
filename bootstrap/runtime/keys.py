"""The existing API keys of a service, for operators' commands."""

from bootstrap.container import Container
from bootstrap.runtime.outbox import require_database
from domain.services.api_keys import ApiKeyService
from ports.api_keys_port import ApiKeysPort


def existing_keys(container: Container) -> ApiKeysPort:
    """Open the keys of the service; do not create their database.

    A key in a database that the service does not read would prove nothing.

    Raises:
        ConfigurationError: there is no such file, or `DATABASE_URL` cannot be used.
        OutboxUnavailableError: the database cannot be reached, or refuses the connection.
    """
    require_database(container.settings().database_url)
    return container.api_keys()


def existing_key_service(container: Container) -> ApiKeyService:
    """Open the keys of the service, as `existing_keys` does, to issue others."""
    existing_keys(container)
    return container.api_key_service()
