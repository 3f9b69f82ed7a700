"""Parameters of an upload: known ones are read, unknown ones named."""

import pytest

from domain.model.result_warnings import MAX_DETAIL_LENGTH
from domain.model.transcripts import TranscriptionOptions
from entrypoints.api import parameters
from entrypoints.api.parameters import read_json_parameters, read_parameters
from entrypoints.api.problems import InvalidParameterError


def test_without_parameters_there_is_nothing_to_warn_of() -> None:
    assert read_parameters([], []) == ({}, ())


def test_known_parameters_are_read_and_a_form_field_overrides_the_query(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parameters, "PARAMETERS", {"color": {}, "size": {}})

    read = read_parameters([("color", "red"), ("size", "xl")], [("color", "blue"), ("colour", "green")])

    assert read.values == {"color": "blue", "size": "xl"}
    (warning,) = read.warnings
    assert "'colour'" in warning.detail
    assert "known: file, color, size" in warning.detail


def test_the_last_of_several_values_counts_and_all_terms_of_a_vocabulary() -> None:
    form = [("vocabulary", "Acme, Zoë"), ("language", "de"), ("vocabulary", "R2D2"), ("language", "en")]

    options = read_parameters([("vocabulary", "other")], form).transcription_options()

    assert options == TranscriptionOptions(language="en", vocabulary=("Acme", "Zoë", "R2D2"))


def test_each_known_parameter_is_an_option_of_the_transcription() -> None:
    assert set(parameters.PARAMETERS) == set(TranscriptionOptions.model_fields)


@pytest.mark.parametrize(
    ("name", "listed"), [("channels", "mixed or separate"), ("tracks", "one or all")], ids=str
)
@pytest.mark.parametrize("value", ["both", "\ud800", 5, [], {}], ids=ascii)
def test_a_value_that_an_option_does_not_have_is_refused_with_those_it_has(
    name: str, listed: str, value: object
) -> None:
    read = read_json_parameters((), {name: value}, also=())

    with pytest.raises(InvalidParameterError, match=f"^The parameter '{name}' .* it may be {listed}.$"):
        read.transcription_options()


@pytest.mark.parametrize("name", ["x", "\U0010fffe" * 1000, "'\"\x1b[31m", ""])
def test_a_warning_stays_short_and_printable_however_many_names_there_are(name: str) -> None:
    (warning,) = read_parameters([], [(f"{name}{number}", "") for number in range(20_000)]).warnings

    assert len(warning.detail) <= MAX_DETAIL_LENGTH
    assert warning.detail.isprintable()
