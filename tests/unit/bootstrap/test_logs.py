import io
import json
import logging
from typing import Any

import pytest
import structlog

from bootstrap.logs import configure_logging
from bootstrap.settings import Settings

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLETOKEN//////////wEaD"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def configured(stream: io.StringIO | None = None, **environ: str) -> io.StringIO:
    stream = stream or io.StringIO()
    configure_logging(Settings.from_env(environ), stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_off_a_terminal_every_line_is_json_with_a_timestamp() -> None:
    stream = configured()

    logging.getLogger("anything").info("hello %s", "world", extra={"answer": 42})

    (line,) = lines(stream)
    assert line["event"] == "hello world"
    assert (line["level"], line["logger"], line["answer"]) == ("info", "anything", 42)
    assert line["timestamp"].endswith("Z")


def test_on_a_terminal_lines_are_for_people_unless_json_is_asked_for() -> None:
    people, machines = configured(Terminal()), None
    logging.getLogger("a").info("hello")
    machines = configured(Terminal(), LOG_FORMAT="json")
    logging.getLogger("a").info("hello")

    assert "hello" in people.getvalue()
    assert not people.getvalue().startswith("{")
    assert lines(machines)[0]["event"] == "hello"


def test_every_line_carries_the_interaction_it_belongs_to() -> None:
    stream = configured()

    with structlog.contextvars.bound_contextvars(interaction_id="7b1c"):
        logging.getLogger("a").info("inside")
    logging.getLogger("a").info("outside")

    inside, outside = lines(stream)
    assert inside["interaction_id"] == "7b1c"
    assert "interaction_id" not in outside


def test_stack_traces_are_part_of_their_line() -> None:
    stream = configured()

    try:
        raise ValueError("what went wrong")
    except ValueError:
        logging.getLogger("a").exception("failed")

    (line,) = lines(stream)
    assert "Traceback" in line["exception"]
    assert "ValueError: what went wrong" in line["exception"]


def test_the_level_is_the_configured_one() -> None:
    stream = configured(LOG_LEVEL="WARNING")

    logging.getLogger("a").info("no")
    logging.getLogger("a").warning("yes")

    assert [line["event"] for line in lines(stream)] == ["yes"]


def test_loggers_that_print_requests_stay_quiet_even_in_debug() -> None:
    stream = configured(LOG_LEVEL="DEBUG")

    for name in ("alembic.runtime.migration", "botocore.endpoint", "botocore.auth", "urllib3.connectionpool"):
        logging.getLogger(name).debug("Authorization: AWS4-HMAC-SHA256 Credential=...")
        logging.getLogger(name).info("headers")

    assert lines(stream) == []


def test_values_of_secret_variables_never_reach_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SESSION_TOKEN)
    stream = configured()

    log = logging.getLogger("a")
    log.info("with %s", SECRET_KEY)
    log.info("extra", extra={"deep": {"list": [SESSION_TOKEN, ("x" + SECRET_KEY,)]}})
    try:
        raise RuntimeError(f"signing with {SECRET_KEY} for {ACCESS_KEY} failed")
    except RuntimeError:
        log.exception("failed")

    output = stream.getvalue()
    assert len(lines(stream)) == 3
    assert not any(secret in output for secret in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN))


@pytest.mark.parametrize(
    "text",
    [
        "key ASIAIOSFODNN7EXAMPLE was used",
        "https://bucket.s3.amazonaws.com/k?X-Amz-Signature=0123456789abcdef&X-Amz-Expires=60",
        "Authorization: Bearer 0123456789abcdef",
        "{'authorization': 'Basic 0123456789abcdef'}",
        "bearer 0123456789abcdef",
        "postgresql://user:0123456789abcdef@db/events",
        "redis://:0123456789abcdef@broker/0",
        "X-Amz-Security-Token=0123456789abcdef",
    ],
)
def test_what_looks_like_a_credential_never_reaches_the_log(text: str) -> None:
    stream = configured()

    logging.getLogger("a").info(text)
    logging.getLogger("a").info("b", extra={"field": text})

    assert "0123456789abcdef" not in stream.getvalue()
    assert "ASIAIOSFODNN7EXAMPLE" not in stream.getvalue()
    assert "[redacted]" in stream.getvalue()


@pytest.mark.parametrize("field", ["Authorization", "aws_secret_access_key", "session_token", "password"])
def test_fields_with_secret_names_are_redacted_whole(field: str) -> None:
    stream = configured()

    logging.getLogger("a").info("b", extra={field: "opensesame"})

    assert lines(stream)[0][field] == "[redacted]"


def test_a_terminal_cannot_be_steered_through_a_line() -> None:
    stream = configured(Terminal())

    logging.getLogger("a").info("b", extra={"file": "x\x1b[2J\u202ey"})

    assert "\x1b[2J" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_a_terminal_cannot_be_steered_through_a_stack_trace_which_keeps_its_lines() -> None:
    stream = configured(Terminal())

    try:
        raise ValueError("x\x1b[2J\u202ey")
    except ValueError:
        logging.getLogger("a").exception("failed")

    assert "\x1b[2J" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()
    assert r"ValueError: x\x1b[2J\u202ey" in stream.getvalue()
    assert len(stream.getvalue().splitlines()) > 3


def test_colours_are_for_terminals_alone() -> None:
    terminal = configured(Terminal(), LOG_FORMAT="console")
    logging.getLogger("a").info("hello")
    file = configured(io.StringIO(), LOG_FORMAT="console")
    logging.getLogger("a").info("hello")

    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in file.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_servers_messages_are_written_once(log_format: str) -> None:
    stream = configured(LOG_FORMAT=log_format)

    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "Started \x1b[36mtwice"})

    assert "Started" in stream.getvalue()
    assert "color_message" not in stream.getvalue()
    assert "twice" not in stream.getvalue()
