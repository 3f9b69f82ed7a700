"""The engine and the cleaner `openai`, wired from the settings, against a local server."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bootstrap.factories.openai import openai_cleaner, openai_model, pause_after
from bootstrap.factories.transcriber import OpenAiTranscriber, transcriber_for
from bootstrap.logs import configure_logging
from bootstrap.settings import Settings
from domain.model.errors import ConfigurationError, TranscriberUnavailableError, UnsupportedOptionError
from domain.model.transcripts import TranscriptionOptions
from ports.transcriber_port import TranscriberPort
from tests.contracts.transcriber_port import TranscriberPortContract
from tests.support.harness.service import eventually
from tests.support.openai.server import KEY, OpenAiServer, openai_server
from tests.support.samples.recordings import DEMO, record, silence, tone

OPENAI = {"TRANSCRIBER": "openai", "CLEANER": "openai", "CLEANER_MODEL": "tidy-1"}


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server() as server:
        yield server


def settings_for(server: OpenAiServer, **environ: str) -> Settings:
    own = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "TRANSCRIBER_WORKERS": "1"}
    return Settings.from_env({**OPENAI, **own, **environ})


@pytest.fixture
async def transcriber(server: OpenAiServer) -> AsyncIterator[TranscriberPort]:
    transcriber = transcriber_for(settings_for(server, TRANSCRIBER_MODEL="whisper-1", OPENAI_REQUESTS="1"))
    await transcriber.start()
    yield transcriber
    await transcriber.stop()


@pytest.mark.process
class TestOpenAiTranscriber(TranscriberPortContract):
    @pytest.fixture
    def spoken(self) -> Path:
        return DEMO

    @pytest.fixture
    def silent(self, tmp_path: Path) -> Path:
        return record(tmp_path / "silent", silence(3))

    @pytest.fixture
    def wordless(self, tmp_path: Path) -> Path:
        return record(tmp_path / "wordless", tone(3.0))


@pytest.mark.process
async def test_a_wrong_key_shows_in_the_state_and_costs_a_recording_no_time(server: OpenAiServer) -> None:
    transcriber = transcriber_for(settings_for(server, OPENAI_API_KEY="sk-of-another-account"))
    await transcriber.start()
    try:
        await eventually(lambda: transcriber.state().problem)
        with pytest.raises(TranscriberUnavailableError, match="check OPENAI_API_KEY"):
            await transcriber.transcribe(DEMO)
        assert transcriber.state().ready_slots == 0
    finally:
        await transcriber.stop()


@pytest.mark.process
async def test_a_model_without_vocabulary_refuses_it(server: OpenAiServer) -> None:
    server.models = ("mine",)
    transcriber = transcriber_for(settings_for(server, TRANSCRIBER_MODEL="mine"))
    await transcriber.start()
    try:
        with pytest.raises(UnsupportedOptionError, match="mine of openai takes no vocabulary"):
            await transcriber.transcribe(DEMO, options=TranscriptionOptions(vocabulary=("Ada",)))
    finally:
        await transcriber.stop()


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "TRANSCRIBER=openai needs OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, "TRANSCRIBER=openai needs OPENAI_API_KEY"),
    ],
)
def test_openai_itself_needs_a_key(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        transcriber_for(Settings.from_env({**OPENAI, **environ}))


async def test_a_server_of_ones_own_needs_none() -> None:
    settings = Settings.from_env({**OPENAI, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})

    transcriber = transcriber_for(settings)

    assert isinstance(transcriber, OpenAiTranscriber)
    await transcriber.stop()


def test_a_cleaner_needs_a_model() -> None:
    with pytest.raises(ConfigurationError, match="CLEANER=openai needs CLEANER_MODEL"):
        openai_cleaner(Settings.from_env({"CLEANER": "openai", "OPENAI_API_KEY": KEY}))


def test_a_missing_sdk_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bootstrap.extras.find_spec", lambda name: None if name == "openai" else name)

    with pytest.raises(ConfigurationError, match=r"CLEANER=openai needs openai, .*'\.\[openai\]'"):
        openai_cleaner(Settings.from_env({"CLEANER": "openai", "OPENAI_API_KEY": KEY}))


@pytest.mark.parametrize(
    ("environ", "name", "response_format"),
    [
        ({}, "gpt-transcribe", "json"),
        ({"TRANSCRIBER_MODEL": "whisper-1"}, "whisper-1", "verbose_json"),
        ({"TRANSCRIBER_MODEL": "whisper-1", "OPENAI_RESPONSE_FORMAT": "json"}, "whisper-1", "json"),
        ({"TRANSCRIBER_MODEL": "mine", "OPENAI_RESPONSE_FORMAT": "verbose_json"}, "mine", "verbose_json"),
    ],
)
def test_the_model_is_the_newest_of_openai_unless_another_is_named(
    environ: dict[str, str], name: str, response_format: str
) -> None:
    model = openai_model(Settings.from_env({"TRANSCRIBER": "openai", **environ}))

    assert (model.name, model.response_format.value) == (name, response_format)


def test_pauses_differ_so_that_requests_do_not_coincide() -> None:
    assert len({pause_after(3) for _ in range(10)}) > 1
    assert all(0 < pause_after(failures) <= 60 for failures in range(50))


def test_the_key_is_shown_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = Settings.from_env({**OPENAI, "OPENAI_API_KEY": KEY})
    configure_logging(settings)

    logging.getLogger("anything").warning("key %s, and another: sk-proj-abcdefghijklmnop", KEY)

    line = capsys.readouterr().err
    assert KEY not in f"{settings!r} {line}"
    assert "abcdefghijklmnop" not in line
    with pytest.raises(ConfigurationError) as refusal:
        Settings.from_env({"OPENAI_API_KEY": "sk-with a blank in it"})
    assert str(refusal.value) == "OPENAI_API_KEY: must be one word of ASCII characters"
