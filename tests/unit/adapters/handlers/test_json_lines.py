from pathlib import Path

import pytest

from adapters.handlers.json_lines import JsonLinesDirectory
from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.event import BatchProcessingCompleted
from tests.contracts.event_handler_port import EventHandlerPortContract, Handler
from tests.support.harness.warehouses import files, place_of
from tests.support.samples.factories import an_event


def directory(root: Path) -> JsonLinesDirectory:
    folder = PartitionedWriter(root)
    folder.prepare()
    return JsonLinesDirectory(folder)


class TestJsonLinesDirectory(EventHandlerPortContract):
    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        root = tmp_path / "warehouse"

        def handled() -> list[BatchProcessingCompleted]:
            lines = (line for file in files(root) for line in (root / file).read_bytes().splitlines())
            return [BatchProcessingCompleted.model_validate_json(line) for line in lines]

        missing = JsonLinesDirectory(PartitionedWriter(tmp_path / "missing"))
        return Handler(directory(root), handled, missing)


def test_a_file_holds_the_event_as_it_was_published_on_one_line(tmp_path: Path) -> None:
    event = an_event(raw_transcript="one\ntwo\r\n\x0b\x1c\x85\u2028three")

    directory(tmp_path).handle(ReceivedEvent(event))

    (file,) = files(tmp_path)
    content = (tmp_path / file).read_bytes()
    assert file == place_of(event, "jsonl")
    assert content == event.to_json().encode() + b"\n"
    assert content.count(b"\n") == 1
