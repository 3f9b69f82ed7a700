"""Misspelt names of environment variables."""

import pytest

from bootstrap.variables import misspelt


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("TRANSCRIBER_WORKER", "TRANSCRIBER_WORKERS"),
        ("EVENTBRIDGE_BUS", "EVENTBRIDGE_BUS_NAME"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("log_level", "LOG_LEVEL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("AWS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_ENDPOINT", "AWS_ENDPOINT_URL"),
        ("OTEL_EXPORTER_OTLP_ENDPOINTS", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ],
)
def test_a_misspelt_name_is_named_with_the_one_that_is_meant(name: str, nearest: str) -> None:
    assert misspelt(["PATH", name]) == {name: nearest}


@pytest.mark.parametrize(
    "name",
    [
        "HOSTNAME",
        "POST",
        "UV_LOG_LEVEL",
        "FILE_NAME",
        "AWS_ENDPOINT_URL_S3",
        "AWS_EXECUTION_ENV",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_MAX_ATTEMPTS",
        "AWS_DEFAULTS_MODE",
        "OTEL_SERVICE_NAME",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ],
)
def test_names_of_other_programs_are_none_of_ours(name: str) -> None:
    assert misspelt([name]) == {}


def test_a_name_is_not_misspelt_where_the_right_one_is_given_as_well() -> None:
    assert misspelt(["LOGLEVEL", "LOG_LEVEL"]) == {}
