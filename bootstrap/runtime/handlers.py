"""Factory of event handlers, by the operator's options."""

from enum import StrEnum
from pathlib import Path

from adapters.handlers.command import CommandHandler
from adapters.handlers.function import FunctionHandler
from adapters.handlers.json_lines import JsonLinesDirectory
from adapters.handlers.output import stdout_on_stderr
from adapters.handlers.partitions import PartitionedWriter
from bootstrap.extras import require
from domain.model.events.kinds import EventKind
from ports.event_handler_port import EventHandlerPort


class FileFormat(StrEnum):
    """Format of the files for a warehouse."""

    JSONL = "jsonl"
    PARQUET = "parquet"


prints_on_stderr = stdout_on_stderr
command_handler = CommandHandler.parse
function_handler = FunctionHandler.load


def directory_handler(
    root: Path, file_format: FileFormat, kind: EventKind = EventKind.COMPLETED
) -> EventHandlerPort:
    """Build a handler that writes files of one kind of events for a warehouse, and create its folder.

    Raises:
        ConfigurationError: the folder is not writable, or the format needs a missing package.
    """
    folder = PartitionedWriter(root)
    handler = JsonLinesDirectory(folder) if file_format is FileFormat.JSONL else _parquet(folder, kind)
    folder.prepare()
    return handler


def _parquet(folder: PartitionedWriter, kind: EventKind) -> EventHandlerPort:
    require("parquet", "--format parquet")
    from adapters.handlers.parquet import ParquetDirectory  # noqa: PLC0415 - an extra, and slow to import

    return ParquetDirectory(folder, kind)
