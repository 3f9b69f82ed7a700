"""Recordings on Amazon Transcribe: their voices, their words, and what is asked for them."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.aws.transcribe.transcriber import AmazonTranscribeTranscriber
from adapters.aws.transcribe.voices import VoiceLimits
from domain.model.errors import (
    AudioTooLongError,
    RecordingTooLargeError,
    TranscriberUnavailableError,
    TranscriptionFailedError,
    UnsupportedOptionError,
)
from domain.model.result_warnings import WarningCode
from domain.model.transcripts import Channels, Provenance, TranscriptionOptions
from ports.transcriber_port import Progress
from tests.contracts.transcriber_port import TranscriberPortContract
from tests.support.aws.transcribe import Amazon, mark, output_of, spoken
from tests.support.harness.service import eventually
from tests.support.samples.recordings import record, record_channels, silence, tone
from tests.unit.adapters.aws.transcribe.conftest import Build

Transcriber = AmazonTranscribeTranscriber
SEPARATE = TranscriptionOptions(channels=Channels.SEPARATE)


pytestmark = pytest.mark.slow


class TestAmazonTranscribeTranscriber(TranscriberPortContract):
    """The contract of every transcriber."""

    @pytest.fixture
    def wordless(self, account: Amazon, tmp_path: Path) -> Path:
        account.output = lambda _: output_of([])
        return record(tmp_path / "wordless.wav", tone(1.0))


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A tone of three seconds on the first channel, and one of a second on the other."""
    early = np.concatenate([tone(3.0), silence(2.0)])
    late = np.concatenate([silence(4.0), tone(1.0)])
    return record_channels(tmp_path / "call.wav", early, late)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    return record(tmp_path / "note.wav", tone(2.0))


async def test_words_have_the_times_of_the_recording(
    transcriber: Transcriber, account: Amazon, tmp_path: Path
) -> None:
    recording = record(tmp_path / "late.wav", np.concatenate([silence(32.0), tone(1.0)]))

    transcript = await transcriber.transcribe(recording)

    (segment,) = transcript.segments
    assert segment.start == pytest.approx(32.0, abs=0.3)
    assert [word.confidence for word in segment.words] == [0.98] * len(segment.words)
    assert transcript.provenance == Provenance(engine="amazon-transcribe", model="standard", language="en")
    assert account.is_empty


async def test_times_of_amazon_beyond_the_recording_are_clamped(
    transcriber: Transcriber, account: Amazon, note: Path
) -> None:
    account.output = lambda _: output_of([spoken("hello", 1.5, 2.7), spoken("again", 1.2, 1.0), mark(".")])

    (segment,) = (await transcriber.transcribe(note)).segments

    assert (segment.start, segment.end) == (1.5, 1.5)
    assert [(word.start, word.end) for word in segment.words] == [(1.5, 1.5), (1.5, 1.5)]


async def test_each_channel_is_a_job_without_speaker_labels(
    build: Build, account: Amazon, call: Path
) -> None:
    transcript = await build(max_speakers=4).transcribe(call, options=SEPARATE)

    assert len({request["TranscriptionJobName"] for request in account.requests}) == 2
    assert [request.get("Settings") for request in account.requests] == [None, None]
    assert [segment.channel for segment in transcript.segments] == [1, 2]
    assert account.is_empty


async def test_speakers_of_a_mixed_recording_are_told_apart(
    build: Build, account: Amazon, call: Path
) -> None:
    account.output = lambda _: output_of(
        [spoken("yes", 0.0, 0.5, speaker="spk_0"), spoken("no", 1.0, 1.5, speaker="spk_1")]
    )
    transcriber = build(max_speakers=4)

    transcript = await transcriber.transcribe(call)

    assert transcriber.engine.tells_speakers
    assert account.requests[0]["Settings"] == {"ShowSpeakerLabels": True, "MaxSpeakerLabels": 4}
    assert [segment.speaker for segment in transcript.segments] == ["spk_0", "spk_1"]


@pytest.mark.parametrize(
    ("setting", "option", "asked"),
    [
        (None, None, {"IdentifyLanguage": True}),
        ("de", None, {"LanguageCode": "de-DE"}),
        ("de", "nl", {"LanguageCode": "nl-NL"}),
    ],
)
async def test_the_callers_language_wins_over_the_setting(
    build: Build,
    account: Amazon,
    note: Path,
    setting: str | None,
    option: str | None,
    asked: dict[str, Any],
) -> None:
    await build(language=setting).transcribe(note, options=TranscriptionOptions(language=option))

    assert {name: account.requests[0].get(name) for name in asked} == asked
    assert ("LanguageCode" in account.requests[0]) != ("IdentifyLanguage" in account.requests[0])


