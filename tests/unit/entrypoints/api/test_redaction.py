"""The service with REDACTOR=rules: personal data is in no answer, no file, no event and no log line."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from adapters.sql.schema.tables import job_units
from bootstrap.container import Container
from domain.model.errors import JobStoreUnavailableError
from domain.model.speech import HeardUnit, SpeechUnit
from domain.services.transcription.transcriber import UnitTranscriber
from entrypoints.api.app import create_app
from ports.recogniser_port import Hints
from ports.speech_source_port import SoundSummary
from tests.support.doubles.bus_faults import Cut
from tests.support.doubles.speech import FakeRecogniser, FakeSpeechSource, heard, unit_of, write_reading
from tests.support.doubles.stub_bus import StubBus
from tests.support.harness.job_api import JobCaller
from tests.support.harness.service import container_for, wait_until
from tests.support.samples.private_speech import PRIVATE

pytestmark = pytest.mark.slow

UNIT_SECONDS = 20.0
SPOKEN = [speech.text for speech in PRIVATE.values()]
DATA = [speech.data for speech in PRIVATE.values()]
Start = Callable[[str], JobCaller]
MARKERS = {speech.kind.marker for speech in PRIVATE.values()}


class HoldableRecogniser(FakeRecogniser):
    """Hears a sentence with personal data in each unit; waits in the last one until it is let go."""

    def __init__(self) -> None:
        super().__init__(lambda call: heard(SPOKEN[number_of(call.unit)], UNIT_SECONDS))
        self.may_end = threading.Event()
        self.may_end.set()

    async def recognise(
        self, unit: SpeechUnit, hints: Hints, /, *, recording: object, again: bool = False
    ) -> HeardUnit:
        if number_of(unit) == len(SPOKEN) - 1:
            await asyncio.to_thread(self.may_end.wait, 60)
        return await super().recognise(unit, hints, recording=recording, again=again)


class StartedTranscriber(UnitTranscriber):
    """Transcriber whose places need no start."""

    async def start(self) -> None:
        """Accept the call."""

    async def stop(self) -> None:
        """Accept the call."""


def number_of(unit: SpeechUnit) -> int:
    return int(unit.start_seconds / UNIT_SECONDS)


@pytest.fixture
def engine() -> HoldableRecogniser:
    return HoldableRecogniser()


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with StubBus() as bus:
        yield bus


@pytest.fixture
def start(
    tmp_path: Path,
    engine: HoldableRecogniser,
    bus: StubBus,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Start]:
    """Start a service that keeps all its files in one folder."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "botocore")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    environ = {"AWS_ENDPOINT_URL": bus.url, "EVENT_TRANSPORT": "eventbridge", "JOB_WORKERS": "1"}
    transcriber = StartedTranscriber(FakeSpeechSource(), engine, waiting_room=8)
    with ExitStack() as stack:

        def start(redactor: str) -> JobCaller:
            container = container_for(
                tmp_path / "data" / "spool",
                transcriber,
                REDACTOR=redactor,
                PUBLISH_TIMEOUT_SECONDS="3",
                **environ,
            )
            api = stack.enter_context(TestClient(create_app(container)))
            wait_until(lambda: container.breaker().held is None)
            return JobCaller(api)

        yield start


@pytest.fixture
def caller(start: Start) -> JobCaller:
    return start("rules")


@pytest.fixture
def recording(tmp_path: Path) -> bytes:
    units = [unit_of(UNIT_SECONDS * number, UNIT_SECONDS, sound=number + 1) for number in range(len(SPOKEN))]
    summary = SoundSummary(UNIT_SECONDS * len(units), is_audible=True)
    return write_reading(tmp_path / "recording", *units, summary).read_bytes()


def leaks(text: str) -> list[str]:
    return [data for data in DATA if data.casefold() in text.casefold()]


