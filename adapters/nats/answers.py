"""Answers of JetStream: acknowledgements of stored messages, and the errors of NATS."""

import json
from typing import Any

from domain.model.errors import (
    EventBusRefusesUsError,
    EventBusUnavailableError,
    EventPublishError,
    EventTooLargeError,
)

NO_STREAM = "503"
"""Status of a message on a subject without a stream."""

MESSAGE_TOO_LARGE = 10054
"""JetStream's error code of a message that exceeds `max_msg_size` of the stream."""


def read_answer(subject: str, status: str | None, body: bytes) -> str | EventPublishError:
    """Return the receipt, stream and sequence of the stored message, or the error.

    A duplicate is stored already, so it has a receipt like any other.
    """
    if status == NO_STREAM:
        return EventBusUnavailableError(
            f"no stream of NATS stores the subject {subject}: add it to a stream, or correct NATS_SUBJECT"
        )
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    match answer:
        case {"error": {"err_code": int(code), "description": str(text)}} if code == MESSAGE_TOO_LARGE:
            return EventTooLargeError(f"the stream of NATS for {subject} refuses the event: {text}")
        case {"error": dict(error)}:
            return _stream_failure(subject, error)
        case {"stream": str(stream), "seq": int(sequence)}:
            return f"{stream}:{sequence}"
    return EventBusUnavailableError(f"NATS returned an unreadable acknowledgement for {subject}")


def _stream_failure(subject: str, error: dict[str, Any]) -> EventBusUnavailableError:
    reason = f"{error.get('description', 'no reason')} ({error.get('err_code', error.get('code'))})"
    return EventBusUnavailableError(f"the stream of NATS for {subject} does not store the event: {reason}")


def connection_failure(name: str, error: BaseException | None) -> EventBusUnavailableError:
    """Translate an error of the client; one of authorization lasts until the configuration is corrected."""
    text = str(error or "no answer").removeprefix("nats: ").strip("'") or type(error).__name__
    if "authorization" in text.lower() or "permissions violation" in text.lower():
        return EventBusRefusesUsError(f"{name} refuses the credentials of NATS_URL: {text}")
    return EventBusUnavailableError(f"{name} cannot be reached: {text}")