async def test_channels_in_different_languages_are_told(
    transcriber: Transcriber, account: Amazon, call: Path
) -> None:
    def output(request: Any) -> bytes:
        is_first = not account.requests[1:]
        identified = [{"score": "0.75", "code": "nl-NL" if is_first else "en-GB"}]
        words = [spoken("goedemiddag" if is_first else "hi", 0.0, 1.0)]
        return output_of(
            words, language_code=identified[0]["code"], language_identification=identified, request=request
        )

    account.output = output

    transcript = await transcriber.transcribe(call, options=SEPARATE)

    assert transcript.provenance == Provenance(
        engine="amazon-transcribe", model="standard", language="nl", language_probability=0.75
    )
    (warning,) = transcript.warnings
    assert warning.code is WarningCode.SEVERAL_LANGUAGES
    assert warning.detail == "The recording is mostly in 'nl'; parts of it were heard as en."


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (TranscriptionOptions(language="xx"), "does not know the language 'xx'"),
        (TranscriptionOptions(vocabulary=("Acme",)), "takes no vocabulary"),
    ],
)
async def test_what_amazon_cannot_do_is_refused_before_anything_is_sent(
    transcriber: Transcriber, account: Amazon, note: Path, options: TranscriptionOptions, refusal: str
) -> None:
    with pytest.raises(UnsupportedOptionError, match=refusal):
        await transcriber.transcribe(note, options=options)

    assert account.calls == []


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (VoiceLimits(max_seconds=1.5), AudioTooLongError),
        (VoiceLimits(max_bytes=1000), RecordingTooLargeError),
    ],
)
async def test_what_is_too_much_for_amazon_is_refused_before_anything_is_sent(
    build: Build, account: Amazon, note: Path, limits: VoiceLimits, error: type[Exception]
) -> None:
    with pytest.raises(error, match="Amazon Transcribe takes at most"):
        await build(limits=limits).transcribe(note)

    assert account.calls == []


async def test_silence_costs_nothing(transcriber: Transcriber, account: Amazon, silent: Path) -> None:
    transcript = await transcriber.transcribe(silent)

    assert (transcript.segments, transcript.duration_seconds) == ((), 2.0)
    assert account.calls == []


async def test_sound_without_words_is_told(transcriber: Transcriber, account: Amazon, note: Path) -> None:
    account.output = lambda _: output_of([], language_code="en-US")

    transcript = await transcriber.transcribe(note)

    assert [warning.code for warning in transcript.warnings] == [WarningCode.NO_WORDS_HEARD]
    assert transcript.provenance == Provenance(engine="amazon-transcribe", model="standard")


@pytest.mark.parametrize("options", [TranscriptionOptions(), SEPARATE])
async def test_progress_never_falls_and_is_complete_at_the_end_alone(
    transcriber: Transcriber, call: Path, options: TranscriptionOptions
) -> None:
    seen: list[Progress] = []

    await transcriber.transcribe(call, options=options, on_progress=seen.append)

    done = [progress.done_seconds for progress in seen]
    assert done == sorted(done)
    assert seen[-1].done_seconds == seen[-1].total_seconds
    assert all(step.done_seconds < (step.total_seconds or np.inf) for step in seen[:-1])
    assert any(later > earlier for earlier, later in pairwise(done[-3:]))


async def test_garbage_as_output_is_an_error_and_is_removed(
    transcriber: Transcriber, account: Amazon, note: Path
) -> None:
    account.output = lambda _: b"<html>maintenance</html>"

    with pytest.raises(TranscriptionFailedError, match="cannot be read"):
        await transcriber.transcribe(note)

    assert account.is_empty


async def test_a_channel_that_fails_ends_the_job_of_the_other(
    transcriber: Transcriber, account: Amazon, call: Path
) -> None:
    account.output = lambda _: account.fail("Internal error.") if len(account.requests) == 1 else None

    with pytest.raises(TranscriptionFailedError, match=r"Internal error\."):
        await transcriber.transcribe(call, options=SEPARATE)

    await eventually(lambda: account.is_empty)
    assert transcriber.state().admitted == 0


async def test_what_keeps_all_recordings_out_shows_in_the_state_until_one_is_transcribed(
    transcriber: Transcriber, account: Amazon, note: Path
) -> None:
    account.refuse("PutObject", "AccessDenied", "no", times=1, status=403)

    with pytest.raises(TranscriberUnavailableError):
        await transcriber.transcribe(note)
    assert "AccessDenied at PutObject" in str(transcriber.state().problem)

    await transcriber.transcribe(note)
    assert transcriber.state().problem is None


async def test_a_cancelled_recording_leaves_nothing(
    transcriber: Transcriber, account: Amazon, note: Path, tmp_path: Path
) -> None:
    work = asyncio.ensure_future(transcriber.transcribe(note))
    await eventually(lambda: account.calls.count("GetTranscriptionJob") > 1)

    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await transcriber.close()

    assert account.is_empty
    assert list((tmp_path / "spool").iterdir()) == []
