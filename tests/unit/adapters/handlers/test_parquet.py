from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from adapters.handlers.parquet import SCHEMAS, ParquetDirectory
from adapters.handlers.partitions import PartitionedWriter
from domain.model.consuming.received import ReceivedEvent
from domain.model.events.event import BatchProcessingCompleted
from domain.model.events.kinds import EventKind
from tests.contracts.event_handler_port import EventHandlerPortContract, Handler
from tests.support.harness.warehouses import files, place_of
from tests.support.samples.factories import a_failure, an_erasure, an_event


def directory(root: Path) -> ParquetDirectory:
    folder = PartitionedWriter(root)
    folder.prepare()
    return ParquetDirectory(folder)


def read(root: Path) -> list[dict[str, Any]]:
    """Return the rows of the whole folder, as a warehouse reads it."""
    hive = pyarrow.dataset.partitioning(
        pa.schema([("tenant_id", pa.string()), ("day", pa.date32())]), flavor="hive"
    )
    rows: list[dict[str, Any]] = pyarrow.dataset.dataset(root, partitioning=hive).to_table().to_pylist()
    return rows


def event_of(row: dict[str, Any]) -> BatchProcessingCompleted:
    assert row["timestamp"].date() == row["day"]
    return an_event(
        interaction_id=UUID(row["interaction_id"]),
        tenant_id=UUID(row["tenant_id"]),
        user_id=row["user_id"],
        account_id=row["account_id"],
        timestamp=row["timestamp"],
        raw_transcript=row["raw_transcript"],
        cleaned_transcript=row["cleaned_transcript"],
    )


class TestParquetDirectory(EventHandlerPortContract):
    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        root = tmp_path / "warehouse"
        missing = ParquetDirectory(PartitionedWriter(tmp_path / "missing"))
        return Handler(directory(root), lambda: [event_of(row) for row in read(root)], missing)


def test_the_types_are_those_that_were_promised(tmp_path: Path) -> None:
    event = an_event(timestamp=datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC))

    directory(tmp_path).handle(ReceivedEvent(event))

    (file,) = files(tmp_path)
    assert file == place_of(event, "parquet")
    table = pq.ParquetFile(tmp_path / file).read()
    assert table.schema.equals(SCHEMAS[EventKind.COMPLETED])
    assert table.schema.field("timestamp").type == pa.timestamp("us", tz="UTC")
    assert table["timestamp"].to_pylist() == [event.timestamp]
    assert (table["version"].to_pylist(), table["status"].to_pylist()) == (["1.0"], ["completed"])


def test_tenant_and_day_are_columns_by_the_names_of_the_folders_alone(tmp_path: Path) -> None:
    directory(tmp_path).handle(ReceivedEvent(an_event()))

    (file,) = files(tmp_path)
    assert not {"tenant_id", "day"} & set(pq.ParquetFile(tmp_path / file).schema_arrow.names)
    assert {"tenant_id", "day"} <= set(read(tmp_path)[0])


def test_files_with_and_without_an_account_are_one_table(tmp_path: Path) -> None:
    handler = directory(tmp_path)
    for account in (None, "account-9"):
        handler.handle(ReceivedEvent(an_event(account_id=account)))

    assert {row["account_id"] for row in read(tmp_path)} == {None, "account-9"}


def test_the_same_event_makes_the_same_bytes(tmp_path: Path) -> None:
    event = an_event()
    contents = set()
    for count in (1, 2):
        directory(tmp_path).handle(ReceivedEvent(event, receive_count=count))
        contents.add((tmp_path / place_of(event, "parquet")).read_bytes())

    assert len(contents) == 1


def test_a_failed_event_has_its_reason_in_place_of_transcripts(tmp_path: Path) -> None:
    failure = a_failure(detail="No sound.", retryable=True)
    folder = PartitionedWriter(tmp_path)
    folder.prepare()

    ParquetDirectory(folder, EventKind.FAILED).handle(ReceivedEvent(failure))

    (file,) = files(tmp_path)
    (row,) = read(tmp_path)
    assert file.endswith(f"/{failure.interaction_id}.failed.parquet")
    assert (row["status"], row["reason"], row["detail"], row["retryable"]) == (
        "failed",
        "undecodable-audio",
        "No sound.",
        True,
    )
    assert pq.ParquetFile(tmp_path / file).read().schema.equals(SCHEMAS[EventKind.FAILED])


def test_an_erasure_has_its_cause_in_place_of_transcripts(tmp_path: Path) -> None:
    erasure = an_erasure(requested_by="operator:alice")
    folder = PartitionedWriter(tmp_path)
    folder.prepare()

    ParquetDirectory(folder, EventKind.ERASED).handle(ReceivedEvent(erasure))

    (file,) = files(tmp_path)
    (row,) = read(tmp_path)
    assert file.endswith(f"/{erasure.interaction_id}.erased.parquet")
    assert (row["status"], row["requested_by"], row["cause"], row["at"]) == (
        "erased",
        "operator:alice",
        "request",
        erasure.data.at,
    )
    assert pq.ParquetFile(tmp_path / file).read().schema.equals(SCHEMAS[EventKind.ERASED])
