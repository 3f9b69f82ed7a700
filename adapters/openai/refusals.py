"""Refusals: what a service answered instead of the answer, and whether a later try may succeed.

Messages name service, operation and answer. They hold no text of the answer, which may repeat key or text.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from domain.model.errors import (
    TranscriberBusyError,
    TranscriberUnavailableError,
    TranscriptionError,
    TranscriptionFailedError,
)

_NOT_YET = frozenset({408, 409, 425, 429})
"""Statuses below 500 with which a service asks for another try."""
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Codes of a 429 that no later try mends."""
_TOO_MANY = 429
_SERVER_FAULT = 500
_CODE = re.compile(r"[a-z][a-z0-9_.]{0,63}")
"""Form of a code; others may be a sentence that quotes what was sent."""

_REMEDIES: Mapping[int, str] = {
    401: "check OPENAI_API_KEY",
    403: "check the permissions of OPENAI_API_KEY",
    404: "check the name of the model, and OPENAI_BASE_URL",
    405: "check OPENAI_BASE_URL",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Failure of one try."""

    error: TranscriptionError
    is_temporary: bool
    retry_after_seconds: float | None = None  # as the service asks for it


def refusal_of(error: APIError, host: str, operation: str) -> Refusal:
    """Describe an error of the SDK."""
    if isinstance(error, APITimeoutError):
        return late(host, operation)
    if isinstance(error, APIStatusError):
        return _of_status(error, host, operation)
    why = type(error.__cause__ or error).__name__
    broken = f"{host} broke off its answer to the {operation}, or cannot be reached ({why})."
    return Refusal(TranscriberUnavailableError(broken), is_temporary=isinstance(error, APIConnectionError))


def late(host: str, operation: str) -> Refusal:
    """Describe an answer that did not come in time."""
    message = f"{host} did not answer the {operation} in time."
    return Refusal(TranscriberUnavailableError(message), is_temporary=True)


def _of_status(error: APIStatusError, host: str, operation: str) -> Refusal:
    status, code = error.status_code, _code(error)
    found = f"HTTP {status}, {code}" if code else f"HTTP {status}"
    if code in _NO_CREDIT:
        message = f"{host} refused the {operation}: the account has no credit left ({found})."
        return Refusal(TranscriberUnavailableError(message), is_temporary=False)
    seconds = retry_after(error.response.headers)
    if status == _TOO_MANY:
        busy = TranscriberBusyError(
            f"{host} refused the {operation}: too many requests ({found}).",
            retry_after_seconds=max(1, round(seconds or 1)),
        )
        return Refusal(busy, is_temporary=True, retry_after_seconds=seconds)
    message = f"{host} refused the {operation} ({found})"
    if remedy := _REMEDIES.get(status):
        return Refusal(TranscriberUnavailableError(f"{message}: {remedy}."), is_temporary=False)
    if status in _NOT_YET or status >= _SERVER_FAULT:
        return Refusal(
            TranscriberUnavailableError(f"{message}."), is_temporary=True, retry_after_seconds=seconds
        )
    return Refusal(TranscriptionFailedError(f"{message}."), is_temporary=False)


def _code(error: APIStatusError) -> str | None:
    return next((each for each in (error.code, error.type) if each and _CODE.fullmatch(str(each))), None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read the seconds to wait from `Retry-After`, a number or a date; None where there is neither."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{0,9})?", value):
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None
