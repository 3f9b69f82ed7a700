"""Event handler that writes JSON Lines files for a warehouse."""

from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from ports.event_handler_port import EventHandlerPort


class JsonLinesDirectory(EventHandlerPort):
    """Writes each event as JSON of schema 1.0, one line in a file of its own."""

    def __init__(self, folder: PartitionedWriter) -> None:
        self._folder = folder

    def handle(self, received: ReceivedEvent, /) -> None:
        """Write the file; line breaks in texts are escaped, so the event is one line."""
        self._folder.write(received.event, "jsonl", f"{received.to_json()}\n".encode())
