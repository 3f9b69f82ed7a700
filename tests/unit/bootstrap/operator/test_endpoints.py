"""Checks of services: key, address and model, without a recording."""

from collections.abc import Iterator

import pytest

from adapters.openai.access import OpenAiAccess
from bootstrap.operator.endpoints import cleaner_check, engine_check
from bootstrap.operator.examination import CheckResult
from bootstrap.settings import Settings
from tests.support.openai.server import KEY, OpenAiServer, openai_server


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with openai_server() as server:
        yield server


def settings_for(server: OpenAiServer, **environ: str) -> Settings:
    chosen = {"TRANSCRIBER": "openai", "CLEANER": "openai", "CLEANER_MODEL": "tidy-1"}
    return Settings.from_env({**chosen, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, **environ})


def test_a_service_that_accepts_the_key_and_lists_the_model_is_ok(server: OpenAiServer) -> None:
    server.models = ("gpt-transcribe", "tidy-1")

    engine, cleaner = engine_check(settings_for(server)), cleaner_check(settings_for(server))

    assert (engine.name, engine.verdict) == ("engine", CheckResult.OK)
    assert engine.found.endswith("accepts the key and lists the model gpt-transcribe")
    assert (cleaner.name, cleaner.verdict) == ("cleaner", CheckResult.OK)
    assert cleaner.found.endswith("accepts the key and lists the model tidy-1")
    assert not server.requests
    assert not server.chats


def test_a_refused_key_is_wrong_and_not_shown(server: OpenAiServer) -> None:
    check = engine_check(settings_for(server, OPENAI_API_KEY="sk-of-another-account"))

    assert check.verdict is CheckResult.WRONG
    assert "HTTP 401, invalid_api_key" in check.found
    assert "OPENAI_API_KEY" in check.remedy
    assert "sk-of-another-account" not in str(check)


def test_a_service_that_is_not_there_is_wrong(server: OpenAiServer) -> None:
    check = engine_check(settings_for(server, OPENAI_BASE_URL="http://user:hunter2@127.0.0.1:9/v1"))

    assert check.verdict is CheckResult.WRONG
    assert "127.0.0.1:9" in check.found
    assert "hunter2" not in str(check)


def test_an_address_without_a_list_of_models_is_a_warning(server: OpenAiServer) -> None:
    server.models = None

    check = engine_check(settings_for(server))

    assert check.verdict is CheckResult.WARNING
    assert "OPENAI_BASE_URL" in check.remedy


def test_a_model_that_is_not_listed_is_a_warning(server: OpenAiServer) -> None:
    check = engine_check(settings_for(server, TRANSCRIBER_MODEL="gpt-transcrib"))

    assert check.verdict is CheckResult.WARNING
    assert "does not list the model gpt-transcrib" in check.found


def test_a_model_that_openai_ends_is_a_warning(server: OpenAiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenAiAccess, "is_openai", True)

    check = engine_check(settings_for(server, TRANSCRIBER_MODEL="whisper-1"))

    assert check.verdict is CheckResult.WARNING
    assert "26 February 2027" in check.found
    assert check.remedy == "Change TRANSCRIBER_MODEL."


def test_a_missing_key_or_model_is_wrong_and_named() -> None:
    engine = engine_check(Settings.from_env({"TRANSCRIBER": "openai"}))
    cleaner = cleaner_check(Settings.from_env({"CLEANER": "openai", "OPENAI_API_KEY": KEY}))

    assert (engine.name, engine.verdict) == ("engine", CheckResult.WRONG)
    assert "TRANSCRIBER=openai needs OPENAI_API_KEY" in engine.found
    assert (cleaner.name, cleaner.verdict) == ("cleaner", CheckResult.WRONG)
    assert "CLEANER=openai needs CLEANER_MODEL" in cleaner.found
