"""The example handler of erasures, on the folder of a real consumer of transcripts."""

from pathlib import Path

import pytest

from adapters.handlers.function import FunctionHandler
from adapters.handlers.json_lines import JsonLinesDirectory
from adapters.handlers.parquet import ParquetDirectory
from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.kinds import EventKind
from ports.event_handler_port import EventHandlerPort
from tests.support.harness.consumer import ConsumerHarness
from tests.support.samples.factories import an_erasure, an_event

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
MARKER = "a phrase of the recording"


@pytest.fixture
def handler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EventHandlerPort:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setenv("WAREHOUSE", str(tmp_path))
    return FunctionHandler.load("erase_copies:erase")


def files_with_texts(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and MARKER.encode() in file.read_bytes()]


def test_both_formats_of_a_transcript_are_erased_and_no_other_file(
    handler: EventHandlerPort, tmp_path: Path
) -> None:
    event, other = an_event(cleaned_transcript=MARKER), an_event(cleaned_transcript=MARKER)
    folder = PartitionedWriter(tmp_path)
    folder.prepare()
    for received in (ReceivedEvent(event), ReceivedEvent(other)):
        JsonLinesDirectory(folder).handle(received)
    ParquetDirectory(folder).handle(ReceivedEvent(event))
    erasure = an_erasure(interaction_id=event.interaction_id, tenant_id=event.tenant_id)

    handler.handle(ReceivedEvent(erasure))
    handler.handle(ReceivedEvent(erasure))

    assert [file.stem for file in files_with_texts(tmp_path)] == [str(other.interaction_id)]


@pytest.mark.parametrize("order", ["transcript first", "erasure first"])
def test_beside_a_consumer_of_transcripts_no_text_is_left_in_any_order(
    handler: EventHandlerPort, tmp_path: Path, order: str
) -> None:
    event = an_event(raw_transcript=MARKER)
    folder = PartitionedWriter(tmp_path)
    folder.prepare()
    transcripts = ConsumerHarness()
    erasures = transcripts.of_kind(EventKind.ERASED)
    transcripts.handler.does = JsonLinesDirectory(folder).handle
    erasures.handler.does = handler.handle
    transcripts.send(event)
    erasures.send(an_erasure(interaction_id=event.interaction_id, tenant_id=event.tenant_id))

    pair = (transcripts, erasures) if order == "transcript first" else (erasures, transcripts)
    for consumer in pair:
        consumer.steps(2)

    assert files_with_texts(tmp_path) == []
    assert transcripts.queue.bodies() == erasures.queue.bodies() == []
