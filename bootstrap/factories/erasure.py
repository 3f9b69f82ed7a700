"""Factory of the eraser of transcripts."""

import logging
from collections.abc import Callable
from functools import partial

from bootstrap.factories.database import sqlite_file
from bootstrap.settings import Settings
from bootstrap.transports import has_bus
from domain.model.errors import ConfigurationError
from domain.model.events.kinds import EventKind
from domain.services.dead_letters.redrive import FindErased
from domain.services.erasure.eraser import Eraser
from domain.services.relay.relay import Relay
from ports.erasure_port import ErasurePort
from ports.payload_store_port import PayloadStorePort
from ports.recording_store_port import RecordingStorePort

logger = logging.getLogger(__name__)


def eraser_for(
    settings: Settings,
    erasures: ErasurePort,
    recordings: RecordingStorePort,
    payloads: PayloadStorePort | None,
    transport: str,
    relay: Callable[[], Relay],
) -> Eraser:
    """Build the eraser; consumers learn of erasures if `EVENT_KINDS` says so, and there is a bus."""
    announces = has_bus(transport) and EventKind.ERASED in settings.event_kinds
    return Eraser(erasures, recordings, payloads, announces=announces, wake=partial(_wake, relay))


def _wake(relay: Callable[[], Relay]) -> None:
    """Wake the relay of this process; one that cannot be built here leaves the event to the service's."""
    try:
        relay().wake()
    except ConfigurationError as error:
        logger.info("event of an erasure left to the relay of the service", extra={"reason": str(error)})


def erased_lookup(
    settings: Settings, kind: EventKind, erasures: Callable[[], ErasurePort]
) -> FindErased | None:
    """Return the lookup of erased transcripts; None where no database of the service is here, or it has none.

    A command of an operator of queues must not create the database. Events of other kinds have no transcript.
    """
    file = sqlite_file(settings.database_url)
    if kind is not EventKind.COMPLETED or (file is not None and not file.exists()):
        return None
    known = erasures()
    return None if known.is_empty() else known.erased
