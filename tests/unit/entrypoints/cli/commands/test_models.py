"""`transcripts models`: what is here, and how a model gets here."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.speech.engines.models import KNOWN_MODELS
from tests.support.harness.hub import REVISION, WHOLE_MODEL, Hub, hub_of
from tests.support.harness.installed_command import transcripts

pytestmark = pytest.mark.process

NOWHERE = "http://127.0.0.1:1"
"""Address of a hub that no process serves."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_of(KNOWN_MODELS["base"]) as hub:
        yield hub


def models(folder: Path, *arguments: str, hub: str = NOWHERE, **environ: str) -> Any:
    return transcripts("models", *arguments, HF_HOME=str(folder / "hub"), HF_ENDPOINT=hub, **environ)


def listed(told: str) -> dict[str, Any]:
    return {model["name"]: model for model in json.loads(told)["models"]}


def test_the_packaged_model_is_here_and_the_others_are_on_the_hub(tmp_path: Path) -> None:
    machines, people = models(tmp_path, "list", "--json"), models(tmp_path, "list")

    found = listed(machines.stdout)
    assert machines.returncode == people.returncode == 0
    assert set(found) == set(KNOWN_MODELS)
    assert json.loads(machines.stdout)["selected"] == "tiny.en"
    assert [name for name, model in found.items() if model["folder"]] == ["tiny.en"]
    assert found["tiny.en"]["revision"] == "package"
    assert found["small"]["repository"] == "Systran/faster-whisper-small"
    assert people.stdout.startswith("* tiny.en ")
    assert len(people.stdout.splitlines()) == len(KNOWN_MODELS)


def test_a_model_that_is_fetched_is_here_and_is_not_fetched_again(tmp_path: Path, hub: Hub) -> None:
    fetched = models(tmp_path, "fetch", "base", "--json", hub=hub.url)
    again = models(tmp_path, "fetch", "base", hub=NOWHERE)
    found = listed(models(tmp_path, "list", "--json").stdout)["base"]

    answer = json.loads(fetched.stdout)
    assert fetched.returncode == again.returncode == 0, fetched.stderr + again.stderr
    assert (answer["name"], answer["revision"], answer["was_here"]) == ("base", REVISION, False)
    assert {file.name for file in Path(answer["folder"]).iterdir()} == set(WHOLE_MODEL)
    assert f"base is on this machine already: {answer['folder']} (revision {REVISION})" in again.stdout
    assert (found["folder"], found["revision"]) == (answer["folder"], REVISION)


def test_the_model_of_the_settings_is_fetched_where_none_is_named(tmp_path: Path, hub: Hub) -> None:
    result = models(tmp_path, "fetch", hub=hub.url, TRANSCRIBER_MODEL="base")

    assert result.returncode == 0
    assert f"base fetched: {tmp_path}" in result.stdout


def test_a_model_in_a_folder_is_listed_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    result = models(tmp_path, "list", TRANSCRIBER_MODEL=str(tmp_path / "mine"))

    assert result.returncode == 0
    assert "unusable: " in result.stdout
    assert "model.bin, config.json, tokenizer.json missing" in result.stdout


@pytest.mark.parametrize("arguments", [("fetch", "base"), ("fetch", "base", "--json")])
def test_without_a_network_fetching_fails_with_exit_code_2_and_three_ways_out(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = models(tmp_path, *arguments)

    assert result.returncode == 2
    assert "Run `transcripts models fetch base` where there is a network" in result.stderr
    assert "or set TRANSCRIBER_MODEL to the folder of a model, or to tiny.en" in result.stderr
    if "--json" in arguments:
        assert json.loads(result.stdout)["error"]["type"] == "ConfigurationError"


def test_a_hub_that_hangs_or_answers_html_ends_the_start_with_exit_code_2(tmp_path: Path, hub: Hub) -> None:
    recording = tmp_path / "call.wav"
    recording.write_bytes(b"sound")
    environ = {
        "HF_HOME": str(tmp_path / "hub"),
        "HF_ENDPOINT": hub.url,
        "TRANSCRIBER_MODEL": "base",
        "DATA_DIR": str(tmp_path / "var"),
    }

    hub.is_captive = True
    captive = transcripts("process", recording, **environ)
    hub.hangs_at = "/revision/"
    silent = transcripts("process", recording, **environ)

    for result in (captive, silent):
        assert result.returncode == 2
        assert "TRANSCRIBER_MODEL=base is not on this machine" in result.stderr


def test_an_engine_without_models_on_this_machine_has_none_to_fetch(tmp_path: Path) -> None:
    result = models(tmp_path, "fetch", TRANSCRIBER="canned")

    assert result.returncode == 2
    assert "Name a model" in result.stderr
    assert json.loads(models(tmp_path, "list", "--json", TRANSCRIBER="canned").stdout)["selected"] is None
