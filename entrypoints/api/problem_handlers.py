"""Handlers of errors: each one, ours and the framework's, is answered with a problem."""

import logging
from http import HTTPMethod, HTTPStatus

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match

from domain.model import errors
from domain.model.problem_names import problem_name
from entrypoints.api.problems import CALLER_LEFT, CallerLeftError, problem_of, problem_response

logger = logging.getLogger(__name__)


def register_problems(app: FastAPI) -> None:
    """Answer known errors, ours and the framework's, with a problem; the middleware handles all others."""
    app.add_exception_handler(errors.TranscriptionServiceError, _answer_service_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(ClientDisconnect, _answer_disconnect)


async def _answer_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.TranscriptionServiceError)  # noqa: S101 - registered for this type only
    answer = problem_of(error)
    request.state.problem = problem_name(type(error))  # for metrics
    if isinstance(error, errors.IdempotencyInProgressError):  # its first request is one of those at work
        state = request.app.state.container.transcriber().state()
        answer.headers["Retry-After"] = str(state.retry_after_seconds)
    return answer


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    if "Allow" in headers:  # the framework names the methods of the first route with this path
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem_response(status, title=status.phrase, detail=str(error.detail), name=name, headers=headers)


def _methods(request: Request) -> set[str]:
    """Collect the methods of a path; `HttpSemanticsMiddleware` answers HEAD wherever there is a GET."""
    scope = dict(request.scope)
    methods = {
        str(method)
        for method in HTTPMethod
        if any(route.matches(scope | {"method": method})[0] is Match.FULL for route in request.app.routes)
    }
    return methods | ({"HEAD"} if "GET" in methods else set())


async def _answer_disconnect(_request: Request, error: Exception) -> Response:
    """Log at which point the caller disconnected; the answer only ends the request."""
    has_sent_all = isinstance(error, CallerLeftError)
    logger.info(
        "caller disconnected while it waited for the answer"
        if has_sent_all
        else "caller disconnected while it sent the recording"
    )
    return Response(status_code=CALLER_LEFT)


def unexpected_problem() -> Response:
    """Build the answer to an unexpected error, without its details."""
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        title="Internal error",
        detail="Unexpected error in the service; its log has the details under this interaction id.",
        name="internal-error",
    )
