"""Queries of lists of jobs, and how long a caller waits for a change."""

import base64
import json
import math
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request

from domain.model.jobs import MAX_PAGE, JobCursor, JobQuery, JobState
from entrypoints.api.parameters import invalid_parameter, whole_number

DEFAULT_PAGE = 20
MAX_WAIT_SECONDS = 60.0
"""Longest wait for a change; a longer one is cut."""

CANCEL = "cancel"
"""Value of `only`, with which a deletion never erases."""

_TIME = "a date and time with its zone, such as 2026-11-23T18:00:00Z"


def read_query(request: Request, tenant_id: UUID) -> JobQuery:
    """Read the choice of jobs from the parameters of a request; unknown parameters are ignored.

    Raises:
        InvalidParameterError: a value is not one of the parameter's.
    """
    given = request.query_params
    return JobQuery(
        tenant_id=tenant_id,
        state=_state(given.get("state")),
        created_after=_time("created_after", given.get("created_after")),
        created_before=_time("created_before", given.get("created_before")),
        behind=_cursor(given.get("cursor")),
        limit=whole_number("limit", given.get("limit"), default=DEFAULT_PAGE, maximum=MAX_PAGE),
    )


def next_page(request: Request, cursor: JobCursor | None) -> str | None:
    """Return the path of the page behind the cursor, with the query of this one."""
    if cursor is None:
        return None
    query = {**request.query_params, "cursor": _opaque(cursor)}
    return f"{request.scope['root_path']}/batch/jobs?{urlencode(query)}"


def wait_seconds(request: Request) -> float:
    """Read how long the caller waits for a change; 0 without the parameter.

    Raises:
        InvalidParameterError: the value is no number of seconds.
    """
    text = request.query_params.get("wait")
    if text is None:
        return 0.0
    seconds = _number(text)
    if seconds is None or seconds < 0:
        raise invalid_parameter("wait", text, f"a number of seconds from 0 to {MAX_WAIT_SECONDS:g}")
    return min(seconds, MAX_WAIT_SECONDS)


def only_cancels(request: Request) -> bool:
    """Read whether a deletion is to cancel, and never to erase; False without the parameter.

    Raises:
        InvalidParameterError: the value is another one than `cancel`.
    """
    text = request.query_params.get("only")
    if text not in {None, CANCEL}:
        raise invalid_parameter("only", str(text), CANCEL)
    return text is not None


def _state(text: str | None) -> JobState | None:
    if text is None:
        return None
    if text not in {*JobState}:
        raise invalid_parameter("state", text, ", ".join(JobState))
    return JobState(text)


def _time(name: str, text: str | None) -> datetime | None:
    """Parse a time; a plus sign that was not encoded arrives as a space."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if text[10:11] == "T" else text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_parameter(name, text, _TIME) from error
    raise invalid_parameter(name, text, _TIME)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _opaque(cursor: JobCursor) -> str:
    return base64.urlsafe_b64encode(json.dumps([cursor.created_at, cursor.id.hex]).encode()).decode()


def _cursor(text: str | None) -> JobCursor | None:
    """Read a cursor that `next_page` wrote."""
    if text is None:
        return None
    try:
        created_at, job_id = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        cursor = JobCursor(float(created_at), UUID(hex=job_id))
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise invalid_parameter("cursor", text, "the one in the link to the next page") from error
    if not math.isfinite(cursor.created_at):
        raise invalid_parameter("cursor", text, "the one in the link to the next page")
    return cursor