def leaks_in_files(folder: Path) -> list[str]:
    """Look into every file: database, its log, uploads."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix in {".db", ".sqlite", ".sqlite3"} for path in files), files
    return [leak for path in files for leak in leaks(path.read_bytes().decode("utf-8", "replace"))]


def leaks_on_the_bus(bus: StubBus) -> list[str]:
    assert bus.accepted
    return leaks(" ".join(str(entry["Detail"]) for entry in bus.accepted))


def is_redacted(answer: dict[str, Any]) -> bool:
    texts = [answer["raw_transcript"], answer["cleaned_transcript"], str(answer["segments"])]
    return all(marker in text for marker in MARKERS for text in texts)


def test_an_upload(
    caller: JobCaller, recording: bytes, bus: StubBus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = {"Idempotency-Key": str(uuid4())}

    answers = [caller.submit(recording, path="/batch/process", headers=key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert is_redacted(answers[0].json())
    assert answers[0].json()["event"]["status"] == "published"
    assert [leak for answer in answers for leak in leaks(answer.text)] == []
    assert leaks_on_the_bus(bus) == []
    assert leaks_in_files(tmp_path / "data") == []
    assert leaks(caplog.text) == []


def test_subtitles(caller: JobCaller, recording: bytes) -> None:
    for media_type in ("text/vtt", "application/x-subrip", "text/plain"):
        answer = caller.submit(recording, path="/batch/process", headers={"Accept": media_type})

        assert answer.status_code == 200
        assert leaks(" ".join(answer.text.split())) == []


def test_an_event_that_waits_in_the_outbox(
    caller: JobCaller, recording: bytes, bus: StubBus, tmp_path: Path
) -> None:
    bus.fail_always(Cut.RESET)

    answer = caller.submit(recording, path="/batch/process")

    assert answer.json()["event"]["status"] == "queued"
    (record,) = caller.container.outbox().records()
    assert leaks(str(record)) == []
    assert leaks_in_files(tmp_path / "data") == []


@pytest.mark.parametrize("is_preferred", [False, True], ids=["jobs", "respond-async"])
def test_a_job_at_work_and_at_its_end(
    caller: JobCaller,
    recording: bytes,
    engine: HoldableRecogniser,
    bus: StubBus,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_preferred: bool,
) -> None:
    preferred: dict[str, Any] = {"path": "/batch/process", "headers": {"Prefer": "respond-async"}}
    with held(engine):
        job = caller.submitted(recording, **preferred if is_preferred else {})
        wait_until(lambda: units_in(caller.container) == len(SPOKEN) - 1)
        at_work = leaks_in_files(tmp_path / "data")

    ended = caller.ended(job)
    answer = caller.get(ended["links"]["transcript"])
    wait_until(lambda: bool(bus.accepted))

    assert at_work == []
    assert ended["state"] == "completed"
    assert is_redacted(answer.json())
    assert leaks(answer.text) == []
    assert leaks_on_the_bus(bus) == []
    assert leaks_in_files(tmp_path / "data") == []
    assert leaks(caplog.text) == []


def test_without_a_redactor_these_tests_find_what_they_look_for(
    start: Start, recording: bytes, engine: HoldableRecogniser, bus: StubBus, tmp_path: Path
) -> None:
    caller = start("none")
    with held(engine):
        job = caller.submitted(recording)
        wait_until(lambda: units_in(caller.container) == len(SPOKEN) - 1)
        at_work = leaks_in_files(tmp_path / "data")

    answer = caller.get(caller.ended(job)["links"]["transcript"])
    wait_until(lambda: bool(bus.accepted))

    assert set(at_work) == set(DATA[:-1])
    assert (
        set(leaks(answer.text))
        == set(leaks_on_the_bus(bus))
        == set(leaks_in_files(tmp_path / "data"))
        == set(DATA)
    )


@contextmanager
def held(engine: HoldableRecogniser) -> Iterator[None]:
    engine.may_end.clear()
    try:
        yield
    finally:
        engine.may_end.set()


def units_in(container: Container) -> int:
    with container.database().reading(JobStoreUnavailableError) as connection:
        return int(connection.execute(select(func.count()).select_from(job_units)).scalar_one())


def test_without_a_redactor_nothing_is_wrapped(tmp_path: Path) -> None:
    container = container_for(
        tmp_path / "spool", UnitTranscriber(FakeSpeechSource(), FakeRecogniser(), waiting_room=1)
    )

    assert container.redaction() is None
    assert container._transcriber() is container.observed_transcriber()
    assert container._cleaner() is container.cleaner()
