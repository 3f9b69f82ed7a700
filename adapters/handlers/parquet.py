"""Event handler that writes Parquet files for a warehouse."""

import pyarrow as pa
import pyarrow.parquet as pq

from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.kinds import EventKind
from domain.model.events.sent import StoredEvent
from ports.event_handler_port import EventHandlerPort

_OF_EVERY_EVENT = [
    pa.field("version", pa.string(), nullable=False),
    pa.field("interaction_id", pa.string(), nullable=False),
    pa.field("user_id", pa.string(), nullable=False),
    pa.field("account_id", pa.string()),
    pa.field("timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("status", pa.string(), nullable=False),
]
SCHEMAS = {
    EventKind.COMPLETED: pa.schema(
        [
            *_OF_EVERY_EVENT,
            pa.field("raw_transcript", pa.string(), nullable=False),
            pa.field("cleaned_transcript", pa.string(), nullable=False),
        ]
    ),
    EventKind.FAILED: pa.schema(
        [
            *_OF_EVERY_EVENT,
            pa.field("reason", pa.string(), nullable=False),
            pa.field("detail", pa.string(), nullable=False),
            pa.field("retryable", pa.bool_(), nullable=False),
        ]
    ),
    EventKind.ERASED: pa.schema(
        [
            *_OF_EVERY_EVENT,
            pa.field("requested_by", pa.string(), nullable=False),
            pa.field("cause", pa.string(), nullable=False),
            pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        ]
    ),
}
"""Columns of the files of each kind of events. Tenant and day are columns by the names of the folders, as in
Hive, Spark and Athena; several engines reject a file that has them as well."""


class ParquetDirectory(EventHandlerPort):
    """Writes each event as one row in a file of its own, its data as columns; compressed with Snappy."""

    def __init__(self, folder: PartitionedWriter, kind: EventKind = EventKind.COMPLETED) -> None:
        self._folder = folder
        self._schema = SCHEMAS[kind]

    def handle(self, received: ReceivedEvent, /) -> None:
        """Write the file."""
        self._folder.write(received.event, "parquet", _file(received.event, self._schema))


def _file(event: StoredEvent, schema: pa.Schema) -> bytes:
    row = event.model_dump(include=set(schema.names)) | event.data.model_dump()
    table = pa.Table.from_pylist([row | {"interaction_id": str(event.interaction_id)}], schema=schema)
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="snappy")
    content: bytes = buffer.getvalue().to_pybytes()
    return content
