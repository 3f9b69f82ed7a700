"""The local transcriber as the settings describe it, with its readers and recognisers in processes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bootstrap.factories.transcriber import LocalTranscriber, transcriber_for
from bootstrap.settings import Settings
from domain.model.errors import UnsupportedOptionError
from domain.model.transcripts import TranscriptionOptions
from tests.contracts.transcriber_port import TranscriberPortContract
from tests.support.samples.recordings import DEMO, record, silence, tone

pytestmark = pytest.mark.process


@asynccontextmanager
async def transcriber(**environ: str) -> AsyncIterator[LocalTranscriber]:
    """Run a transcriber with one worker and a waiting room for one."""
    one = {"TRANSCRIBER_WORKERS": "1", "TRANSCRIBER_WAITING_ROOM": "1"}
    local = transcriber_for(Settings.from_env({**one, **environ}))
    assert isinstance(local, LocalTranscriber)
    await local.start()
    try:
        yield local
    finally:
        await local.stop()


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def whisper() -> AsyncIterator[LocalTranscriber]:
    async with transcriber() as local:
        yield local


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def canned() -> AsyncIterator[LocalTranscriber]:
    async with transcriber(TRANSCRIBER="canned") as local:
        yield local


@pytest.mark.asyncio(loop_scope="class")
class _Local(TranscriberPortContract):
    """One transcriber for all tests of a class: each leaves it idle, and a start takes seconds."""

    @pytest.fixture
    def spoken(self) -> Path:
        return DEMO


@pytest.mark.speech
class TestFasterWhisper(_Local):
    @pytest.fixture
    def transcriber(self, whisper: LocalTranscriber) -> LocalTranscriber:
        return whisper

    @pytest.fixture
    def silent(self, tmp_path: Path) -> Path:
        return record(tmp_path / "silence.wav", silence(3.0))

    @pytest.fixture
    def wordless(self, tmp_path: Path) -> Path:
        return record(tmp_path / "tone.wav", tone(3.0))


class TestCanned(_Local):
    @pytest.fixture
    def transcriber(self, canned: LocalTranscriber) -> LocalTranscriber:
        return canned

    @pytest.fixture
    def silent(self, tmp_path: Path) -> Path:
        return record(tmp_path / "silence.wav", silence(0.3))  # too short for a word

    @pytest.fixture
    def wordless(self, tmp_path: Path) -> Path:
        return record(tmp_path / "tone.wav", tone(0.3))


@pytest.mark.speech
async def test_what_the_model_cannot_do_is_refused_before_the_recording_is_read() -> None:
    async with transcriber() as local:
        with pytest.raises(UnsupportedOptionError, match=r"tiny\.en .* does not know the language 'de'"):
            await local.transcribe(Path("/no/such/recording"), options=TranscriptionOptions(language="de"))


async def test_it_may_be_used_before_it_is_started(tmp_path: Path) -> None:
    local = transcriber_for(Settings.from_env({"TRANSCRIBER": "canned"}))
    try:
        transcript = await local.transcribe(record(tmp_path / "silence.wav", silence(60.0)))
    finally:
        await local.stop()

    assert transcript.segments
