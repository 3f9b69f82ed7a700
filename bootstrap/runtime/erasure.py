"""The existing stores of a service, for an operator's erasures."""

from bootstrap.container import Container
from bootstrap.runtime.outbox import require_database
from domain.services.erasure.erasure import TranscriptErasure


def existing_erasure(container: Container) -> TranscriptErasure:
    """Open the stores of the service; do not create its database.

    Raises:
        ConfigurationError: there is no such file, or `DATABASE_URL` cannot be used.
        OutboxUnavailableError: the database cannot be reached, or refuses the connection.
    """
    require_database(container.settings().database_url)
    return container.transcript_erasure()
