"""Metered transcriber: it behaves as the one inside, and measures what it does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.telemetry.metrics.instruments import Metrics
from adapters.telemetry.metrics.transcriber import MeteredTranscriber
from bootstrap.factories.transcriber import transcriber_for
from bootstrap.settings import Settings
from domain.model.errors import NotAudioError, TranscriberBusyError, TranscriberCrashedError
from ports.transcriber_port import TranscriberPort
from tests.contracts.transcriber_port import TranscriberPortContract
from tests.support.doubles.transcription import SPOKEN, FixedTranscriber
from tests.support.harness.service import eventually
from tests.support.prometheus.scrapes import scraped
from tests.support.samples.recordings import DEMO, record, silence, tone


@pytest.mark.process
class TestMeteredTranscriber(TranscriberPortContract):
    @pytest.fixture
    async def transcriber(self) -> AsyncIterator[TranscriberPort]:
        one = {"TRANSCRIBER_WORKERS": "1", "TRANSCRIBER_WAITING_ROOM": "1", "TRANSCRIBER": "canned"}
        inner = transcriber_for(Settings.from_env(one))
        await inner.start()
        yield MeteredTranscriber(inner, Metrics(), engine="canned")
        await inner.stop()

    @pytest.fixture
    def spoken(self) -> Path:
        return DEMO

    @pytest.fixture
    def silent(self, tmp_path: Path) -> Path:
        return record(tmp_path / "silence.wav", silence(0.3))  # too short for a word

    @pytest.fixture
    def wordless(self, tmp_path: Path) -> Path:
        return record(tmp_path / "tone.wav", tone(0.3))


class Setup:
    """A metered double, and what was counted."""

    def __init__(self, folder: Path) -> None:
        self.metrics = Metrics()
        self.inner = FixedTranscriber()
        self.transcriber = MeteredTranscriber(self.inner, self.metrics, engine="fake")
        self.recording = folder / "call.wav"
        self.recording.write_bytes(b"sound")

    def counts(self) -> dict[str, float]:
        return {
            each.labels["outcome"]: each.value
            for each in scraped(self.metrics.registry).samples
            if each.name == "transcription_seconds_count" and each.value
        }

    def audio(self) -> float | None:
        return scraped(self.metrics.registry).value("transcription_audio_seconds_total", engine="fake")


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


async def test_a_completed_recording_adds_its_sound(setup: Setup) -> None:
    await setup.transcriber.transcribe(setup.recording)

    assert setup.counts() == {"completed": 1}
    assert setup.audio() == SPOKEN.duration_seconds


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotAudioError("This is a letter of 3f0e1f5e."), "not-audio"),
        (TranscriberCrashedError("It died."), "transcriber-crashed"),
        (TranscriberBusyError("All slots are taken.", retry_after_seconds=1), "transcriber-busy"),
        (RuntimeError("a defect"), "unexpected-error"),
    ],
)
async def test_a_failure_has_the_name_of_its_problem_and_adds_no_sound(
    setup: Setup, error: Exception, outcome: str
) -> None:
    setup.inner.error = error

    with pytest.raises(type(error)):
        await setup.transcriber.transcribe(setup.recording)

    assert (setup.counts(), setup.audio()) == ({outcome: 1}, 0)


async def test_a_caller_who_leaves_is_no_failure(setup: Setup) -> None:
    setup.inner.held = True
    work = asyncio.ensure_future(setup.transcriber.transcribe(setup.recording))
    await eventually(lambda: setup.inner.heard)

    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert setup.counts() == {"cancelled": 1}
