"""The transcriber on Amazon Transcribe, built from settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.aws.clients import AwsAccess
from bootstrap.capacity import worker_count
from bootstrap.factories.amazon_transcribe import AmazonTranscriber
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError
from tests.support.aws.transcribe import BUCKET, Amazon, amazon
from tests.support.samples.recordings import record, speech


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    with amazon(looks=0) as running:
        monkeypatch.setattr(AwsAccess, "session", property(lambda _: running.session))
        yield running


def settings(tmp_path: Path, **environ: str) -> Settings:
    own = {"TRANSCRIBER": "amazon-transcribe", "TRANSCRIBE_BUCKET": BUCKET, "AWS_REGION": "eu-central-1"}
    return Settings.from_env({**own, "SPOOL_DIR": str(tmp_path / "spool"), **environ})


def built(tmp_path: Path, **environ: str) -> AmazonTranscriber:
    transcriber = transcriber_for(settings(tmp_path, **environ))
    assert isinstance(transcriber, AmazonTranscriber)
    return transcriber


@pytest.mark.usefixtures("account")
def test_recordings_that_wait_for_amazon_take_no_process(tmp_path: Path) -> None:
    transcriber = built(tmp_path, TRANSCRIBER_WORKERS="40", TRANSCRIBER_WAITING_ROOM="10")

    assert transcriber.state().slots == 40
    assert transcriber.state().capacity == 50
    assert len(transcriber.readers.workers) == min(40, worker_count())


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("speakers", "are_told"), [("0", False), ("2", True), ("30", True)])
def test_speakers_are_told_apart_on_request(tmp_path: Path, speakers: str, *, are_told: bool) -> None:
    assert built(tmp_path, TRANSCRIBE_SPEAKERS=speakers).engine.tells_speakers is are_told


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("TRANSCRIBE_BUCKET", "", "needs TRANSCRIBE_BUCKET: a bucket of yours in eu-central-1"),
        (
            "TRANSCRIBER_LANGUAGE",
            "xx",
            "TRANSCRIBER_LANGUAGE='xx': Amazon Transcribe does not know it, but ab, ",
        ),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(
    tmp_path: Path, variable: str, value: str, complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        built(tmp_path, **{variable: value})


@pytest.mark.process
async def test_a_recording_is_read_in_a_process_and_transcribed_by_a_job(
    account: Amazon, tmp_path: Path
) -> None:
    recording = record(tmp_path / "call.wav", speech())
    transcriber = built(tmp_path, TRANSCRIBER_WORKERS="1", TRANSCRIBER_LANGUAGE="de")
    await transcriber.start()
    try:
        transcript = await transcriber.transcribe(recording)
    finally:
        await transcriber.stop()

    assert transcript.segments
    assert transcript.segments[-1].end <= transcript.duration_seconds
    assert account.requests[0]["LanguageCode"] == "de-DE"
    assert account.is_empty
