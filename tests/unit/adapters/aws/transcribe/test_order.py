"""Orders: one name for the same sound and the same questions, and Amazon's own words for languages."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.aws.transcribe.languages import CODES, language_of
from adapters.aws.transcribe.order import JobOrder
from domain.model.transcripts import TranscriptionOptions
from tests.support.aws.transcribe import Amazon

ROOT = Path(__file__).parents[5]
ORDER = JobOrder(bucket="ours", sound="ab" * 32)


def test_the_same_order_has_the_same_name_which_amazon_accepts() -> None:
    assert replace(ORDER).name == ORDER.name
    assert re.fullmatch(r"[0-9a-zA-Z._-]{1,200}", ORDER.name)
    assert re.fullmatch(r"[a-zA-Z0-9-_.!*'()/]{1,1024}", ORDER.output_key)


@pytest.mark.parametrize(
    "change",
    [
        {"bucket": "theirs"},
        {"sound": "cd" * 32},
        {"track": 1},
        {"channel": 1},
        {"language": "de"},
        {"max_speakers": 2},
    ],
)
def test_another_question_has_another_name(change: dict[str, Any]) -> None:
    assert replace(ORDER, **change).name != ORDER.name


def test_a_request_names_a_language_or_has_it_identified() -> None:
    named, found = replace(ORDER, language="pt").request(), ORDER.request()

    assert (named.get("LanguageCode"), named.get("IdentifyLanguage")) == ("pt-BR", None)
    assert (found.get("LanguageCode"), found.get("IdentifyLanguage")) == (None, True)


def test_a_request_declares_flac_and_no_rate() -> None:
    request = ORDER.request()

    assert request["MediaFormat"] == "flac"
    assert "MediaSampleRateHertz" not in request


def test_every_language_is_one_of_amazons(account: Amazon) -> None:
    shape: Any = account.transcribe.meta.service_model.shape_for("LanguageCode")
    known = shape.enum

    assert set(CODES.values()) <= set(known)
    assert {code.partition("-")[0] for code in known} <= set(CODES)


def test_the_guide_says_which_region_a_language_has() -> None:
    guide = (ROOT / "docs" / "engines-amazon-transcribe.md").read_text(encoding="utf-8")

    assert dict(re.findall(r"`([a-z]{2,3})`\s([a-z]{2,3}-[A-Z]{2})\b", guide)) == CODES


def test_every_language_is_one_that_a_caller_can_name() -> None:
    assert [TranscriptionOptions(language=language).language for language in CODES] == list(CODES)


@pytest.mark.parametrize(("code", "language"), [("en-AU", "en"), ("zh-HK", "yue"), ("zh-TW", "zh")])
def test_a_region_is_not_part_of_a_language(code: str, language: str) -> None:
    assert language_of(code) == language
