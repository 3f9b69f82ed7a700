"""JSON Lines files for a warehouse."""

from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from ports.event_handler_port import EventHandlerPort


class JsonLinesDirectory(EventHandlerPort):
    """Writes each event, as schema 1.0 has it, as the one line of a file of its own."""

    def __init__(self, folder: PartitionedWriter) -> None:
        self._folder = folder

    def handle(self, received: ReceivedEvent, /) -> None:
        """Write the file; a line break in a text is escaped, so that the event is one line."""
        self._folder.write(received.event, "jsonl", f"{received.to_json()}\n".encode())
