"""What a consumer does with events, from what its operator asks for."""

from enum import StrEnum
from pathlib import Path

from adapters.handlers.command import CommandHandler
from adapters.handlers.function import FunctionHandler
from adapters.handlers.json_lines import JsonLinesDirectory
from adapters.handlers.partitions import PartitionedWriter
from bootstrap.extras import require
from ports.event_handler_port import EventHandlerPort


class FileFormat(StrEnum):
    """How events lie in the files of a warehouse."""

    JSONL = "jsonl"
    PARQUET = "parquet"


command_handler = CommandHandler.parse
function_handler = FunctionHandler.load


def directory_handler(root: Path, file_format: FileFormat) -> EventHandlerPort:
    """A folder of files for a warehouse, which is made where it is missing.

    Raises:
        ConfigurationError: the folder cannot be written to, or the format needs what is not installed.
    """
    folder = PartitionedWriter(root)
    handler = JsonLinesDirectory(folder) if file_format is FileFormat.JSONL else _parquet(folder)
    folder.prepare()
    return handler


def _parquet(folder: PartitionedWriter) -> EventHandlerPort:
    require("parquet", "--format parquet")
    from adapters.handlers.parquet import ParquetDirectory  # noqa: PLC0415 - an extra; slow to import, too

    return ParquetDirectory(folder)
