import json

import pytest

from bootstrap.embedded_aws import embedded_aws
from domain.model.events import BatchProcessingCompleted
from tests.commands import transcripts
from tests.recordings import DEMO_TEXT


def test_the_demo_goes_from_the_recording_to_its_consumer() -> None:
    result = transcripts("demo", "--json")

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    event = BatchProcessingCompleted.model_validate_json(json.dumps(report["message"]["detail"]))
    assert report["answer"]["raw_transcript"] == DEMO_TEXT
    assert report["answer"]["event"]["status"] == "published"
    assert report["message"]["id"] == report["answer"]["event"]["event_id"]
    assert report["message"]["source"] == "com.yourapp.transcription"
    assert str(event.interaction_id) == report["answer"]["interaction_id"]
    assert event.data.cleaned_transcript == report["answer"]["cleaned_transcript"]
    assert len(report["seconds"]) == 4


def test_the_embedded_aws_hides_every_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")

    with embedded_aws() as environ:
        assert "AWS_PROFILE" not in environ
        assert "AWS_SESSION_TOKEN" not in environ
        assert environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
