"""The estimate of when a place is free, from the progress of the recordings at work."""

import asyncio
from pathlib import Path

import pytest

from domain.model.errors import TranscriberBusyError
from domain.services.transcription.transcriber import UnitTranscriber
from domain.services.transcription.workload import MAX_RETRY_AFTER_SECONDS, Workload
from ports.speech_source_port import SoundSummary
from ports.transcriber_port import Progress
from tests.support.doubles.speech import FakeRecogniser, FakeSpeechSource, unit_of, write_reading
from tests.support.harness.service import eventually


class Clock:
    """Clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_recording_a_place_is_free_at_once() -> None:
    assert Workload(Clock()).retry_after_seconds() == 1


def test_the_rest_takes_as_long_a_second_as_the_part_that_is_done() -> None:
    clock = Clock()
    workload = Workload(clock)
    with workload.tracking(None) as listener:
        clock.now += 30
        listener(Progress(100.0, 600.0))

        assert workload.retry_after_seconds() == 150


def test_the_recording_that_is_done_first_decides() -> None:
    clock = Clock()
    workload = Workload(clock)
    with workload.tracking(None) as long, workload.tracking(None) as short:
        clock.now += 40
        long(Progress(100.0, 600.0))
        short(Progress(100.0, 150.0))

        assert workload.retry_after_seconds() == 20


def test_a_long_recording_that_has_just_begun_takes_minutes() -> None:
    workload = Workload(Clock())
    with workload.tracking(None) as listener:
        listener(Progress(0.0, 600.0))

        assert 30 <= workload.retry_after_seconds() <= MAX_RETRY_AFTER_SECONDS


def test_a_busy_machine_shows_before_much_is_done() -> None:
    clock = Clock()
    workload = Workload(clock)
    with workload.tracking(None) as listener:
        listener(Progress(10.0, 110.0))
        clock.now += 40

        assert 100 < workload.retry_after_seconds() <= MAX_RETRY_AFTER_SECONDS


def test_a_recording_of_unknown_length_takes_as_long_again() -> None:
    clock = Clock()
    workload = Workload(clock)
    with workload.tracking(None):
        clock.now += 7

        assert workload.retry_after_seconds() == 7


def test_no_caller_is_sent_away_for_hours() -> None:
    workload = Workload(Clock())
    with workload.tracking(None) as listener:
        listener(Progress(0.0, 14_400.0))

        assert workload.retry_after_seconds() == MAX_RETRY_AFTER_SECONDS


def test_finished_recordings_do_not_count() -> None:
    clock = Clock()
    workload = Workload(clock)
    with workload.tracking(None) as listener:
        clock.now += 100
        listener(Progress(100.0, 600.0))

    assert workload.retry_after_seconds() == 1


def test_progress_is_passed_on() -> None:
    seen: list[Progress] = []
    with Workload(Clock()).tracking(seen.append) as listener:
        listener(Progress(1.0, 2.0))

    assert seen == [Progress(1.0, 2.0)]


async def test_a_caller_who_is_refused_learns_it_from_the_progress_of_the_recordings_at_work(
    tmp_path: Path,
) -> None:
    clock, recogniser = Clock(), FakeRecogniser()
    recogniser.may_answer.clear()
    steps = (Progress(60.0, 600.0), unit_of(60), SoundSummary(600.0, is_audible=True))
    recording = write_reading(tmp_path / "recording", *steps)
    transcriber = UnitTranscriber(FakeSpeechSource(), recogniser, waiting_room=0, clock=clock)

    at_work = asyncio.ensure_future(transcriber.transcribe(recording))
    await eventually(lambda: recogniser.calls)
    clock.now += 10  # for a tenth of the recording
    with pytest.raises(TranscriberBusyError) as busy:
        transcriber.check_capacity()
    recogniser.may_answer.set()
    await at_work

    assert busy.value.retry_after_seconds == 90
