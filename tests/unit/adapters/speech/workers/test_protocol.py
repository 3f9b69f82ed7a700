"""Messages between the service and a worker: round trips, and invalid lines."""

import os
from pathlib import Path

import pytest

from adapters.speech.workers.protocol import (
    MAX_MESSAGE_CHARACTERS,
    MAX_TRACE_CHARACTERS,
    MAX_UNIT_BYTES,
    Advanced,
    Cut,
    Failed,
    Message,
    ReadJob,
    ReadToEnd,
    Ready,
    Recognised,
    UnitJob,
    parse_job,
    parse_message,
)
from domain.model.engines import EngineDescription
from domain.model.errors import NotAudioError, TranscriberCrashedError, UndecodableAudioError
from domain.model.result_warnings import ResultWarning, WarningCode
from domain.model.transcripts import Channels, TranscriptionOptions
from tests.support.doubles.speech import heard, unit_of

ENGINE = EngineDescription(name="e", model="m", languages=frozenset({"en", "de"}), finds_language=True)
WARNING = ResultWarning(code=WarningCode.SEVERAL_TRACKS, detail="Two tracks.")


@pytest.mark.parametrize("name", [b"plain.wav", b"caf\xe9.wav", "café.wav".encode(), b'"\\n\n{}.wav'])
def test_a_job_carries_file_names_of_any_bytes(name: bytes) -> None:
    options = TranscriptionOptions(channels=Channels.SEPARATE)
    job = ReadJob(recording=Path(os.fsdecode(b"/recordings/" + name)), max_audio_seconds=9.0, options=options)

    line = job.to_line()

    assert line.count(b"\n") == 1
    assert parse_job(line) == job


def test_a_job_carries_what_is_known_of_a_unit() -> None:
    job = UnitJob(size=32_000, language="de", vocabulary=("Grünwald", "Köln\u2028"), again=True)

    line = job.to_line()

    assert line.count(b"\n") == 1
    assert parse_job(line) == job


@pytest.mark.parametrize("name", ["plain.wav", "zz", 7, None])
def test_a_job_whose_recording_is_no_path_in_hex_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match="recording"):
        ReadJob.model_validate({"recording": name, "max_audio_seconds": 9.0})


@pytest.mark.parametrize(
    "message",
    [
        Ready(),
        Ready(engine=ENGINE),
        Advanced(done_seconds=1.5, total_seconds=None),
        Cut.of(unit_of(3, 28, track=1, channel=2)),
        ReadToEnd(duration_seconds=9.0, is_audible=True, warnings=(WARNING,)),
        Recognised(heard=heard("hello\nthere")),
        Failed.of(NotAudioError("no sound")),
        Failed.of(ZeroDivisionError(), message="broken", trace="Traceback…"),
    ],
    ids=lambda message: message.kind,
)
def test_a_message_arrives_as_it_was_sent_on_one_line(message: Message) -> None:
    line = message.to_line()

    assert line.count(b"\n") == 1
    assert parse_message(line) == message


def test_a_unit_arrives_with_its_samples() -> None:
    unit = unit_of(3, 28, track=1, channel=2)
    message = parse_message(Cut.of(unit).to_line())

    assert isinstance(message, Cut)
    assert message.size == len(unit.samples) <= MAX_UNIT_BYTES
    assert message.with_samples(unit.samples) == unit


@pytest.mark.parametrize(
    "line",
    [
        b'{"kind": "advanced", "done_seconds": NaN, "total_seconds": 1}',
        b'{"kind": "advanced", "done_seconds": 1, "total_seconds": Infinity}',
        b'{"kind": "advanced", "done_seconds": -1, "total_seconds": 1}',
        b'{"kind": "read-to-end", "duration_seconds": -1, "is_audible": true, "warnings": []}',
        b'{"kind": "read-to-end", "duration_seconds": NaN, "is_audible": true, "warnings": []}',
        b'{"kind": "recognised", "heard": {"segments": [{"start": NaN, "end": 1, "text": ""}]}}',
        b'{"kind": "recognised", "heard": {"segments": [{"start": 0, "end": 1, "text": 7}]}}',
        b'{"kind": "recognised", "heard": {"language_probability": Infinity}}',
        b'{"kind": "failed", "error": "NotAudioError", "message": "%s"}' % (b"x" * 501),
        b'{"kind": "failed", "error": "%s", "message": ""}' % (b"x" * 501),
        b'{"kind": "failed", "error": "NotAudioError", "message": "", "trace": "%s"}' % (b"x" * 20_001),
        b'{"kind": "failed", "error": "NotAudioError", "message": "", "more": ""}',
        b'{"kind": "rewarded"}',
    ],
    ids=lambda line: line[:60].decode(),
)
def test_figures_and_texts_beyond_their_bounds_are_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="validation error"):
        parse_message(line)


def test_an_error_about_an_answer_does_not_quote_its_words() -> None:
    line = b'{"kind": "recognised", "heard": {"segments": [{"start": "soon", "end": 1, "text": "a secret"}]}}'

    with pytest.raises(ValueError, match="validation error") as refused:
        parse_message(line)

    assert "secret" not in str(refused.value)


def test_a_failure_is_cut_to_the_room_there_is() -> None:
    failed = Failed.of(UndecodableAudioError("x" * 1_000), trace="begin" + "y" * 30_000 + "end")

    assert failed.message == "x" * MAX_MESSAGE_CHARACTERS
    assert len(failed.trace) == MAX_TRACE_CHARACTERS
    assert failed.trace.endswith("end")


def test_a_failure_may_tell_of_what_is_no_text() -> None:
    failed = Failed.of(OSError("caf\udce9.wav"), trace="caf\udce9.wav")

    assert parse_message(failed.to_line()) == failed


def test_a_failure_becomes_the_error_it_names_where_a_worker_may_name_it() -> None:
    assert isinstance(Failed.of(NotAudioError("a letter")).to_error(), NotAudioError)
    assert isinstance(Failed.of(ZeroDivisionError()).to_error(), TranscriberCrashedError)
