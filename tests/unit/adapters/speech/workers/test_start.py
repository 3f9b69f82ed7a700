"""Start of a worker: it is ready when it has proved itself, and says why where it cannot be."""

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.speech.engines.loading import EngineSettings
from adapters.speech.workers.program import Program
from domain.model.errors import TranscriberUnavailableError
from ports.recogniser_port import Hints
from tests.contracts.speech_source_port import read_to_end
from tests.support.doubles.speech import unit_of
from tests.support.harness.service import eventually
from tests.support.harness.workers import CANNED, LIMITS, impostor, processes, reading, recognising
from tests.support.samples.recordings import DEMO

pytestmark = pytest.mark.process


async def test_an_engine_that_cannot_be_loaded_fails_each_unit_with_its_name_and_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unknown = Program(engine=EngineSettings(name="no-such-engine"))
    async with recognising(processes(unknown)) as recogniser:
        for _ in range(2):
            with pytest.raises(TranscriberUnavailableError, match=r"'no-such-engine'.*may be faster-whisper"):
                await recogniser.recognise(unit_of(), Hints(), recording="one")
        assert recogniser.slots().ready == 0

    assert any("in load_engine" in record.__dict__.get("trace", "") for record in caplog.records)


@pytest.mark.speech
@pytest.mark.parametrize("broken", ["empty", "truncated"])
async def test_a_model_that_is_empty_or_truncated_fails_the_start_with_the_reason(
    tmp_path: Path, broken: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    if broken == "truncated":
        (folder / "config.json").write_text("{}")
        (folder / "tokenizer.json").write_text("{}")
        (folder / "model.bin").write_bytes(b"\6\0\0\0\x0c\0WhisperSpec")
    engine = EngineSettings(name="faster-whisper", model="broken", folder=folder)

    async with recognising(processes(Program(engine=engine))) as recogniser:
        with pytest.raises(TranscriberUnavailableError, match="'faster-whisper' could not be started"):
            await recogniser.engine()


async def test_a_worker_that_cannot_be_spawned_fails_the_unit_with_the_reason(tmp_path: Path) -> None:
    async with recognising(processes(python=tmp_path / "no-python")) as recogniser:
        with pytest.raises(TranscriberUnavailableError, match="No such file or directory"):
            await recogniser.recognise(unit_of(), Hints(), recording="one")


async def test_a_worker_that_takes_too_long_to_load_fails_the_unit(tmp_path: Path) -> None:
    python = impostor(tmp_path, "wait()")

    async with recognising(processes(limits=replace(LIMITS, start_seconds=0.2), python=python)) as recogniser:
        with pytest.raises(TranscriberUnavailableError, match=r"took longer than 0\.2 s"):
            await recogniser.recognise(unit_of(), Hints(), recording="one")


AN_ENGINE_THAT_LOADS_AND_FAILS = f"""
from adapters.speech.engines.canned import CannedEngine
from adapters.speech.workers import main
CannedEngine.recognise = lambda *_: 1 / 0
sys.argv = ["worker", {CANNED.model_dump_json()!r}]
main.main()
"""


async def test_a_recogniser_that_cannot_recognise_the_built_in_half_second_is_never_ready(
    tmp_path: Path,
) -> None:
    python = impostor(tmp_path, AN_ENGINE_THAT_LOADS_AND_FAILS)

    async with recognising(processes(python=python)) as recogniser:
        await eventually(lambda: recogniser.slots().problem)

        with pytest.raises(TranscriberUnavailableError, match="ZeroDivisionError"):
            await recogniser.engine()
        assert recogniser.slots().ready == 0
        assert "ZeroDivisionError" in str(recogniser.slots().problem)


A_DECODER_THAT_READS_TOO_LITTLE = f"""
from adapters.speech.cutting import reading
from adapters.speech.workers import main
reading.decode = lambda *_, **__: iter([bytes(320)])
sys.argv = ["worker", {Program(threshold=None).model_dump_json()!r}]
main.main()
"""


async def test_a_reader_that_cannot_read_the_built_in_half_second_is_never_ready(tmp_path: Path) -> None:
    python = impostor(tmp_path, A_DECODER_THAT_READS_TOO_LITTLE)

    async with reading(processes(Program(threshold=None), python=python)) as source:
        with pytest.raises(TranscriberUnavailableError, match="half second of sound was read as"):
            await read_to_end(source, DEMO)
